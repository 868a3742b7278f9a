"""destination-postgresql: tables, types, names, batches and errors."""
import base64
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import grpc

import kit
from batch import KEEP, Batch

BIN = MESSAGES = None
TYPES = {name: number for number, name in enumerate(
    "UNSPECIFIED BOOLEAN SHORT INT LONG DECIMAL FLOAT DOUBLE NAIVE_DATE NAIVE_DATETIME UTC_DATETIME BINARY XML STRING JSON "
    "NAIVE_TIME".split())}
SYNCED = "2024-05-01T10:00:00.000Z"


def setUpModule():
    global cluster, connector
    cluster = kit.Cluster()
    connector = kit.Connector(f"{BIN}/destination-postgresql", MESSAGES)


def tearDownModule():
    code = connector.stop()
    cluster.stop()
    assert code == 0, f"the destination ended with {code}"  # R-RPC-06


def column(name, kind, key=False):
    """`kind` is "LONG", "DECIMAL(10,2)" or "STRING(64)"."""
    base, _, bounds = kind.rstrip(")").partition("(")
    params = None
    if base == "DECIMAL" and bounds:
        precision, scale = bounds.split(",")
        params = {"decimal": {"precision": int(precision), "scale": int(scale)}}
    elif bounds:
        params = {"string_byte_length": int(bounds)}
    return {"name": name, "type": TYPES[base], "primary_key": key, "params": params}


def table(name, *columns):
    return {"name": name, "columns": [column(*c) for c in columns]}


class Base(unittest.TestCase):
    def setUp(self):
        cluster.psql("DROP SCHEMA IF EXISTS s CASCADE")
        self.config = cluster.config()

    def call(self, name, **fields):
        return connector.call(name, configuration=self.config, **fields)

    def create(self, wanted, schema="s"):
        reply = self.call("CreateTable", schema_name=schema, table=wanted)
        self.assertEqual(reply.WhichOneof("response"), "success", reply)

    def alter(self, wanted, drop=False):
        return self.call("AlterTable", schema_name="s", table=wanted, drop_columns=drop)

    def altered(self, wanted, drop=False):
        reply = self.alter(wanted, drop)
        self.assertEqual(reply.WhichOneof("response"), "success", reply)

    def described(self, name, schema="s"):
        """{column: (type as written in these tests, key)}, or None."""
        reply = self.call("DescribeTable", schema_name=schema, table_name=name)
        if reply.WhichOneof("response") == "not_found":
            return None
        self.assertEqual(reply.WhichOneof("response"), "table", reply)
        names = {number: kind for kind, number in TYPES.items()}
        out = {}
        for c in reply.table.columns:
            kind = names[c.type]
            if c.params.WhichOneof("params") == "decimal":
                kind += f"({c.params.decimal.precision},{c.params.decimal.scale})"
            elif c.params.WhichOneof("params") == "string_byte_length":
                kind += f"({c.params.string_byte_length})"
            out[c.name] = (kind, c.primary_key)
        return out

    def batch(self, wanted, schema="s"):
        return Batch(connector, self.config, schema, wanted)

    def written(self, batch):
        reply = batch.send()
        self.assertEqual(reply.WhichOneof("response"), "success", reply)

    def refused(self, action):
        """The text of a task or an error."""
        try:
            reply = action()
        except grpc.RpcError as error:
            return error.details()
        self.assertEqual(reply.WhichOneof("response"), "task", reply)
        return reply.task.message

    def row_count(self, name):
        return int(cluster.rows(f"SELECT count(*) FROM s.{name}")[0][0])


ALL = [("id", "LONG", True), ("b", "BOOLEAN"), ("sh", "SHORT"), ("i", "INT"), ("de", "DECIMAL(10,2)"), ("da", "DECIMAL"),
       ("f", "FLOAT"), ("d", "DOUBLE"), ("nd", "NAIVE_DATE"), ("ndt", "NAIVE_DATETIME"), ("ut", "UTC_DATETIME"),
       ("bi", "BINARY"), ("x", "XML"), ("st", "STRING(64)"), ("s0", "STRING"), ("j", "JSON"), ("nt", "NAIVE_TIME")]

# Text in the batch file, and what psql shows (R-BAT-08, README: type mapping).
VALUES = {
    "b": [("true", "t"), ("false", "f")],
    "sh": [("-32768", "-32768"), ("32767", "32767")],
    "i": [("-2147483648", "-2147483648"), ("2147483647", "2147483647")],
    "de": [("12345678.91", "12345678.91"), ("-0.01", "-0.01"), ("1.5", "1.50"), ("1E+2", "100.00")],
    "da": [("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
           ("-0.0000000000000000000000000000000000001", "-0.0000000000000000000000000000000000001"), ("1.50", "1.50")],
    "f": [("3.4028235E38", "3.4028235e+38"), ("NaN", "NaN"), ("-Infinity", "-Infinity"), ("0.1", "0.1")],
    "d": [("1.7976931348623157E308", "1.7976931348623157e+308"), ("4.9E-324", "5e-324"), ("Infinity", "Infinity"), ("0.1", "0.1")],
    "nd": [("0001-01-01", "0001-01-01"), ("9999-12-31", "9999-12-31"), ("1969-12-31", "1969-12-31")],
    "ndt": [("2007-12-03T10:15:30.123456789", "2007-12-03 10:15:30.123456"), ("1969-12-31T23:59:59.999999999", "1969-12-31 23:59:59.999999"),
            ("0001-01-01T00:00:00", "0001-01-01 00:00:00")],
    "ut": [("2007-12-03T10:15:30.1Z", "2007-12-03 10:15:30.1+00"), ("9999-12-31T23:59:59.999Z", "9999-12-31 23:59:59.999+00")],
    "bi": [(base64.b64encode(bytes(range(256))).decode(), "\\x" + bytes(range(256)).hex()), ("", "\\x")],
    "x": [("<a>t</a>", "<a>t</a>"), ("<?xml version=\"1.0\" encoding=\"UTF-8\"?><a/>",) * 2],
    "st": [("", ""), ("ünï 🦆 \"q\" \\ \r\n\t\u2028,end",) * 2],
    "s0": [("x" * 100000,) * 2, ("null",) * 2, ("NULL",) * 2],
    "j": [('{"a" :  1.0, "a":null}',) * 2, ("null", "null")],
    "nt": [("10:15", "10:15:00"), ("23:59:59.999999999", "23:59:59.999999"), ("00:00:00", "00:00:00")],
}


class Types(Base):
    def test_round_trip(self):
        """R-DST-01: create, then describe: the same types, params and keys."""
        self.assertIsNone(self.described("t"))
        self.create(table("t", *ALL))
        self.assertEqual(self.described("t"), {c[0]: (c[1], len(c) > 2) for c in ALL})

    def test_documented_types(self):
        """The mapping table of the overview is what the server has."""
        page = Path(kit.HERE, "../../connectors/destination-postgresql/docs/overview.md").read_text()
        rows = re.findall(r"^\| ([A-Z_]+)(\(p, s\))? \| `([^`]+)` \|", page, re.M)
        self.assertEqual({r[0] for r in rows}, set(MESSAGES["Column"].DESCRIPTOR.fields_by_name["type"].enum_type.values_by_name)
                         - {"UNSPECIFIED"})
        self.create(table("t", *((f"c{i}", f"{name}(11,4)" if bounds else name) for i, (name, bounds, _) in enumerate(rows))))
        stored = cluster.rows("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 's.t'::regclass AND attnum > 0")
        self.assertEqual([r[0] for r in stored], [r[2].replace("(p,s)", "(11,4)") for r in rows])

    def test_values(self):
        wanted = table("t", *ALL)
        self.create(wanted)
        count = max(map(len, VALUES.values()))
        names = [c[0] for c in ALL]
        rows = [{n: str(i) if n == "id" else VALUES[n][i][0] if i < len(VALUES[n]) else None for n in names} for i in range(count)]
        expected = [tuple(str(i) if n == "id" else VALUES[n][i][1] if i < len(VALUES[n]) else None for n in names)
                    for i in range(count)]
        for way in ("copied into the empty table", "merged over what is there"):
            self.written(self.batch(wanted).add("replace", names, rows))
            self.assertEqual(cluster.rows(f"SELECT {', '.join(names)} FROM s.t ORDER BY id"), expected, way)
        update = [{n: KEEP for n in names} | {"id": str(i), "st": "new"} for i in range(count)]
        self.written(self.batch(wanted).add("update", names, update))
        at = names.index("st")
        self.assertEqual(cluster.rows(f"SELECT {', '.join(names)} FROM s.t ORDER BY id"),
                         [r[:at] + ("new",) + r[at + 1:] for r in expected])

    def test_every_type_as_key(self):
        """R-DST-07: keys compare by value; JSON and XML have no equality in PostgreSQL and are kept as text there."""
        for name, kind, *_ in ALL[1:]:
            with self.subTest(kind):
                self.setUp()
                wanted = table("t", (name, kind, True), ("v", "INT"))
                self.create(wanted)
                self.assertEqual(self.described("t")[name], (kind, True))
                keys = [text for text, _ in VALUES[name] if len(text) < 2000]
                for value in ("1", "2"):
                    self.written(self.batch(wanted).add("replace", [name, "v"], [{name: k, "v": value} for k in keys]))
                self.written(self.batch(wanted).add("update", [name, "v"], [{name: keys[0], "v": "3"}])
                             .add("delete", [name], [{name: keys[1]}]))
                self.assertEqual(sorted(r[0] for r in cluster.rows("SELECT v FROM s.t")), ["2"] * (len(keys) - 2) + ["3"])

    def test_equal_keys_of_different_text(self):
        wanted = table("t", ("k", "DECIMAL", True), ("at", "UTC_DATETIME", True), ("v", "INT"))
        self.create(wanted)
        names = ["k", "at", "v"]
        self.written(self.batch(wanted).add("replace", names, [{"k": "1.0", "at": "2024-01-01T00:00:00Z", "v": "1"}]))
        self.written(self.batch(wanted).add("replace", names, [{"k": "1.00", "at": "2024-01-01T00:00:00.000000Z", "v": "2"}]))
        self.written(self.batch(wanted).add("update", names, [{"k": "1E0", "at": "2024-01-01T00:00:00.0Z", "v": "3"}]))
        self.assertEqual(cluster.rows("SELECT v FROM s.t"), [("3",)])

    def test_decimal_is_never_rounded(self):
        wanted = table("t", ("id", "INT", True), ("v", "DECIMAL(6,2)"))
        self.create(wanted)
        text = self.refused(self.batch(wanted).add("replace", ["id", "v"], [{"id": "1", "v": "1.239"}]).send)
        self.assertIn("'v'", text)
        self.assertEqual(self.row_count("t"), 0)
        self.refused(self.batch(wanted).add("replace", ["id", "v"], [{"id": "1", "v": "12345.6"}]).send)
        self.written(self.batch(wanted).add("replace", ["id", "v"], [{"id": "1", "v": "1234.50000"}]))

    def test_random_decimals(self):
        """2,000 decimals in plain and exponent notation, by seed: PostgreSQL reads the same text to the same number."""
        rng = random.Random(3)
        wanted = table("t", ("id", "INT", True), ("v", "DECIMAL"))
        self.create(wanted)
        rows = []
        for i in range(2000):
            digits = str(rng.randrange(10 ** rng.randrange(1, 13)))
            point = rng.randrange(len(digits) + 1)
            text = rng.choice(["", "-", "+"]) + rng.choice(["", "00"]) + digits[:point] + rng.choice([".", ""] if point == len(digits) else ["."]) + digits[point:]
            rows.append({"id": str(i), "v": text + rng.choice(["", "", f"e{rng.randrange(-12, 13)}", f"E+{rng.randrange(13)}"])})
        self.written(self.batch(wanted).add("replace", ["id", "v"], rows))
        expected = cluster.rows("SELECT id, v::numeric FROM (VALUES " + ", ".join(f"({r['id']}, '{r['v']}')" for r in rows) + ") r(id, v) ORDER BY id")
        self.assertEqual(cluster.rows("SELECT id, v FROM s.t ORDER BY id"), expected)

    def test_nul_characters(self):
        """They are refused with a clear text, or replaced where the customer asked for it; never in a key."""
        wanted = table("t", ("id", "STRING", True), ("v", "STRING"))
        self.create(wanted)
        send = self.batch(wanted).add("replace", ["id", "v"], [{"id": "a", "v": "x\0y"}]).send
        text = self.refused(send)
        self.assertIn("NUL", text)
        self.assertIn("'v'", text)
        self.config["nul_characters"] = "replace"
        self.written(self.batch(wanted).add("replace", ["id", "v"], [{"id": "a", "v": "x\0y\0"}, {"id": "b", "v": ""}]))
        self.assertEqual(cluster.rows("SELECT v FROM s.t ORDER BY id"), [("x\ufffdy\ufffd",), ("",)])
        self.assertIn("'id'", self.refused(self.batch(wanted).add("replace", ["id", "v"], [{"id": "a\0", "v": ""}]).send))


class Ddl(Base):
    def test_create(self):
        """R-DST-02: the schema is made, a second table of the name fails clearly."""
        wanted = table("t", ("id", "INT", True))
        self.create(wanted)
        self.assertIn("'s.t': it exists", self.refused(lambda: self.call("CreateTable", schema_name="s", table=wanted)))
        self.create(table("u", ("a", "INT")))
        self.assertEqual(self.described("u"), {"a": ("INT", False)})

    def test_names(self):
        """R-DST-08: quotes, dots, reserved words, case, 63 bytes and more, names of system columns, reserved schemas."""
        names = ['a"b', "a.b", "select", "Case", "case", "ctid", "xmin", "id", " ", "é" * 40, "é" * 40 + "1", "x" * 63, "x" * 64,
                 "x" * 200, "drop table s.t; --", "c1", "seq", "mask", "'"]
        for schema, name in (("s", 'T"x".y'), ("s", "n" * 100), ("s", "n" * 101), ("pg_mine", "t"), ("s", "select")):
            with self.subTest(name):
                wanted = table(name, ("key", "INT", True), *[(n, "STRING") for n in names])
                self.create(wanted, schema)
                self.assertEqual(list(self.described(name, schema)), ["key"] + names)
                for round in ("1", "2"):
                    self.written(self.batch(wanted, schema).add("replace", ["key"] + names, [{"key": "1", **{n: n + round for n in names}}]))
                self.written(self.batch(wanted, schema).add("update", ["key"] + names, [{"key": "1", **{n: n + "3" for n in names}}]))
                reply = self.call("Truncate", schema_name=schema, table_name=name, synced_column="key",
                                  utc_delete_before={"seconds": 1}) if False else None
                self.assertIsNone(reply)
        cluster.psql('DROP SCHEMA IF EXISTS "_pg_mine_%016x" CASCADE' % fnv("pg_mine"))
        self.assertEqual(int(cluster.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 's'")[0][0]), 4)

    def test_add_widen_drop_keep(self):
        """R-DST-03."""
        self.create(table("t", ("id", "INT", True), ("a", "INT"), ("b", "STRING(16)"), ("gone", "INT"), ("kept", "LONG")))
        cluster.psql("INSERT INTO s.t VALUES (1, 5, 'x', 1, 2)")
        wanted = table("t", ("new", "JSON"), ("b", "STRING(64)"), ("id", "LONG", True), ("a", "DECIMAL(12,2)"), ("kept", "LONG"))
        self.altered(wanted)
        self.assertEqual(self.described("t"), {"id": ("LONG", True), "a": ("DECIMAL(12,2)", False), "b": ("STRING(64)", False),
                                               "gone": ("INT", False), "kept": ("LONG", False), "new": ("JSON", False)})
        self.assertEqual(cluster.rows("SELECT id, a, b, gone, kept, new FROM s.t"), [("1", "5.00", "x", "1", "2", None)])
        self.written(self.batch(wanted).add("replace", ["id", "a", "b", "kept", "new"],
                                            [{"id": "1", "a": "6", "b": "y", "kept": "3", "new": "{}"}]))
        self.assertEqual(cluster.rows("SELECT gone FROM s.t"), [(None,)])
        self.altered(wanted, drop=True)
        self.assertNotIn("gone", self.described("t"))

    def test_widening_keeps_the_value(self):
        """R-ENG-20: texts of a widened column are those that the batch files would have had."""
        cases = [("BOOLEAN", "STRING", "true", "true"), ("LONG", "STRING", "-5", "-5"), ("FLOAT", "DOUBLE", "0.5", "0.5"),
                 ("FLOAT", "DECIMAL(20,10)", "0.12345679", "0.1234567900"), ("DOUBLE", "DECIMAL(38,20)", "0.1234567890123457", "0.12345678901234570000"),
                 ("INT", "DECIMAL(12,2)", "7", "7.00"), ("SHORT", "DOUBLE", "7", "7"), ("NAIVE_DATE", "NAIVE_DATETIME", "2024-02-29", "2024-02-29 00:00:00"),
                 ("NAIVE_DATETIME", "STRING", "2024-02-29T10:00:00.5", "2024-02-29T10:00:00.500"), ("NAIVE_DATETIME", "STRING", "2024-02-29T10:00:00", "2024-02-29T10:00:00"),
                 ("UTC_DATETIME", "STRING", "2024-02-29T10:00:00.000001Z", "2024-02-29T10:00:00.000001Z"), ("NAIVE_DATE", "STRING", "2024-02-29", "2024-02-29"),
                 ("BINARY", "STRING", base64.b64encode(bytes(200)).decode(), base64.b64encode(bytes(200)).decode()),
                 ("JSON", "STRING", '{"a" : 1}', '{"a" : 1}'), ("XML", "STRING", "<a/>", "<a/>"), ("DECIMAL(10,2)", "DECIMAL(12,4)", "1.50", "1.5000"),
                 ("DECIMAL(10,2)", "STRING", "1.50", "1.50")]
        for old, new, value, shown in cases:
            with self.subTest(f"{old} to {new}"):
                self.setUp()
                before = table("t", ("id", "INT", True), ("v", old))
                self.create(before)
                self.written(self.batch(before).add("replace", ["id", "v"], [{"id": "1", "v": value}, {"id": "2", "v": None}]))
                self.altered(table("t", ("id", "INT", True), ("v", new)))
                self.assertEqual(cluster.rows("SELECT v FROM s.t ORDER BY id"), [(shown,), (None,)])
                self.assertEqual(self.described("t")["v"], (new, False))

    def test_change_of_key(self):
        self.create(table("t", ("a", "INT", True), ("b", "JSON"), ("v", "INT")))
        cluster.psql("""INSERT INTO s.t VALUES (1, '"x"', 1), (2, '"y"', 1)""")
        self.altered(table("t", ("a", "INT", True), ("b", "JSON", True), ("v", "INT")))
        self.assertEqual(self.described("t"), {"a": ("INT", True), "b": ("JSON", True), "v": ("INT", False)})
        self.altered(table("t", ("a", "INT"), ("b", "JSON", True), ("v", "INT")))
        cluster.psql("""INSERT INTO s.t VALUES (NULL, '"z"', 1)""")
        text = self.refused(lambda: self.alter(table("t", ("a", "INT", True), ("b", "JSON"), ("v", "INT"))))
        self.assertIn("NULL", text)
        text = self.refused(lambda: self.alter(table("t", ("a", "INT"), ("b", "JSON"), ("v", "INT", True))))
        self.assertIn("(v=1)", text)
        self.assertEqual(self.described("t"), {"a": ("INT", False), "b": ("JSON", True), "v": ("INT", False)})
        self.altered(table("t", ("a", "INT"), ("b", "JSON"), ("v", "INT")))
        self.assertEqual([key for _, key in self.described("t").values()], [False] * 3)

    def test_value_that_does_not_convert(self):
        self.create(table("t", ("id", "INT", True), ("v", "STRING")))
        cluster.psql("INSERT INTO s.t VALUES (1, 'abc')")
        told = self.refused(lambda: self.alter(table("t", ("id", "INT", True), ("v", "INT"))))
        self.assertIn("column 'v' does not fit its new type", told)
        self.assertNotIn("abc", told)
        self.assertEqual(self.described("t")["v"], ("STRING", False))

    def test_equal_types_issue_no_ddl(self):
        """R-DST-03: XML and STRING are both text: the file of the table stays."""
        self.create(table("t", ("id", "INT", True), ("v", "XML")))
        file = cluster.rows("SELECT pg_relation_filenode('s.t')")
        self.altered(table("t", ("v", "STRING(100)"), ("id", "INT", True)))
        self.assertEqual(cluster.rows("SELECT pg_relation_filenode('s.t')"), file)
        self.assertEqual(self.described("t")["v"], ("STRING(100)", False))

    def test_tables_of_others(self):
        """Columns without our comment are described by their stored type; writing casts to it."""
        cluster.psql("""CREATE SCHEMA s; CREATE TABLE s.t (id int PRIMARY KEY, a varchar(20), b jsonb, c numeric(8,2), d money, e xml,
            mine text DEFAULT 'kept')""")
        self.assertEqual(self.described("t"), {"id": ("INT", True), "a": ("STRING", False), "b": ("JSON", False), "mine": ("STRING", False),
                                               "c": ("DECIMAL(8,2)", False), "d": ("STRING", False), "e": ("XML", False)})
        wanted = table("t", ("id", "INT", True), ("a", "STRING"), ("b", "JSON"), ("c", "DECIMAL(8,2)"), ("e", "XML"))
        for value in ("1", "2"):
            self.written(self.batch(wanted).add("replace", ["id", "a", "b", "c", "e"], [
                {"id": "1", "a": "x" + value, "b": '{"a":%s}' % value, "c": value, "e": "<a/>"}]))
        self.assertEqual(cluster.rows("SELECT id, a, b, c, e, mine FROM s.t"), [("1", "x2", '{"a": 2}', "2.00", "<a/>", "kept")])
        self.assertIn("too long", self.refused(self.batch(wanted).add("update", ["id", "a", "b", "c", "e"], [
            {"id": "1", "a": "y" * 30, "b": KEEP, "c": KEEP, "e": KEEP}]).send))


def fnv(text):
    value = 0xcbf29ce484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001b3) & (1 << 64) - 1
    return value


class Truncate(Base):
    def truncate(self, seconds, nanos=0, soft=None, name="t"):
        reply = self.call("Truncate", schema_name="s", table_name=name, synced_column="_fivetran_synced",
                          utc_delete_before={"seconds": seconds, "nanos": nanos},
                          soft={"deleted_column": soft} if soft else None)
        self.assertEqual(reply.WhichOneof("response"), "success", reply)

    def test_truncate(self):
        """R-DST-04: strictly before, at the precision that is stored; times before 1970 and zero are real."""
        self.truncate(0, name="missing")
        self.create(table("t", ("id", "INT", True), ("_fivetran_synced", "UTC_DATETIME"), ("_fivetran_deleted", "BOOLEAN")))
        cluster.psql("""INSERT INTO s.t VALUES (1, '1960-01-01 00:00:00+00', false), (2, '1970-01-01 00:00:00+00', NULL),
            (3, '1970-01-01 00:00:01.000001+00', false), (4, NULL, false)""")
        self.truncate(-400000000)
        self.assertEqual(self.row_count("t"), 4)
        self.truncate(0, soft="_fivetran_deleted")
        self.assertEqual(cluster.rows("SELECT id FROM s.t WHERE _fivetran_deleted"), [("1",)])
        self.truncate(1, 1999, soft="_fivetran_deleted")
        self.assertEqual(cluster.rows("SELECT id FROM s.t WHERE _fivetran_deleted ORDER BY id"), [("1",), ("2",)])
        self.truncate(1, 2000, soft="_fivetran_deleted")
        self.assertEqual(cluster.rows("SELECT id FROM s.t WHERE _fivetran_deleted ORDER BY id"), [("1",), ("2",), ("3",)])
        self.truncate(0)
        self.assertEqual(cluster.rows("SELECT id FROM s.t ORDER BY id"), [("2",), ("3",), ("4",)])


class Wide(Base):
    """1,000 columns, of which a SELECT that folds or carries values would need more than the server allows."""
    COUNT = 1000
    VALUES = (("LONG", str), ("STRING", lambda i: f"s{i}"), ("INT", lambda i: str(-i)))

    def value(self, column, number):
        return self.VALUES[column % 3][1](number)

    def row(self, number, keep=lambda column: False, **more):
        return {f"c{i}": KEEP if keep(i) else self.value(i, number) for i in range(self.COUNT)} | more

    def test_folded_updates(self):
        """R-DST-05: of several updates of a key the last value of each column."""
        wanted = table("t", ("id", "LONG", True), *((f"c{i}", self.VALUES[i % 3][0]) for i in range(self.COUNT)))
        names = [c["name"] for c in wanted["columns"]]
        self.create(wanted)
        updates = [self.row(100 + k, lambda i, k=k: (i + k) % 3 > 0, id="1") for k in (0, 1, 1)]
        self.written(self.batch(wanted).add("replace", names, [self.row(n, id=str(n)) for n in (1, 2)]).add("update", names, updates))
        number = lambda i: 100 if i % 3 == 0 else 101 if i % 3 == 2 else 1
        self.assertEqual(cluster.rows("SELECT * FROM s.t ORDER BY id"), [
            ("1", *(self.value(i, number(i)) for i in range(self.COUNT))), ("2", *(self.value(i, 2) for i in range(self.COUNT)))])

    def test_history(self):
        """R-HIS-03: unmodified cells take the value as of their start, from the file and from the table."""
        wanted = table("t", ("id", "LONG", True), *((f"c{i}", self.VALUES[i % 3][0]) for i in range(self.COUNT)),
                       ("_fivetran_start", "UTC_DATETIME", True), ("_fivetran_end", "UTC_DATETIME"), ("_fivetran_active", "BOOLEAN"))
        names = [c["name"] for c in wanted["columns"]]
        self.create(wanted)

        def version(number, milli, keep=lambda column: False):
            return self.row(number, keep, id="1", _fivetran_start=f"2024-01-01T00:00:00.{milli:03}Z",
                            _fivetran_end="9999-12-31T23:59:59.999Z", _fivetran_active="true")
        first = {"id": "1", "_fivetran_start": "2024-01-01T00:00:00.100Z"}
        self.written(self.batch(wanted).add("earliest_start", list(first), []).add("replace", names, [version(1, 1)]))
        self.written(self.batch(wanted).add("earliest_start", list(first), [first]).add("update", names, [
            version(2, 100, lambda i: i % 2 > 0), version(3, 200, lambda i: i % 5 > 0)]))
        numbers = [lambda i: 1, lambda i: 2 if i % 2 == 0 else 1, lambda i: 3 if i % 5 == 0 else 2 if i % 2 == 0 else 1]
        listed = ", ".join(f"c{i}" for i in range(self.COUNT))
        self.assertEqual(cluster.rows(f"SELECT {listed} FROM s.t ORDER BY _fivetran_start"), [
            tuple(self.value(i, number(i)) for i in range(self.COUNT)) for number in numbers])


class Trouble(Base):
    def failure(self, name, **settings):
        return connector.call("Test", name=name, configuration=cluster.config(**settings)).failure

    def test_form_and_setup(self):
        form = connector.call("ConfigurationForm")
        self.assertEqual({f.name for f in form.fields}, {"host", "port", "database", "user", "password", "tls", "tls_authorities",
                                                         "nul_characters"})
        for test in form.tests:
            self.assertEqual(self.failure(test.name), "")
        self.assertIn("refused", self.failure("connect", port="1"))
        self.assertIn("password", self.failure("connect", password="wrong"))

    def test_permissions(self):
        cluster.psql("""DROP ROLE IF EXISTS writer; CREATE ROLE writer LOGIN PASSWORD 'Write-9133'; CREATE SCHEMA s;
            CREATE TABLE s.t (id int PRIMARY KEY)""")
        self.config.update(user="writer", password="Write-9133")
        cluster.psql("REVOKE CONNECT ON DATABASE weir FROM public")
        text = self.failure("connect", user="writer", password="Write-9133")
        cluster.psql("GRANT CONNECT ON DATABASE weir TO public")
        self.assertIn('GRANT CONNECT ON DATABASE "weir" TO "writer";', text)
        text = self.failure("permissions", user="writer", password="Write-9133")
        self.assertIn('GRANT CREATE ON DATABASE weir TO writer', text)
        text = self.refused(lambda: self.call("CreateTable", schema_name="new", table=table("t", ("id", "INT", True))))
        self.assertIn('GRANT CREATE, TEMPORARY ON DATABASE "weir" TO "writer"', text)
        text = self.refused(lambda: self.call("CreateTable", schema_name="s", table=table("u", ("id", "INT", True))))
        self.assertIn('GRANT USAGE, CREATE ON SCHEMA "s" TO "writer"', text)
        for granted in ("USAGE ON SCHEMA s", "SELECT ON TABLE s.t"):  # the second lets it come as far as the COPY
            cluster.psql(f"GRANT {granted} TO writer")
            text = self.refused(self.batch(table("t", ("id", "INT", True))).add("replace", ["id"], [{"id": "1"}]).send)
            self.assertIn('GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE "s"."t" TO "writer";', text)
        text = self.refused(lambda: self.alter(table("t", ("id", "LONG", True))))
        self.assertIn('ALTER TABLE "s"."t" OWNER TO "writer";', text)
        cluster.psql("GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE s.t TO writer; REVOKE TEMPORARY ON DATABASE weir FROM public")
        text = self.refused(self.batch(table("t", ("id", "INT", True))).add("delete", ["id"], [{"id": "1"}]).send)
        self.assertIn('GRANT TEMPORARY ON DATABASE "weir" TO "writer";', text)
        # What the messages asked for is all that a user needs.
        cluster.psql("GRANT CREATE, TEMPORARY ON DATABASE weir TO writer; ALTER TABLE s.t OWNER TO writer")
        for name in ("connect", "permissions"):
            self.assertEqual(self.failure(name, user="writer", password="Write-9133"), "")
        self.written(self.batch(table("t", ("id", "INT", True))).add("replace", ["id"], [{"id": "1"}]).add("delete", ["id"], [{"id": "2"}]))
        self.assertEqual(self.call("AlterTable", schema_name="s", table=table("t", ("id", "LONG", True))).WhichOneof("response"), "success")
        self.create(table("t", ("id", "INT", True)), schema="new")
        cluster.psql("GRANT TEMPORARY ON DATABASE weir TO public; DROP SCHEMA new CASCADE")
        cluster.psql("DROP OWNED BY writer; DROP ROLE writer")

    def test_missing_table_and_column(self):
        wanted = table("t", ("id", "INT", True), ("v", "INT"))
        self.assertIn("'s.t': there is no such table", self.refused(self.batch(wanted).add("replace", ["id", "v"], [{"id": "1", "v": "1"}]).send))
        self.create(table("t", ("id", "INT", True)))
        self.assertIn("'v'", self.refused(self.batch(wanted).add("replace", ["id", "v"], [{"id": "1", "v": "1"}]).send))

    def test_nothing_half_applied(self):
        """R-BAT-10, R-DST-06: a request that fails late leaves the table as it was."""
        wanted = table("t", ("id", "INT", True), ("v", "INT"))
        self.create(wanted)
        rows = [{"id": str(i), "v": "1"} for i in range(300000)]
        bad = self.batch(wanted).add("replace", ["id", "v"], rows).add("update", ["id", "v"], [{"id": "1", "v": "2"}])
        bad.add("delete", ["id"], [{"id": "no number"}])
        self.refused(bad.send)
        self.assertEqual(self.row_count("t"), 0)

    def test_damaged_files(self):
        """The case of tests/destinations, on this server."""
        run = Path(__file__).resolve().parent.parent / "destinations" / "run.py"
        with tempfile.TemporaryDirectory(prefix="weir-damaged-") as folder:
            done = subprocess.run([sys.executable, "-B", run, f"{BIN}/destination-postgresql", "postgresql", folder, "damaged_files"],
                                  env={**os.environ, **cluster.env}, capture_output=True, text=True, timeout=120)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_connection_lost(self):
        wanted = table("t", ("id", "INT", True))
        self.create(wanted)
        import threading
        import time
        batch = self.batch(wanted).add("replace", ["id"], [{"id": str(i)} for i in range(400000)])
        stop = threading.Event()

        def shoot():
            while not stop.is_set():
                cluster.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'weir destination'"
                             " AND xact_start IS NOT NULL")
                time.sleep(0.01)

        shooter = threading.Thread(target=shoot)
        shooter.start()
        try:
            text = self.refused(batch.send)
        finally:
            stop.set()
            shooter.join()
        self.assertIn("connection", text)
        self.assertEqual(self.row_count("t"), 0)
        self.written(batch)
        self.assertEqual(self.row_count("t"), 400000)

    def test_parallel(self):
        """R-RPC-06: eight tables are created in one new schema and written at the same time."""
        from concurrent.futures import ThreadPoolExecutor

        def load(number):
            wanted = table(f"t{number}", ("id", "INT", True), ("v", "STRING"))
            self.create(wanted)
            for value in ("a", "b"):
                self.written(self.batch(wanted).add("replace", ["id", "v"], [{"id": str(i), "v": value} for i in range(20000)]))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(load, range(8)))
        for number in range(8):
            self.assertEqual(cluster.rows(f"SELECT count(*), min(v), max(v) FROM s.t{number}"), [("20000", "b", "b")])

    def test_parallel_on_one_table(self):
        """Eight requests for one table follow each other, each with all of its rows or none, whatever they do."""
        from concurrent.futures import ThreadPoolExecutor
        wanted = table("t", ("id", "INT", True), ("v", "STRING"))
        self.create(wanted)

        def write(number):
            rows = [{"id": str(i), "v": str(number)} for i in range(5000)]
            own = [{"id": str(10000 + number), "v": "own"}]
            self.written(self.batch(wanted).add("replace", ["id", "v"], rows + own).add("update", ["id", "v"], rows[:10])
                         .add("delete", ["id"], [{"id": str(4000 + i)} for i in range(10)]))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(8)))
        self.assertEqual(cluster.rows("SELECT count(*), count(DISTINCT v) FROM s.t WHERE id < 10000"), [("4990", "1")])
        self.assertEqual(cluster.rows("SELECT count(*) FROM s.t WHERE v = 'own'"), [("8",)])

    def test_sessions_are_used_again(self):
        """Up to eight connections wait for the next request; one that the server has closed is no trouble."""
        sessions = "SELECT pid::text FROM pg_stat_activity WHERE application_name = 'weir destination'"
        wanted = table("t", ("id", "INT", True))
        cluster.psql(f"SELECT pg_terminate_backend(pid::int, 10000) FROM ({sessions}) s")
        self.create(wanted)
        first = cluster.rows(sessions)
        self.assertEqual(len(first), 1)
        self.written(self.batch(wanted).add("replace", ["id"], [{"id": "1"}]))
        self.assertEqual(cluster.rows(sessions), first)
        cluster.psql(f"SELECT pg_terminate_backend(pid::int, 10000) FROM ({sessions}) s")
        self.written(self.batch(wanted).add("replace", ["id"], [{"id": "2"}]))
        second = cluster.rows(sessions)
        self.assertEqual(len(second), 1)
        self.assertNotEqual(second, first)
        # A request that failed in its transaction takes its connection with it.
        self.refused(self.batch(wanted).add("replace", ["id"], [{"id": "none"}]).send)
        self.assertEqual(self.row_count("t"), 2)
        self.described("t")
        third = set(cluster.rows(sessions)) - set(second)
        self.assertEqual(len(third), 1)
        # Setup tests prove that a connection can be opened.
        self.assertTrue(connector.call("Test", configuration=self.config, name="connect").success)
        self.assertEqual(len(set(cluster.rows(sessions)) - set(second) - third), 1)

    def test_tls(self):
        """verify-full trusts only the given authorities and the right name."""
        import subprocess
        folder = cluster.env["PGDATA"]
        for name in ("server", "stranger"):
            subprocess.run(["openssl", "req", "-new", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                            "subjectAltName=DNS:localhost", "-out", f"{folder}/{name}.crt", "-keyout", f"{folder}/{name}.key"],
                           check=True, capture_output=True)
        subprocess.run(f"chown --reference={folder}/PG_VERSION {folder}/*.key {folder}/*.crt; chmod 600 {folder}/*.key", shell=True, check=True)
        cluster.psql("ALTER SYSTEM SET ssl = on; SELECT pg_reload_conf()")
        for _ in range(100):
            if self.failure("connect", tls="require") == "":
                break
        self.assertEqual(self.failure("connect", tls="require"), "")
        good = {"tls": "verify-full", "host": "localhost", "tls_authorities": f"{folder}/server.crt"}
        self.assertEqual(self.failure("connect", **good), "")
        self.assertIn("certificate", self.failure("connect", **{**good, "tls_authorities": f"{folder}/stranger.crt"}))
        self.assertIn("127.0.0.1", self.failure("connect", **{**good, "host": "127.0.0.1"}))
