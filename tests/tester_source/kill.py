#!/usr/bin/env python3
"""Kills the tester, or the source that it has started, at random moments, and compares the warehouse with an undisturbed run's.

One round: a fresh data folder; `weir test` is started, and at a moment drawn from the length of the undisturbed run either
process gets SIGKILL, up to three times; then the tester runs again until it succeeds. Every column of every row must be the
undisturbed run's, but for `_fivetran_synced`, and so must the state.

usage: kill.py BIN_DIR ROUNDS SEED
"""
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import kit

FORM = {"rows": "2000", "changes": "2000", "checkpoint_every": "100", "pause_us": "8000"}


def start(bench):
    return subprocess.Popen(bench.command("--connector", bench.bin / "source-everything"), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)


def finish(process):
    out, err = process.communicate(timeout=kit.RUN_TIMEOUT_S)
    return kit.Outcome(process.returncode, out if out.endswith("}\n") else "", err)


def child_of(pid):
    try:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                return int(child)
    except (FileNotFoundError, ProcessLookupError):
        pass
    return None


def strike(process, victim, after):
    """SIGKILL `after` seconds from now; True when there was somebody to be hit."""
    try:
        process.wait(after)
        return False
    except subprocess.TimeoutExpired:
        pass
    pid = process.pid if victim == "tester" else child_of(process.pid)
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def contents(bench):
    """table -> (columns, sorted rows as text), and the state."""
    found = {}
    for (table,) in bench.query("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'default_schema'"):
        columns = sorted(c for c in bench.columns(table) if c != "_fivetran_synced")
        found[table] = (sorted(bench.columns(table).items()), bench.rows(table, columns))
    return found, bench.state()


def one_round(bench, draw, length):
    hits = []
    for _ in range(draw.randint(1, 3)):
        process = start(bench)
        victim = draw.choice(["source", "tester"])
        if strike(process, victim, draw.uniform(0, length)):
            hits.append(victim)
        finish(process)
    outcome = finish(start(bench))
    if outcome.code != 0:
        sys.exit(f"the run after {hits} failed: {outcome}")
    return hits


def main():
    bin_dir, rounds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    draw = random.Random(seed)
    counts = {"source": 0, "tester": 0}
    calm = kit.Bench(bin_dir, None)
    calm.configure(FORM)
    began = time.monotonic()
    outcome = finish(start(calm))
    length = time.monotonic() - began
    if outcome.code != 0:
        sys.exit(f"the undisturbed run failed: {outcome}")
    wanted = contents(calm)
    if {name: len(rows) > 100 for name, (_, rows) in wanted[0].items()} != dict.fromkeys(["everything", "events", "pairs"], True):
        sys.exit(f"the undisturbed run made other tables than expected: {wanted}")
    for number in range(rounds):
        bench = kit.Bench(bin_dir, None)
        bench.configure(FORM)
        hits = one_round(bench, draw, length)
        for victim in hits:
            counts[victim] += 1
        got = contents(bench)
        for table in wanted[0]:
            if got[0].get(table) != wanted[0][table]:
                lost = set(map(repr, wanted[0][table][1])) - set(map(repr, got[0].get(table, ([], []))[1]))
                sys.exit(f"round {number} of seed {seed}: '{table}' differs after killing {hits}: {len(lost)} rows lost "
                         f"or other, such as {list(lost)[:1]}")
        if got[1] != wanted[1]:
            sys.exit(f"round {number} of seed {seed}: the state is {got[1]}, not {wanted[1]}")
        bench.close()
    calm.close()
    print(f"{rounds} rounds, {sum(counts.values())} kills ({counts}), undisturbed run {length:.2f} s: all rows equal")
    if rounds >= 8 and min(counts.values()) == 0:
        sys.exit("a victim was never hit: the test did not test")


main()
