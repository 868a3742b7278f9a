#!/usr/bin/env python3
"""`weir ledger show` after syncs from source-files to destination-sqlite (R-ENG-16).

usage: ledger.py BIN_DIR    needs weir, source-files and destination-sqlite there
"""
import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import unittest

BIN = pathlib.Path(sys.argv[1]).resolve()


class Ledger(unittest.TestCase):
    def setUp(self):
        self.folder_object = tempfile.TemporaryDirectory(prefix="weir-ledger-")
        self.folder = pathlib.Path(self.folder_object.name)
        self.state = self.folder / "state"
        (self.folder / "files").mkdir()
        (self.folder / "source.json").write_text(json.dumps({"folder": str(self.folder / "files"), "keys": "people=id"}))
        (self.folder / "destination.json").write_text(json.dumps({"path": str(self.folder / "warehouse.db")}))

    def tearDown(self):
        self.folder_object.cleanup()

    def sync(self, rows):
        (self.folder / "files" / "people.csv").write_text("id,name\n" + "".join(f"{key},{name}\n" for key, name in rows))
        subprocess.run([BIN / "weir", "sync", "--source", BIN / "source-files", "--source-config", self.folder / "source.json",
                        "--destination", BIN / "destination-sqlite", "--destination-config", self.folder / "destination.json",
                        "--schema", "m", "--state", self.state], check=True, capture_output=True, timeout=120)

    def ledger(self, *more, code=0):
        done = subprocess.run([BIN / "weir", "ledger", "show", "--state", self.state, *more], capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def entries(self, *more, code=0):
        return json.loads(self.ledger("--json", *more, code=code).stdout)

    def test_stations_agree_with_what_was_sent(self):
        rows = [(key, f"name {key}") for key in range(1000)]
        self.sync(rows)
        shown = self.entries()
        self.assertEqual((shown["sync"], shown["status"]), (1, "success"))
        for what in ("upserts", "folded", "filed", "loaded"):
            self.assertEqual(sum(entry[what] for entry in shown["entries"]), 1000, what)
        self.assertTrue(all(entry["agrees"] for entry in shown["entries"]))
        (entry,) = [entry for entry in shown["entries"] if entry["filed"]]
        self.assertEqual(entry["sum_received"], entry["sum_filed"])

        # A key that comes twice is one row at the destination, the later one.
        self.sync([(1, "a"), (1, "b"), (2, "c")])
        (entry,) = [entry for entry in self.entries()["entries"] if entry["filed"]]
        self.assertEqual((entry["upserts"], entry["folded"], entry["filed"], entry["loaded"]), (3, 2, 2, 2))
        self.assertNotEqual(entry["sum_received"], entry["sum_folded"])
        self.assertEqual(entry["sum_folded"], entry["sum_filed"])
        self.assertEqual(self.entries("--sync", "1"), shown)

    def test_a_difference_is_told(self):
        self.sync([(1, "a")])
        self.assertIn("agrees", self.ledger().stdout)
        with sqlite3.connect(self.state / "state.db") as db:
            db.execute("UPDATE ledger SET filed_sum = folded_sum || '0' WHERE filed > 0")
        self.assertIn("DIFFERS", self.ledger(code=1).stdout)
        self.assertFalse(all(entry["agrees"] for entry in self.entries(code=1)["entries"]))

    def test_what_is_not_there(self):
        self.assertIn("--state is the folder", self.ledger(code=1).stderr)
        self.sync([(1, "a")])
        self.assertIn("there was no sync 7", self.ledger("--sync", "7", code=1).stderr)
        self.assertIn("needs the number of a sync", self.ledger("--sync", "last", code=2).stderr)

    def test_old_syncs_are_forgotten(self):
        self.sync([(1, "a")])
        with sqlite3.connect(self.state / "state.db") as db:
            db.execute("INSERT INTO syncs(sync, begun_ms, status) VALUES(100, 0, 'success')")
        self.sync([(1, "b")])
        with sqlite3.connect(self.state / "state.db") as db:
            self.assertEqual(db.execute("SELECT DISTINCT sync FROM ledger").fetchall(), [(101,)])


unittest.main(argv=sys.argv[:1])
