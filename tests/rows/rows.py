#!/usr/bin/env python3
"""Rows read back by tester/rows, against what other programs have put there: sqlite3, DuckDB's library, psql, a shell.

rows.py ROWS_TOOL BIN-FOLDER
"""
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "destinations"))
TOOL, BIN = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
TEXT, INTEGER, REAL, BOOLEAN, DECIMAL, TIMESTAMP, DATE, TIME, HEX, BASE64, BYTES, JSON = range(12)


class Read:
    """What the tool has printed."""

    def __init__(self, spec, schema, table, *columns, cwd=None, env=None):
        done = subprocess.run([TOOL, spec, schema, table, *columns], capture_output=True, cwd=cwd,
                              env={**os.environ, "WEIR_DUCKDB": str(BIN / "libduckdb.so"), **(env or {})})
        self.code, self.error = done.returncode, done.stderr.decode()
        lines = done.stdout.decode().split("\n")
        self.columns = lines[0].split("\t")
        self.rows = [tuple(self.cell(cell) for cell in line.split("\t")) for line in lines[1:-1]]

    @staticmethod
    def cell(text):
        if text == "-":
            return None
        kind, _, data = text.partition(":")
        return int(kind), bytes.fromhex(data)

    def dicts(self):
        return [dict(zip(self.columns, row)) for row in self.rows]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="weir-rows-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def good(self, *arguments, **more):
        read = Read(*arguments, **more)
        self.assertEqual(read.code, 0, read.error)
        return read


class Sqlite(Case):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "w.db"
        self.db = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(self.db.close)
        self.spec = f"sqlite:{self.path}"

    def test_every_kind_of_value(self):
        self.db.execute('CREATE TABLE "s.t" (i INTEGER, r REAL, t TEXT, b BLOB, n TEXT)')
        self.db.execute('INSERT INTO "s.t" VALUES (?, ?, ?, ?, ?)', (-2**63, 0.1, "a\0\U0001f986", b"\0\xff", None))
        self.db.execute('INSERT INTO "s.t" VALUES (?, ?, ?, ?, ?)', (0, 1e300, "", b"", None))
        read = self.good(self.spec, "s", "t")
        self.assertEqual(read.columns, ["i", "r", "t", "b", "n"])
        self.assertEqual(read.rows[0], ((INTEGER, b"-9223372036854775808"), (REAL, b"0.1"),
                                        (TEXT, "a\0\U0001f986".encode()), (BYTES, b"\0\xff"), None))
        self.assertEqual(float(read.rows[1][1][1]), 1e300)
        self.assertEqual(read.rows[1][2:], ((TEXT, b""), (BYTES, b""), None))

    def test_names(self):
        self.db.execute('CREATE TABLE "a%2Eb%25.t""x" (v)')
        self.db.execute('INSERT INTO "a%2Eb%25.t""x" VALUES (1)')
        self.db.execute("CREATE TABLE plain (v)")
        self.assertEqual(self.good(self.spec, "a.b%", 't"x').rows, [((INTEGER, b"1"),)])
        self.assertEqual(self.good(self.spec, "any", "plain").rows, [])
        self.assertEqual(Read(self.spec, "s", "PLAIN").code, 4)

    def test_what_is_not_there(self):
        missing = Read(self.spec, "s", "t")
        self.assertEqual(missing.code, 4)
        self.assertIn("s.t", missing.error)
        self.assertEqual(Read(f"sqlite:{self.folder}/none.db", "s", "t").code, 4)
        (self.folder / "text").write_text("no database at all, and long enough to have a header of one hundred bytes" * 4)
        self.assertEqual(Read(f"sqlite:{self.folder}/text", "s", "t").code, 1)

    def test_while_another_process_has_it_open(self):
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("CREATE TABLE t (v)")
        self.db.execute("INSERT INTO t VALUES (7)")
        self.assertEqual(self.good(self.spec, "", "t").rows, [((INTEGER, b"7"),)])

    def test_many_rows(self):
        self.db.execute("CREATE TABLE t (v)")
        self.db.execute("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 100000) "
                        "INSERT INTO t SELECT x FROM n")
        self.assertEqual(sum(int(row[0][1]) for row in self.good(self.spec, "", "t").rows), 5000050000)


@unittest.skipUnless((BIN / "libduckdb.so").exists(), "SKIPPED: libduckdb.so is not to be had")
class Duckdb(Case):
    def setUp(self):
        super().setUp()
        import stores
        self.path = self.folder / "w.db"
        self.spec = f"duckdb:{self.path}"
        self.store = stores.DuckdbStore(self.path, BIN)

    def test_every_kind_of_value(self):
        self.store.execute(
            "CREATE SCHEMA s; CREATE TABLE s.t AS SELECT true AS b, 1::UTINYINT AS i, 18446744073709551615::UBIGINT AS u, "
            "1.50::DECIMAL(38,2) AS d, 0.1::DOUBLE AS r, DATE '2024-02-29' AS day, TIME '01:02:03.5' AS clock, "
            "TIMESTAMPTZ '2024-01-02 03:04:05.678+00' AS utc, TIMESTAMP_NS '2024-01-02 03:04:05.123456789' AS ns, "
            "'\\x00\\xFF'::BLOB AS bin, 'ä' AS \"t\"\"x\", [1, 2] AS list, NULL::INTEGER AS n, "
            "TIMESTAMP '2024-01-01 00:00:00.000001' AS fine, 23::SMALLINT AS \"fine (ns)\", 5::SMALLINT AS \"own (ns)\"")
        read = self.good(self.spec, "s", "t")
        self.assertEqual(read.dicts(), [{
            "b": (BOOLEAN, b"true"), "i": (INTEGER, b"1"), "u": (DECIMAL, b"18446744073709551615"),
            "d": (DECIMAL, b"1.50"), "r": (REAL, b"0.1"), "day": (DATE, b"2024-02-29"), "clock": (TIME, b"01:02:03.500"),
            "utc": (TIMESTAMP, b"2024-01-02T03:04:05.678Z"), "ns": (TIMESTAMP, b"2024-01-02T03:04:05.123456789"),
            "bin": (BYTES, b"\0\xff"), 't"x': (TEXT, "ä".encode()), "list": (TEXT, b"[1, 2]"), "n": None,
            "fine": (TIMESTAMP, b"2024-01-01T00:00:00.000001023"), "own (ns)": (INTEGER, b"5")}])

    def copies(self):
        """Copies of the database in memory; tests that run at the same time have others there."""
        found = []
        for place in Path("/dev/shm").glob("weir-*/copy"):
            with contextlib.suppress(OSError):
                found += [place] if self.folder.name.encode() in place.read_bytes() else []
        return found

    @contextlib.contextmanager
    def held(self, sql):
        """Another process has run this, and has the database open."""
        holder = subprocess.Popen(
            [sys.executable, "-c",
             "import sys; sys.path.insert(0, sys.argv[1]); import stores\n"
             "with stores.DuckdbStore(sys.argv[2], sys.argv[3]).open() as run:\n"
             "    run(sys.argv[4]); print('open', flush=True); sys.stdin.readline()",
             str(HERE.parent / "destinations"), str(self.path), str(BIN), sql], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with holder:
            self.assertEqual(holder.stdout.readline(), b"open\n")
            yield
            holder.communicate(b"\n")

    @contextlib.contextmanager
    def larger(self, size):
        """The file with so many bytes of nothing behind its end."""
        before = self.path.stat().st_size
        os.truncate(self.path, size)
        yield
        os.truncate(self.path, before)

    def place(self, process):
        """How far a process has read the database."""
        with contextlib.suppress(OSError):
            for link in Path(f"/proc/{process}/fd").iterdir():
                if os.readlink(link) == str(self.path):
                    return int(Path(f"/proc/{process}/fdinfo/{link.name}").read_text().split()[1])
        return 0

    def test_a_kill_leaves_nothing_of_the_copy(self):
        self.store.execute(f'CREATE TABLE "{self.folder.name}" (v INTEGER)')
        for sql in ("SELECT 1", f'INSERT INTO "{self.folder.name}" VALUES (7)'):  # without a log, and with one
            with self.subTest(sql), self.held(sql), self.larger(1 << 29), \
                    subprocess.Popen([TOOL, self.spec, "main", self.folder.name], stdout=subprocess.DEVNULL,
                                     env={**os.environ, "WEIR_DUCKDB": str(BIN / "libduckdb.so")}) as run:
                while self.place(run.pid) < 1 << 26 and run.poll() is None:
                    pass
                run.kill()
                self.assertEqual(run.wait(), -9, "it should have been killed while it copied")
                self.assertEqual(self.copies(), [])

    def test_one_that_is_too_large_for_a_copy(self):
        self.store.execute("CREATE TABLE t (v INTEGER)")
        with self.held("INSERT INTO t VALUES (2)"), self.larger((1 << 31) + 1):
            read = Read(self.spec, "", "t")
            self.assertEqual(read.code, 1)
            self.assertIn(f"copy '{self.path}' into memory, for another program has it open: it is too large for that, "
                          "more than 2048 MiB with its log; close that program", read.error)
        self.assertEqual(self.good(self.spec, "", "t").rows, [((INTEGER, b"2"),)])

    def test_while_its_writer_has_it_open(self):
        self.store.execute("CREATE TABLE t (v INTEGER); INSERT INTO t VALUES (1); "
                           f'CREATE TABLE "{self.folder.name}" (v INTEGER)')
        with self.held("INSERT INTO t VALUES (2)"):
            self.assertTrue((self.folder / "w.db.wal").exists(), "row 2 should still be in the log")
            # The row that is in the log only is there, and so is a second look.
            for _ in range(2):
                self.assertEqual(sorted(row[0][1] for row in self.good(self.spec, "", "t").rows), [b"1", b"2"])
            self.assertEqual(self.copies(), [], "the copy is still there")
            self.assertEqual(Read(self.spec, "", "none").code, 4)
        self.assertEqual(len(self.good(self.spec, "main", "t").rows), 2)

    def test_what_is_not_there(self):
        self.assertEqual(Read(self.spec, "s", "t").code, 4)
        self.store.execute("CREATE SCHEMA s")
        self.assertEqual(Read(self.spec, "s", "t").code, 4)
        (self.folder / "text").write_text("no database")
        self.assertEqual(Read(f"duckdb:{self.folder}/text", "s", "t").code, 1)

    def test_without_the_library(self):
        read = Read(self.spec, "s", "t", env={"WEIR_DUCKDB": str(self.folder / "nowhere.so")})
        self.assertEqual(read.code, 1)
        self.assertIn("WEIR_DUCKDB", read.error)


@unittest.skipUnless((BIN / "libduckdb.so").exists(), "SKIPPED: libduckdb.so is not to be had")
class Parquet(Case):
    """Folders as destination-parquet makes them, made by DuckDB's library and by hand."""

    def setUp(self):
        super().setUp()
        import stores
        self.spec = f"parquet:{self.folder}"
        self.store = stores.DuckdbStore(":memory:", BIN)

    def table(self, place, columns, *parts):
        folder = self.folder / place
        folder.mkdir(parents=True)
        for number, part in enumerate(parts):
            self.store.execute(f"COPY ({part}) TO '{folder}/part-{number}.parquet'")
        self.store.execute(f"COPY (SELECT 'left by somebody' AS id) TO '{folder}/part-none.parquet'")
        (folder / "manifest.json").write_text(json.dumps({
            "columns": [{"name": name} for name in columns], "parts": [{"file": f"part-{number}.parquet"} for number in range(len(parts))]}))

    def test_parts_that_the_manifest_lists(self):
        self.table("shop/%4Frders", ["id", "at", "at (ns)"],
                   "SELECT 1::BIGINT AS id, TIMESTAMP '2024-01-01 00:00:00.000001' AS at, 23::SMALLINT AS \"at (ns)\"",
                   "SELECT 2::BIGINT AS id, NULL::TIMESTAMP AS at, 0::SMALLINT AS \"at (ns)\"")
        read = self.good(self.spec, "shop", "Orders")
        self.assertEqual(sorted(read.dicts(), key=lambda row: row["id"]), [
            {"id": (INTEGER, b"1"), "at": (TIMESTAMP, b"2024-01-01T00:00:00.000001023")}, {"id": (INTEGER, b"2"), "at": None}])
        self.assertEqual(Read(self.spec, "shop", "orders").code, 4, "another table")

    def test_names_and_tables_without_rows(self):
        self.table("%/a%2Fb%22", ["x", 'quo"te'])
        read = self.good(self.spec, "", 'a/b"')
        self.assertEqual((read.columns, read.rows), (["x", 'quo"te'], []))
        self.assertEqual(Read(self.spec, "", "x" * 300).code, 4)

    def test_a_manifest_that_is_none(self):
        (self.folder / "s" / "t").mkdir(parents=True)
        (self.folder / "s" / "t" / "manifest.json").write_text("{")
        self.assertEqual(Read(self.spec, "s", "t").code, 1)


@unittest.skipUnless(list(Path("/usr/lib/postgresql").glob("*/bin/initdb")), "SKIPPED: no PostgreSQL server here")
class Postgresql(Case):
    @classmethod
    def setUpClass(cls):
        cls.data = tempfile.mkdtemp(prefix="weir-rows-pg-")
        cluster = HERE.parent / "postgresql" / "cluster"
        cls.addClassCleanup(shutil.rmtree, cls.data, ignore_errors=True)
        text = subprocess.run([cluster, "start", cls.data, "fsync=off"], check=True, capture_output=True, text=True).stdout
        cls.addClassCleanup(subprocess.run, [cluster, "stop", cls.data])
        cls.env = dict(line[len("export "):].split("=", 1) for line in text.splitlines())

    def psql(self, sql):
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"], input=sql, text=True, check=True,
                       env={**os.environ, **self.env})

    def test_every_kind_of_value(self):
        self.psql("""CREATE SCHEMA "s p"; CREATE TABLE "s p"."t""x" AS SELECT true AS b, -1::smallint AS i, (2^62)::bigint AS l,
            1.50::numeric AS d, 0.1::float8 AS r, 0.1::float4 AS f, date '2024-02-29' AS day, time '01:02:03.5' AS clock,
            timestamp '2024-01-02 03:04:05.678' AS naive, timestamptz '2024-01-02 03:04:05+05:30' AS utc,
            '\\x00ff'::bytea AS bin, 'ä'::text AS t, '{"a": 1}'::jsonb AS j, NULL::int AS n""")
        self.assertEqual(self.good("postgresql", "s p", 't"x', env=self.env).dicts(), [{
            "b": (BOOLEAN, b"t"), "i": (INTEGER, b"-1"), "l": (INTEGER, b"4611686018427387904"),
            "d": (DECIMAL, b"1.50"), "r": (REAL, b"0.1"), "f": (REAL, b"0.1"), "day": (DATE, b"2024-02-29"),
            "clock": (TIME, b"01:02:03.5"), "naive": (TIMESTAMP, b"2024-01-02 03:04:05.678"),
            "utc": (TIMESTAMP, b"2024-01-01 21:34:05+00"), "bin": (HEX, b"\\x00ff"), "t": (TEXT, "ä".encode()),
            "j": (JSON, b'{"a": 1}'), "n": None}])

    def test_more_rows_than_one_fetch(self):
        self.psql("CREATE TABLE many AS SELECT generate_series(1, 5001) AS v; CREATE TABLE empty (v int)")
        self.assertEqual(sum(int(row[0][1]) for row in self.good("postgresql", "", "many", env=self.env).rows), 12507501)
        read = self.good("postgresql", "public", "empty", env=self.env)
        self.assertEqual((read.columns, read.rows), (["v"], []))

    def test_what_is_not_there(self):
        self.assertEqual(Read("postgresql", "public", "none", env=self.env).code, 4)
        refused = Read("postgresql", "public", "none", env={**self.env, "PGPASSWORD": "wr0ng-secret"})
        self.assertEqual(refused.code, 1)
        self.assertIn("authentication failed", refused.error)
        self.assertNotIn("wr0ng-secret", refused.error)


class Command(Case):
    def test_json_lines(self):
        script = self.folder / "dump it.sh"
        script.write_text("""#!/bin/sh
echo "some noise" >&2
printf '{"id": 7, "name": "%s/%s", "d": 12345.123456789012345678901, "ok": true, "gone": null, "more": 1}\\n' "$1" "$2"
printf '\\n{"name": "tab\\\\t \\\\ud83e\\\\udd86 \\\\"q\\\\"", "id": -1, "d": {"k": [1, "]"]}}'
""")
        read = self.good(f"command:sh 'dump it.sh'", "s; rm -rf x", "it's", "id", "name", "d", "ok", "gone",
                         cwd=self.folder)
        self.assertEqual(read.columns, ["id", "name", "d", "ok", "gone"])
        self.assertEqual(read.rows, [
            ((TEXT, b"7"), (TEXT, b"s; rm -rf x/it's"), (TEXT, b"12345.123456789012345678901"), (BOOLEAN, b"true"), None),
            ((TEXT, b"-1"), (TEXT, "tab\t \U0001f986 \"q\"".encode()), (JSON, b'{"k": [1, "]"]}'), None, None)])

    def test_csv(self):
        read = self.good("command:printf 'a,\"b \"\"x\"\"\"\\r\\n1,\\n\"two\\nlines, \"\"q\"\"\",\"\"\\n3,x'; true $1", "s", "t", "z")
        self.assertEqual(read.columns, ["a", 'b "x"'])
        self.assertEqual(read.rows, [((TEXT, b"1"), None), ((TEXT, b'two\nlines, "q"'), (TEXT, b"")),
                                     ((TEXT, b"3"), (TEXT, b"x"))])

    def test_csv_of_sqlite3(self):
        db = sqlite3.connect(self.folder / "x.db")
        db.executescript("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x, \"y\"'), (2, NULL)")
        db.close()
        read = self.good("command:sqlite3 -header -csv x.db \"SELECT * FROM $2\"", "s", "t", cwd=self.folder)
        self.assertEqual(read.columns, ["a", "b"])
        self.assertEqual(read.rows, [((TEXT, b"1"), (TEXT, b'x, "y"')), ((TEXT, b"2"), None)])

    def test_no_rows_and_no_table(self):
        read = self.good("command:true", "s", "t", "id")
        self.assertEqual((read.columns, read.rows), (["id"], []))
        self.assertEqual(Read("command:exit 4; echo $1", "s", "t", "id").code, 4)

    def test_failures_say_what_the_command_has_said(self):
        for command, words in (
                ("echo 'no such host' >&2; exit 3; $1", "no such host"),
                ("/nowhere/at/all", "/nowhere/at/all"),
                ("kill -9 $$", "killed by signal 9"),
                ("echo '{\"id\": 1}'; exit 1; $1", "exited with code 1"),
                ("echo '{\"id\": }'", "record 1"),
                ("printf '{\"id\": 1}\\n{\"id\": \"\\\\x\"}\\n'; true $1", "record 2"),
                ("printf 'a,b\\n1\\n'; true $1", "1 cells for 2 columns"),
                ("printf 'a,b\\n1,2,3\\n'; true $1", "more than 2 cells"),
                ("printf 'a\\n\"x\\n'; true $1", "never closes"),
                ("printf '{\"id\": \"\\377\"}\\n'; true $1", "UTF-8")):
            with self.subTest(command):
                read = Read(f"command:{command}", "s", "t", "id")
                self.assertEqual(read.code, 1, read.error)
                self.assertIn(words, read.error)

    def test_failures_say_no_value_and_no_command(self):
        for output, words in (
                ('{"id": topsecret}\\n', "record 1 of its output: byte 8: expected a value"),
                ('{"id": 1}\\n{"id": "a" topsecret}\\n', "record 2 of its output: byte 12: expected a comma"),
                ('{topsecret}\\n', "record 1 of its output: byte 2: expected a name in quotes"),
                ('topsecret,x,topsecret\\n', "whose columns 1 and 3 have one name"),
                ('topsecret,x\\n"topsecret\\n', "record 2 of its output: a quote that never closes")):
            with self.subTest(output):
                read = Read(f"command:printf '{output}'; true $1 topsecret", "s", "t", "id")
                self.assertEqual(read.code, 1, read.error)
                self.assertIn(words, read.error)
                self.assertNotIn("topsecret", read.error)
        read = Read("command:echo 'no such host' >&2; exit 3; $1 topsecret", "s", "t", "id")
        self.assertIn("the command exited with code 3: no such host", read.error)
        self.assertNotIn("topsecret", read.error)

    def test_what_a_command_has_started_does_not_outlive_a_kill(self):
        """The shell is told to die by the kernel; what it has started is not."""
        os.mkfifo(self.folder / "ids")
        with subprocess.Popen([TOOL, 'command:(sleep 600 & echo $! >ids; wait); true $1', "s", "t", "id"], cwd=self.folder) as run:
            child = int((self.folder / "ids").read_text())
            self.assertTrue(self.runs(child))
            run.kill()
        until = time.monotonic() + 30
        while self.runs(child) and time.monotonic() < until:
            time.sleep(0.01)
        self.assertFalse(self.runs(child), "it is still there")

    @staticmethod
    def runs(process):
        try:
            return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False

    def test_a_row_of_many_megabytes(self):
        read = self.good("command:printf '{\"id\": \"'; head -c 20000000 /dev/zero | tr '\\0' x; echo '\"}'; true $1",
                         "s", "t", "id")
        self.assertEqual([(len(row[0][1]), set(row[0][1])) for row in read.rows], [(20000000, {ord("x")})])


class Spec(Case):
    def test_what_is_none(self):
        for spec in ("", "sqlite", "sqlite:", "oracle:x", "postgresql:x", "command:"):
            read = Read(spec, "s", "t")
            self.assertEqual(read.code, 1)
            self.assertIn("sqlite:PATH, duckdb:PATH, parquet:FOLDER, postgresql, mariadb or command:CMD", read.error)


unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
