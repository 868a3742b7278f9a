#!/usr/bin/env python3
"""`weir sync --resync`, of a connection and of one table, with destination-sqlite.

usage: resync.py BIN_DIR    needs weir, source-everything and destination-sqlite there
"""
import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

BIN = pathlib.Path(sys.argv[1]).resolve()
TABLES = {"everything": ["id"], "pairs": ["code", "number"], "events": ["_fivetran_id"]}
SYSTEM = ["_fivetran_synced", "_fivetran_deleted"]


class Resync(unittest.TestCase):
    def setUp(self):
        self.folder_object = tempfile.TemporaryDirectory(prefix="weir-resync-")
        self.folder = pathlib.Path(self.folder_object.name)

    def tearDown(self):
        self.folder_object.cleanup()

    def sync(self, name, changes, *more, code=0, rows=100, kill_after=None):
        """One sync of warehouse `name` up to step rows + changes."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "source.json").write_text(json.dumps(
            {"rows": str(rows), "changes": str(changes), "checkpoint_every": "40"}))
        (folder / "destination.json").write_text(json.dumps({"path": str(folder / "warehouse.db")}))
        arguments = (
            [BIN / "weir", "sync", "--source", BIN / "source-everything", "--source-config", folder / "source.json",
             "--destination", BIN / "destination-sqlite", "--destination-config", folder / "destination.json",
             "--schema", "m", "--state", folder / "state", "--json", *more])
        if kill_after is not None:
            process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(kill_after)
            process.kill()
            return process.wait()
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def read(self, name, table, where="1"):
        """key -> list of the other cells, the platform's own left out."""
        found = {}
        with sqlite3.connect(self.folder / name / "warehouse.db") as db:
            columns = [row[1] for row in db.execute(f'PRAGMA table_info("m.{table}")')]
            keys = TABLES[table]
            others = sorted(set(columns) - set(SYSTEM) - set(keys))
            names = ", ".join(f'"{column}"' for column in keys + others)
            for row in db.execute(f'SELECT {names} FROM "m.{table}" WHERE {where}'):
                found.setdefault(row[:len(keys)], []).append(row[len(keys):])
        return found

    def ids(self, where):
        return {key[0] for key in self.read("warehouse", "everything", where)}

    def test_a_resync_marks_what_does_not_come_again(self):
        """R-ENG-12: rows older than the cut-off are deleted, and only when all has come."""
        self.sync("warehouse", 0)
        self.sync("warehouse", 0, rows=50)
        self.assertEqual(self.ids("NOT _fivetran_deleted"), set(range(1, 101)))
        done = self.sync("warehouse", 0, "--resync", rows=50)
        self.assertEqual(self.ids("NOT _fivetran_deleted"), set(range(1, 51)))
        self.assertEqual(self.ids("_fivetran_deleted"), set(range(51, 101)))
        self.assertTrue(all(table["truncated"] == 1 for table in json.loads(done.stdout)["tables"]), done.stdout)
        done = self.sync("warehouse", 60, rows=50)
        self.assertEqual([table["truncated"] for table in json.loads(done.stdout)["tables"] if table["truncated"]], [])

    def test_a_resync_that_was_killed_goes_on(self):
        """R-ENG-03: the next sync ends it, wherever it was killed."""
        for moment in (0.02, 0.1, 0.25):
            self.sync("warehouse", 0, "--resync", rows=100)
            self.sync("warehouse", 0, "--resync", rows=50, kill_after=moment)
            self.sync("warehouse", 0, rows=50)
            alive = self.ids("NOT _fivetran_deleted")
            self.assertIn(alive, (set(range(1, 51)), set(range(1, 101))), moment)
        self.assertEqual(alive, set(range(1, 51)))

    def test_one_table_alone_needs_a_state_that_keeps_it_apart(self):
        done = self.sync("warehouse", 0, "--resync-table", "pairs", code=3)
        self.assertIn("nothing has been synced yet", done.stderr)
        self.sync("warehouse", 0)
        done = self.sync("warehouse", 0, "--resync-table", "pairs", code=3)
        self.assertIn("does not keep tables apart", done.stderr)

    def test_what_is_refused_resets_nothing(self):
        self.sync("warehouse", 0)
        (self.folder / "there.weirrec").write_text("x")
        done = self.sync("warehouse", 0, "--resync", "--record", self.folder / "there.weirrec", code=2)
        self.assertIn("there is a file already", done.stderr)
        self.assertFalse((self.folder / "there.weirrec.key").exists())
        done = self.sync("warehouse", 0)
        self.assertEqual(json.loads(done.stdout)["rows"], 0)
        self.sync("warehouse", 0, "--resync", "--resync-table", "pairs", code=2)

    def test_one_table_is_read_again(self):
        """With a source on libweir that keeps each table's progress; the other table is left alone."""
        if not (BIN / "source-sqlite").exists():
            self.skipTest("source-sqlite is not built")
        tables = ("a", "b", "c.d")
        with sqlite3.connect(self.folder / "source.db") as db:
            for table in tables:
                db.execute(f'CREATE TABLE "{table}"(id INTEGER PRIMARY KEY, v TEXT)')
                db.execute(f"""INSERT INTO "{table}" VALUES(1, 'old'), (2, 'old'), (3, 'old')""")
        (self.folder / "s.json").write_text(json.dumps({"path": str(self.folder / "source.db"), "usual": "append"}))
        (self.folder / "d.json").write_text(json.dumps({"path": str(self.folder / "w.db")}))
        arguments = [BIN / "weir", "sync", "--source", BIN / "source-sqlite", "--source-config", self.folder / "s.json",
                     "--destination", BIN / "destination-sqlite", "--destination-config", self.folder / "d.json",
                     "--schema", "m", "--state", self.folder / "state", "--json"]
        subprocess.run(arguments, check=True, capture_output=True, timeout=60)
        with sqlite3.connect(self.folder / "source.db") as db:
            for table in tables:
                db.execute(f"""UPDATE "{table}" SET v = 'new' WHERE id = 1""")
                db.execute(f'DELETE FROM "{table}" WHERE id = 2')
        for table in ("a", "c.d"):
            subprocess.run([*arguments, "--resync-table", table], check=True, capture_output=True, timeout=60)
        with sqlite3.connect(self.folder / "w.db") as db:
            rows = {table: db.execute(f'SELECT id, v, _fivetran_deleted FROM "m.{table.replace(".", "_")}" ORDER BY id').fetchall()
                    for table in tables}
        for table in ("a", "c.d"):
            self.assertEqual(rows[table], [(1, "new", 0), (2, "old", 1), (3, "old", 0)], table)
        self.assertEqual(rows["b"], [(1, "old", 0), (2, "old", 0), (3, "old", 0)])
        done = subprocess.run([*arguments, "--resync-table", "c"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 3)
        self.assertIn("knows no such table", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
