#!/usr/bin/env python3
"""`weir sync --record`, `weir record`, `weir replay`: what is written down, what is not, and what it makes when played.

usage: record.py BIN_DIR    needs weir, source-files and destination-sqlite there; destination-duckdb and
                            destination-sqlite-parquet, which asks for Parquet files, are used if they are there
"""
import contextlib
import json
import os
import pathlib
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import weirrec

BIN = pathlib.Path(sys.argv[1]).resolve()
SECRET = "canary-secret-7f3a91"


class Recorded(unittest.TestCase):
    DESTINATION = "destination-sqlite"

    def setUp(self):
        self.folder_object = tempfile.TemporaryDirectory(prefix="weir-record-")
        self.folder = pathlib.Path(self.folder_object.name)
        self.files = self.folder / f"files-{SECRET}"
        self.files.mkdir()
        self.write("source.json", {"folder": str(self.files), "keys": "people=id; orders=order_id"})
        self.write("destination.json", {"path": str(self.folder / "warehouse.db")})

    def tearDown(self):
        self.folder_object.cleanup()

    def write(self, name, value):
        (self.folder / name).write_text(json.dumps(value))

    def table(self, name, text):
        (self.files / f"{name}.csv").write_text(text)

    def weir(self, *arguments, code=0, **options):
        done = subprocess.run([BIN / "weir", *map(str, arguments)], capture_output=True, text=True, timeout=120,
                              **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def sync(self, *more, code=0, source=BIN / "source-files", state="state", config="destination.json",
             destination=None, **options):
        return self.weir("sync", "--source", source, "--source-config", self.folder / "source.json",
                         "--destination", destination or BIN / self.DESTINATION, "--destination-config", self.folder / config,
                         "--schema", "t", "--state", self.folder / state, "--retry-delay", "0", *more, code=code,
                         **options)

    def record(self, name, **options):
        path = self.folder / f"{name}.weirrec"
        self.sync("--record", path, **options)
        return path


class Recording(Recorded):
    def test_what_is_said_is_in_it_and_secrets_are_not(self):
        self.table("people", "id,name\n1,Ann\n2,Bob\n")
        path = self.record("first")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual((self.folder / "first.weirrec.key").stat().st_mode & 0o777, 0o600)
        self.assertNotIn(b"Ann", path.read_bytes())
        text = weirrec.everything(path)
        self.assertIn(b"Ann", text)
        self.assertNotIn(SECRET.encode(), text)
        self.assertNotIn(str(self.folder).encode(), text)
        kinds = [kind for kind, *_ in weirrec.frames(path)]
        self.assertEqual((kinds[0], kinds[-1]), (weirrec.INFO, weirrec.CLOSE))
        paths = [payload.split(b"\0")[0].split(b"/")[-1].decode()
                 for kind, _, _, payload in weirrec.frames(path) if kind == weirrec.CALL]
        self.assertEqual(paths, ["Capabilities", "Schema", "Update", "DescribeTable", "CreateTable", "WriteBatch"])

    def test_a_task_is_written_down_masked(self):
        self.table("people", "id,name\n1,Ann,too,many\n")
        path = self.record("task", code=3)
        text = weirrec.everything(path)
        self.assertNotIn(SECRET.encode(), text)
        shown = json.loads(self.weir("record", "show", path, "--json").stdout)
        self.assertEqual(shown["status"], "task")
        self.assertEqual(shown["tables"], [])

    def test_show_tells_calls_rows_and_cuts(self):
        self.table("people", "id,name\n1,Ann\n2,Bob\n")
        path = self.record("first")
        shown = json.loads(self.weir("record", "show", path, "--json").stdout)
        self.assertEqual(shown["tables"], [{"schema": "", "table": "people", "upserts": 2, "updates": 0,
                                            "deletes": 0, "truncates": 0}])
        self.assertEqual((shown["status"], shown["cut"], shown["sync"]["source"]), ("success", False, "source-files"))
        writes = [call for call in shown["calls"] if call["method"] == "WriteBatch"]
        self.assertEqual([(call["schema"], call["table"], call["files"]) for call in writes], [("t", "people", 1)])
        picture = self.weir("record", "show", path).stdout
        self.assertIn("WriteBatch t.people", picture)
        (self.folder / "cut").write_bytes(path.read_bytes()[:-5])
        done = self.weir("record", "show", self.folder / "cut", "--record-key", f"{path}.key")
        self.assertIn("cut: ", done.stdout)

    def test_what_cannot_be_recorded_is_not_begun(self):
        self.table("people", "id\n1\n")
        path = self.record("first")
        done = self.sync("--record", path, code=2)
        self.assertIn("there is a file already", done.stderr)
        (self.folder / "open.key").write_text("00" * 32)
        (self.folder / "open.key").chmod(0o644)
        done = self.sync("--record", self.folder / "x", "--record-key", self.folder / "open.key", code=1)
        self.assertIn("can be read by others", done.stderr)
        self.assertFalse((self.folder / "x").exists())
        self.sync("--record-key", self.folder / "k", code=2)

    def test_a_full_disk_ends_the_recording_and_not_the_sync(self):
        rng = random.Random(1)  # many versions of few rows: a large stream, and a small warehouse
        self.table("people", "id,a\n" + "".join(f"{i % 100},{rng.randbytes(40).hex()}\n" for i in range(40000)))
        path = self.folder / "full.weirrec"
        limit = 1024 * 1024
        done = self.sync("--record", path, code=1,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertIn("is not whole", done.stderr)
        self.assertIn("the sync itself is complete", done.stderr)
        with sqlite3.connect(self.folder / "warehouse.db") as db:
            self.assertEqual(db.execute('SELECT count(*) FROM "t.people"').fetchone(), (100,))
        self.assertIn("cut: ", self.weir("record", "show", path).stdout)


class Played(Recorded):
    """Recordings of a few syncs, and how they are played."""

    def first(self, **options):
        self.table("people", "id,name,born\n1,Ann,1990-01-02\n2,Bob,1991-12-31\n3,Zoë,\n")
        self.table("orders", "order_id,person,total\n10,1,99.5\n11,2,12345678901234567890.12\n")
        self.table("notes", "text\nhello\nworld\n")
        return self.record("one", **options)

    def four(self, **options):
        paths = [self.first(**options)]
        self.table("people", "id,name,born\n1,Anna,1990-01-02\n2,Bob,1991-12-31\n3,Zoë,\n4,Dan,2001-01-01\n")
        paths.append(self.record("two", **options))
        (self.files / "notes.csv").unlink()
        paths.append(self.record("three", **options))
        self.table("people", "id,name,born,city\n1,Anna,1990-01-02,Rome\n2,7,1991-12-31,\n4,Dan,2001-01-01,Oslo\n")
        self.table("extra", "a\n" + "".join(f"{i}\n" for i in range(5000)))
        paths.append(self.record("four", **options))
        return paths

    def dump(self, name):
        """All statements, sorted: two tables at once are made in either order."""
        with contextlib.closing(sqlite3.connect(f"file:{self.folder / name}?mode=ro", uri=True)) as db:
            return "\n".join(sorted(db.iterdump()))

    def replay(self, path, config, *more, destination=None, code=0):
        return self.weir("replay", path, "--destination", BIN / (destination or self.DESTINATION), "--destination-config",
                         self.folder / config, *more, code=code, env={**os.environ, "TMPDIR": str(self.folder)})

    def serve(self, path, side, *more):
        socket = self.folder / f"{side}.sock"
        process = subprocess.Popen([BIN / "weir", "replay", path, "--as", side, "--socket", socket, *more],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertIn("listening on", process.stderr.readline())
        return process, f"unix:{socket}"

    def stop(self, process, code=0):
        process.terminate()
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, code, out + err)
        return out, err

    def rows(self, database, table, columns, order="1, 2"):
        with sqlite3.connect(self.folder / database) as db:
            return db.execute(f'SELECT {columns} FROM "t.{table}" ORDER BY {order}').fetchall()


class Replay(Played):
    """Four syncs: a first load, an update and new rows, a delete, a table that is altered and one that is new."""

    def test_a_destination_gets_the_same_rows_byte_for_byte(self):
        self.write("again.json", {"path": str(self.folder / "again.db")})
        for path in self.four():
            told = json.loads(self.replay(path, "again.json", "--json").stdout)
            self.assertEqual((told["status"], told["different"], told["cut"]), ("success", 0, False))
        self.assertIn("INSERT INTO", self.dump("again.db"))
        self.assertEqual(self.dump("again.db"), self.dump("warehouse.db"))
        self.assertEqual(list(self.folder.glob("weir-replay-*")), [])

    def test_another_destination_gets_them_too(self):
        if not (BIN / "destination-duckdb").exists():
            self.skipTest("no destination-duckdb")
        self.write("duck.json", {"path": str(self.folder / "one.duckdb")})
        self.write("again.json", {"path": str(self.folder / "again.duckdb")})
        paths = self.four(destination=BIN / "destination-duckdb", config="duck.json")
        for path in paths:
            self.replay(path, "again.json", destination="destination-duckdb")
        if (BIN / "duckdb-query").exists():
            query = "SELECT * FROM t.people ORDER BY id"
            one, two = (subprocess.run([BIN / "duckdb-query", self.folder / name, query], capture_output=True,
                                       check=True).stdout for name in ("one.duckdb", "again.duckdb"))
            self.assertIn(b"Anna", one)
            self.assertEqual(one, two)

    def test_what_is_answered_otherwise_is_told(self):
        path = self.first()
        self.write("again.json", {"path": str(self.folder / "again.db")})
        self.replay(path, "again.json")
        told = json.loads(self.replay(path, "again.json", "--json", code=1).stdout)
        self.assertEqual(told["status"], "difference")
        self.assertIn("'not_found: 1 ' was recorded", told["first_difference"])

    def test_until_plays_the_first_calls(self):
        path = self.first()
        self.write("again.json", {"path": str(self.folder / "again.db")})
        told = json.loads(self.replay(path, "again.json", "--until", "3", "--json").stdout)
        self.assertEqual(told["calls"], 3)

    def test_as_source_a_sync_lands_the_same_rows(self):
        paths = self.four()
        self.write("source.json", {"api_key": "nothing"})
        self.write("again.json", {"path": str(self.folder / "again.db")})
        for path in paths:
            process, address = self.serve(path, "source")
            self.sync(source=address, config="again.json", state="state2")
            self.stop(process)
        columns = {"people": "id, name, born, city", "orders": "order_id, person, total", "extra": "a, _line",
                   "notes": "text, _fivetran_deleted"}
        for table, names in columns.items():
            one, two = (self.rows(name, table, names) for name in ("warehouse.db", "again.db"))
            self.assertTrue(one)
            self.assertEqual(one, two)

    def test_as_source_the_stream_goes_on_after_a_checkpoint(self):
        path = self.first()
        self.write("source.json", {})
        self.write("again.json", {"path": str(self.folder / "again.db")})
        process, address = self.serve(path, "source", "--until", "2")
        self.sync(source=address, config="again.json", state="state2")
        self.stop(process)
        process, address = self.serve(path, "source")
        self.sync(source=address, config="again.json", state="state2")
        self.stop(process)
        self.assertEqual(self.rows("again.db", "people", "id, name"), self.rows("warehouse.db", "people", "id, name"))

    def test_as_source_a_foreign_state_is_refused(self):
        path = self.first()
        self.table("people", "id,name\n1,Ann\n")
        self.sync()
        self.write("source.json", {})
        process, address = self.serve(path, "source")
        done = self.sync(source=address, code=3)
        self.assertIn("no stream for this state", done.stderr)
        self.stop(process)

    def test_as_destination_the_same_sync_is_the_same(self):
        path = self.first()
        self.write("nothing.json", {})
        process, address = self.serve(path, "destination")
        self.sync(destination=address, config="nothing.json", state="state2")
        self.stop(process)
        process, address = self.serve(path, "destination")
        (self.files / "notes.csv").unlink()
        self.sync(destination=address, config="nothing.json", state="state3")
        _, err = self.stop(process, code=1)
        self.assertIn("3 recorded calls were not made, the first is DescribeTable of t.notes", err)

    def test_as_destination_one_cell_that_differs_is_found(self):
        self.table("people", "id,name\n1,Ann\n2,Bob\n")
        path = self.record("one")
        modified = (self.files / "people.csv").stat().st_mtime_ns
        self.table("people", "id,name\n1,Ann\n2,Bib\n")
        os.utime(self.files / "people.csv", ns=(modified, modified))
        self.write("nothing.json", {})
        process, address = self.serve(path, "destination")
        self.sync(destination=address, config="nothing.json", state="state2", code=1)
        _, err = self.stop(process, code=1)
        self.assertIn("WriteBatch of t.people: row 2 of batch file 1", err)

    def test_wrong_usage(self):
        path = self.first()
        self.weir("replay", path, code=2)
        self.weir("replay", path, "--as", "source", "--destination", "x", "--destination-config", "y", code=2)
        self.weir("replay", path, "--as", "engine", code=2)
        self.weir("replay", path, "--as", "source", "--speed", "slow", code=2)
        self.weir("replay", self.folder / "source.json", "--as", "source", "--record-key", f"{path}.key", code=1)


class Scrub(Played):
    SEEN = "1987-06-05T04:03:21.123457"  # a day alone may come by chance
    CANARIES = ("Annabel-Canary", "canary@example.org", "7777123", SEEN, "canary text", "31337.25", "K\u00f6ln")

    def people(self):
        rng = random.Random(7)
        people = [f"{i * 7 + 1},P{i}-{rng.randrange(10**9)},{1950 + i % 50}-0{1 + i % 9}-1{i % 9},{i * 3 % 17}.5,"
                  f"{1950 + i % 50}-03-01T00:00:{i % 50 + 10}.{rng.randrange(10**6):06}Z"
                  for i in range(300)]
        people.append(f"7777123,Annabel-Canary,1987-06-05,31337.25,{self.SEEN}Z")
        self.table("people", "id,name,born,score,seen\n" + "\n".join(people) + "\n")
        self.table("orders", "order_id,person,mail,amount\n" + "".join(
            f"{i},{rng.randrange(300) * 7 + 1},c{i}@example.org,{rng.randrange(10**9)}.{i % 90 + 10}\n" for i in range(1, 501)) +
            "999999,7777123,canary@example.org,12345678901234567890.12\n")
        (self.files / "notes.json").write_text(json.dumps(
            [{"text": "canary text", "nested": {"city": "K\u00f6ln", "n": 7777123, "list": ["Annabel-Canary"]}}],
            ensure_ascii=False))

    def setUp(self):
        super().setUp()
        self.people()
        self.path = self.record("one")
        self.scrubbed = self.folder / "scrubbed.weirrec"
        self.weir("record", "scrub", self.path, "-o", self.scrubbed)
        self.write("again.json", {"path": str(self.folder / "again.db")})

    def test_no_value_is_left_and_it_replays(self):
        before, after = weirrec.everything(self.path), weirrec.everything(self.scrubbed)
        for canary in self.CANARIES:
            self.assertIn(canary.encode(), before) if not canary[0].isdigit() or "-" in canary else None
            self.assertNotIn(canary.encode(), after)
        self.assertIn(b"people", after)
        self.assertNotIn(b"people.csv", after)
        told = json.loads(self.replay(self.scrubbed, "again.json", "--json").stdout)
        self.assertEqual(told["different"], 0)
        self.check_values()
        self.check_joins()

    def check_values(self):
        """By rank of the key, which keeps its order: same types, lengths, order, equality."""
        for table, key, columns in (("people", "id", "id, name, born, score, seen"),
                                    ("orders", "order_id", "order_id, person, mail, amount")):
            one, two = (self.rows(name, table, columns, key) for name in ("warehouse.db", "again.db"))
            self.assertEqual(len(one), len(two))
            for name, old, new in zip(columns.split(", "), zip(*one), zip(*two)):
                self.assertEqual([type(value) for value in old], [type(value) for value in new])
                known = {}
                for before, after in zip(old, new):
                    self.assertNotEqual(before, after)
                    self.assertEqual(known.setdefault(before, after), after)
                    if isinstance(before, str):
                        self.assertEqual(len(before), len(after))
                self.assertEqual(len(set(known.values())), len(known))
                if name in ("id", "born", "score", "order_id", "person"):
                    ranked = sorted(known)
                    self.assertEqual([known[value] for value in ranked], sorted(known.values()))

    def check_joins(self):
        query = ('SELECT count(*), count(DISTINCT p.id) FROM "t.orders" o JOIN "t.people" p ON p.id = o.person '
                 "JOIN \"t.people\" q ON q._line = o._line")
        one, two = (sqlite3.connect(self.folder / name).execute(query).fetchone()
                    for name in ("warehouse.db", "again.db"))
        self.assertGreater(one[0], 100)
        self.assertEqual(one, two)
        nested = [self.rows(name, "notes", "nested, text", "1")[0][0] for name in ("warehouse.db", "again.db")]
        old, new = map(json.loads, nested)
        self.assertEqual((len(new), [len(value) if hasattr(value, "__len__") else 1 for value in new.values()]),
                         (3, [len(old["city"]), 1, 1]))
        name = self.rows("again.db", "people", "name, id", "id")[-1][0]
        self.assertEqual(list(new.values())[2], [name])

    def test_as_source_it_syncs(self):
        self.write("source.json", {})
        process, address = self.serve(self.scrubbed, "source")
        self.sync(source=address, config="again.json", state="state2")
        self.sync(source=address, config="again.json", state="state2")  # goes on from the scrubbed checkpoint
        self.stop(process)
        self.assertEqual(len(self.rows("again.db", "people", "id, name")), 301)

    def test_the_key_is_thrown_away(self):
        again = self.folder / "again.weirrec"
        self.weir("record", "scrub", self.path, "-o", again, "--output-key", f"{self.scrubbed}.key")
        one, two = (weirrec.everything(self.scrubbed), weirrec.everything(again, f"{self.scrubbed}.key"))
        self.assertNotEqual(one, two)
        self.weir("record", "scrub", self.path, code=2)
        self.weir("record", "scrub", self.path, "-o", again, code=1)

    def test_what_failed_leaves_nothing(self):
        """The disk is full in the middle; the same command works when there is room. What was there before stays."""
        again = self.folder / "again.weirrec"
        limit = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)), "restore_signals": False}
        self.weir("record", "scrub", self.path, "-o", again, code=1, **limit)
        self.assertEqual(list(self.folder.glob("again.weirrec*")), [])
        self.weir("record", "scrub", self.path, "-o", again)
        key = (self.folder / "again.weirrec.key").read_bytes()
        again.unlink()
        self.weir("record", "scrub", self.path, "-o", again, code=1, **limit)
        self.assertEqual([path.read_bytes() for path in self.folder.glob("again.weirrec*")], [key])
        self.weir("record", "scrub", self.path, "-o", again)
        whole = again.read_bytes()
        self.weir("record", "scrub", self.path, "-o", again, code=1)
        self.assertEqual(again.read_bytes(), whole)


@unittest.skipUnless((BIN / "destination-sqlite-parquet").exists(), "no DuckDB")
class InParquet:
    """Batch files are Parquet."""
    DESTINATION = "destination-sqlite-parquet"
    test_another_destination_gets_them_too = test_wrong_usage = None  # as they are

    def record(self, name, **options):
        path = super().record(name, **options)
        files = weirrec.batch_files(path)
        self.assertTrue(files)
        self.assertEqual({(data[:4], data[-4:]) for data in files}, {(b"PAR1", b"PAR1")})
        return path


class ReplayInParquet(InParquet, Replay):
    def test_secrets_are_not_in_it(self):
        text = weirrec.everything(self.first())
        self.assertIn(b"Ann", text)
        self.assertNotIn(SECRET.encode(), text)


class ScrubInParquet(InParquet, Scrub):
    pass


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
