#!/usr/bin/env python3
"""A table's key changes at the source (R-ENG-24), with source-sqlite and destination-sqlite.

usage: keys.py BIN_DIR    needs weir, source-sqlite and destination-sqlite there
"""
import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import unittest

BIN = pathlib.Path(sys.argv[1]).resolve()


class Keys(unittest.TestCase):
    def setUp(self):
        self.folder_object = tempfile.TemporaryDirectory(prefix="weir-keys-")
        self.folder = pathlib.Path(self.folder_object.name)
        (self.folder / "s.json").write_text(json.dumps({"path": str(self.folder / "source.db")}))
        (self.folder / "d.json").write_text(json.dumps({"path": str(self.folder / "warehouse.db")}))
        self.change("CREATE TABLE t(id INTEGER PRIMARY KEY, k TEXT NOT NULL, v TEXT);"
                    "INSERT INTO t VALUES(1, 'a', 'one'), (2, 'b', 'two'), (3, 'c', 'three');"
                    "CREATE TABLE other(id INTEGER PRIMARY KEY); INSERT INTO other VALUES(7)")
        self.sync()

    def tearDown(self):
        self.folder_object.cleanup()

    def change(self, statements):
        with sqlite3.connect(self.folder / "source.db") as db:
            db.executescript(statements)

    def rekey(self, columns, values="id, k, v"):
        """The same rows in a table that is declared in another way."""
        self.change(f"ALTER TABLE t RENAME TO before; CREATE TABLE t({columns});"
                    f"INSERT INTO t SELECT {values} FROM before; DROP TABLE before")

    def sync(self, *more, code=0):
        done = subprocess.run(
            [BIN / "weir", "sync", "--source", BIN / "source-sqlite", "--source-config", self.folder / "s.json",
             "--destination", BIN / "destination-sqlite", "--destination-config", self.folder / "d.json",
             "--schema", "m", "--state", self.folder / "state", *more], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def rows(self, where="NOT _fivetran_deleted", names="id, k, v"):
        with sqlite3.connect(self.folder / "warehouse.db") as db:
            return db.execute(f'SELECT {names} FROM "m.t" WHERE {where} ORDER BY 1').fetchall()

    def key(self):
        with sqlite3.connect(self.folder / "warehouse.db") as db:
            return [row[1] for row in db.execute('PRAGMA table_info("m.t")') if row[5] > 0]

    def assert_same(self, names="id, k, v"):
        with sqlite3.connect(self.folder / "source.db") as db:
            wanted = db.execute(f"SELECT {names} FROM t ORDER BY 1").fetchall()
        self.assertEqual(self.rows(names=names), wanted)

    def test_the_key_is_changed_and_the_rows_are_the_source_s(self):
        self.change("DELETE FROM t WHERE id = 3; UPDATE t SET v = 'new' WHERE id = 1; INSERT INTO t VALUES(4, 'd', '')")
        self.rekey("id INTEGER, k TEXT NOT NULL PRIMARY KEY, v TEXT")
        self.assertIn("its key is (k) now and was (id)", self.sync())
        self.assertEqual(self.key(), ["k"])
        self.assert_same()
        self.assertEqual(self.rows("_fivetran_deleted"), [(3, "c", "three")])
        self.change("UPDATE t SET id = 9 WHERE k = 'a'; INSERT INTO t VALUES(9, 'e', 'same id'); DELETE FROM t WHERE k = 'b'")
        self.assertNotIn("its key is", self.sync())
        self.assert_same()
        self.assertEqual(len(self.rows("1")), 5)

    def test_a_re_sync_changes_the_key_too(self):
        self.rekey("id INTEGER NOT NULL, k TEXT NOT NULL, v TEXT, PRIMARY KEY(k, id)")
        self.sync("--resync")
        self.assertEqual(sorted(self.key()), ["id", "k"])
        self.assert_same()

    def test_rows_that_are_equal_under_the_key_are_named(self):
        """R-DST-03; then what the text says is done."""
        self.change("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES(5, 'a', 'again')")
        self.sync()
        self.rekey("id INTEGER, k TEXT NOT NULL PRIMARY KEY, v TEXT")
        for _ in range(2):
            said = self.sync(code=3)
            self.assertIn("(k=a)", said)
            self.assertIn("drop it at the destination", said)
            self.assertEqual(len(self.rows()), 3)
        self.drop_and_resync()
        self.assert_same()

    def test_a_key_with_a_new_column(self):
        self.rekey("id INTEGER, k TEXT, v TEXT, u INTEGER PRIMARY KEY", "id, k, v, id * 10")
        said = self.sync(code=3)
        self.assertIn("drop it at the destination", said)
        self.assertEqual(len(self.rows()), 3)
        self.drop_and_resync()
        self.assertEqual(self.key(), ["u"])
        self.assert_same("u, k, v")

    def test_a_table_gets_a_key_and_loses_it(self):
        self.rekey("id INTEGER, k TEXT, v TEXT")
        self.assertIn("drop it at the destination", self.sync(code=3))
        self.drop_and_resync()
        self.assertEqual(self.key(), ["_fivetran_id"])
        self.assert_same()
        self.rekey("id INTEGER PRIMARY KEY, k TEXT, v TEXT")
        self.sync()
        self.assertEqual(self.key(), ["id"])
        self.assert_same()

    def drop_and_resync(self):
        with sqlite3.connect(self.folder / "warehouse.db") as db:
            db.execute('DROP TABLE "m.t"')
        self.assertIn("--resync-table", self.sync(code=3))
        self.sync("--resync-table", "t")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
