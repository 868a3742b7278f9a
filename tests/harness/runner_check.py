#!/usr/bin/env python3
"""What the test runner says of the tests of runner_sample.c, in its three forms, and its exit codes."""
import json
import os
import subprocess
import sys

program = sys.argv[1]


def run(*arguments, code):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout


assert run("--list", code=0).split() == ["passes", "fails_everywhere", "crashes", "exits", "hangs",
                                         "leaves_a_descriptor", "cleans_up"]
assert run("passes", code=0).endswith("1 test: 1 passed, 0 failed\n")
assert "first second cleans_up" in run("cleans_up", code=0)
run("no such test", code=2)
run("--wrong", code=2)
assert "usage" in run("--help", code=0)

lines = [json.loads(line) for line in run("--json", "--timeout", "1", code=1).splitlines() if line.startswith("{")]
results = {line["test"]: line for line in lines}
texts = {name: [f["text"] for f in line["failures"]] for name, line in results.items()}
assert results["passes"]["result"] == "passed" and texts["passes"] == []
assert texts["fails_everywhere"] == [
    "expected: count == 4", "count is 3, expected 5", "-1 is -1, expected 1",
    '"a \\"b\\"" is "a "b"", expected "c"', 'nothing is NULL, expected "c"', "1.5 is 1.5, expected 2.5",
    "expected: count > 100"], texts["fails_everywhere"]
assert results["fails_everywhere"]["failures"][0]["file"].endswith("runner_sample.c")
assert results["fails_everywhere"]["failures"][1]["line"] == results["fails_everywhere"]["failures"][0]["line"] + 1
if "asan" not in program and "tsan" not in program:  # they have handlers of their own
    assert "killed by signal 11" in texts["crashes"][0], texts["crashes"]
assert len(texts["crashes"]) == 1
assert "exited with code 3" in texts["exits"][0], texts["exits"]
assert texts["hangs"] == ["the test did not end within 1 s"]
assert any("open: /dev/null" in text for text in texts["leaves_a_descriptor"]), texts["leaves_a_descriptor"]

tap = run("--tap", "fails", "passes", code=1).splitlines()
assert tap[:2] == ["TAP version 13", "1..2"] and tap[2].startswith("ok 1 - passes") and tap[3].startswith("not ok 2")

left = [name for name in os.listdir("/tmp") if name.startswith("weir-test-")
        and os.stat(os.path.join("/tmp", name)).st_uid == os.getuid() and os.listdir(os.path.join("/tmp", name)) == ["a file"]]
assert left == [], left
print("runner: as it should be")
