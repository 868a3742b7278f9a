#!/usr/bin/env python3
"""kv-destination through `weir sync`: what Python's csv reads in the files is what Python's json finds in the store.

The destination, or the engine, is killed at moments drawn from a calm run's length; after a rerun every row must be there
once, cell by cell. Then columns and types change, and rows go.

usage: check.py BIN_DIR MAIN_C
"""
import csv
import decimal
import json
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

LINES_MAX = 80
ROWS = 4000
KILLS = 6
DRAW = random.Random(7)


class Sync:
    def __init__(self, bin_dir, folder):
        self.bin, self.base = pathlib.Path(bin_dir), pathlib.Path(folder)
        (self.base / "files").mkdir(parents=True)
        self.store = self.base / "kv.db"
        (self.base / "source.json").write_text(json.dumps({"folder": str(self.base / "files")}))
        (self.base / "destination.json").write_text(json.dumps({"path": str(self.store)}))

    def write(self, header, rows):
        with open(self.base / "files" / "things.csv", "w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows([header, *rows])

    def start(self):
        return subprocess.Popen(
            [self.bin / "weir", "sync", "--source", self.bin / "source-files", "--source-config", self.base / "source.json",
             "--destination", self.bin / "kv-destination", "--destination-config", self.base / "destination.json",
             "--schema", "kv", "--state", self.base / "state", "--retry-delay", "0", "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self):
        process = self.start()
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0 and "Sanitizer" not in err, f"exit {process.returncode}\n{out}\n{err}"

    def documents(self):
        with sqlite3.connect(f"file:{self.store}?mode=ro", uri=True) as db:
            values = db.execute("SELECT value FROM kv WHERE space = ?", ('"kv"."things"',)).fetchall()
            left = db.execute("SELECT count(*) FROM kv WHERE space = 'new'").fetchone()[0]
        assert left == 0, "an alter has left rows behind"
        return [json.loads(value) for (value,) in values]

    def columns(self):
        with sqlite3.connect(f"file:{self.store}?mode=ro", uri=True) as db:
            text = db.execute("SELECT value FROM kv WHERE space = 'tables'").fetchone()[0]
        return {column["name"]: column["type"] for column in json.loads(text)["columns"]}


def destination_of(pid):
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            if b"kv-destination" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[0]:
                return int(child)
    return None


def strike(sync, victim, after):
    process = sync.start()
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        try:
            pid = process.pid if victim == "engine" else destination_of(process.pid)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            pass
    process.communicate(timeout=60)


def compare(sync, header, rows):
    alive = [row for row in sync.documents() if not row["_fivetran_deleted"]]
    found = sorted(([row[name] for name in header] for row in alive), key=lambda row: int(row[0]))
    assert len(found) == len(rows), f"{len(found)} rows for {len(rows)} lines"
    types = sync.columns()
    for got, want in zip(found, rows):
        for name, cell, text in zip(header, got, want):
            if types[name] == "BOOLEAN":
                text = {"true": True, "false": False}[text]
            elif types[name] in ("SHORT", "INT", "LONG"):
                text = int(text)
            elif types[name] in ("DOUBLE", "DECIMAL"):
                text, cell = decimal.Decimal(text), decimal.Decimal(str(cell))
            assert cell == text, (name, cell, text)


def random_rows(count):
    texts = ("plain", 'say "hi"', "two\nlines", "comma, too", "\\back", "\u2028é😀", " lead", "x" * 500)
    return [[str(i * 461168601842738), DRAW.choice(texts), f"{DRAW.randrange(10**6)}.{DRAW.randrange(10, 99)}",
             DRAW.choice(("true", "false")), f"2024-01-{i % 28 + 1:02}T10:15:{i % 60:02}.{i % 999 + 1:03}Z"]
            for i in range(count)]


def main():
    lines = sum(1 for line in open(sys.argv[2], encoding="utf-8") if line.strip())
    assert lines <= LINES_MAX, f"{sys.argv[2]} has {lines} lines; at most {LINES_MAX} are an example"
    header = ["number", "text", "price", "flag", "moment"]
    rows = random_rows(ROWS)
    with tempfile.TemporaryDirectory(prefix="weir-kv-") as folder:
        calm = Sync(sys.argv[1], pathlib.Path(folder) / "calm")
        calm.write(header, rows)
        began = time.monotonic()
        calm.run()
        length = time.monotonic() - began
        compare(calm, header, rows)

        sync = Sync(sys.argv[1], pathlib.Path(folder) / "killed")
        sync.write(header, rows)
        for kill in range(KILLS):
            strike(sync, "engine" if kill % 3 == 2 else "destination", DRAW.uniform(0, length))
        sync.run()
        compare(sync, header, rows)

        # A new column, a type that has become wider, and rows that are gone.
        header.append("extra")
        rows = [[*row, f"x{i}"] for i, row in enumerate(rows[:ROWS // 2])]
        rows[3][3] = "maybe"
        sync.write(header, rows)
        sync.run()
        assert sync.columns()["flag"] == "STRING", sync.columns()
        compare(sync, header, rows)
    print(f"{lines} lines; {ROWS} rows, {KILLS} kills, an alter: all cells equal")


main()
