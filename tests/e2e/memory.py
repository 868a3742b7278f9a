#!/usr/bin/env python3
"""What `weir sync` takes of memory, from source-sqlite to destination-sqlite (R-ENG-08): 64 MiB at most, whatever the rows are.

usage: memory.py BIN_DIR    needs weir, source-sqlite and destination-sqlite there
"""
import contextlib
import json
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

BIN = pathlib.Path(sys.argv[1]).resolve()
LIMIT = 64 << 20


class Memory(unittest.TestCase):
    def setUp(self):
        self.folder_object = tempfile.TemporaryDirectory(prefix="weir-memory-")
        self.folder = pathlib.Path(self.folder_object.name)
        self.source = self.folder / "source.db"
        self.warehouse = self.folder / "warehouse.db"
        (self.folder / "source.json").write_text(json.dumps({"path": str(self.source)}))
        (self.folder / "destination.json").write_text(json.dumps({"path": str(self.warehouse)}))

    def tearDown(self):
        self.folder_object.cleanup()

    def write(self, columns, rows):
        with contextlib.closing(sqlite3.connect(self.source)) as db:
            db.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {', '.join(columns)})")
            db.executemany(f"INSERT INTO t VALUES ({', '.join('?' * (len(columns) + 1))})", rows)
            db.commit()

    def peak(self):
        """Bytes of memory that the engine had at most; its connectors are processes of their own."""
        command = [BIN / "weir", "sync", "--source", BIN / "source-sqlite", "--source-config", self.folder / "source.json",
                   "--destination", BIN / "destination-sqlite", "--destination-config", self.folder / "destination.json",
                   "--schema", "m", "--state", self.folder / "state"]
        peak = 0
        with open(self.folder / "said", "w+", encoding="utf-8") as said:
            process = subprocess.Popen(command, stdout=said, stderr=said)
            while process.poll() is None:  # the highest so far; rusage would count the connectors, too
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
                peak = max([peak, *(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM:"))])
                time.sleep(0.01)
            said.seek(0)
            self.assertEqual(process.returncode, 0, said.read())
        self.assertGreater(peak, 0)
        return peak

    def check(self, columns, rows):
        self.write(columns, rows)
        self.assertLessEqual(self.peak(), LIMIT)
        with contextlib.closing(sqlite3.connect(self.warehouse)) as db:
            db.execute("ATTACH ? AS source", (str(self.source),))
            (table,) = [name for (name,) in db.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")
                        if name.endswith(".t")]
            names = ", ".join(f'"{name}"' for (name,) in db.execute("SELECT name FROM pragma_table_info('t', 'source')"))
            for one, other in ((f'main."{table}"', "source.t"), ("source.t", f'main."{table}"')):
                different = db.execute(f"SELECT count(*) FROM (SELECT {names} FROM {one} EXCEPT SELECT {names} FROM {other})")
                self.assertEqual(different.fetchone(), (0,))

    def test_many_narrow_rows(self):
        self.check(["value INTEGER"], ((i, i * 7919 % 1000003) for i in range(200_000)))

    def test_a_thousand_columns(self):
        self.check([f"c_{k} {('INTEGER', 'TEXT')[k % 2]}" for k in range(999)],
                   ((i, *((i + k, f"v{i % 97} {k}")[k % 2] for k in range(999))) for i in range(2_000)))

    def test_rows_of_twenty_megabytes(self):
        draw = random.Random(1)
        self.check(["bytes BLOB", "text TEXT"],
                   ((i, draw.randbytes(10_000_000), f'row {i}, "quoted" ' * 600_000) for i in range(3)))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
