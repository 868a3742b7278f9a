#!/usr/bin/env python3
"""Kills source, engine and destination at random moments and compares the rows with an undisturbed run's.

One round: a fresh destination and state; `weir sync` is started, and at a moment drawn from the length of the undisturbed
run one of the three processes gets SIGKILL, up to three times; then the sync runs again until it succeeds. Every column of
every row must equal the undisturbed run's, by value and by type (R-ENG-03), but for `_fivetran_synced`, the time of
receipt, and what the sync itself reads back must agree (R-ENG-16). Nothing may be left in the spool, and no plaintext of a row may lie in the state folder.

usage: kill.py BIN_DIR DESTINATION RUNS SEED    DESTINATION: sqlite or duckdb
"""
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

PRCTL_TIMEOUT_S = 60


class Bench:
    def __init__(self, bin_dir, destination, folder):
        self.bin = pathlib.Path(bin_dir)
        self.destination = destination
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.warehouse = self.folder / f"warehouse.{destination}"
        (self.folder / "source.json").write_text(json.dumps(
            {"rows": "3000", "changes": "3000", "checkpoint_every": "200", "pause_us": "8000"}))
        (self.folder / "destination.json").write_text(json.dumps({"path": str(self.warehouse)}))

    def start(self, *more):
        return subprocess.Popen(
            [self.bin / "weir", "sync", "--source", self.bin / "source-everything", "--source-config",
             self.folder / "source.json", "--destination", self.bin / f"destination-{self.destination}",
             "--destination-config", self.folder / "destination.json", "--schema", "crash", "--state",
             self.folder / "state", "--retry-delay", "0", "--json", *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)

    def finish(self, process):
        out, err = process.communicate(timeout=PRCTL_TIMEOUT_S)
        return process.returncode, out, err

    def rows(self):
        """table -> (columns, sorted rows), without the time of receipt."""
        if self.destination == "sqlite":
            return self.read_sqlite()
        return self.read_duckdb()

    def read_sqlite(self):
        found = {}
        with contextlib.closing(sqlite3.connect(f"file:{self.warehouse}?mode=ro", uri=True)) as db:
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'crash%'"):
                columns = wanted_columns(row[1] for row in db.execute(f'PRAGMA table_info("{table}")'))
                rows = db.execute(f'SELECT {quoted(columns)} FROM "{table}"').fetchall()
                found[table] = (columns, sorted(repr([(type(v).__name__, v) for v in row]) for row in rows))
        return found

    def read_duckdb(self):
        """Through the library's C interface; each cell with its type and as DuckDB writes it."""
        sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "destinations"))
        from stores import DuckdbStore
        store = DuckdbStore(self.warehouse, self.bin)
        found = {}
        for (table,) in store.query("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'crash'"):
            described = store.query(f"SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = '{table}'")
            columns = wanted_columns(name for name, _ in described)
            texts = ", ".join(f'CAST("{name}" AS VARCHAR)' for name in columns)
            rows = store.query(f'SELECT {texts} FROM "crash"."{table}"')
            found[table] = (sorted(described), sorted(map(repr, rows)))
        return found

    def leftovers(self):
        spool = self.folder / "state" / "spool"
        return [str(path) for path in spool.rglob("*") if path.is_file()] if spool.is_dir() else []


def wanted_columns(names):
    return sorted(name for name in names if name != "_fivetran_synced")


def quoted(columns):
    return ", ".join('"' + name + '"' for name in columns)


def children(pid):
    """name -> pid of the engine's connectors."""
    found = {}
    try:
        tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
        for task in tasks:
            for child in (task / "children").read_text().split():
                argv = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
                name = os.path.basename(argv[0].decode())
                found["source" if name.startswith("source") else "destination"] = int(child)
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def strike(process, victim, after):
    """SIGKILL to the victim `after` seconds from now; True when it was still there to be hit."""
    end = time.monotonic() + after
    while time.monotonic() < end:
        if process.poll() is not None:
            return False
        time.sleep(min(0.002, max(0, end - time.monotonic())))
    pid = process.pid if victim == "engine" else children(process.pid).get(victim)
    if pid is None or process.poll() is not None:
        return False
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def one_round(bench, draw, length):
    hits = []
    for _ in range(draw.randint(1, 3)):
        process = bench.start()
        victim = draw.choice(["source", "engine", "destination"])
        if strike(process, victim, draw.uniform(0, length)):
            hits.append(victim)
        bench.finish(process)
    for _ in range(5):
        code, out, err = bench.finish(bench.start("--read-back", f"{bench.destination}:{bench.warehouse}"))
        if "is not what was sent" in err:
            sys.exit(f"what was read back after {hits} differs: {err}\n{out}")
        if code == 0:
            return hits
    sys.exit(f"the sync never recovered after {hits}: exit {code}\n{out}\n{err}")


def main():
    bin_dir, destination, runs, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    draw = random.Random(seed)
    counts = {"source": 0, "engine": 0, "destination": 0}
    with tempfile.TemporaryDirectory(prefix="weir-kill-") as folder:
        calm = Bench(bin_dir, destination, pathlib.Path(folder) / "calm")
        began = time.monotonic()
        code, out, err = calm.finish(calm.start())
        length = time.monotonic() - began
        if code != 0:
            sys.exit(f"the undisturbed sync failed: exit {code}\n{out}\n{err}")
        wanted = calm.rows()
        if {name.split(".")[-1]: bool(rows) for name, (_, rows) in wanted.items()} != {
                "everything": True, "pairs": True, "events": True}:
            sys.exit(f"the undisturbed sync made other tables than expected: {list(wanted)}")
        for run in range(runs):
            bench = Bench(bin_dir, destination, pathlib.Path(folder) / "round")
            hits = one_round(bench, draw, length)
            for victim in hits:
                counts[victim] += 1
            got = bench.rows()
            if got != wanted:
                for table in wanted:
                    lost = set(wanted[table][1]) - set(got.get(table, ([], []))[1])
                    extra = set(got.get(table, ([], []))[1]) - set(wanted[table][1])
                    print(f"{table}: {len(lost)} rows lost or other, {len(extra)} extra", *list(lost)[:2], "---",
                          *list(extra)[:2], sep="\n")
                sys.exit(f"run {run} of seed {seed}: rows differ after killing {hits}")
            if bench.leftovers():
                sys.exit(f"run {run} of seed {seed}: files left in the spool: {bench.leftovers()}")
            shutil.rmtree(bench.folder)
    print(f"{runs} runs, {sum(counts.values())} kills ({counts}), undisturbed run {length:.2f} s: all rows equal")
    if min(counts.values()) == 0 and runs >= 20:
        sys.exit("a victim was never hit: the test did not test")


if __name__ == "__main__":
    main()
