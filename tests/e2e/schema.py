#!/usr/bin/env python3
"""`weir schema`, and syncs that follow its file, with source-sqlite and destination-sqlite.

usage: schema.py BIN_DIR    needs weir, source-sqlite and destination-sqlite there
"""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import unittest

BIN = pathlib.Path(sys.argv[1]).resolve()
TABLES = """
CREATE TABLE orders(id INTEGER PRIMARY KEY, email TEXT, note TEXT, "netPrice" REAL);
CREATE TABLE customers(id INTEGER PRIMARY KEY, mail TEXT, rank INTEGER);
CREATE TABLE log(id INTEGER PRIMARY KEY, line TEXT);
INSERT INTO orders VALUES(1, 'ada@example.org', 'n', 2.5), (2, NULL, 'm', 3.5), (3, 'g@example.org', NULL, 1.5);
INSERT INTO customers VALUES(7, 'ada@example.org', 1), (8, '1', 2);
INSERT INTO log VALUES(1, 'secret line');
"""


class Schema(unittest.TestCase):
    def setUp(self):
        self.folder_object = tempfile.TemporaryDirectory(prefix="weir-schema-test-")
        self.folder = pathlib.Path(self.folder_object.name)
        self.change(TABLES)
        self.write("s.json", {"path": str(self.folder / "source.db")})
        self.write("d.json", {"path": str(self.folder / "warehouse.db")})
        self.file = self.folder / "shop.json"

    def tearDown(self):
        self.folder_object.cleanup()

    # --- helpers ---

    def write(self, name, value):
        (self.folder / name).write_text(json.dumps(value))

    def change(self, statements):
        with sqlite3.connect(self.folder / "source.db") as db:
            db.executescript(statements)

    def weir(self, *arguments, code=0):
        done = subprocess.run([BIN / "weir", *map(str, arguments)], capture_output=True, text=True, timeout=60,
                              env=dict(os.environ, TMPDIR=str(self.folder)))
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        if code != 0 and done.stderr:
            self.assertRegex(done.stderr.splitlines()[-1], "^weir: ")
        self.assertEqual(list(self.folder.glob("weir-schema-*")), [], "a private folder was left behind")
        return done

    def schema(self, action, *arguments, source=False, code=0):
        source = ["--source", BIN / "source-sqlite", "--source-config", self.folder / "s.json"] if source else []
        return self.weir("schema", action, self.file, *arguments, *source, code=code)

    def sync(self, *arguments, code=0, state="state", source=None):
        return self.weir("sync", "--source", source or BIN / "source-sqlite", "--source-config", self.folder / "s.json",
                         "--destination", BIN / "destination-sqlite", "--destination-config", self.folder / "d.json",
                         "--schema", "shop", "--state", self.folder / state, *arguments, code=code)

    def follow(self, **options):
        return self.sync("--schema-config", self.file, **options)

    def rows(self, table, *columns):
        names = ", ".join(f'"{column}"' for column in columns)
        with sqlite3.connect(self.folder / "warehouse.db") as db:
            return db.execute(f'SELECT {names} FROM "shop.{table}" ORDER BY 1').fetchall()

    def columns(self, table):
        with sqlite3.connect(self.folder / "warehouse.db") as db:
            names = [row[1] for row in db.execute(f'PRAGMA table_info("shop.{table}")')]
        return {name for name in names if not name.startswith("_fivetran_")}

    def listed(self):
        return json.loads(self.file.read_text())["tables"]

    def hashed(self, text):
        with sqlite3.connect(self.folder / "state/state.db") as db:
            salt = db.execute("SELECT value FROM connection WHERE name = 'salt'").fetchone()[0]
        self.assertEqual(len(salt), 32)
        return base64.b64encode(hmac.new(salt, text.encode(), hashlib.sha256).digest()).decode()

    # --- the command ---

    def test_a_file_is_made_shown_edited_compared(self):
        self.schema("show", code=2)
        self.schema("edit", source=True)
        self.assertEqual(self.listed()["orders"]["columns"]["id"], {"enabled": True, "key": True})
        self.assertEqual(json.loads(self.schema("diff", "--json", source=True).stdout), {"differences": []})
        before = self.folder / "before.json"
        before.write_bytes(self.file.read_bytes())
        done = self.schema("edit", "--disable", "log,orders.note", "--hash", "orders.email", "--mode",
                           "orders=HISTORY", "--json")
        wanted = {("log", "synced", "on", "off"), ("orders", "mode", "SOFT_DELETE", "HISTORY"),
                  ("orders.email", "hashed", "no", "yes"), ("orders.note", "synced", "on", "off")}

        def told(text, name):
            return {(one["path"], one["what"], one["before"], one["after"]) for one in json.loads(text)[name]}
        self.assertEqual(told(done.stdout, "changes"), wanted)
        done = self.weir("schema", "diff", before, self.file, "--json", code=1)
        self.assertEqual(told(done.stdout, "differences"), wanted)
        self.assertIn("nothing differs", self.weir("schema", "diff", before, before).stdout)
        shown = json.loads(self.schema("show", "--json", "--schema", "shop").stdout)
        self.assertEqual(shown["naming"], "FIVETRAN_NAMING")
        self.assertEqual([schema["destination"] for schema in shown["schemas"]], ["shop"])
        tables = {table["name"]: table for table in shown["schemas"][0]["tables"]}
        self.assertEqual((tables["log"]["synced"], tables["orders"]["sync_mode"]), (False, "HISTORY"))
        columns = {column["name"]: column for column in tables["orders"]["columns"]}
        self.assertEqual(columns["netPrice"]["destination"], "net_price")
        self.assertTrue(columns["email"]["hashed"] and columns["id"]["key"] and not columns["note"]["synced"])
        text = self.schema("show").stdout
        self.assertRegex(text, r"(?m)^orders +on +orders +HISTORY$")
        self.assertRegex(text, r"(?m)^  email +on +email +hashed$")
        self.assertRegex(text, r"(?m)^log +off ")

    def test_show_and_diff_write_nothing(self):
        self.schema("edit", source=True)
        self.change("CREATE TABLE fresh(id INTEGER PRIMARY KEY); DROP TABLE log;")
        before = self.file.read_bytes()
        self.assertIn("fresh", self.schema("show", source=True).stdout)
        found = self.schema("diff", source=True, code=1).stdout.splitlines()
        self.assertEqual(found, ["fresh synced: not listed -> on", "fresh.id synced: not listed -> on",
                                 "fresh.id key: no -> yes", "log source: there -> gone"])
        self.assertEqual(self.file.read_bytes(), before)

    def test_what_is_refused_changes_nothing(self):
        self.schema("edit", source=True)
        before = self.file.read_bytes()
        for arguments, part in [
                (["--disable", "log,orders.id"], "part of the key"),
                (["--disable", "log", "--hash", "ordrs.email"], "is it 'orders'?"),
                (["--mode", "orders=LIVE"], "live mode is not to be had"),
                (["--handling", "ALLOW_NONE"], "ALLOW_COLUMNS"),
                (["--source", BIN / "source-sqlite"], "go together"),
                ([], "edit needs --source or a change")]:
            self.assertIn(part, self.schema("edit", *arguments, code=2).stderr)
            self.assertEqual(self.file.read_bytes(), before)
        self.assertIn("only edit changes", self.schema("show", "--disable", "log", code=2).stderr)
        self.assertIn("diff needs another file", self.schema("diff", code=2).stderr)
        self.write("s.json", {"path": "/none/source.db"})
        self.schema("edit", source=True, code=3)
        self.file.write_text("{")
        self.assertIn("no JSON", self.schema("show", code=2).stderr)

    # --- syncs that follow the file ---

    def test_selection_holds_with_a_source_that_ignores_it(self):
        """R-SRC-05: a recorded source sends what it sent, whatever it is asked for."""
        self.schema("edit", "--disable", "log,orders.note", source=True)
        self.sync("--record", self.folder / "all.weirrec")
        self.assertEqual(self.columns("log"), {"id", "line"})
        (self.folder / "warehouse.db").unlink()
        socket = self.folder / "source.sock"
        player = subprocess.Popen([BIN / "weir", "replay", self.folder / "all.weirrec", "--as", "source", "--socket",
                                   socket], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            self.assertTrue(player.stdout.readline())
            self.follow(state="replayed", source=f"unix:{socket}")
        finally:
            player.kill()
            player.communicate()
        self.assertEqual(self.columns("log"), set())
        self.assertEqual(self.columns("orders"), {"id", "email", "net_price"})
        self.assertEqual(self.rows("orders", "id", "email"), [(1, "ada@example.org"), (2, None), (3, "g@example.org")])

    def test_selection_holds_with_a_source_that_takes_it(self):
        self.schema("edit", "--disable", "log,orders.note", source=True)
        self.follow()
        self.assertEqual(self.columns("log"), set())
        self.assertEqual(self.columns("orders"), {"id", "email", "net_price"})
        self.assertEqual(self.rows("customers", "id", "mail"), [(7, "ada@example.org"), (8, "1")])

    def test_hashes_join_and_are_hmacs(self):
        self.schema("edit", "--hash", "orders.email,customers.mail,customers.rank", source=True)
        self.follow()
        emails = dict(self.rows("orders", "id", "email"))
        customers = {row[0]: row[1:] for row in self.rows("customers", "id", "mail", "rank")}
        self.assertEqual(emails, {1: self.hashed("ada@example.org"), 2: None, 3: self.hashed("g@example.org")})
        self.assertEqual(customers, {7: (emails[1], self.hashed("1")), 8: (self.hashed("1"), self.hashed("2"))})
        self.assertNotIn(b"ada@example.org", (self.folder / "warehouse.db").read_bytes())

    def test_one_salt_file_joins_two_connections(self):
        salt = self.folder / "salt.key"
        self.schema("edit", "--hash", "orders.email,customers.mail", source=True)
        self.sync("--salt-file", salt, code=2)
        self.sync("--schema-config", self.file, "--salt-file", salt, state="first")
        first = self.rows("orders", "id", "email")
        self.assertEqual(salt.stat().st_mode & 0o777, 0o600)
        key = bytes.fromhex(salt.read_text())
        self.assertEqual(first[0][1], base64.b64encode(hmac.new(key, b"ada@example.org", hashlib.sha256).digest()).decode())
        (self.folder / "warehouse.db").unlink()
        self.sync("--schema-config", self.file, "--salt-file", salt, state="second")
        self.assertEqual(self.rows("orders", "id", "email"), first)
        self.sync("--schema-config", self.file, state="second")  # it is kept
        salt.write_text("ab" * 32 + "\n")
        self.assertIn("another salt", self.sync("--schema-config", self.file, "--salt-file", salt, state="second", code=3).stderr)
        salt.chmod(0o644)
        self.assertIn("chmod 600", self.sync("--schema-config", self.file, "--salt-file", salt, state="third", code=1).stderr)

    def test_what_a_source_does_not_tell_is_chosen_before_the_first_sync(self):
        (self.folder / "in").mkdir()
        (self.folder / "in" / "orders.csv").write_text("id,note,price\n1,private,2\n")
        (self.folder / "in" / "log.csv").write_text("line\nsecret\n")
        self.write("files.json", {"folder": str(self.folder / "in"), "keys": "orders=id"})
        files = ["--source", BIN / "source-files", "--source-config", self.folder / "files.json"]
        told = self.weir("schema", "edit", self.file, *files, code=1).stderr
        self.assertIn("--unlisted", told)
        self.weir("schema", "edit", self.file, "--disable", "log", code=2)
        self.weir("schema", "edit", self.file, "--unlisted", "things", "--disable", "log", code=2)
        self.weir("schema", "edit", self.file, "--unlisted", "tables", "--disable", "log,orders.note")
        self.weir("schema", "edit", self.file, "--unlisted", "schemas", "--disable", "other.log", code=2)
        alone = self.weir("schema", "edit", self.file, "--unlisted", "tables", "--enable", "log.line", code=2).stderr
        self.assertIn("cannot be turned on alone", alone)
        self.weir("schema", "edit", self.file, "--unlisted", "tables", "--hash", "orders.prise")
        wrong = self.folder / "wrong.json"
        self.weir("schema", "edit", wrong, "--unlisted", "schemas", "--disable", "shop.log")
        sync = ["sync", *files, "--destination", BIN / "destination-sqlite", "--destination-config", self.folder / "d.json",
                "--schema", "main", "--state", self.folder / "files", "--schema-config"]
        self.assertIn("another source's", self.weir(*sync, wrong, code=3).stderr)
        told = self.weir(*sync, self.file, "--json")
        self.assertIn("hashes column 'prise' of table 'orders'", told.stdout)
        self.weir("schema", "edit", self.file, "--disable", "orders.id", code=2)  # it has learnt the key
        with sqlite3.connect(self.folder / "warehouse.db") as db:
            tables = [name for name, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            self.assertFalse([name for name in tables if "log" in name])
            orders, = (name for name in tables if "orders" in name)
            columns = [row[1] for row in db.execute(f'PRAGMA table_info("{orders}")')]
            self.assertEqual(db.execute(f'SELECT id, price FROM "{orders}"').fetchall(), [(1, 2)])
        self.assertNotIn("note", columns)

    def test_history_is_kept_where_it_is_wanted(self):
        self.schema("edit", "--mode", "customers=HISTORY", source=True)
        self.follow()
        with sqlite3.connect(self.folder / "warehouse.db") as db:
            found = {table: {row[1] for row in db.execute(f'PRAGMA table_info("shop.{table}")')}
                     for table in ("orders", "customers")}
        self.assertIn("_fivetran_active", found["customers"])
        self.assertNotIn("_fivetran_active", found["orders"])

    def test_block_all_keeps_out_what_is_new_and_lists_it(self):
        """R-ENG-21"""
        self.schema("edit", source=True)
        self.schema("edit", "--handling", "BLOCK_ALL")
        self.follow()
        self.change("CREATE TABLE fresh(id INTEGER PRIMARY KEY); INSERT INTO fresh VALUES(1);"
                    "ALTER TABLE orders ADD COLUMN phone TEXT; UPDATE orders SET phone = '555';")
        self.follow()
        self.assertEqual(self.columns("fresh"), set())
        self.assertNotIn("phone", self.columns("orders"))
        self.assertEqual(self.listed()["fresh"]["enabled"], False)
        self.assertEqual(self.listed()["orders"]["columns"]["phone"]["enabled"], False)
        self.schema("edit", "--enable", "fresh,orders.phone", source=True)
        self.follow()
        self.assertEqual(self.rows("fresh", "id"), [(1,)])
        self.assertEqual(self.rows("orders", "phone"), [("555",)] * 3)

    def test_names_that_collide_are_a_task(self):
        """R-ENG-22"""
        self.change('CREATE TABLE two(id INTEGER PRIMARY KEY, "unitPrice" TEXT, unit_price TEXT);'
                    "INSERT INTO two VALUES(1, 'a', 'b');")
        self.schema("edit", source=True)
        error = self.follow(code=3).stderr
        self.assertIn("'unitPrice'", error)
        self.assertIn("'unit_price'", error)
        self.schema("edit", "--naming", "SOURCE_NAMING")
        self.follow(state="other")
        self.assertEqual(self.rows("two", "unitPrice", "unit_price"), [("a", "b")])

    def test_naming_is_for_good(self):
        self.schema("edit", source=True)
        self.follow()
        self.schema("edit", "--naming", "SOURCE_NAMING")
        error = self.follow(code=3).stderr
        self.assertIn("named by FIVETRAN_NAMING at the first sync", error)
        self.schema("edit", "--naming", "FIVETRAN_NAMING")
        self.follow()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
