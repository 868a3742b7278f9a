#!/usr/bin/env python3
"""source-mariadb against a private server: see README.md.

What lands is compared with what the server itself says, through libmariadb; what the stream says, through grpcio.

usage: source_test.py BIN_DIR SCHEMA_DESCRIPTORS [Class.test…]
"""
import datetime
import decimal
import itertools
import json
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
sys.path[:0] = [str(HERE), str(HERE.parent / "postgresql")]
import kit  # noqa: E402
from server import Server  # noqa: E402

BIN, MESSAGES, SERVER = None, None, None
EPOCH = datetime.datetime(1970, 1, 1)


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def moment(text):
    """(seconds, nanos) of "2020-01-02 03:04:05.678901"."""
    at = datetime.datetime.fromisoformat(text)
    delta = at - EPOCH
    return delta.days * 86400 + delta.seconds, delta.microseconds * 1000


class Bench(unittest.TestCase):
    """A database called `d`, empty; and a warehouse."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="weir-source-mariadb-")
        self.folder = pathlib.Path(self.temporary.name)
        self.client = SERVER.connect()
        self.client.rows("DROP DATABASE IF EXISTS d; CREATE DATABASE d CHARACTER SET utf8mb4; USE d; SET sql_mode = ''")

    def tearDown(self):
        self.client.close()
        self.temporary.cleanup()

    def sql(self, text):
        return self.client.rows(text)

    def config(self, **more):
        return SERVER.config(databases="d", **more)

    def stream(self, state=None, selection=None, keys=None, **options):
        """One whole sync over gRPC."""
        synced = kit.Synced(keys or {})
        with kit.running(BIN / "source-mariadb", MESSAGES) as source:
            self.assertTrue(synced.take(source.update(self.config(**options), state, selection)))
        return synced

    def types(self, **options):
        """{table: {column: (type, key)}} of the schema reply."""
        with kit.running(BIN / "source-mariadb", MESSAGES) as source:
            reply = source.call("Schema", configuration=self.config(**options))
        names = MESSAGES["Column"].DESCRIPTOR.fields_by_name["type"].enum_type.values_by_number
        return {table.name: {c.name: names[c.type].name + ("(%d,%d)" % (c.params.decimal.precision, c.params.decimal.scale)
                                                           if c.params.HasField("decimal") else "")
                             + (" key" if c.primary_key else "") for c in table.columns}
                for schema in reply.with_schema.schemas for table in schema.tables}

    def setup_says(self, name, **options):
        """What a setup test says; "" when it passes. Without a session nothing else is said."""
        with kit.running(BIN / "source-mariadb", MESSAGES) as source:
            return source.call("Test", name=name, configuration={**self.config(), **options}).failure

    def weir(self, *arguments, wanted=0):
        done = subprocess.run([str(BIN / "weir"), *map(str, arguments)], capture_output=True, text=True, timeout=180,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, wanted, done.stdout + done.stderr)
        return done

    def sync(self, wanted=0, **options):
        """Runs `weir sync`; {table: counts}, and what was said."""
        source, destination = self.folder / "source.json", self.folder / "destination.json"
        source.write_text(json.dumps(self.config(**options)))
        destination.write_text(json.dumps({"path": str(self.folder / "warehouse.db")}))
        done = self.weir("sync", "--source", BIN / "source-mariadb", "--source-config", source, "--destination",
                         BIN / "destination-sqlite", "--destination-config", destination, "--schema", "s", "--state",
                         self.folder / "state", "--attempts", 1, "--json", wanted=wanted)
        tables = json.loads(done.stdout)["tables"] if wanted == 0 else []
        return {entry["table"]: entry for entry in tables}, done.stderr

    def landed(self, table, columns, deleted=0):
        warehouse = sqlite3.connect(self.folder / "warehouse.db")
        try:
            names = ", ".join('"' + c.replace('"', '""') + '"' for c in columns)
            table = ("s_d." + table).replace('"', '""')
            return sorted((tuple(None if v is None else str(v) for v in row) for row in warehouse.execute(
                f'SELECT {names} FROM "{table}" WHERE _fivetran_deleted = {deleted}')), key=repr)
        finally:
            warehouse.close()

    def there(self, table, columns):
        rows = self.sql(f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(table)}")
        return sorted((tuple(None if v is None else v.decode() for v in row) for row in rows), key=repr)

    def same_rows(self, table, columns):
        self.assertEqual(self.landed(table, columns), self.there(table, columns))


class Types(Bench):
    # name -> (declaration, column type, [(SQL value, cell)])
    CASES = {
        "ti": ("TINYINT", "SHORT", [("-128", ("short", -128))]),
        "tu": ("TINYINT UNSIGNED", "SHORT", [("255", ("short", 255))]),
        "bo": ("BOOLEAN", "SHORT", [("2", ("short", 2))]),
        "si": ("SMALLINT", "SHORT", [("-32768", ("short", -32768))]),
        "su": ("SMALLINT UNSIGNED", "INT", [("65535", ("int", 65535))]),
        "mi": ("MEDIUMINT", "INT", [("-8388608", ("int", -8388608))]),
        "mu": ("MEDIUMINT UNSIGNED ZEROFILL", "INT", [("42", ("int", 42))]),
        "ii": ("INT", "INT", [("-2147483648", ("int", -2147483648))]),
        "iu": ("INT UNSIGNED", "LONG", [("4294967295", ("long", 4294967295))]),
        "li": ("BIGINT", "LONG", [("-9223372036854775808", ("long", -1 << 63)), ("9223372036854775807", ("long", (1 << 63) - 1))]),
        "lu": ("BIGINT UNSIGNED", "DECIMAL(20,0)", [("18446744073709551615", ("decimal", "18446744073709551615"))]),
        "lz": ("BIGINT(20) UNSIGNED ZEROFILL", "DECIMAL(20,0)", [("7", ("decimal", "7")), ("0", ("decimal", "0"))]),
        "dc": ("DECIMAL(38,30)", "DECIMAL(38,30)", [("-12345678.123456789012345678901234567890",
                                                      ("decimal", "-12345678.123456789012345678901234567890"))]),
        "dz": ("DECIMAL(10,2) ZEROFILL", "DECIMAL(10,2)", [("1.5", ("decimal", "1.50")), ("0", ("decimal", "0.00"))]),
        "dw": ("DECIMAL(65,30)", "STRING", [("12345678901234567890123456789012345.123456789012345678901234567891",
                                              ("string", "12345678901234567890123456789012345.123456789012345678901234567891"))]),
        "fl": ("FLOAT", "FLOAT", [("1.2345678", ("float", 1.2345677614212036)), ("-3.4028235e38", ("float", -3.4028234663852886e38)),
                                  ("16777215", ("float", 16777215.0))]),
        "db": ("DOUBLE", "DOUBLE", [("1.7976931348623157e308", ("double", 1.7976931348623157e308)), ("0.1", ("double", 0.1)),
                                    ("-4.9406564584124654e-310", ("double", -4.9406564584124654e-310))]),
        "b1": ("BIT(1)", "BOOLEAN", [("1", ("bool", True)), ("0", ("bool", False))]),
        "b9": ("BIT(9)", "LONG", [("b'100000001'", ("long", 257))]),
        "bb": ("BIT(64)", "DECIMAL(20,0)", [("0xffffffffffffffff", ("decimal", "18446744073709551615"))]),
        "en": ("ENUM('a', 'é,b')", "STRING", [("'é,b'", ("string", "é,b")), ("'none of them'", ("string", ""))]),
        "st": ("SET('x', 'y')", "STRING", [("'y,x'", ("string", "x,y")), ("''", ("string", ""))]),
        "yr": ("YEAR", "SHORT", [("2155", ("short", 2155)), ("0", ("short", 0))]),
        "tm": ("TIME(6)", "STRING", [("'-838:59:59.123456'", ("string", "-838:59:59.123456")), ("'838:59:59'", ("string", "838:59:59.000000"))]),
        "da": ("DATE", "NAIVE_DATE", [("'1000-01-01'", ("naive_date", *moment("1000-01-01"))),
                                      ("'9999-12-31'", ("naive_date", *moment("9999-12-31"))),
                                      ("'0000-00-00'", None), ("'2020-02-00'", None)]),
        "dt": ("DATETIME(6)", "NAIVE_DATETIME", [("'1969-12-31 23:59:59.999999'", ("naive_datetime", *moment("1969-12-31 23:59:59.999999"))),
                                                 ("'0000-00-00'", None)]),
        "d0": ("DATETIME", "NAIVE_DATETIME", [("'9999-12-31 23:59:59'", ("naive_datetime", *moment("9999-12-31 23:59:59")))]),
        "ts": ("TIMESTAMP(6) NULL", "UTC_DATETIME", [("'2020-03-29 01:30:00.5'", ("utc_datetime", *moment("2020-03-29 01:30:00.500000"))),
                                                     ("'2038-01-19 03:14:07'", ("utc_datetime", *moment("2038-01-19 03:14:07")))]),
        "js": ("JSON", "JSON", [("'{\"a\": [1, \"é\"]}'", ("json", '{"a": [1, "é"]}')), ("'7'", ("json", "7"))]),
        "ge": ("GEOMETRY", "BINARY", [("ST_GeomFromText('POINT(1 2)', 4326)",
                                       ("binary", bytes.fromhex("0101000000000000000000f03f0000000000000040")))]),
        "pt": ("POINT", "BINARY", [("POINT(0, -1)", ("binary", bytes.fromhex("01010000000000000000000000000000000000f0bf")))]),
        "uu": ("UUID", "STRING", [("'550E8400-e29b-41d4-a716-446655440000'", ("string", "550e8400-e29b-41d4-a716-446655440000"))]),
        "i6": ("INET6", "STRING", [("'2001:DB8::1'", ("string", "2001:db8::1"))]),
        "i4": ("INET4", "STRING", [("'10.0.0.255'", ("string", "10.0.0.255"))]),
        "ch": ("CHAR(5)", "STRING", [("'é😀'", ("string", "é😀")), ("''", ("string", ""))]),
        "vc": ("VARCHAR(99)", "STRING", [("'\\n\\t\\\\ \"'''", ("string", "\n\t\\ \"'"))]),
        "la": ("VARCHAR(9) CHARACTER SET latin1", "STRING", [("'ÿ€'", ("string", "ÿ€"))]),
        "tx": ("LONGTEXT", "STRING", [("REPEAT('ab', 100000)", ("string", "ab" * 100000))]),
        "bi": ("BINARY(4)", "BINARY", [("'ab'", ("binary", b"ab\0\0"))]),
        "vb": ("VARBINARY(9)", "BINARY", [("x'00ff275c'", ("binary", b"\0\xff'\\")), ("''", ("binary", b""))]),
        "bl": ("MEDIUMBLOB", "BINARY", [("x'" + bytes(range(256)).hex() + "'", ("binary", bytes(range(256))))]),
    }

    def test_every_type(self):
        columns = ", ".join(f"{name} {declared}{'' if 'NULL' in declared else ' NULL'}" for name, (declared, _, _) in self.CASES.items())
        self.sql(f"CREATE TABLE t (id INT PRIMARY KEY, {columns})")
        wanted = {}
        for i in range(5):
            cells = {name: values[i] for name, (_, _, values) in self.CASES.items() if i < len(values)}
            self.sql(f"INSERT INTO t (id{''.join(', ' + c for c in cells)}) VALUES ({i}{''.join(', ' + sql for sql, _ in cells.values())})")
            wanted[i] = {name: cells[name][1] if name in cells else None for name in self.CASES}
        self.assertEqual(self.types()["t"], {"id": "INT key", **{name: case[1] for name, case in self.CASES.items()}})
        synced = self.stream(keys={("d", "t"): ["id"]})
        got = {key[0][1]: {c: v for c, v in row.items() if c != "id"} for key, row in synced.tables["d", "t"].items()}
        for i, row in wanted.items():
            for column, cell in row.items():
                self.assertEqual(self.plain(got[i].get(column)), self.plain(cell), f"row {i}, {column}")
        self.assertEqual([w for w in synced.warnings if "2 values of column 'da'" in w and "zero dates" in w and "NULL" in w],
                         synced.warnings[:1])

    def plain(self, cell):
        """Decimals by value and floats as they are."""
        if cell and cell[0] == "decimal":
            return ("decimal", decimal.Decimal(cell[1]))
        return cell

    def test_through_a_destination(self):
        self.sql("CREATE TABLE t (id BIGINT UNSIGNED PRIMARY KEY, a DECIMAL(65,30), b DATETIME(6), c TIME, e JSON, f TINYINT(1));"
                 "INSERT INTO t VALUES (18446744073709551615, 1.5, '2020-01-01 00:00:00.123456', '100:00:00', '[]', 5), (0, NULL, NULL, NULL, NULL, 0)")
        self.sync()
        self.same_rows("t", ["id", "a", "b", "c", "e", "f"])
        self.assertEqual(self.types(tiny_booleans="true")["t"]["f"], "BOOLEAN")

    def test_zero_dates_in_keys_are_kept(self):
        self.sql("CREATE TABLE t (d DATE PRIMARY KEY, v INT); INSERT INTO t VALUES ('0000-00-00', 1), ('2020-01-01', 2)")
        synced = self.stream(keys={("d", "t"): ["d"]}, rows_per_chunk="1")
        self.assertEqual({row["v"][1] for row in synced.tables["d", "t"].values()}, {1, 2})
        self.assertIn("0001-01-01, for a key may not be NULL", synced.warnings[0])


class Tables(Bench):
    def test_names_and_kinds_of_tables(self):
        self.sql("""
            CREATE TABLE `we``ird. "tab"` (`sel ect` INT PRIMARY KEY, `a"b` INT AS (`sel ect` * 2) VIRTUAL,
                                           kept INT AS (`sel ect` + 1) STORED, hidden INT INVISIBLE DEFAULT 9);
            INSERT INTO `we``ird. "tab"` (`sel ect`) VALUES (1), (2);
            CREATE TABLE versioned (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING;
            INSERT INTO versioned VALUES (1, 1); UPDATE versioned SET v = 2;
            CREATE SEQUENCE counter;
            CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 4;
            INSERT INTO parts VALUES (1), (2), (3);
            CREATE TABLE old (id INT PRIMARY KEY, v INT) ENGINE = MyISAM; INSERT INTO old VALUES (1, 1);
            CREATE TABLE Caps (id INT PRIMARY KEY); INSERT INTO Caps VALUES (7);
            CREATE TABLE caps (id INT PRIMARY KEY); INSERT INTO caps VALUES (8);
            CREATE VIEW doubled AS SELECT `sel ect` AS n FROM `we``ird. "tab"`;
            CREATE VIEW other AS SELECT 1 AS one;
            CREATE TABLE gone (id INT); CREATE VIEW broken AS SELECT * FROM gone; DROP TABLE gone""")
        synced = self.stream(views="doubled")
        rows = {name: sorted(tuple(v and v[1] for _, v in sorted(row.items())) for row in table.values())
                for (_, name), table in synced.tables.items()}
        self.assertEqual(rows, {'we`ird. "tab"': [(2, 9, 2, 1), (4, 9, 3, 2)], "versioned": [(1, 2)], "parts": [(1,), (2,), (3,)],
                                "old": [(1, 1)], "Caps": [(7,)], "caps": [(8,)], "doubled": [(1,), (2,)]})

    def test_keys(self):
        """A unique index of NOT NULL columns stands in for a key; without one, rows go by their values."""
        self.sql("""
            CREATE TABLE u (a INT NOT NULL, b VARCHAR(9) NOT NULL, c INT, n INT, UNIQUE (n), UNIQUE two (b, a));
            CREATE TABLE p (t TEXT NOT NULL, v INT, PRIMARY KEY (t(3)));
            CREATE TABLE none (v INT); INSERT INTO none VALUES (1), (2), (2);""")
        types = self.types()
        self.assertEqual(types["u"], {"a": "INT key", "b": "STRING key", "c": "INT", "n": "INT"})
        self.assertEqual(types["p"], {"t": "STRING key", "v": "INT"})
        self.sync()
        self.assertEqual(self.landed("none", ["v"]), [("1",), ("2",)])

    def test_official_checks(self):
        """`weir test`: three syncs, the same rows, through DuckDB."""
        self.sql("CREATE TABLE t (id INT PRIMARY KEY, a TEXT, b DOUBLE, at DATETIME);"
                 "INSERT INTO t SELECT seq, CONCAT('é', seq), seq / 3, '2020-01-01' + INTERVAL seq MINUTE FROM seq_1_to_500;"
                 "CREATE TABLE w (k VARCHAR(9), n INT, PRIMARY KEY (k, n)); INSERT INTO w SELECT CONCAT('k', seq % 9), seq FROM seq_1_to_300")
        for options in ({}, {"cursor_columns": "t=at"}):
            (self.folder / "configuration.json").write_text(json.dumps(self.config(rows_per_chunk="70", **options)))
            done = self.weir("test", "--tester-type", "source", "--connector", BIN / "source-mariadb", "--working-dir",
                             self.folder, "--check", "all", "--fresh")
            self.assertEqual([line for line in done.stdout.splitlines() if "SEVERE" in line], [])

    def test_selection(self):
        self.sql("CREATE TABLE t (id INT PRIMARY KEY, v INT, secret INT); INSERT INTO t VALUES (1, 2, 3); CREATE TABLE o (id INT PRIMARY KEY)")
        m = MESSAGES
        table = m["TableSelection"](included=True, table_name="t", columns={"secret": False, "id": False}, include_new_columns=True)
        schema = m["SchemaSelection"](included=True, schema_name="d", tables=[table])
        synced = self.stream(selection=m["Selection"](with_schema=m["TablesWithSchema"](schemas=[schema])))
        self.assertEqual({name: [set(row) for row in rows.values()] for name, rows in synced.tables.items()},
                         {("d", "t"): [{"id", "v"}]})  # the key is always sent


KEYS = {  # of the tables that are read in chunks: columns, and SQL for row `seq`
    "long": ("k BIGINT", "CAST(seq AS SIGNED) * 7919 - 500000"),
    "unsigned": ("k BIGINT UNSIGNED", "18446744073709551615 - seq * 3"),
    "exact": ("k DECIMAL(30,10)", "seq / 7"),
    "double": ("k DOUBLE", "seq / 7"),
    "text": ("k VARCHAR(40)", "CONCAT(CHAR(97 + seq % 26), 'É''\\\\\"', seq)"),
    "latin": ("k VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_german2_ci", "CONCAT(IF(seq % 2, 'ü', 'u'), seq)"),
    "binary": ("k VARBINARY(20)", "UNHEX(SHA1(seq))"),
    "moment": ("k DATETIME(6)", "'2020-01-01' + INTERVAL seq * 1500 MICROSECOND"),
    "stamp": ("k TIMESTAMP(3)", "'2020-01-01' + INTERVAL seq SECOND"),
    "time": ("k TIME", "SEC_TO_TIME(CAST(seq AS SIGNED) * 5000 - 500000)"),
    "uuid": ("k UUID", "CONCAT(LPAD(HEX(seq * 77), 8, '0'), '-e29b-41d4-a716-', LPAD(HEX(seq % 13), 12, '0'))"),
    "address": ("k INET6", "CONCAT('2001:db8::', HEX(seq))"),
    "bits": ("k BIT(20)", "seq * 1000"),
    "enum": ("k ENUM('z', 'y', 'x'), j INT", "1 + seq % 3, seq"),
    "float": ("k FLOAT", "seq / 8"),
    "three": ("k INT, j VARCHAR(9), i DATE", "seq % 3, CONCAT('é', seq % 11), '2020-01-01' + INTERVAL seq DAY"),
}


class Changes(Bench):
    def cut(self, table, keys, change=None, turns=200, **options):
        """Every sync is cut off after its second checkpoint, with changes in between."""
        synced = kit.Synced({("d", table): keys})
        with kit.running(BIN / "source-mariadb", MESSAGES) as source:
            for turn in range(turns):
                stream = source.update(self.config(**options), synced.state)
                done = synced.take(stream, len(synced.states) + 2 if turn < turns - 1 else None)
                stream.cancel()
                if done:
                    return synced
                if change is not None:
                    change(turn)
        raise AssertionError("never done")

    def test_resumes_in_the_order_of_any_key(self):
        for name, (columns, values) in KEYS.items():
            keys = [part.split()[0] for part in columns.split(", ") if part[1] == " "]
            self.sql(f"CREATE TABLE `{name}` ({columns}, v INT, PRIMARY KEY ({', '.join(keys)}));"
                     f"INSERT INTO `{name}` SELECT {values}, seq FROM seq_1_to_200")
        m = MESSAGES
        for name, (columns, _) in KEYS.items():
            with self.subTest(name):
                table = m["TableSelection"](included=True, table_name=name, include_new_columns=True)
                schema = m["SchemaSelection"](included=True, schema_name="d", tables=[table])
                selection = m["Selection"](with_schema=m["TablesWithSchema"](schemas=[schema]))
                seen, state, cuts = [], None, 0
                with kit.running(BIN / "source-mariadb", MESSAGES) as source:
                    while True:
                        synced = kit.Synced({})
                        stream = source.update(self.config(rows_per_chunk="34"), state, selection)
                        synced.take(stream, 2)
                        stream.cancel()
                        state = synced.state
                        seen += [row["v"][1] for row in synced.tables.get(("d", name), {}).values()]
                        cuts += 1
                        if '"phase":"done"' in state:
                            break
                self.assertEqual(sorted(seen), list(range(1, 201)))  # none lost, none twice
                self.assertEqual(cuts, 1 if name in ("enum", "float") else 3)

    def test_an_interrupted_copy_with_a_cursor_misses_nothing(self):
        self.sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), at DATETIME(6), KEY (at));"
                 "INSERT INTO t SELECT seq, 'a', '2020-01-01' + INTERVAL seq SECOND FROM seq_1_to_400")

        def change(turn):
            self.sql(f"UPDATE t SET v = 'turn {turn}', at = '2021-01-01' + INTERVAL {turn} SECOND WHERE id IN ({turn + 1}, {400 - turn});"
                     f"INSERT INTO t VALUES ({1000 + turn}, 'new', '2021-01-01' + INTERVAL {turn} SECOND)" if turn < 12 else "DO 0")

        synced = self.cut("t", ["id"], change, rows_per_chunk="50", cursor_columns="d.t=at", overlap_seconds="0", turns=40)
        got = sorted((str(key[0][1]), row["v"][1]) for key, row in synced.tables["d", "t"].items())
        self.assertEqual(got, self.there("t", ["id", "v"]))

    def test_cursor_reads_what_changed(self):
        self.sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), at TIMESTAMP(6) NULL, KEY (at)); SET time_zone = '+00:00';"
                 "INSERT INTO t SELECT seq, 'a', '2020-01-01' + INTERVAL seq SECOND FROM seq_1_to_300;"
                 "UPDATE t SET at = NULL WHERE id = 7; UPDATE t SET at = NOW() + INTERVAL 400 DAY WHERE id = 8")
        self.sync(cursor_default="at", overlap_seconds="10")
        self.sql("UPDATE t SET v = 'late', at = '2020-01-01 00:04:55' WHERE id = 3; UPDATE t SET v = 'now', at = NOW() WHERE id = 4;"
                 "UPDATE t SET v = 'no time' WHERE id = 7; UPDATE t SET v = 'in future' WHERE id = 8")
        tables, _ = self.sync(cursor_default="at", overlap_seconds="10")
        self.assertLess(tables["t"]["upserted"], 20)
        self.same_rows("t", ["id", "v"])
        self.sql("UPDATE t SET v = 'after all', at = NOW() WHERE id = 9")
        self.sync(cursor_default="at", overlap_seconds="10")
        self.same_rows("t", ["id", "v"])

    def test_number_cursors(self):
        self.sql("CREATE TABLE a (id BIGINT UNSIGNED PRIMARY KEY); INSERT INTO a VALUES (3), (18446744073709551610);"
                 "CREATE TABLE b (k INT PRIMARY KEY, n DECIMAL(40,10)); INSERT INTO b VALUES (1, -5.5), (2, 12345678901234567890.5);"
                 "CREATE TABLE c (n BIGINT, v INT); INSERT INTO c VALUES (-9223372036854775808, 1)")
        options = {"cursor_columns": "a=id, b=n, c=n", "overlap_values": "2"}
        self.sync(**options)
        self.sql("INSERT INTO a VALUES (18446744073709551609), (18446744073709551615); INSERT INTO b VALUES (3, 12345678901234567890.6);"
                 "INSERT INTO c VALUES (-9223372036854775807, 2), (9223372036854775807, 3)")
        tables, _ = self.sync(**options)
        self.assertEqual({name: t["upserted"] for name, t in tables.items()}, {"a": 3, "b": 2, "c": 3})
        self.assertEqual({row[0] for row in self.landed("a", ["id"])}, {row[0] for row in self.there("a", ["id"])})
        self.assertEqual(len(self.landed("b", ["k"])), 3)
        self.same_rows("c", ["n", "v"])

    def test_copy_sees_updates_and_deletions(self):
        self.sql("CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t SELECT seq, 1 FROM seq_1_to_300")
        self.sync()
        self.sql("UPDATE t SET v = 2 WHERE id = 5; DELETE FROM t WHERE id > 290; INSERT INTO t VALUES (999, 3)")
        self.sync()
        self.same_rows("t", ["id", "v"])
        self.assertEqual(len(self.landed("t", ["id"], deleted=1)), 10)
        self.sql("ALTER TABLE t ADD COLUMN more INT DEFAULT 7")
        self.sync(read_again="false")
        self.same_rows("t", ["id", "v", "more"])
        tables, _ = self.sync(read_again="false")
        self.assertEqual(sum(table["upserted"] for table in tables.values()), 0)

    def test_all_tables_are_read_at_one_moment(self):
        """Money moves between two tables all the time; every sync sees the same sum."""
        self.sql("CREATE TABLE a (id INT PRIMARY KEY, n INT); CREATE TABLE b LIKE a;"
                 "INSERT INTO a SELECT seq, 1000 FROM seq_1_to_3000; INSERT INTO b SELECT seq, 1000 FROM seq_1_to_3000")
        stop = threading.Event()

        def move():
            rng = random.Random(1)
            with SERVER.connect("d") as writer:
                while not stop.is_set():
                    x, y, z = rng.randint(1, 3000), rng.randint(1, 3000), rng.randint(1, 99)
                    writer.rows(f"START TRANSACTION; UPDATE a SET n = n - {z} WHERE id = {x}; UPDATE b SET n = n + {z} WHERE id = {y}; COMMIT")

        mover = threading.Thread(target=move)
        mover.start()
        try:
            for _ in range(3):
                synced = self.stream(keys={("d", "a"): ["id"], ("d", "b"): ["id"]}, rows_per_chunk="100")
                self.assertEqual(sum(row["n"][1] for table in synced.tables.values() for row in table.values()), 6000000)
        finally:
            stop.set()
            mover.join()


class Failures(Bench):
    def fill(self):
        self.sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(3000)); INSERT INTO t SELECT seq, REPEAT('x', 3000) FROM seq_1_to_4000")

    def begin(self, source, **options):
        """A sync that has begun and waits for its reader: the call, and its messages."""
        stream = source.update(self.config(rows_per_chunk="500", **options))
        return stream, itertools.chain([next(iter(stream))], stream)

    def test_a_lost_connection_is_made_again(self):
        self.fill()
        for how in ("kill", "restart"):
            with self.subTest(how), kit.running(BIN / "source-mariadb", MESSAGES) as source:
                _, messages = self.begin(source)
                if how == "kill":
                    for row in self.sql("SELECT id FROM information_schema.PROCESSLIST WHERE id <> CONNECTION_ID() AND user = 'weir' AND time_ms < 60000 AND db IS NULL"):
                        self.sql(f"KILL {row[0].decode()}")
                else:
                    self.client.close()
                    SERVER.restart()
                    self.client = SERVER.connect("d")
                synced = kit.Synced({("d", "t"): ["id"]})
                self.assertTrue(synced.take(messages))
                self.assertEqual(len(synced.tables["d", "t"]), 4000)
                self.assertIn("trying again", (pathlib.Path(source.folder) / "log").read_text())

    def test_a_server_that_stays_away_is_told(self):
        said = self.said("connect", port="1")
        self.assertIn("connect to '127.0.0.1', port 1", said)

    def said(self, name, **options):
        try:
            return self.setup_says(name, **options)
        except grpc.RpcError as error:
            return error.details()

    def test_alter_table_is_not_kept_waiting(self):
        """ALTER TABLE comes in between two chunks; the table starts over with the next sync."""
        self.fill()
        with kit.running(BIN / "source-mariadb", MESSAGES) as source:
            _, messages = self.begin(source)
            altered = threading.Thread(target=lambda: self.sql("ALTER TABLE t ADD COLUMN more INT DEFAULT 7"))
            altered.start()
            synced = kit.Synced({("d", "t"): ["id"]})
            self.assertTrue(synced.take(messages))
            altered.join()
        again = self.stream(state=synced.state, keys={("d", "t"): ["id"]})
        self.assertEqual({row["more"] for row in again.tables["d", "t"].values()}, {("int", 7)})
        self.assertEqual(len(again.tables["d", "t"]), 4000)

    def test_missing_rights_and_the_statement_that_gives_them(self):
        self.sql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1); CREATE TABLE hidden (id INT PRIMARY KEY);"
                 "CREATE OR REPLACE USER `o'k`@'127.0.0.%' IDENTIFIED BY 'secret''pw'; GRANT INSERT ON d.* TO `o'k`@'127.0.0.%'")
        user = {"user": "o'k", "password": "secret'pw"}
        said = self.setup_says("permissions", **user)
        self.assertIn("may not read the tables of database 'd'", said)
        grant = said[said.index("GRANT"):]
        self.assertEqual(grant, "GRANT SELECT, SHOW VIEW ON `d`.* TO 'o''k'@'127.0.0.%';")
        self.sql("GRANT SELECT ON d.t TO `o'k`@'127.0.0.%'")
        synced = self.stream(**user)
        self.assertEqual(list(synced.tables), [("d", "t")])
        self.assertIn("1 tables are not synced because they cannot be read (d.hidden:", synced.warnings[0])
        self.assertIn(grant, synced.warnings[0])
        self.sql(grant)
        self.assertEqual(self.setup_says("permissions", **user), "")
        self.assertIn("There is no database 'nope', or the user has no right in it", self.setup_says("permissions", databases="nope", **user))
        self.sql("DROP USER `o'k`@'127.0.0.%'")

    def test_settings_are_checked(self):
        self.sql("CREATE TABLE t (id INT PRIMARY KEY, raw BLOB, e ENUM('a')); CREATE VIEW v AS SELECT 1 AS a")
        for options, words in (({"views": "nope"}, "Views: there is no view 'nope'"), ({"views": "t"}, "there is no view 't'"),
                               ({"cursor_columns": "t"}, "is not of the form table=column"),
                               ({"cursor_columns": "nope=id"}, "there is no table 'nope'"),
                               ({"cursor_columns": "d.t=nope"}, "table 'd.t' has no column 'nope'"),
                               ({"cursor_columns": "t=raw"}, "cannot be a cursor"), ({"cursor_columns": "t=e"}, "cannot be a cursor"),
                               ({"cursor_columns": "v=a"}, "cannot be a cursor")):
            self.assertIn(words, self.setup_says("settings", **options))
        self.assertEqual(self.setup_says("settings", cursor_columns="d.t = id", views="d.v"), "")

    def test_who_is_refused(self):
        self.assertIn("Check user and password", self.said("connect", password="wrong"))
        self.assertNotIn("wrong", self.said("connect", password="wrong").replace("wrong password", ""))

    def test_tls(self):
        ca, none = str(SERVER.folder / "ca.pem"), "/etc/ssl/certs/ca-certificates.crt"
        self.sql("CREATE OR REPLACE USER safe@'%' IDENTIFIED BY 'pw' REQUIRE SSL; GRANT SELECT ON d.* TO safe@'%'")
        user = {"user": "safe", "password": "pw"}
        for mode in ("prefer", "require"):
            self.assertEqual(self.setup_says("connect", tls=mode, **user), "")
        self.assertEqual(self.setup_says("connect", tls="verify", tls_authorities=ca, **user), "")
        self.assertIn("TLS with '127.0.0.1' failed", self.said("connect", tls="verify", tls_authorities=none, **user))
        self.assertIn("refused", self.said("connect", tls="disable", **user))
        self.assertEqual(self.setup_says("connect", tls="disable"), "")
        self.assertEqual(self.setup_says("connect", host=str(SERVER.socket), tls="require"), "")
        with Server("skip-ssl=1") as plain:
            config = {key: value for key, value in plain.config().items()}
            self.assertEqual(self.setup_says("connect", **config, tls="prefer"), "")
            for mode in ("require", "verify"):
                self.assertIn("TLS", self.said("connect", **config, tls=mode, tls_authorities=ca))

    def test_a_state_that_is_not_ours_goes_into_no_statement(self):
        self.sql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)")
        states = []
        with kit.running(BIN / "source-mariadb", MESSAGES) as source:
            synced = kit.Synced({})
            stream = source.update(self.config(rows_per_chunk="1"))
            synced.take(stream, 1)
            stream.cancel()
            for evil in ("n1 OR 1", "n", "x1", "n1,n2'", "d1", ""):
                state = json.loads(synced.state)
                next(iter(state["tables"].values()))["row"] = evil
                try:
                    kit.Synced({}).take(source.update(self.config(), json.dumps(state)))
                    states.append("read")
                except grpc.RpcError as error:
                    states.append(error.details().rpartition(": ")[2])
        self.assertEqual(set(states) - {"the state holds a position that is none"}, {"read"} if "read" in states else set())
        self.assertEqual(states[0], "the state holds a position that is none")


if __name__ == "__main__":
    BIN, MESSAGES = pathlib.Path(sys.argv[1]), kit.load_messages(sys.argv[2])
    with Server() as SERVER:
        result = unittest.main(argv=[sys.argv[0], *sys.argv[3:]], exit=False).result
    sys.exit(not result.wasSuccessful())
