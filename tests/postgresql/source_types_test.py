"""source-postgresql: every type, compared with what psql says about the same row."""
import datetime
import random
import struct
import unittest

import kit

BIN = MESSAGES = None

# column, SQL type, wire type, params, values as SQL
TYPES = [
    ("b", "boolean", "BOOLEAN", "true", "false", "NULL"),
    ("i2", "smallint", "SHORT", "-32768", "32767", "0", "NULL"),
    ("i4", "integer", "INT", "-2147483648", "2147483647", "NULL"),
    ("i8", "bigint", "LONG", "-9223372036854775808", "9223372036854775807", "NULL"),
    ("f4", "real", "FLOAT", "1.17549435e-38", "3.4028235e38", "-0.1", "'NaN'", "'Infinity'", "'-Infinity'", "NULL"),
    ("f8", "double precision", "DOUBLE", "5e-324", "1.7976931348623157e308", "0.1", "'NaN'", "'-Infinity'", "NULL"),
    ("n38", "numeric(38,0)", "DECIMAL(38,0)", "99999999999999999999999999999999999999",
     "-99999999999999999999999999999999999999", "0", "10000", "NULL"),
    ("n10_2", "numeric(10,2)", "DECIMAL(10,2)", "12345678.91", "-0.01", "0.10", "1", "NULL"),
    ("n37_37", "numeric(37,37)", "DECIMAL(37,37)", "0.0000000000000000000000000000000000001", "-0.5",
     "0.00001234", "NULL"),
    ("n8_4", "numeric(8,4)", "DECIMAL(8,4)", "0.0001", "9999.9999", "1000.0001", "0.0100", "NULL"),
    ("n39", "numeric(39,1)", "STRING", "12345678901234567890123456789012345678.9", "NULL"),
    ("n_neg", "numeric(5,-3)", "STRING", "12345000", "NULL"),
    ("n_any", "numeric", "STRING", "'NaN'", "'Infinity'", "'-Infinity'", "1e-30", "1e40", "100.00", "-0.00001", "0", "NULL"),
    ("t", "text", "STRING", "''", "'ünïcödé 🦆'", "E'tab\\tline\\nreturn\\r\\\\'", "repeat('x', 300000)", "NULL"),
    ("vc", "varchar(20)", "STRING", "'with space '", "NULL"),
    ("ch", "char(5)", "STRING", "'ab'", "NULL"),
    ("ch1", '"char"', "STRING", "'x'", "NULL"),
    ("nm", "name", "STRING", "'a name'", "NULL"),
    ("u", "uuid", "STRING", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "NULL"),
    ("ip", "inet", "STRING", "'192.168.0.1/24'", "'::1'", "NULL"),
    ("net", "cidr", "STRING", "'10.0.0.0/8'", "NULL"),
    ("mac", "macaddr", "STRING", "'08:00:2b:01:02:03'", "NULL"),
    ("mood", "mood", "STRING", "'sad'", "'happy'", "NULL"),
    ("iv", "interval", "STRING", "'1 year 2 mons 3 days 04:05:06.789'", "'-1 day'", "NULL"),
    ("tm", "time", "STRING", "'00:00:00'", "'24:00:00'", "'12:34:56.789012'", "NULL"),
    ("tmz", "timetz", "STRING", "'12:34:56+05:30'", "NULL"),
    ("bits", "bit(3)", "STRING", "B'101'", "NULL"),
    ("vbits", "bit varying", "STRING", "B'10111'", "NULL"),
    ("pt", "point", "STRING", "'(1,2)'", "NULL"),
    ("rng", "int4range", "STRING", "'[1,5)'", "NULL"),
    ("tsv", "tsvector", "STRING", "'a fat cat'", "NULL"),
    ("cash", "money", "STRING", "'$1,234.50'", "NULL"),
    ("o", "oid", "STRING", "4294967295", "NULL"),
    ("pair", "pair", "STRING", "ROW(1, 'x, y')::pair", "NULL"),
    ("ai", "integer[]", "JSON", "'{1,NULL,3}'", "'{{1,2},{3,4}}'", "'{}'", "NULL"),
    ("at", "text[]", "JSON", "ARRAY['a\"b', 'c,d', NULL]", "NULL"),
    ("j", "json", "JSON", "'{\"a\" : 1.0,  \"a\": null}'", "'null'", "NULL"),
    ("jb", "jsonb", "JSON", "'{\"a\": [1, 2.50, \"x\"]}'", "'\"s\"'", "NULL"),
    ("x", "xml", "XML", "'<a b=\"c\">t</a>'", "NULL"),
    ("by", "bytea", "BINARY", "'\\x'", "'\\x00ff10'", "NULL"),
    ("d", "date", "NAIVE_DATE", "'2024-02-29'", "'0001-01-01'", "'9999-12-31'", "'1969-12-31'", "NULL"),
    ("ts", "timestamp", "NAIVE_DATETIME", "'2024-02-29 12:34:56.789012'", "'0001-01-01 00:00:00'",
     "'9999-12-31 23:59:59.999999'", "'1969-12-31 23:59:59.999999'", "NULL"),
    ("tz", "timestamptz", "UTC_DATETIME", "'2024-02-29 12:34:56.000001+05:30'", "'1900-01-01 00:00:00+00'", "NULL"),
    ("dom", "posint", "INT", "7", "NULL"),
    ("dom2", "price2", "DECIMAL(9,3)", "7.125", "NULL"),
]

SETUP = """
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN posint AS int CHECK (VALUE > 0);
CREATE DOMAIN price AS numeric(9,3);
CREATE DOMAIN price2 AS price;
"""

EPOCH = datetime.datetime(1970, 1, 1)


def shown(tag, value):
    """What psql's text must mean for a cell of that tag."""
    if value is None:
        return None
    if tag == "bool":
        return (tag, value == "t")
    if tag in ("short", "int", "long"):
        return (tag, int(value))
    if tag == "float":
        return (tag, struct.pack("<f", float(value)))
    if tag == "double":
        return (tag, struct.pack("<d", float(value)))
    if tag == "binary":
        return (tag, bytes.fromhex(value[2:]))
    if tag in ("naive_date", "naive_datetime", "utc_datetime"):
        text = value.replace("+00", "")
        form = "%Y-%m-%d" if tag == "naive_date" else "%Y-%m-%d %H:%M:%S.%f" if "." in text else "%Y-%m-%d %H:%M:%S"
        delta = datetime.datetime.strptime(text, form) - EPOCH
        return (tag, delta.days * 86400 + delta.seconds, delta.microseconds * 1000)
    return (tag, value)


def comparable(cell):
    """Floats by their bits, so that NaN equals NaN and -0 differs from 0."""
    if cell is not None and cell[0] in ("float", "double"):
        return (cell[0], struct.pack("<f" if cell[0] == "float" else "<d", cell[1]))
    return cell


def setUpModule():
    global cluster
    cluster = kit.Cluster()


def tearDownModule():
    cluster.stop()


class Types(unittest.TestCase):
    def test_every_type(self):
        """R-SRC-07: no NAIVE_TIME; nanos count forward before 1970; types and values of the table in the README."""
        cluster.psql(SETUP)
        count = max(len(t) - 3 for t in TYPES)
        cluster.psql("CREATE TABLE everything (id int PRIMARY KEY, %s)" % ", ".join(f'"{t[0]}" {t[1]}' for t in TYPES))
        for i in range(count):
            values = [t[3 + i] if i < len(t) - 3 else "NULL" for t in TYPES]
            cluster.psql(f"INSERT INTO everything VALUES ({i}, {', '.join(values)})")
        with kit.running(f"{BIN}/source-postgresql", MESSAGES) as source:
            reply = source.call("Schema", configuration=cluster.config())
            self.check_schema(reply)
            synced = kit.Synced({("public", "everything"): ["id"]})
            self.assertTrue(synced.take(source.update(cluster.config())))
        self.assertEqual(synced.warnings, [])
        rows = synced.tables[("public", "everything")]
        self.assertEqual(len(rows), count)
        for column, sql_type, wire, *_ in TYPES:
            expression = f'array_to_json("{column}")' if sql_type.endswith("[]") else f'"{column}"'
            for key, text in cluster.rows(f"SELECT id, {expression} FROM everything"):
                cell = rows[(("int", int(key)),)].get(column)
                if cell is not None:
                    self.assertEqual(cell[0], self.tag(wire), column)
                self.assertEqual(comparable(cell), shown(self.tag(wire), text), f"{column} of row {key}")

    @staticmethod
    def tag(wire):
        name = wire.split("(")[0].lower()
        return {"boolean": "bool"}.get(name, name)

    def check_schema(self, reply):
        table = next(t for s in reply.with_schema.schemas if s.name == "public" for t in s.tables
                     if t.name == "everything")
        names = MESSAGES["Column"].DESCRIPTOR.fields_by_name["type"].enum_type.values_by_number
        seen = {}
        for column in table.columns:
            text = names[column.type].name
            if column.params.WhichOneof("params") == "decimal":
                text += f"({column.params.decimal.precision},{column.params.decimal.scale})"
            seen[column.name] = text
            self.assertEqual(column.primary_key, column.name == "id")
        self.assertEqual(seen, {"id": "INT", **{t[0]: t[2] for t in TYPES}})

    def test_random_numerics(self):
        """2,000 numerics of every length, scale and place of the point, by seed."""
        rng = random.Random(2)
        rows = []
        for i in range(2000):
            digits = str(rng.randrange(10 ** rng.randrange(1, 120)))
            point = rng.randrange(-20, len(digits) + 1)
            text = ("0." + "0" * -point + digits if point <= 0 else digits[:point] + ("." + digits[point:] if digits[point:] else ""))
            text += "0" * rng.randrange(5) if "." in text else ""
            rows.append((i, rng.choice(["", "-"]) + text, rng.choice(["", "-"]) + str(rng.randrange(10 ** rng.randrange(1, 39)))))
        cluster.psql("CREATE TABLE numerics (id int PRIMARY KEY, v numeric, w numeric(38,19))")
        cluster.psql("INSERT INTO numerics VALUES " + ", ".join(f"({i}, {v}, {w}::numeric / 1e19)" for i, v, w in rows))
        synced = kit.Synced({("public", "numerics"): ["id"]})
        selection = {"with_schema": {"schemas": [{"included": True, "schema_name": "public", "tables": [
            {"included": True, "table_name": "numerics", "include_new_columns": True}]}]}}
        with kit.running(f"{BIN}/source-postgresql", MESSAGES) as source:
            synced.take(source.update(cluster.config(), selection=selection))
        got = [(str(r["id"][1]), r["v"][1], r["w"][1]) for r in synced.tables[("public", "numerics")].values()]
        self.assertEqual(sorted(got), sorted(cluster.rows("SELECT id, v, w FROM numerics")))

    def test_values_without_a_place(self):
        """Infinity and BC become the bounds, NaN in a DECIMAL becomes NULL; each is told once."""
        cluster.psql("""CREATE TABLE odd (id int PRIMARY KEY, d date, ts timestamp, tz timestamptz, n numeric(10,2));
            INSERT INTO odd VALUES (1, 'infinity', 'infinity', '-infinity', 'NaN'),
                                   (2, '0044-03-15 BC', '12000-01-01', 'infinity', 'NaN'), (3, '2024-01-01', NULL, NULL, 1)""")
        with kit.running(f"{BIN}/source-postgresql", MESSAGES) as source:
            synced = kit.Synced({("public", "odd"): ["id"]})
            selection = {"with_schema": {"schemas": [{"included": True, "schema_name": "public", "tables": [
                {"included": True, "table_name": "odd", "include_new_columns": True}]}]}}
            synced.take(source.update(cluster.config(), selection=selection))
        rows = synced.tables[("public", "odd")]
        last_day, last, first = 253402214400, 253402300799, -62135596800
        one, two = rows[(("int", 1),)], rows[(("int", 2),)]
        self.assertEqual(one["d"], ("naive_date", last_day, 0))
        self.assertEqual(one["ts"], ("naive_datetime", last, 999999000))
        self.assertEqual(one["tz"], ("utc_datetime", first, 0))
        self.assertEqual(two["d"], ("naive_date", first, 0))
        self.assertEqual(two["ts"], ("naive_datetime", last, 999999000))
        self.assertEqual(two["tz"], ("utc_datetime", last, 999999000))
        self.assertIsNone(one.get("n"))
        self.assertEqual(len(synced.warnings), 4, synced.warnings)
