"""The official gRPC interoperability cases between our program and foreign ones, in both directions."""

import json
import time

import peers
from servers import serving

CASES = (
    "empty_unary",
    "large_unary",
    "client_compressed_unary",
    "server_compressed_unary",
    "client_streaming",
    "client_compressed_streaming",
    "server_streaming",
    "server_compressed_streaming",
    "ping_pong",
    "empty_stream",
    "custom_metadata",
    "status_code_and_message",
    "special_status_message",
    "unimplemented_method",
    "unimplemented_service",
    "cancel_after_begin",
    "cancel_after_first_response",
    "timeout_on_sleeping_server",
    "rpc_soak",
    "channel_soak",
)
SOAK = ["--soak_iterations=100", "--soak_overall_timeout_seconds=30"]
COMPRESSED = tuple(case for case in CASES if "compressed" in case)
CASE_SECONDS = 40

# What each foreign stack cannot do, and why; everything else is run. The reasons go into the results table.
GO_STREAM = "grpc-go compresses all messages of a stream or none"
PY_FLAG = "grpcio does not show whether a received message was compressed"
JS_FLAG = "grpc-js does not show whether a received message was compressed"
JS_SERVER = "the server of grpc-js does not compress"
JAVA_PROBE = "grpc-java's service does not look at expect_compressed"
JAVA_STREAM = "grpc-java's service does not compress streams"
CLIENT_LACKS = {
    "go": {"client_compressed_streaming": GO_STREAM},
    "python": {"server_compressed_unary": PY_FLAG, "server_compressed_streaming": PY_FLAG},
    "node": {"server_compressed_unary": JS_FLAG, "server_compressed_streaming": JS_FLAG},
}
SERVER_LACKS = {
    "go": {"server_compressed_streaming": GO_STREAM},
    "python": {"client_compressed_unary": PY_FLAG, "client_compressed_streaming": PY_FLAG},
    "node": {
        "client_compressed_unary": JS_FLAG,
        "client_compressed_streaming": JS_FLAG,
        "server_compressed_unary": JS_SERVER,
        "server_compressed_streaming": JS_SERVER,
    },
    "java": {
        "client_compressed_unary": JAVA_PROBE,
        "client_compressed_streaming": JAVA_PROBE,
        "server_compressed_streaming": JAVA_STREAM,
    },
}


class Weir:
    """Our own program; the foreign stacks below have the same two methods."""

    def __init__(self, program):
        self.program = program

    def server(self):
        return [self.program, "server", "--port=0"]

    def client(self, case):
        return [self.program, "client"]


class Go:
    def __init__(self, built):
        self.built = built

    def server(self):
        return self.built.go("server")

    def client(self, case):
        return self.built.go("compressed" if case in COMPRESSED else "client")


class Java:
    def __init__(self, built):
        self.built = built

    def server(self):
        return self.built.java("TestServiceServer") + [
            "--port={port}",
            "--use_tls=false",
            "--address_type=IPV4",
        ]

    def client(self, case):
        return self.built.java("TestServiceClient") + ["--use_tls=false"]


class Script:
    """A foreign stack whose client and server are scripts of ours."""

    def __init__(self, script, extension):
        self.script = script
        self.extension = extension

    def server(self):
        return self.script("interop_server." + self.extension)

    def client(self, case):
        return self.script("interop_client." + self.extension)


def stack(name, built, program):
    if name == "weir":
        return Weir(program)
    if name == "go":
        return Go(built)
    if name == "java":
        return Java(built)
    return Script(built.python, "py") if name == "python" else Script(built.node, "js")


def run_case(case, client, port, env):
    command = client + ["--server_host=127.0.0.1", f"--server_port={port}", f"--test_case={case}"]
    if case.endswith("_soak"):
        command += SOAK
    start = time.monotonic()
    code, text = peers.run(command, CASE_SECONDS, env=env)
    return code == 0, text, time.monotonic() - start


def run_direction(client_name, server_name, built, program, only=()):
    """Runs every case both ends can do; returns {case: 'pass' | 'fail: …' | '–: …'} and prints a line each."""
    lacks = dict(CLIENT_LACKS.get(client_name, {}), **SERVER_LACKS.get(server_name, {}))
    client, server = stack(client_name, built, program), stack(server_name, built, program)
    env = built.environment()
    results = {}
    with serving(server.server(), env=env, ours=server_name == "weir") as running:
        for case in only or CASES:
            if case in lacks:
                results[case] = f"–: {lacks[case]}"
                peers.say(f"{client_name} -> {server_name}  {case:28} not possible: {lacks[case]}")
                continue
            passed, text, seconds = run_case(case, client.client(case), running.port, env)
            results[case] = "pass" if passed else "fail: " + " | ".join(text.strip().splitlines()[-3:])[:300]
            peers.say(
                f"{client_name} -> {server_name}  {case:28} {'pass' if passed else 'FAIL'}  {seconds:.2f} s"
            )
            if not passed:
                peers.say("    " + "\n    ".join(text.strip().splitlines()[-12:]))
        running.check_alive()
    return results


def table(results, versions):
    """Markdown: one line a case, one column a peer and direction. results: {'client->server': {case: outcome}};
    runs among foreign programs are left out."""
    pairs = sorted(
        (pair for pair in results if "weir" in pair.split("->")), key=lambda pair: pair.startswith("weir")
    )
    lines = [
        "| case | " + " | ".join(pair.replace("->", " → ") for pair in pairs) + " |",
        "| --- |" + " --- |" * len(pairs),
    ]
    notes = []
    for case in CASES:
        cells = []
        for pair in pairs:
            outcome, _, reason = results[pair].get(case, "not run").partition(": ")
            if outcome == "–":
                if reason not in notes:
                    notes.append(reason)
                outcome += f" ({notes.index(reason) + 1})"
            cells.append(outcome)
        lines.append(f"| {case} | " + " | ".join(cells) + " |")
    lines.append("")
    lines += [f"({number}) {reason}." for number, reason in enumerate(notes, 1)]
    lines.append("")
    lines.append(
        "Versions: "
        + ", ".join(f"{name} {version.removeprefix('v')}" for name, version in versions.items())
        + "."
    )
    return "\n".join(lines)


def save(path, results):
    known = json.loads(path.read_text()) if path.exists() else {}
    known.update(results)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known, indent=1, ensure_ascii=False))
