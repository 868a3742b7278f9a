"""Runs h2spec in strict mode against our server and judges its JUnit report."""

import xml.etree.ElementTree as ElementTree

import peers
from servers import serving

CASES = 147
PATH = "/grpc.testing.TestService/EmptyCall"


def failures(report):
    """The failed and the skipped cases of a report, and the count of all."""
    cases = ElementTree.parse(report).getroot().findall("./testsuite/testcase")
    bad = [case for case in cases if len(case) > 0]
    return [
        (case.get("package"), case.get("classname"), case[0].tag, " ".join((case[0].text or "").split()))
        for case in bad
    ], len(cases)


def run(built, server, report):
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    with serving(server, env=built.environment(), ours=True) as running:
        code, text = peers.run(
            built.go("h2spec")
            + [
                "--strict",
                "--host",
                "127.0.0.1",
                "--port",
                str(running.port),
                "--path",
                PATH,
                "--timeout",
                "5",
                "--junit-report",
                str(report),
            ],
            240,
        )
        running.check_alive()
    if not report.exists():
        raise RuntimeError(f"h2spec ended with {code} and no report: {text[-2000:]}")
    bad, count = failures(report)
    for package, name, tag, text in bad:
        peers.say(f"{tag}: {package}: {name}: {text}")
    peers.say(f"h2spec strict: {count} cases, {count - len(bad)} passed; all {CASES} must")
    return count == CASES and not bad
