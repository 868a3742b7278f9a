#!/usr/bin/env python3
"""Random files, changed at random between syncs that read back what they wrote: all must agree (R-ENG-16).

usage: readback_random.py BIN_DIR DESTINATION SEEDS [FROM]    DESTINATION: sqlite, duckdb or parquet

A seed is a folder of JSON Lines, three syncs of it by source-files, and between them files that change: rows that come, go,
change and repeat their key, columns that appear and stay away, values of another type than those before. Every sync must
succeed, and what it has compared must be more than nothing.
"""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

KINDS = {
    "boolean": lambda draw: draw.choice([True, False]),
    "small": lambda draw: draw.randint(-3, 3),
    "long": lambda draw: draw.choice([2**63 - 1, -2**63, 2**53, 2**53 + 1, draw.getrandbits(60)]),
    "real": lambda draw: draw.choice([0.1, -0.0, 1e300, 5e-324, 2.0**53, draw.uniform(-1e6, 1e6), draw.gauss(0, 1e-5)]),
    "decimal": lambda draw: Number(f"{draw.randint(-10**20, 10**20)}.{draw.randint(0, 10**9):010d}"),
    "date": lambda draw: f"{draw.randint(1, 9999):04d}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}",
    "naive": lambda draw: clock(draw),
    "utc": lambda draw: clock(draw) + "Z",
    "text": lambda draw: draw.choice(["", "a", " a ", "NULL", "\\N", "7", "007", "1.0", 'quo"te', "com,ma", "li\nne", "é", "e\u0301",
                                      "\U0001f600", "true", "x" * draw.randint(0, 3000)]),
    "json": lambda draw: draw.choice([[], {}, [1, 2.50, None], {"b": 1, "a": [True, "é"]}, {"a": {"b": {"c": []}}}]),
    "null": lambda draw: None,
}
COLUMNS = ["c" + str(number) for number in range(7)]


class Number(float):
    """A number that is written with all its digits."""

    def __new__(cls, text):
        self = float.__new__(cls, text)
        self.text = text
        return self

    def __repr__(self):
        return self.text


def clock(draw):
    fraction = draw.choice(["", ".5", ".123", ".123456", ".120000", ".123456789"])
    return f"{draw.randint(1900, 2100)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}T{draw.randint(0, 23):02d}:59:58{fraction}"


def dumps(row):
    return "{" + ", ".join(json.dumps(name) + ": " + (value.text if isinstance(value, Number) else json.dumps(value))
                           for name, value in row.items()) + "}"


class World:
    def __init__(self, binaries, destination, seed, folder):
        self.draw = random.Random(f"{destination} {seed}")
        self.bin, self.destination, self.folder = binaries, destination, folder
        self.files = folder / "files"
        self.files.mkdir()
        self.kinds = {}
        self.keyed = self.draw.random() < 0.6
        self.warehouse = folder / "warehouse"
        source = {"folder": str(self.files), **({"keys": "a=id"} if self.keyed else {})}
        (folder / "source.json").write_text(json.dumps(source))
        (folder / "destination.json").write_text(json.dumps(
            {"folder" if destination == "parquet" else "path": str(self.warehouse)}))

    def value(self, table, column):
        kind = self.kinds.setdefault((table, column), self.draw.choice(list(KINDS)))
        if self.draw.random() < 0.002:
            kind = self.draw.choice(list(KINDS))
        return None if self.draw.random() < 0.15 else KINDS[kind](self.draw)

    def change(self):
        for table in ("a", "b"):
            columns = self.draw.sample(COLUMNS, self.draw.randint(1, len(COLUMNS)))
            rows = []
            for _ in range(self.draw.choice([1, 7, 60, 400])):
                row = {"id": self.draw.randint(1, 200)}
                row.update((name, self.value(table, name)) for name in columns if self.draw.random() < 0.9)
                rows.append(dumps(row))
            path = self.files / table
            path.mkdir(exist_ok=True)
            (path / f"{self.draw.randint(1, 3)}.jsonl").write_text("\n".join(rows) + "\n")
            gone = path / f"{self.draw.randint(1, 3)}.jsonl"
            if gone.exists() and len(list(path.iterdir())) > 1 and self.draw.random() < 0.3:
                gone.unlink()

    def sync(self, *more):
        done = subprocess.run(
            [self.bin / "weir", "sync", "--source", self.bin / "source-files", "--source-config", self.folder / "source.json",
             "--destination", self.bin / f"destination-{self.destination}", "--destination-config",
             self.folder / "destination.json", "--schema", "r", "--state", self.folder / "state", "--json", "--read-back",
             f"{self.destination}:{self.warehouse}", *more],
            capture_output=True, text=True, timeout=120, env={**os.environ, "WEIR_DUCKDB": str(self.bin / "libduckdb.so")})
        if done.returncode != 0:
            raise RuntimeError(f"exit code {done.returncode}: {done.stderr}{done.stdout}")
        return json.loads(done.stdout)["read_back"]


def main():
    binaries, destination, seeds = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], int(sys.argv[3])
    begin = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    syncs = rows = uncompared = 0
    for seed in range(begin, begin + seeds):
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"weir-readback-{seed}-"))
        world = World(binaries, destination, seed, folder)
        try:
            for number in range(3):
                world.change()
                found = world.sync(*(["--resync"] if number == 2 and world.draw.random() < 0.5 else []))
                syncs += 1
                rows += sum(table["seen"] for table in found)
                uncompared += sum(not table["compared"] for table in found)
        except RuntimeError as error:
            sys.exit(f"seed {seed}, sync {number + 1}, {folder} is kept: {error}")
        shutil.rmtree(folder)
    print(f"{destination}: {seeds} seeds, {syncs} syncs, {rows} rows read back, {uncompared} tables not compared")
    if rows < 100 * seeds:
        sys.exit("that is hardly anything")


main()
