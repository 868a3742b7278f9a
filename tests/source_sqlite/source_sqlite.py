#!/usr/bin/env python3
"""source-sqlite against Python's sqlite3: see README.md.

usage: source_sqlite.py BIN_DIR SCHEMA_DESCRIPTORS [Class.test…]
"""
import datetime
import hashlib
import json
import math
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import grpc

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "postgresql"))
import kit  # noqa: E402

BIN, MESSAGES = None, None
INT64_MAX = (1 << 63) - 1
DOUBLE_EXACT_MAX = 1 << 53
SEEDS = range(8)


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class Bench(unittest.TestCase):
    """A database to be read, and a warehouse."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="weir-source-sqlite-")
        self.folder = pathlib.Path(self.temporary.name)
        self.path = self.folder / "app.db"
        self.db = sqlite3.connect(self.path, isolation_level=None)
        self.db.execute("PRAGMA synchronous = OFF")

    def tearDown(self):
        self.db.close()
        self.temporary.cleanup()

    def config(self, **more):
        return {"path": str(self.path), **more}

    def weir(self, *arguments, wanted=0):
        done = subprocess.run([str(BIN / "weir"), *map(str, arguments)], capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, wanted, done.stdout + done.stderr)
        return done

    def sync(self, wanted=0, **options):
        """Runs `weir sync`; {table: (upserted, deleted, truncated)}, and what was said."""
        source, destination = self.folder / "source.json", self.folder / "destination.json"
        source.write_text(json.dumps(self.config(**options)))
        destination.write_text(json.dumps({"path": str(self.folder / "warehouse.db")}))
        (self.folder / "schema.json").write_text('{"naming": "SOURCE_NAMING"}')
        done = self.weir("sync", "--source", BIN / "source-sqlite", "--source-config", source, "--destination",
                         BIN / "destination-sqlite", "--destination-config", destination, "--schema", "s", "--state",
                         self.folder / "state", "--schema-config", self.folder / "schema.json", "--attempts", 1, "--json", wanted=wanted)
        tables = json.loads(done.stdout)["tables"] if wanted == 0 else []
        return {entry["table"]: entry for entry in tables}, done.stderr

    def landed(self, table, columns, deleted=0):
        names = ", ".join(map(quoted, columns))
        warehouse = sqlite3.connect(self.folder / "warehouse.db")
        try:
            return warehouse.execute(f"SELECT {names} FROM {quoted('s.' + table)} WHERE _fivetran_deleted = {deleted}"
                                     ).fetchall()
        finally:
            warehouse.close()

    def types(self, table):
        warehouse = sqlite3.connect(self.folder / "warehouse.db")
        try:
            return dict(warehouse.execute("SELECT column_name, type FROM _weir_columns WHERE table_name = ?",
                                          ("s." + table,)))
        finally:
            warehouse.close()

    def same_rows(self, table, columns, query=None):
        """What landed is what is there."""
        there = self.db.execute(query or f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(table)}").fetchall()
        self.assertEqual(sorted(self.landed(table, columns), key=repr), sorted(there, key=repr))

    def setup_test(self, name, **options):
        with kit.running(BIN / "source-sqlite", MESSAGES) as source:
            reply = source.call("Test", name=name, configuration=self.config(**options))
        return reply.failure

    def failing_open(self, **options):
        with kit.running(BIN / "source-sqlite", MESSAGES) as source:
            try:
                return source.call("Test", name="open", configuration=self.config(**options)).failure
            except grpc.RpcError as error:
                return error.details()


# --- what a value should look like ---

def real_text(value):
    """The shortest text that says the same double, of 15 to 17 digits."""
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return next(text for text in (f"{value:.{digits}g}" for digits in (15, 16, 17)) if float(text) == value)


def is_date(text):
    try:
        datetime.date.fromisoformat(text)
        return len(text) == 10
    except ValueError:
        return False


def expected_type(declared, values):
    """The documented rule: the declared type while every value fits it, else the narrowest that holds all."""
    values = [v for v in values if v is not None]
    kinds = {type(v) for v in values}
    integers = [v for v in values if isinstance(v, int)]
    exact = all(abs(v) <= DOUBLE_EXACT_MAX for v in integers)
    fits = {
        "BOOLEAN": ("BOOLEAN", all(isinstance(v, int) and v in (0, 1) for v in values)),
        "INTEGER": ("LONG", kinds <= {int}),
        "REAL": ("DOUBLE", kinds <= {int, float} and exact),
        "TEXT": ("STRING", True),
        "BLOB": ("BINARY", True),
        "DATE": ("NAIVE_DATE", all(isinstance(v, str) and is_date(v) for v in values)),
        "": ("", False),
    }
    name, good = fits[declared]
    if good:
        return name
    if not values:
        return None  # nobody knows
    if kinds <= {int}:
        return "LONG"
    if kinds <= {int, float} and exact:
        return "DOUBLE"
    return "BINARY" if kinds <= {bytes} else "STRING"


def expected_value(type_name, value):
    if value is None:
        return None
    if type_name == "STRING":
        if isinstance(value, bytes):
            return value.hex().upper()
        return real_text(value) if isinstance(value, float) else str(value)
    if type_name == "BINARY":
        if isinstance(value, bytes):
            return value
        return (real_text(value) if isinstance(value, float) else str(value)).encode()
    if type_name == "DOUBLE":
        return float(value)
    return value


class Types(Bench):
    def test_declared_types(self):
        self.db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, b BOOL, i BIGINT, r DOUBLE, d DECIMAL(12,4), day DATE,"
                        " at DATETIME, zoned TIMESTAMP, name VARCHAR(9), raw BLOB)")
        self.db.executemany("INSERT INTO t VALUES (?,?,?,?,?,?,?,?,?,?)", [
            (1, 0, INT64_MAX, 1.7976931348623157e308, 12345678.1234, "0001-01-01", "1969-12-31 23:59:59.999999999",
             "2020-02-29T10:15:30Z", "é😀", bytes(range(256))),
            (-1 << 63, 1, -1 << 63, 5e-324, -5, "9999-12-31", "9999-12-31T23:59:59", "2020-02-29T10:15:30+02:00", "", b""),
            (0, None, None, None, None, None, None, None, None, None)])
        self.sync()
        kinds = self.types("t")
        wanted = {"id": "LONG", "b": "BOOLEAN", "i": "LONG", "r": "DOUBLE", "d": "DECIMAL", "day": "NAIVE_DATE",
                  "at": "NAIVE_DATETIME", "zoned": "UTC_DATETIME", "name": "STRING", "raw": "BINARY"}
        self.assertEqual({name: kinds[name] for name in wanted}, wanted)
        self.same_rows("t", ["id", "b", "i", "r", "name", "raw", "day"])
        self.assertEqual([float(d) for d, in self.landed("t", ["d"]) if d is not None].sort(),
                         [12345678.1234, -5.0].sort())
        times = {(at, zoned) for at, zoned in self.landed("t", ["at", "zoned"]) if at}
        self.assertEqual({(at[:19].replace("T", " "), zoned[:19].replace("T", " ")) for at, zoned in times},
                         {("1969-12-31 23:59:59", "2020-02-29 10:15:30"), ("9999-12-31 23:59:59", "2020-02-29 08:15:30")})
        self.assertTrue(any(at.rstrip("Z0").endswith(".999999999") for at, _ in times), times)

    def test_a_decimal_that_is_too_wide_is_not_cut(self):
        self.db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, d DECIMAL(4,2), big NUMERIC(38,0))")
        self.db.executemany("INSERT INTO t VALUES (?,?,?)", [(1, 99.99, 1), (2, 123456.789, INT64_MAX), (3, 1, "x")])
        self.sync()
        self.assertEqual([float(d) for d, in sorted(self.landed("t", ["d"]), key=repr)],
                         [float(d) for d in sorted(["1", "123456.789", "99.99"])])
        self.assertEqual({b for b, in self.landed("t", ["big"])}, {"1", str(INT64_MAX), "x"})
        self.assertEqual(self.types("t")["big"], "STRING")

    def test_strict_tables(self):
        self.db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b REAL, c TEXT, d BLOB, e ANY) STRICT")
        self.db.executemany("INSERT INTO t VALUES (?,?,?,?,?,?)", [(1, 2, 2, "x", b"\0", 1), (2, None, .5, "", b"", "y")])
        self.sync()
        kinds = self.types("t")
        self.assertEqual([kinds[c] for c in "abcde"], ["LONG", "DOUBLE", "STRING", "BINARY", "STRING"])
        self.same_rows("t", ["id", "a", "b", "c", "d"])

    def random_value(self, rng, kinds):
        kind = rng.choice(kinds)
        if kind == "n":
            return None
        if kind == "i":
            return rng.choice([0, 1, -1, 7, 1 << 53, (1 << 53) + 1, INT64_MAX, -1 << 63, rng.randrange(-1000, 1000)])
        if kind == "r":
            return rng.choice([0.1, -2.5, 1e300, 5e-324, 1e15 + 0.5, rng.random(), rng.uniform(-1e9, 1e9)])
        if kind == "d":
            return str(datetime.date(1, 1, 1) + datetime.timedelta(days=rng.randrange(3652059)))
        if kind == "b":
            return rng.randbytes(rng.choice([0, 1, 3, 40]))
        return "".join(rng.choice("aé😀\n\"'\\,1 \u2028") for _ in range(rng.choice([0, 1, 5, 30])))

    def random_table(self, rng, name):
        """A table of any declared types that holds any values; [(column, declared)]."""
        columns = [(rng.choice(["x", "order", 'a"b', "c d", "é", "_", "%"]) + str(i),
                    rng.choice(["BOOLEAN", "INTEGER", "REAL", "TEXT", "BLOB", "DATE", ""])) for i in range(rng.randint(1, 7))]
        without = rng.random() < 0.3
        key = "k1 INT, k2 TEXT, PRIMARY KEY (k2, k1)" if without else "id INTEGER PRIMARY KEY"
        self.db.execute(f"CREATE TABLE {quoted(name)} ({', '.join(f'{quoted(c)} {d}' for c, d in columns)}, {key}) "
                        + ("WITHOUT ROWID" if without else ""))
        allowed = {c: rng.choice(["n", "ni", "nr", "nd", "nt", "nb", "nir", "nirtbd", "i"]) for c, _ in columns}
        names = [c for c, _ in columns] + (["k1", "k2"] if without else ["id"])
        marks = ", ".join("?" * len(names))
        for i in range(rng.choice([0, 1, 40, 700])):
            row = [self.random_value(rng, allowed[c]) for c, _ in columns]
            row += [i % 7, f"é{i // 7}"] if without else [rng.randrange(-1 << 63, 1 << 63)]
            self.db.execute(f"INSERT OR REPLACE INTO {quoted(name)} VALUES ({marks})", row)
        return columns, names

    def test_random_tables(self):
        made = {}
        self.db.execute("BEGIN")
        for seed in SEEDS:
            made[f"t{seed}"] = self.random_table(random.Random(seed), f"t{seed}")
        self.db.execute("COMMIT")
        self.sync(rows_per_chunk="50")
        for table, (columns, names) in made.items():
            rows = self.db.execute(f"SELECT {', '.join(map(quoted, names))} FROM {quoted(table)}").fetchall()
            kinds = [expected_type(d, [row[i] for row in rows]) for i, (_, d) in enumerate(columns)]
            if not rows:
                continue
            said = self.types(table)
            for (column, declared), kind in zip(columns, kinds):
                self.assertEqual(said.get(column), kind, f"{table}.{column} {declared}")
            known = [i for i, name in enumerate(names) if name in said]
            names = [names[i] for i in known]
            rows = [tuple(row[i] for i in known) for row in rows]
            wanted = [tuple(expected_value(said[name], cell) for name, cell in zip(names, row)) for row in rows]
            self.assertEqual(sorted(self.landed(table, names), key=repr), sorted(wanted, key=repr), table)

    def test_a_type_that_no_longer_fits_widens_between_syncs(self):
        self.db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT)")
        self.db.execute("INSERT INTO t VALUES (1, 5)")
        self.sync(usual="append")
        self.assertEqual(self.types("t")["n"], "LONG")
        self.db.execute("INSERT INTO t VALUES (2, 'five')")
        self.sync(usual="append")
        self.assertEqual(self.types("t")["n"], "STRING")
        self.assertEqual(sorted(self.landed("t", ["id", "n"])), [(1, "5"), (2, "five")])

    def test_malformed_text_is_mended_and_bytes_in_text_are_told(self):
        self.db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT)")
        self.db.execute("INSERT INTO t VALUES (1, CAST(x'61ff62' AS TEXT)), (2, x'00ff')")
        _, said = self.sync()
        self.assertEqual(sorted(self.landed("t", ["id", "s"])), [(1, "a\ufffdb"), (2, "00FF")])
        self.assertIn("1 values of table 't' are bytes in columns of text (the first in 's')", said)


class Tables(Bench):
    def test_names_generated_columns_and_views(self):
        self.db.executescript("""
            CREATE TABLE "we""ird. 'tab'" ("sel ect" INTEGER PRIMARY KEY, "a""b" GENERATED ALWAYS AS ("sel ect" * 2),
                                           kept AS ("sel ect" || '!') STORED);
            INSERT INTO "we""ird. 'tab'" VALUES (1), (2);
            CREATE TABLE taken (rowid TEXT, _rowid_ TEXT, oid TEXT);
            CREATE VIEW doubled AS SELECT "sel ect" AS n, "a""b" AS twice FROM "we""ird. 'tab'";
            CREATE VIEW not_named AS SELECT 1;
            CREATE VIEW broken AS SELECT * FROM gone;
            CREATE VIRTUAL TABLE search USING fts5(body);""")
        tables, said = self.sync(copy_tables="doubled")
        self.assertEqual(set(tables), {"we\"ird. 'tab'", "doubled"})
        self.assertIn("Table 'taken' is not synced", said)
        self.same_rows("we\"ird. 'tab'", ["sel ect", 'a"b', "kept"])
        self.same_rows("doubled", ["n", "twice"])
        self.assertIn("is a view", self.setup_test("settings", append_tables="doubled"))
        self.assertIn("is a view", self.setup_test("settings", cursor_columns="doubled=n"))

    def test_keys(self):
        """A unique index of NOT NULL columns stands in for a key; rows whose key is NULL are told."""
        self.db.executescript("""
            CREATE TABLE u (a INT NOT NULL, b TEXT NOT NULL, c INT, UNIQUE (b, a));
            INSERT INTO u VALUES (1, 'x', 1), (2, 'x', 2);
            CREATE TABLE n (k TEXT PRIMARY KEY, v INT);
            INSERT INTO n VALUES ('a', 1), (NULL, 2), (NULL, 3);
            CREATE TABLE none (v INT);
            INSERT INTO none VALUES (1), (2);""")
        _, said = self.sync()
        self.db.execute("UPDATE u SET c = 9 WHERE a = 1")
        self.sync()
        self.assertEqual(sorted(self.landed("u", ["a", "b", "c"])), [(1, "x", 9), (2, "x", 2)])
        self.assertEqual(self.landed("n", ["k", "v"]), [("a", 1)])
        self.assertIn("2 rows of table 'n' are left out because their key is NULL", said)
        self.same_rows("none", ["v"])

    def test_nothing_is_written_and_wal_is_read(self):
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        self.db.execute("INSERT INTO t VALUES (1)")  # lies in the WAL only
        before = hashlib.sha256(self.path.read_bytes()).digest()
        self.sync()
        self.assertEqual(self.landed("t", ["id"]), [(1,)])
        self.assertEqual(hashlib.sha256(self.path.read_bytes()).digest(), before)

    def test_official_checks(self):
        """`weir test`: three syncs, the same rows, through DuckDB."""
        self.db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b REAL, updated_at TEXT)")
        self.db.executemany("INSERT INTO t VALUES (?,?,?,?)", [(i, f"é{i}", i / 3, f"2020-01-{i % 28 + 1:02}")
                                                               for i in range(500)])
        self.db.execute("CREATE TABLE w (k TEXT, n INT, PRIMARY KEY (k, n)) WITHOUT ROWID")
        self.db.executemany("INSERT INTO w VALUES (?,?)", [(f"k{i % 9}", i) for i in range(300)])
        for options in ({}, {"usual": "append"}, {"cursor_default": "updated_at"}):
            (self.folder / "configuration.json").write_text(json.dumps(self.config(rows_per_chunk="70", **options)))
            done = self.weir("test", "--tester-type", "source", "--connector", BIN / "source-sqlite", "--working-dir",
                             self.folder, "--check", "all", "--fresh")
            self.assertEqual([line for line in done.stdout.splitlines() if "SEVERE" in line], [])


class Changes(Bench):
    def fill(self, extra=""):
        self.db.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, at TEXT{extra})")
        self.db.executemany("INSERT INTO t (id, v, at) VALUES (?,?,?)",
                            [(i, f"v{i}", f"2020-01-01 00:{i // 60:02}:{i % 60:02}") for i in range(1, 301)])

    def test_copy_sees_updates_and_deletions(self):
        self.fill()
        self.sync()
        self.db.executescript("UPDATE t SET v = 'new' WHERE id = 5; DELETE FROM t WHERE id > 290; INSERT INTO t VALUES (999, 'x', '')")
        self.sync()
        self.same_rows("t", ["id", "v", "at"])
        self.assertEqual(len(self.landed("t", ["id"], deleted=1)), 10)

    def test_append_reads_what_is_new(self):
        self.fill()
        self.sync(append_tables="t")
        self.db.executescript("INSERT INTO t VALUES (301, 'x', ''), (302, 'y', '')")
        tables, _ = self.sync(append_tables="t")
        self.assertEqual((tables["t"]["upserted"], tables["t"]["deleted"]), (2, 0))
        self.same_rows("t", ["id", "v", "at"])
        tables, _ = self.sync(append_tables="t")
        self.assertEqual(tables.get("t", {"upserted": 0})["upserted"], 0)
        # Rowids above the greatest that is left are given out again: nothing says which rows are new.
        self.db.executescript("DELETE FROM t WHERE id >= 300; INSERT INTO t VALUES (300, 'again', '')")
        self.sync(append_tables="t")
        self.same_rows("t", ["id", "v", "at"])

    def test_cursor_reads_what_changed(self):
        self.fill()
        self.db.execute("UPDATE t SET at = NULL WHERE id = 7")
        self.sync(cursor_columns="t=at", overlap_seconds="10")
        self.db.executescript("UPDATE t SET v = 'late', at = '2020-01-01 00:04:58' WHERE id = 3;"
                              "UPDATE t SET v = 'now', at = '2020-02-01 00:00:00' WHERE id = 4;"
                              "UPDATE t SET v = 'no time' WHERE id = 7")
        tables, _ = self.sync(cursor_columns="t=at", overlap_seconds="10")
        self.assertLess(tables["t"]["upserted"], 20)
        self.same_rows("t", ["id", "v", "at"])

    def test_no_cursor_is_ahead_of_its_rows(self):
        """Sixty checkpoints a table, and a lookback: the linter of checkpoints has nothing to say."""
        for table, more in (("seen", ""), ("grown", ""), ("copied", ""), ("keyed", " WITHOUT ROWID")):
            self.db.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, version INT, at TEXT){more}")
            self.db.executemany(f"INSERT INTO {table} VALUES (?,?,?)",
                                [(i, (i * 7919) % 6007, f"2020-01-01 {i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}")
                                 for i in range(1, 6001)])
        settings = {"cursor_columns": "seen=at, keyed=version", "append_tables": "grown", "rows_per_chunk": "100",
                    "overlap_seconds": "600", "overlap_values": "1000"}
        for _ in range(2):
            _, said = self.sync(**settings)
            self.assertNotIn("ahead of the rows", said)
            self.db.execute("INSERT INTO grown SELECT id + (SELECT max(id) FROM grown), version, at FROM grown")
            self.db.execute("UPDATE keyed SET version = version + 5000 WHERE id % 2")

    def test_without_a_declared_rowid_vacuum_renumbers(self):
        self.db.execute("CREATE TABLE t (k TEXT PRIMARY KEY, v INT)")
        self.db.executemany("INSERT INTO t VALUES (?, ?)", [(f"k{i}", i) for i in range(200)])
        self.sync(append_tables="t")
        self.db.execute("DELETE FROM t WHERE v < 100")
        self.db.execute("VACUUM")
        self.db.execute("INSERT INTO t VALUES ('new', 1)")
        self.sync(append_tables="t")
        self.same_rows("t", ["k", "v"])

    def test_a_changed_table_starts_over(self):
        self.fill()
        self.sync(usual="append")
        self.db.executescript("ALTER TABLE t ADD COLUMN more INT DEFAULT 7; DELETE FROM t WHERE id = 2")
        self.sync(usual="append")
        self.same_rows("t", ["id", "v", "at", "more"])

    def resumed(self, options, change):
        """Every sync is cut off after its second checkpoint, with changes in between; the rows in the end."""
        synced = kit.Synced({(None, "t"): ["id"], ("", "t"): ["id"]})
        for turn in range(60):
            with kit.running(BIN / "source-sqlite", MESSAGES) as source:
                stream = source.update(self.config(rows_per_chunk="40", **options), synced.state)
                done = synced.take(stream, stop_after_checkpoints=len(synced.states) + 2 if turn < 8 else None)
                stream.cancel()
            if done:
                return synced
            if turn == 3:  # eight checkpoints of forty rows; a sync that began anew each time would have eighty rows
                self.assertGreaterEqual(len(next(iter(synced.tables.values()))), 300)
            change(turn)
        raise AssertionError("never done")

    def rows_of(self, synced):
        table = next(iter(synced.tables.values()))
        return sorted((key[0][1], row["v"] and row["v"][1]) for key, row in table.items())

    def test_resumes_at_every_checkpoint(self):
        for options in ({}, {"usual": "append"}, {"cursor_columns": "t=at", "overlap_seconds": "0"}):
            self.db.execute("DROP TABLE IF EXISTS t")
            self.fill()
            last = [1000]

            def change(_turn):
                last[0] += 1
                self.db.execute("INSERT INTO t VALUES (?, 'added', ?)", (last[0], f"2021-01-01 00:00:{last[0] % 60:02}"))

            synced = self.resumed(options, change)
            wanted = self.db.execute("SELECT id, v FROM t ORDER BY id").fetchall()
            self.assertEqual([row for row in self.rows_of(synced) if row in wanted], wanted)
            self.assertEqual(len(self.rows_of(synced)), len(wanted))

    def test_resumes_without_rowid(self):
        self.db.execute("CREATE TABLE t (a TEXT, id INT, v TEXT, PRIMARY KEY (id, a)) WITHOUT ROWID")
        self.db.executemany("INSERT INTO t VALUES (?,?,?)", [(f"é{i % 3}", i, f"v{i}") for i in range(300)])
        synced = self.resumed({}, lambda turn: self.db.execute("UPDATE t SET v = 'w' WHERE id = ?", (299 - turn,)))
        wanted = set(self.db.execute("SELECT id, v FROM t").fetchall())
        self.assertEqual(set(self.rows_of(synced)) & wanted, wanted)

    def test_selection(self):
        self.fill(", secret TEXT DEFAULT 's'")
        self.db.execute("CREATE TABLE other (id INTEGER PRIMARY KEY)")
        m = MESSAGES
        table = m["TableSelection"](included=True, table_name="t", columns={"secret": False, "id": False},
                                    include_new_columns=True)
        selection = m["Selection"](without_schema=m["TablesWithNoSchema"](tables=[table], include_new_tables=False))
        synced = kit.Synced({})
        with kit.running(BIN / "source-sqlite", MESSAGES) as source:
            synced.take(source.update(self.config(), selection=selection))
        self.assertEqual([name for _, name in synced.tables], ["t"])
        rows = next(iter(synced.tables.values()))
        self.assertEqual({tuple(sorted(row)) for row in rows.values()}, {("at", "id", "v")})  # the key is always sent


class Failures(Bench):
    def test_a_lock_is_waited_for(self):
        self.db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        self.db.execute("INSERT INTO t VALUES (1)")
        self.db.execute("BEGIN EXCLUSIVE")
        done = threading.Event()
        holder = threading.Timer(1.0, done.set)
        holder.start()
        result = {}
        syncing = threading.Thread(target=lambda: result.update(self.sync()[0]))
        syncing.start()
        done.wait()
        self.assertTrue(syncing.is_alive(), "the sync did not wait")
        self.db.execute("COMMIT")
        syncing.join()
        self.assertEqual(result["t"]["upserted"], 1)

    def test_a_lock_that_stays_is_told(self):
        self.db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        self.db.execute("BEGIN EXCLUSIVE")
        _, said = self.sync(wanted=1, lock_seconds="1")
        self.db.execute("COMMIT")
        self.assertIn("another program has locked", said)
        self.assertIn("for more than 1 seconds", said)

    def test_writers_are_not_kept_out(self):
        """A writer commits while a slow sync reads; what it adds belongs to a later sync, and nothing is torn."""
        self.db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
        self.db.executemany("INSERT INTO t VALUES (?, ?)", [(i, "x" * 200) for i in range(20000)])
        with kit.running(BIN / "source-sqlite", MESSAGES) as source:
            stream = source.update(self.config(rows_per_chunk="1000"))
            next(iter(stream))  # the rest is not taken: flow control stops the source
            started = time.monotonic()
            writer = sqlite3.connect(self.path, timeout=20)
            writer.execute("INSERT INTO t VALUES (99999, 'new')")
            writer.commit()
            writer.close()
            self.assertLess(time.monotonic() - started, 15)
            stream.cancel()

    def test_messages_say_what_to_do(self):
        self.db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, raw BLOB) WITHOUT ROWID")
        junk = self.folder / "junk.db"
        junk.write_bytes(b"no database, but long enough to be one" * 50)
        empty = self.folder / "empty.db"
        sqlite3.connect(empty).close()
        empty.touch()
        self.assertIn("No such file or directory. Check the path", self.failing_open(path=str(self.folder / "none.db")))
        self.assertIn("is not an SQLite database, or it is encrypted. Check the path", self.failing_open(path=str(junk)))
        self.assertFalse((self.folder / "none.db").exists())
        for options, words in (({"copy_tables": "nope"}, "there is no table 'nope'"),
                               ({"append_tables": "t"}, "is WITHOUT ROWID, so nothing tells which rows are new"),
                               ({"cursor_columns": "t"}, "is not of the form table=column"),
                               ({"cursor_columns": "t=nope"}, "has no column 'nope'"),
                               ({"cursor_columns": "t=raw"}, "cannot be a cursor")):
            self.assertIn(words, self.setup_test("settings", **options))
        self.assertEqual(self.setup_test("settings", cursor_columns="T = ID"), "")
        self.assertIn("has no tables", self.setup_test("tables", path=str(empty)))

    def test_a_damaged_file(self):
        self.db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
        self.db.executemany("INSERT INTO t VALUES (?, ?)", [(i, "x" * 100) for i in range(5000)])
        self.db.close()
        data = bytearray(self.path.read_bytes())
        for page in range(2, len(data) // 4096):
            data[page * 4096:page * 4096 + 100] = b"\xff" * 100
        self.path.write_bytes(data)
        _, said = self.sync(wanted=3)
        self.assertIn("is damaged", said)
        self.assertIn("PRAGMA integrity_check", said)
        self.db = sqlite3.connect(":memory:")


if __name__ == "__main__":
    BIN, MESSAGES = pathlib.Path(sys.argv[1]), kit.load_messages(sys.argv[2])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
