#!/usr/bin/env python3
"""`weir sync --read-back`: what a destination holds after a sync against what was sent, on every kind of store (R-ENG-16).

usage: readback.py BIN_DIR    needs weir, source-everything and destination-sqlite there; others are tried if they are
"""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(HERE.parent / "mariadb"))
ROWS, TABLES = 400, {"everything", "pairs", "events"}


def built(name):
    return unittest.skipUnless((BIN / name).exists(), f"SKIPPED: {name} is not built")


class Case(unittest.TestCase):
    destination = "destination-sqlite"
    env = {}

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-readback-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.config = {"path": str(self.folder / "warehouse.db")}
        self.place = f"sqlite:{self.folder / 'warehouse.db'}"

    def run_weir(self, *arguments, code=0):
        done = subprocess.run([BIN / "weir", *arguments], capture_output=True, text=True, timeout=280,
                              env={**os.environ, "WEIR_DUCKDB": str(BIN / "libduckdb.so"), **self.env})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def sync(self, *more, changes=0, rows=ROWS, code=0, **config):
        """A sync up to step rows + changes of the source; keys repeat over its commits."""
        (self.folder / "source.json").write_text(json.dumps(
            {"rows": str(rows), "changes": str(changes), "checkpoint_every": "50", **config}))
        (self.folder / "destination.json").write_text(json.dumps(self.config))
        return self.run_weir("sync", "--source", BIN / "source-everything", "--source-config", self.folder / "source.json",
                             "--destination", BIN / self.destination, "--destination-config", self.folder / "destination.json",
                             "--schema", "m", "--state", self.folder / "state", "--json", *more, code=code)

    def harm(self, table, when, what):
        """A store that does to the rows that are written to it what it likes."""
        with sqlite3.connect(self.folder / "warehouse.db") as db:
            for event in ("INSERT", "UPDATE"):
                db.execute(f'CREATE TRIGGER harm_{table}_{event} AFTER {event} ON "m.{table}" WHEN {when} BEGIN {what}; END')

    def read_back(self, *more, code=0, **sync):
        """table -> what was found of it, told by the sync and by the ledger alike."""
        done = self.sync("--read-back", self.place, *more, code=code, **sync)
        told = json.loads(done.stdout)
        shown = json.loads(self.run_weir("ledger", "show", "--state", self.folder / "state", "--json", code=int(code != 0)).stdout)
        self.assertEqual(told["read_back"], shown["read_back"])
        self.told = told
        return {entry["table"]: entry for entry in told["read_back"]}

    def assert_agree(self, found, tables=TABLES):
        self.assertEqual(set(found), set(tables))
        for table, entry in found.items():
            self.assertTrue(entry["agrees"] and entry["compared"], entry)
            self.assertEqual((entry["missing"], entry["different"], entry["unsure"]), (0, 0, 0), entry)
            self.assertEqual(entry["sum_sent"], entry["sum_seen"], table)


class Stores:
    """Every type, updates and deletes, a table without a key; a truncate and new columns; a re-sync."""

    def test_what_is_there_is_what_was_sent(self):
        found = self.read_back(changes=600)
        self.assert_agree(found)
        self.assertEqual((found["everything"]["rows"], found["everything"]["seen"]), (ROWS, ROWS))
        self.assertEqual([entry["note"] for entry in found.values()], [""] * 3)
        found = self.read_back(changes=1500)
        self.assert_agree(found)
        self.assertLess(found["everything"]["rows"], ROWS)  # those of this sync
        self.assertGreater(found["everything"]["rows"], 100)
        found = self.read_back("--resync", changes=900, rows=ROWS // 2)
        self.assert_agree(found)
        self.assertEqual(found["everything"]["rows"], ROWS // 2)

    def test_tables_that_change(self):
        found = self.read_back(changes=600, turns="true")
        self.assert_agree({table: entry for table, entry in found.items() if table != "pairs"}, {"everything", "events"})
        self.assertEqual((found["pairs"]["compared"], found["pairs"]["agrees"]), (False, True))
        self.assertIn("its key changed", found["pairs"]["note"])
        self.assert_agree(self.read_back(changes=1000, turns="true"))  # with the new key


class Sqlite(Stores, Case):
    def test_a_cell_that_the_store_has_changed(self):
        self.assert_agree(self.read_back())
        self.harm("pairs", "new.value LIKE 'plain%'",
                  """UPDATE "m.pairs" SET value = 'harmed' WHERE code = new.code AND number = new.number""")
        found = self.read_back(changes=600, code=3)
        self.assert_agree({table: entry for table, entry in found.items() if table != "pairs"}, {"everything", "events"})
        with sqlite3.connect(self.folder / "warehouse.db") as db:
            (harmed,) = db.execute('SELECT count(*) FROM "m.pairs" WHERE value = \'harmed\'').fetchone()
        pairs = found["pairs"]
        self.assertEqual((pairs["agrees"], pairs["different"], pairs["missing"]), (False, harmed, 0))
        self.assertNotEqual(pairs["sum_sent"], pairs["sum_seen"])
        self.assertIn("column 'value' differs in", pairs["note"])
        self.assertEqual((self.told["status"], self.told["error"]), ("task", None))
        for text in (f"'pairs' ({pairs['rows']} rows, {harmed} different)", "--resync-table"):
            self.assertIn(text, self.told["task"])
        self.assertNotIn("column 'value'", self.told["task"])  # told once, with the table
        for text in ("plain", "harmed"):
            self.assertNotIn(text, json.dumps(self.told))
        shown = self.run_weir("ledger", "show", "--state", self.folder / "state", code=1).stdout
        self.assertRegex(shown, rf"m\.pairs read back: \d+ of \d+ rows, 0 missing, {harmed} different.*: DIFFERS")
        self.assertRegex(shown, r"m\.everything read back: .*: agrees")
        # What is committed stays so: the next sync goes on from there, and looks at its own rows.
        with sqlite3.connect(self.folder / "warehouse.db") as db:
            db.executescript("DROP TRIGGER harm_pairs_INSERT; DROP TRIGGER harm_pairs_UPDATE")
        self.assert_agree(self.read_back(changes=900))

    def test_rows_that_the_store_has_lost(self):
        self.assert_agree(self.read_back())
        self.harm("pairs", "new.code = 'c1'", """DELETE FROM "m.pairs" WHERE code = 'c1'""")
        pairs = self.read_back(changes=600, code=3)["pairs"]
        self.assertGreater(pairs["missing"], 0)
        self.assertEqual(pairs["rows"] - pairs["seen"], pairs["missing"])

    def test_rows_that_a_resync_has_not_deleted(self):
        self.assert_agree(self.read_back())
        self.harm("everything", "new._fivetran_deleted", 'UPDATE "m.everything" SET _fivetran_deleted = 0 WHERE id = new.id')
        found = self.read_back("--resync", rows=ROWS // 2, code=3)
        self.assertEqual(found["everything"]["undeleted"], ROWS // 2)
        self.assertIn("not deleted by a truncate", self.told["task"])

    def test_all_tables_that_differ_are_named_as_the_source_has_them(self):
        self.assert_agree(self.read_back())
        for table in ("pairs", "everything"):
            self.harm(table, "1", f'DELETE FROM "m.{table}"')
        found = self.read_back("--resync", code=3)
        self.assertEqual({table for table, entry in found.items() if not entry["agrees"]}, {"pairs", "everything"})
        for table in ("pairs", "everything"):
            self.assertIn(f"'{table}' ({found[table]['rows']} rows, {found[table]['missing']} missing", self.told["task"])
        shown = json.loads(self.run_weir("ledger", "show", "--state", self.folder / "state", "--json", code=1).stdout)
        names = lambda entries, *keys: {tuple(entry[key] for key in keys) for entry in entries}
        self.assertEqual(names(shown["entries"], "schema", "table"), names(shown["read_back"], "source_schema", "source_table"))

    def test_a_state_of_before_the_sources_names(self):
        self.read_back()
        with sqlite3.connect(self.folder / "state" / "state.db") as db:
            for column in ("source_schema", "source_table"):
                db.execute(f"ALTER TABLE readbacks DROP COLUMN {column}")
        shown = json.loads(self.run_weir("ledger", "show", "--state", self.folder / "state", "--json").stdout)
        self.assertEqual({(entry["table"], entry["source_table"]) for entry in shown["read_back"]}, {(name, "") for name in TABLES})
        found = self.read_back(changes=100)
        self.assertEqual(found["pairs"]["source_table"], "pairs")

    def test_names_that_are_others_at_the_destination(self):
        sqlite3.connect(self.folder / "shop.db").executescript('CREATE TABLE "Order Lines"(id INTEGER PRIMARY KEY); '
                                                               'INSERT INTO "Order Lines" VALUES(1); CREATE TABLE bare(id INTEGER PRIMARY KEY);')
        (self.folder / "source.json").write_text(json.dumps({"path": str(self.folder / "shop.db")}))
        (self.folder / "destination.json").write_text(json.dumps(self.config))
        done = self.run_weir("sync", "--source", BIN / "source-sqlite", "--source-config", self.folder / "source.json",
                             "--destination", BIN / self.destination, "--destination-config", self.folder / "destination.json",
                             "--schema", "m", "--state", self.folder / "state", "--read-back", self.place)
        self.assertIn("m.order_lines (the source's Order Lines) read back: 1 of 1 rows: agrees\n", done.stdout)
        self.assertNotIn("no such table", done.stdout)  # nothing has come for `bare`

    def test_without_the_option_nothing_is_read(self):
        done = self.sync(changes=100)
        self.assertNotIn("read_back", json.loads(done.stdout))
        shown = json.loads(self.run_weir("ledger", "show", "--state", self.folder / "state", "--json").stdout)
        self.assertEqual(shown["read_back"], [])

    def test_a_store_that_cannot_be_read(self):
        self.place = "command:exit 7"
        done = self.sync("--read-back", self.place, code=1)
        self.assertIn("all is written and committed, but rows could not be read back", json.loads(done.stdout)["error"])
        sqlite3.connect(self.folder / "another.db").execute("CREATE TABLE other(id)")
        self.place = f"sqlite:{self.folder / 'another.db'}"
        found = self.read_back(changes=100, code=3)
        self.assertIn("the store has no such table", found["everything"]["note"])
        done = self.sync("--read-back", "paper:/tmp/x", code=2)
        self.assertIn("does not say where rows are read from", done.stderr)

    def test_a_place_that_does_not_exist(self):
        kinds = [("sqlite", "file"), ("parquet", "folder"), ("duckdb", "file")]
        for kind, what in kinds if (BIN / "libduckdb.so").exists() else kinds[:1]:
            path = self.folder / kind / "nowhere"
            told = self.sync("--read-back", f"{kind}:{path}", code=2)
            self.assertEqual(json.loads(told.stdout)["error"],
                             f"--read-back: cannot read back: there is no such {what}: '{path}', and no folder for it")
            self.assertFalse((self.folder / "state").exists() and kind == "sqlite")  # nothing has begun
            path.parent.mkdir()
            told = json.loads(self.sync("--read-back", f"{kind}:{path}", code=1).stdout)
            self.assertEqual(told["error"], "all is written and committed, but rows could not be read back: "
                                            f"there is no such {what}: '{path}'")
            self.assertEqual(told["read_back"], [])
            self.sync("--read-back", f"{kind}:{path}")  # nothing is new
            shutil.rmtree(self.folder / "state")

    def begin_reading(self, command, *more):
        """A sync whose rows are being read back by the command."""
        self.place = f"command:: $1; touch '{self.folder}/begun'; {command}"
        self.sync(rows=1)  # writes the configurations
        shutil.rmtree(self.folder / "state")
        weir = subprocess.Popen([BIN / "weir", "sync", "--source", BIN / "source-everything", "--source-config",
                                 self.folder / "source.json", "--destination", BIN / self.destination, "--destination-config",
                                 self.folder / "destination.json", "--schema", "m", "--state", self.folder / "state",
                                 "--read-back", self.place, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(weir.kill)
        deadline = time.monotonic() + 60
        while not (self.folder / "begun").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        return weir

    def assert_stopped(self, weir):
        out, err = weir.communicate(timeout=60)
        self.assertEqual(weir.returncode, 1, out + err)
        self.assertIn("weir: all is written and committed, but reading rows back was stopped: they have not been compared\n", err)
        self.assertIn("m.everything: 1 upserted", out)
        warnings = json.loads(self.sync(rows=1).stdout)["warnings"]
        self.assertEqual(len(warnings), 1)
        self.assertIn("sync 1 was to be read back, and was not to its end", warnings[0])
        self.assertEqual(json.loads(self.sync(rows=1).stdout)["warnings"], [])  # told once

    def test_stopped_while_rows_are_read(self):
        weir = self.begin_reading("""while :; do echo '{"id":1}'; done""")
        weir.send_signal(signal.SIGINT)
        self.assert_stopped(weir)

    def test_stopped_at_once_while_a_store_is_silent(self):
        weir = self.begin_reading("exec sleep 60")
        weir.send_signal(signal.SIGINT)
        self.assertIn("once more ends at once", weir.stderr.readline())
        weir.send_signal(signal.SIGINT)
        self.assert_stopped(weir)

    def test_killed_while_rows_are_read(self):
        weir = self.begin_reading("exec sleep 60")
        weir.kill()
        weir.communicate()
        self.assertIn("sync 1 was to be read back", "".join(json.loads(self.sync("--read-back", f"sqlite:{self.config['path']}",
                                                                                 rows=1).stdout)["warnings"]))

    def test_history_is_not_compared(self):
        plan = self.folder / "plan.json"
        plan.write_text(json.dumps({"tables": {"everything": {"sync_mode": "HISTORY"}}}))
        found = self.read_back("--schema-config", plan, changes=300)
        self.assertFalse(found["everything"]["compared"])
        self.assertIn("history mode", found["everything"]["note"])
        shown = self.run_weir("ledger", "show", "--state", self.folder / "state").stdout
        self.assertEqual([line for line in shown.splitlines() if "not compared" in line],
                         ["m.everything read back: not compared: it is in history mode"])
        self.assertTrue(found["pairs"]["compared"])

    def test_hashed_columns(self):
        plan = self.folder / "plan.json"
        plan.write_text(json.dumps({"tables": {"everything": {"columns": {name: {"hashed": True} for name in ("string", "int", "json")}},
                                               "pairs": {"columns": {"code": {"hashed": True}}}}}))
        self.assert_agree(self.read_back("--schema-config", plan, changes=300))


class Command(Case):
    """A partner's program that prints a store's rows, and one that prints another cell."""

    def test_rows_as_they_are_and_one_that_is_not(self):
        program = self.folder / "dump.py"
        program.write_text(f"""
import json, sqlite3, sys
db = sqlite3.connect({str(self.folder / "warehouse.db")!r})
db.row_factory = sqlite3.Row
for row in db.execute('SELECT * FROM "%s.%s"' % (sys.argv[1], sys.argv[2])):
    row = {{name: "\\\\x" + value.hex() if isinstance(value, bytes) else value for name, value in dict(row).items()}}
    if row.get("id") == 7:
        row["naive_date"] = "1999-01-01" if HARM else row["naive_date"]
    print(json.dumps(row))
""".replace("HARM", "len(sys.argv) > 3"))
        self.place = f"command:{sys.executable} {program}"
        self.assert_agree(self.read_back())
        shutil.rmtree(self.folder / "state")
        self.place = f'command:{sys.executable} {program} "$1" "$2" harm'
        found = self.read_back(code=3)
        self.assertEqual(found["everything"]["different"], 1)
        self.assertIn("column 'naive_date' differs in 1", found["everything"]["note"])
        self.assertNotIn("1999", json.dumps(self.told))


    def test_a_command_that_fails_puts_nothing_into_what_is_kept(self):
        for command, words in (("printf '{\"id\": hidden-value}\\n'; true $1", "record 1 of its output: byte 8: expected a value"),
                               ("echo 'hidden-value is wrong' >&2; exit 3; $1", "the command exited with code 3"),
                               ("printf 'hidden-value,hidden-value\\n'; true $1", "columns 1 and 2 have one name")):
            with self.subTest(command):
                done = self.sync("--read-back", f"command:{command} hidden-value", code=1)
                self.assertIn(words, json.loads(done.stdout)["error"])
                self.assertNotIn("hidden-value", done.stdout)
                said = "weir: the command of --read-back has said: hidden-value is wrong\n"
                self.assertEqual(said in done.stderr, ">&2" in command, done.stderr)
                self.assertNotIn("hidden-value", done.stderr.replace(said, ""))
                for file in (self.folder / "state").rglob("*"):
                    self.assertNotIn(b"hidden-value", file.read_bytes() if file.is_file() else b"", file)
                shutil.rmtree(self.folder / "state")


@built("destination-sqlite-parquet")
class SqliteByParquet(Stores, Case):
    """Batch files in Parquet."""
    destination = "destination-sqlite-parquet"

    def sync(self, *more, **config):
        (self.folder / "plan.json").write_text(json.dumps(
            {"tables": {"everything": {"columns": {"naive_datetime": {"enabled": False}}}}}))
        return super().sync("--schema-config", self.folder / "plan.json", *more, **config)


@built("destination-duckdb")
class Duckdb(Stores, Case):
    destination = "destination-duckdb"

    def setUp(self):
        super().setUp()
        self.place = f"duckdb:{self.folder / 'warehouse.db'}"


@built("destination-parquet")
class Parquet(Stores, Case):
    destination = "destination-parquet"

    def setUp(self):
        super().setUp()
        self.config = {"folder": str(self.folder / "warehouse")}
        self.place = f"parquet:{self.folder / 'warehouse'}"


@built("destination-postgresql")
@unittest.skipUnless(list(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")), "SKIPPED: no PostgreSQL server here")
class Postgresql(Stores, Case):
    destination = "destination-postgresql"

    @classmethod
    def setUpClass(cls):
        data = tempfile.mkdtemp(prefix="weir-readback-pg-")
        cluster = HERE.parent / "postgresql" / "cluster"
        cls.addClassCleanup(shutil.rmtree, data, ignore_errors=True)
        text = subprocess.run([cluster, "start", data, "fsync=off"], check=True, capture_output=True, text=True).stdout
        cls.addClassCleanup(subprocess.run, [cluster, "stop", data])
        cls.env = dict(line[len("export "):].split("=", 1) for line in text.splitlines())

    def setUp(self):
        super().setUp()
        subprocess.run(["psql", "-X", "-q", "-c", "DROP SCHEMA IF EXISTS m CASCADE"], check=True, capture_output=True,
                       env={**os.environ, **self.env})
        self.config = {"host": self.env["PGHOST"], "port": self.env["PGPORT"], "database": self.env["PGDATABASE"],
                       "user": self.env["PGUSER"], "password": self.env["PGPASSWORD"], "tls": "disable"}
        self.place = "postgresql"


@built("destination-mariadb")
@unittest.skipUnless(shutil.which("mariadbd"), "SKIPPED: no MariaDB server here")
class Mariadb(Stores, Case):
    destination = "destination-mariadb"

    @classmethod
    def setUpClass(cls):
        from server import Server
        cls.server = cls.enterClassContext(Server())
        cls.env = {"MARIADB_HOST": "127.0.0.1", "MARIADB_PORT": str(cls.server.port), "MARIADB_USER": "weir",
                   "MARIADB_PASSWORD": cls.server.password, "MARIADB_DATABASE": "weir"}

    def setUp(self):
        super().setUp()
        self.server.sql("DROP DATABASE IF EXISTS m; DROP DATABASE IF EXISTS weir; CREATE DATABASE weir")
        self.config = self.server.config(database="weir")
        self.place = "mariadb"


unittest.main(argv=sys.argv[:1] + sys.argv[2:])
