"""What a destination must do, case by case. Each function gets a Bench and names the rules it holds."""
import contextlib
import datetime
import decimal
import os
import pathlib
import random
import sqlite3
import string
import subprocess
import threading
import time

import kit
import stores
from kit import UNCHANGED, Column, Failed, Files, Model

D = decimal.Decimal
SYNCED = Column("_fivetran_synced", "UTC_DATETIME")
DELETED = Column("_fivetran_deleted", "BOOLEAN")
NOW = 1_700_000_000 * 10**9
FAR = (datetime.date(9999, 12, 31) - kit.EPOCH).days * kit.DAY_NS + kit.DAY_NS - 10**6


class Bench:
    """A folder, a store in it, and the program under test, which runs whenever `run` is asked for."""

    def __init__(self, program, store, folder, protocol):
        self.program, self.folder, self.protocol = program, pathlib.Path(folder), protocol
        self.path = self.folder / store.file
        self.store = store(self.path, pathlib.Path(program).parent)
        self.running = None

    @property
    def run(self):
        if self.running is None:
            self.running = self.start()
        return self.running

    def start(self, more=None, **options):
        return kit.Destination(self.program, self.protocol, {**self.store.configuration(self.path), **(more or {})}, **options)

    def stop(self):
        """SIGTERM; a clean end is part of every case (R-RPC-06)."""
        if self.running:
            code, self.running = self.running.stop(), None
            assert code == 0, f"exit code {code}"

    def files(self, **options):
        return Files(self.folder, **options)

    def write(self, model, table, *steps, schema="s", files=None):
        """Sends (kind, rows) steps in one request and applies them to the model in the rules' order."""
        files = files or self.files(seed=len(steps))
        for kind, rows in steps:
            files.add(kind, model.columns, rows)
        self.run.write(schema, table, model.columns, files.request())
        for wanted in ("replace", "update", "delete"):
            for kind, rows in steps:
                if kind == wanted:
                    model.apply(kind, rows)
        return files

    def rows(self, table, columns, schema="s"):
        if self.store.name == "duckdb":
            self.stop()  # DuckDB lets only one process have the file open
        return self.store.rows(schema, table, columns)

    def check(self, model, table, schema="s"):
        kit.compare(model.columns, list(model.rows.values()), self.rows(table, model.columns, schema))


@contextlib.contextmanager
def refused(kind=None, *words):
    """The block fails, and the text has the words."""
    try:
        yield
    except Failed as failure:
        assert kind is None or failure.kind == kind, f"{failure.kind}, not {kind}: {failure.text}"
        for word in words:
            assert word in failure.text, f"{word!r} is not in {failure.text!r}"
        assert len(failure.text) < 2000
        return
    raise AssertionError("it was accepted")


ALL = [Column("id", "LONG", True), Column("b", "BOOLEAN"), Column("s", "SHORT"), Column("i", "INT"), Column("l", "LONG"),
       Column("d", "DECIMAL", params=(38, 0)), Column("d37", "DECIMAL", params=(38, 37)), Column("d2", "DECIMAL", params=(4, 2)),
       Column("d9", "DECIMAL", params=(9, 3)), Column("d18", "DECIMAL", params=(18, 6)), Column("dn", "DECIMAL"),
       Column("f", "FLOAT"), Column("g", "DOUBLE"), Column("nd", "NAIVE_DATE"), Column("nt", "NAIVE_TIME"),
       Column("ndt", "NAIVE_DATETIME"), Column("u", "UTC_DATETIME"), Column("bin", "BINARY"), Column("x", "XML"),
       Column("t", "STRING"), Column("t9", "STRING", params=256), Column("j", "JSON"), SYNCED, DELETED]

TEXTS = ["", "null", "NULL", '"null"', kit.UNMODIFIED[:-1], " ", "a,b", 'say "hi"', "C:\\Program Files\\", "line\nbreak",
         "cr\rlf\r\nend", "nul\0inside", "\0", "tab\tvt\vff\fnel\x85ls\u2028ps\u2029", "𝄞 🦆 e\u0301", "ÿ" * 40, "'; --",
         "x" * 100_000, "12 bytes here", "exactly12byt", "007", "1e5", "Infinity"]


def extremes():
    """Rows with the ends and oddities of every type (R-BAT-08)."""
    rows = []
    values = {
        "b": [True, False], "s": [-2**15, 2**15 - 1, 0], "i": [-2**31, 2**31 - 1], "l": [-2**63, 2**63 - 1, 2**53 + 1],
        "d": [D("9" * 38), D("-" + "9" * 38), D(0), D("1E3")],
        "d37": [D("9." + "9" * 37), D("-0." + "0" * 36 + "1"), D("1.5")], "d2": [D("99.99"), D("-0.01"), D("7")],
        "d9": [D("999999.999"), D("-1.1")], "d18": [D("-999999999999.999999"), D("0.000001")],
        "dn": [D("12345678901234567890.123456789012345678"), D("-0.5"), D("0.00")],
        "f": [kit.float32(3.4028235e38), kit.float32(1e-45), kit.float32(0.1), float("nan"), float("inf"), -0.0],
        "g": [1.7976931348623157e308, 5e-324, -0.1, 200.0, float("nan"), float("-inf")],
        "nd": [datetime.date(1, 1, 1), datetime.date(9999, 12, 31), datetime.date(1582, 10, 10), datetime.date(2024, 2, 29)],
        "nt": [0, kit.DAY_NS - 1, 15 * 3600 * 10**9, 10**6], "bin": [bytes(range(256)), b"", b"\0", b"\xff" * 13],
        "ndt": [-62135596800 * 10**9, FAR + 999_999, -1, 0, 1, NOW + 123_456_789], "u": [-62135596800 * 10**9, FAR, -1, 10**3],
        "x": ["<a>\n  <b/>\n</a>", ""], "t": TEXTS, "t9": TEXTS[:8], "j": ["null", "[1, 2]", '{"a": "\\u00e9"}', '"x"', "1.50", ""],
    }
    for at in range(max(map(len, values.values()))):
        row = {name: some[at % len(some)] for name, some in values.items()}
        rows.append({"id": at, **row, "_fivetran_synced": NOW + at, "_fivetran_deleted": False})
    rows.append({"id": -1, **{name: None for name in values}, "_fivetran_synced": NOW, "_fivetran_deleted": False})
    return rows


def form_and_setup_tests(bench):
    """ConfigurationForm, Test, and configurations that cannot work."""
    form = bench.run.call("ConfigurationForm", bench.run.common.ConfigurationFormRequest(), "ConfigurationFormResponse")
    assert "path" in [field.name for field in form.fields]
    names = [test.name for test in form.tests]
    assert names == ["connect", "write"], names

    def test(name, configuration):
        return bench.run.call("Test", bench.run.common.TestRequest(name=name, configuration=configuration), "TestResponse")

    for name in names:
        assert test(name, {"path": str(bench.path)}).success
    for path in ("/nowhere/at/all/x.db", "", ":memory:", str(bench.folder)):
        answer = test("connect", {"path": path})
        assert answer.WhichOneof("response") == "failure" and answer.failure, path
    (bench.folder / "text.db").write_text("This is no database. " * 1000)
    assert "text.db" in test("connect", {"path": str(bench.folder / "text.db")}).failure
    bench.stop()
    assert not [t for t in bench.store.tables() if "probe" in t]


def folder_and_setup_tests(bench):
    """As above, for a store that is a folder."""
    def test(name, folder):
        request = bench.run.common.TestRequest(name=name, configuration={"folder": folder})
        return bench.run.call("Test", request, "TestResponse")

    form = bench.run.call("ConfigurationForm", bench.run.common.ConfigurationFormRequest(), "ConfigurationFormResponse")
    names = [test.name for test in form.tests]
    assert names == ["library", "write"], names
    for name in names:
        assert test(name, str(bench.path)).success, name
    (bench.folder / "file").write_text("no folder")
    for path in ("/nowhere/at/all", "relative", "", str(bench.folder / "*"), str(bench.folder / "file")):
        assert test("write", path).failure, path
    bench.stop()
    assert sorted(path.name for path in bench.path.iterdir()) == [".weir-lock"]


def describe_and_create(bench):
    """R-DST-01, R-DST-02: missing tables, all types there and back, a second create."""
    assert bench.run.describe("s", "t") is None
    bench.run.create("s", "t", ALL)
    assert bench.run.describe("s", "t") == ALL
    assert bench.run.describe("s", "T_") is None and bench.run.describe("s_", "t") is None
    assert bench.run.describe("other", "t") is None
    with refused(None, "exists"):
        bench.run.create("s", "t", ALL)
    bench.run.create("s2", "t", [Column("k1", "STRING", True, 64), Column("v", "INT"), Column("k2", "UTC_DATETIME", True)])
    assert [c.key for c in bench.run.describe("s2", "t")] == [True, False, True]
    assert bench.run.describe("s", "t") == ALL, "after a restart"


def every_type(bench):
    """R-BAT-08, R-DST-05: the ends of every type, in every container and quoting; R-DST-06: sent twice."""
    model = Model(ALL)
    bench.run.create("s", "t", ALL)
    for at, (compression, encryption, style) in enumerate((c, e, s) for c in ("ZSTD", "GZIP", "OFF") for e in ("AES", "NONE")
                                                          for s in ("official", "everything", "needed")):
        rows = [{**row, "id": row["id"] + (at % 2) * 10} for row in extremes()]
        files = bench.files(compression=compression, encryption=encryption, style=style, seed=at)
        bench.write(model, "t", ("replace", rows), files=files)
        if at % 6 == 0:
            bench.run.write("s", "t", ALL, files.request())
    bench.check(model, "t")
    assert bench.store.damage() == []


def order_of_files(bench):
    """R-DST-05, R-BAT-09: replace, update, delete; later rows win; absent keys ignored; absent and unmodified cells."""
    columns = [Column("id", "INT", True), Column("a", "STRING"), Column("n", "LONG"), Column("u", "UTC_DATETIME"), SYNCED, DELETED]
    model = Model(columns)
    row = lambda id, **cells: {"id": id, "a": UNCHANGED, "n": UNCHANGED, "u": UNCHANGED, "_fivetran_synced": NOW,
                               "_fivetran_deleted": UNCHANGED, **cells}
    bench.run.create("s", "t", columns)
    first = [{"id": i, "a": f"a{i}", "n": i, "u": NOW, "_fivetran_synced": NOW, "_fivetran_deleted": False} for i in range(9)]
    files = bench.write(model, "t", ("replace", first + [{**first[3], "a": "later"}]),
                        ("delete", [{"id": 8}, {"id": 77}]), ("update", [row(1, a="one"), row(99, a="nobody"), row(8, n=5)]))
    bench.check(model, "t")
    bench.run.write("s", "t", columns, files.request())
    bench.check(model, "t")
    # One key in every kind, twice each; cells of one row come from different rows of the file.
    bench.write(model, "t", ("delete", [{"id": 4, "a": "x", "_fivetran_synced": NOW}]),
                ("update", [row(2, a="p"), row(2, n=22), row(2, u=None), row(2, a=None), row(3), row(5, u=NOW + 1)]),
                ("replace", [{**first[2], "n": 1}, {**first[2], "n": 2}]), ("update", [row(2, n=23), row(6, u=NOW + 999)]))
    # Absent columns: NULL in replace files, unmodified in update files.
    bench.write(model, "t", ("replace", [{"id": 0, "_fivetran_synced": NOW}]),
                ("update", [{"id": 7, "n": 70, "_fivetran_synced": NOW + 5}]))
    # A soft delete, and an update that changes nothing.
    bench.write(model, "t", ("update", [row(5, _fivetran_deleted=True), {**row(6), "_fivetran_synced": UNCHANGED}]))
    # Deleted rows come back.
    bench.write(model, "t", ("replace", [first[4], first[8]]))
    # No files, and files of no rows.
    bench.run.write("s", "t", columns, bench.files().request())
    bench.write(model, "t", ("replace", []), ("update", []), ("delete", []))
    bench.check(model, "t")


def keys_by_value(bench):
    """R-DST-07: keys of every type are found again whatever their spelling; keys of two columns."""
    some = {"BOOLEAN": [True, False], "SHORT": [-5, 0, 7], "INT": [-2**31, 3], "LONG": [2**63 - 1, -2**63, 4],
            "DECIMAL": [D("1.0"), D("2"), D("1E2"), D("-0.50"), D("12345678901234567890.5")], "FLOAT": [1.0, kit.float32(0.1), 200.0],
            "DOUBLE": [1.0, 0.1, 1e300, 0.0], "NAIVE_DATE": [datetime.date(2024, 1, 2), datetime.date(1, 1, 1)],
            "NAIVE_TIME": [0, 15 * 3600 * 10**9, 1], "NAIVE_DATETIME": [NOW, NOW + 500_000_000, NOW + 1, -1],
            "UTC_DATETIME": [NOW, NOW + 120_000_000, NOW + 2, NOW + 1, -1], "BINARY": [b"", b"\0", b"\0\0", b"\xff"],
            "XML": ["<a/>"], "STRING": ["", "a", "A", "a ", "𝄞", "x" * 50], "JSON": ["1", "1.0"]}
    spell = {D("1.0"): D("1.000"), D("2"): D("2.0"), D("1E2"): D("100.00")}
    for type, values in some.items():
        params = (30, 8) if type == "DECIMAL" else None
        columns = [Column("k", type, True, params), Column("part", "INT", True), Column("v", "STRING"), SYNCED]
        model = Model(columns)
        bench.run.create("s", "by " + type, columns)
        bench.write(model, "by " + type, ("replace", [
            {"k": v, "part": part, "v": f"{v!r}", "_fivetran_synced": NOW} for v in values for part in (1, 2)]))
        bench.write(model, "by " + type, ("replace", [
            {"k": spell.get(v, v) if type == "DECIMAL" else v, "part": 1, "v": "again", "_fivetran_synced": NOW} for v in values]),
            ("update", [{"k": v, "part": 2, "v": "updated", "_fivetran_synced": UNCHANGED} for v in values[::2]]),
            ("delete", [{"k": v, "part": 2} for v in values[1::2]]))
        assert len(model.rows) == len(values) + len(values[::2])
        bench.check(model, "by " + type)
    columns = [Column("k", "LONG", True), Column("v", "INT")]
    bench.run.create("s", "nokey", columns)
    files = bench.files()
    files.add("replace", columns, [{"k": 1, "v": 2}, {"k": None, "v": 3}])
    with refused(None, "k"):
        bench.run.write("s", "nokey", columns, files.request())
    assert bench.rows("nokey", columns) == []


def names(bench):
    """R-DST-08: any UTF-8 name works; what the store cannot tell apart is refused in words."""
    odd = ['quo"te', "apos'trophe", "dot.ted", "percent%20", "back\\slash", "select", "table", "id", "ROWID", "été 🦆", "x" * 300, "a b",
           "semi;colon", "line\nbreak", "(ns)", "weir_stage", "excluded", "t", "s", "c0", "seq", "m0", "?1", ":p", "$1", "--", "main"]
    columns = [Column("id", "LONG", True)] + [Column(name, "STRING") for name in odd if name != "id"]
    for at, name in enumerate(odd):
        schema = odd[-1 - at]
        model = Model(columns)
        bench.run.create(schema, name, columns)
        assert bench.run.describe(schema, name) == columns, name
        for round in range(2):
            bench.write(model, name, ("replace", [{c.name: 1 if c.key else f"{c.name} {round}" for c in columns}]),
                        ("update", [{"id": 1, **{c.name: UNCHANGED for c in columns[1:]}, columns[1].name: "new"}]),
                        ("delete", [{"id": 5}]), schema=schema)
        bench.check(model, name, schema)
        bench.run.truncate(schema, "not " + name, NOW)
    # A dot in a schema's or a table's name does not make two tables one.
    bench.run.create("a.b", "c", columns[:2])
    bench.run.create("a", "b.c", columns[:3])
    assert (len(bench.run.describe("a.b", "c")), len(bench.run.describe("a", "b.c"))) == (2, 3)
    with refused("task", "Id", "id"):
        bench.run.create("s", "cases", [Column("id", "LONG", True), Column("Id", "LONG")])
    bench.run.create("s", "orders", columns[:2])
    assert bench.run.describe("s", "Orders") is None
    if bench.store.name == "parquet":  # a folder's name tells capitals apart, whatever the file system does
        bench.run.create("s", "Orders", columns[:3])
        assert (len(bench.run.describe("s", "orders")), len(bench.run.describe("s", "Orders"))) == (2, 3)
        return
    with refused("task", "case"):
        bench.run.create("s", "Orders", columns[:2])


def damaged_files(bench):
    """R-BAT-10, R-BAT-09: a bad file names itself, and nothing of its request is applied."""
    columns = [Column("id", "LONG", True), Column("v", "STRING"), SYNCED]
    model = Model(columns)
    rows = [{"id": i, "v": "v" * 30 + str(i), "_fivetran_synced": NOW} for i in range(5000)]
    bench.run.create("s", "t", columns)
    bench.write(model, "t", ("replace", rows[:10]))

    def attempt(spoil, kind="replace", word=None):
        files = bench.files()
        files.add("replace", columns, rows)
        files.add("update", columns, [{"id": 1, "v": "updated", "_fivetran_synced": NOW}])
        path = files.add(kind, columns, rows[20:40])
        spoil(files, path)
        with refused(None, word or os.path.basename(path)):
            bench.run.write("s", "t", columns, files.request())
        bench.check(model, "t")

    def cut(files, path):
        data = pathlib.Path(path).read_bytes()
        pathlib.Path(path).write_bytes(data[:len(data) // 2 // 16 * 16])

    for kind in ("replace", "update", "delete"):
        attempt(lambda files, path: files.keys.update({path: os.urandom(32)}), kind)
        attempt(cut, kind)
        attempt(lambda files, path: os.unlink(path), kind)
    bad = bench.files()
    bad.add("replace", columns, rows)
    bad.add("update", columns + [Column("unknown", "INT")], [{"id": 1, "unknown": 3}])
    with refused(None, "unknown"):
        bench.run.write("s", "t", columns, bad.request())
    bad = bench.files()
    bad.add("replace", columns, rows)
    bad.add_raw("update", b"id,v\nnine,x\n")
    with refused(None, "id"):
        bench.run.write("s", "t", columns, bad.request())
    with refused(None, "t"):
        bench.run.write("s", "missing", columns, bench.files().request())
    wide = columns + [Column("later", "INT")]
    files = bench.files()
    files.add("replace", wide, [{"id": 1, "later": 5}])
    with refused(None, "later"):
        bench.run.write("s", "t", wide, files.request())
    bench.check(model, "t")


def numbers_that_do_not_fit(bench):
    """Nothing is rounded: a decimal past the column's digits is stored exactly or refused."""
    columns = [Column("id", "LONG", True), Column("d", "DECIMAL", params=(10, 2))]
    bench.run.create("s", "t", columns)
    for value in (D("1.234"), D("123456789.1")):
        model = Model(columns)
        try:
            bench.write(model, "t", ("replace", [{"id": 1, "d": value}]))
            bench.check(model, "t")
        except Failed as failure:
            assert "'d'" in failure.text
            assert bench.rows("t", columns) == []


def truncate(bench):
    """R-DST-04: strictly before, to the nanosecond, hard and soft, before 1970 and at zero, missing tables."""
    columns = [Column("id", "INT", True), Column("gone", "BOOLEAN"), SYNCED, DELETED]
    models = {}
    for cut in (NOW, NOW + 1, NOW + 999, NOW + 1000, NOW + 999_999_999, 0, -1, -86400 * 365 * 10**9 - 1):
        for deleted in (None, "_fivetran_deleted", "gone"):
            for fine in (True, False):
                table = f"t{cut} {deleted} {fine}"
                model = models[table] = Model(columns)
                times = [cut, cut - 1000, cut + 1000, cut - 10**6, cut - 10**9, None, FAR, -62135596800 * 10**9]
                times = times + [cut - 1, cut + 1] if fine else [t if t is None else t // 1000 * 1000 for t in times]
                bench.run.create("s", table, columns)
                bench.write(model, table, ("replace", [
                    {"id": i, "gone": False, "_fivetran_synced": t, "_fivetran_deleted": False} for i, t in enumerate(times)]))
                for _ in range(2):
                    bench.run.truncate("s", table, cut, deleted)
                model.truncate(cut, deleted)
    bench.run.truncate("s", "missing", NOW)
    bench.run.truncate("missing", "missing", NOW, "x")
    with refused(None, "nothing"):
        bench.run.truncate("s", table, NOW, "nothing")
    with refused(None, "nothing"):
        bench.run.truncate("s", table, NOW, synced="nothing")
    for table, model in models.items():
        bench.check(model, table)


def alter_columns(bench):
    """R-DST-03: add, widen, leave out, drop; the same again; another order; rows stay."""
    columns = [Column("id", "INT", True), Column("a", "SHORT"), Column("b", "STRING", params=16), Column("c", "DECIMAL", params=(6, 2)),
               Column("f", "FLOAT"), Column("day", "NAIVE_DATE"), Column("u", "UTC_DATETIME"), Column("ok", "BOOLEAN"), SYNCED]
    model = Model(columns)
    rows = [{"id": i, "a": i * 3 - 20, "b": f"text {i}", "c": D(i) / 4, "f": kit.float32(i / 3), "day": datetime.date(2024, 1, 1 + i),
             "u": NOW + i * 500_000_000 + (i == 7), "ok": i % 2 == 0, "_fivetran_synced": NOW} for i in range(20)]
    rows.append({"id": 100, "_fivetran_synced": NOW})
    bench.run.create("s", "t", columns)
    bench.write(model, "t", ("replace", rows))

    def alter(wanted, drop=False, expected=None):
        bench.run.alter("s", "t", wanted, drop)
        described = bench.run.describe("s", "t")
        assert sorted(map(repr, described)) == sorted(map(repr, expected or wanted)), described
        bench.run.alter("s", "t", wanted, drop)
        assert bench.run.describe("s", "t") == described, "the same again changes nothing"
        if expected is None:
            model.columns = wanted
            for row in model.rows.values():
                for column in wanted:
                    row.setdefault(column.name, None)
        bench.check(model, "t")

    alter(columns[::-1], expected=columns)
    bench.write(model, "t", ("replace", rows[:3]))
    new = [Column("id", "LONG", True), Column("a", "LONG"), Column("b", "STRING", params=64), Column("c", "DECIMAL", params=(20, 5)),
           Column("f", "DOUBLE"), Column("day", "NAIVE_DATETIME"), *columns[6:], Column("new", "JSON"), Column("ts", "UTC_DATETIME")]
    for row in model.rows.values():
        day = row["day"]
        row["day"] = day and (day - kit.EPOCH).days * kit.DAY_NS
    alter(new)
    bench.write(model, "t", ("replace", [{"id": 2**40, "a": 2**40, "new": "{}", "ts": NOW + 1, "_fivetran_synced": NOW}]),
                ("update", [{"id": 3, "new": "3", "a": UNCHANGED}]))
    bench.check(model, "t")
    # Everything as text: what batch files would say.
    texts = [Column(c.name, "STRING") if c.name in ("a", "c", "f", "day", "u", "ok", "new") else c for c in new]
    for row in model.rows.values():
        for c in new:
            if c.name in ("a", "day", "u", "ok", "new") and row[c.name] is not None:
                row[c.name] = kit.cell_text(c.type, row[c.name])
    found = {}

    def same_numbers(actual):
        """Numbers as text may be spelled in more than one way: compare them as numbers."""
        for row in actual:
            expected = model.rows[(row["id"],)]
            for name in ("c", "f"):
                assert (row[name] is None) == (expected[name] is None)
                if row[name] is not None:
                    read = D if name == "c" else float
                    assert read(row[name]) == expected[name], (row[name], expected[name])
                found[(row["id"], name)] = row[name]
            for name in ("day", "u"):
                if row[name] is not None and row[name] != expected[name]:
                    head, _, tail = row[name].partition(".")
                    assert head + ("." + tail.rstrip("0Z").rstrip(".") if tail.strip("0Z") else "") + "Z" * (name == "u") in (
                        expected[name], expected[name] + "Z"), (row[name], expected[name])
                found[(row["id"], name)] = row[name]

    bench.run.alter("s", "t", texts)
    same_numbers(bench.rows("t", texts))
    model.columns = texts
    for (id, name), text in found.items():
        model.rows[(id,)][name] = text
    bench.check(model, "t")
    # Left out: stays, with its values, and NULL in rows that come anew or whole.
    fewer = [c for c in texts if c.name not in ("b", "ok")]
    kept = {"b": None, "ok": None}
    alter(fewer, expected=texts)
    files = bench.files()
    whole = {"id": 5, "a": "whole", "_fivetran_synced": NOW + 1}
    files.add("replace", fewer, [whole, {**whole, "id": 6000}])
    files.add("update", fewer, [{"id": 6, "a": "part"}])
    bench.run.write("s", "t", fewer, files.request())
    model.apply("replace", [{**whole, **kept}, {**whole, **kept, "id": 6000}])
    model.apply("update", [{"id": 6, "a": "part"}])
    bench.check(model, "t")
    # Dropped, added and changed at once.
    last = [c for c in texts if c.name not in ("b", "ok", "f")] + [Column("b", "INT")]
    for row in model.rows.values():
        row.pop("b"), row.pop("f")
    bench.run.alter("s", "t", [c for c in last if c.name != "b"], True)
    model.columns = last
    alter(last, True)
    with refused(None):
        bench.run.alter("s", "missing", columns)


def alter_that_cannot_be(bench):
    """R-DST-03: a value without a place in the new type is a task, and the table stays as it was."""
    columns = [Column("id", "LONG", True), Column("t", "STRING"), Column("n", "LONG"), Column("d", "DECIMAL", params=(10, 3))]
    model = Model(columns)
    bench.run.create("s", "t", columns)
    bench.write(model, "t", ("replace", [{"id": 1, "t": "12", "n": 5, "d": D("1.5")}, {"id": 2, "t": "secret", "n": 2**40, "d": D("1.125")}]))
    for name, type, params in (("t", "INT", None), ("t", "UTC_DATETIME", None), ("n", "INT", None), ("d", "DECIMAL", (10, 2)), ("d", "LONG", None)):
        if bench.store.name == "sqlite" and params:
            continue  # SQLite keeps all digits of a decimal whatever its bounds say
        try:
            bench.run.alter("s", "t", [Column(c.name, type, False, params) if c.name == name else c for c in columns])
        except Failed as failure:
            assert failure.kind == "task" and "'s.t'" in failure.text and "secret" not in failure.text, failure
        else:
            raise AssertionError(f"{name} became {type}")
        assert bench.run.describe("s", "t") == columns
        bench.check(model, "t")
    # Where every value has a place, it may.
    bench.write(model, "t", ("delete", [{"id": 2}]))
    wanted = [columns[0], Column("t", "INT"), Column("n", "SHORT"), columns[3]]
    bench.run.alter("s", "t", wanted)
    model.columns = wanted
    model.rows[(1,)]["t"] = 12
    bench.check(model, "t")


def alter_key(bench):
    """R-DST-03: another key, with rows; rows that it cannot tell apart are a task."""
    a, b, v = Column("a", "LONG", True), Column("b", "STRING"), Column("v", "INT")
    keyed = lambda column: Column(column.name, column.type, True)
    free = lambda column: Column(column.name, column.type, False)
    model = Model([a, b, v])
    bench.run.create("s", "t", model.columns)
    bench.write(model, "t", ("replace", [{"a": i, "b": f"b{i // 2}", "v": i} for i in range(10)]))

    def alter(columns):
        bench.run.alter("s", "t", columns)
        bench.run.alter("s", "t", columns)
        assert sorted(map(repr, bench.run.describe("s", "t"))) == sorted(map(repr, columns))
        model.columns = columns
        model.rows = {model.key(row): row for row in model.rows.values()}
        bench.write(model, "t", ("replace", [{"a": 3, "b": "b1", "v": 33}]), ("update", [{"a": 4, "b": "b2", "v": 44}]),
                    ("delete", [{"a": 5, "b": "b2"}]), ("replace", [{"a": 50, "b": "b50", "v": len(columns)}]))
        bench.check(model, "t")

    with refused("task", "key"):
        bench.run.alter("s", "t", [free(a), keyed(b), v])
    assert bench.run.describe("s", "t") == [a, b, v]
    bench.check(model, "t")
    alter([a, keyed(b), v])
    alter([a, b, v])
    alter([a, keyed(b), v])
    # A key column that the source no longer has stays, and is no key.
    model2 = Model([a, keyed(b), v])
    bench.run.create("s", "t2", model2.columns)
    bench.write(model2, "t2", ("replace", [{"a": i, "b": f"b{i}", "v": i} for i in range(4)]))
    bench.run.alter("s", "t2", [keyed(b), v])
    assert [(c.name, c.key) for c in bench.run.describe("s", "t2")] == [("a", False), ("b", True), ("v", False)]
    files = bench.files()
    files.add("replace", [keyed(b), v], [{"b": "b2", "v": 22}, {"b": "new", "v": 1}])
    bench.run.write("s", "t2", [keyed(b), v], files.request())
    model2.columns = [a, keyed(b), v]
    model2.columns[0] = free(a)
    model2.rows = {model2.key(row): row for row in model2.rows.values()}
    model2.apply("replace", [{"b": "b2", "v": 22}, {"b": "new", "v": 1}])
    bench.check(model2, "t2")


def parallel_tables(bench):
    """R-RPC-06: eight tables at once, in one schema and in several, each with its own calls."""
    columns = [Column("id", "LONG", True), Column("v", "STRING"), SYNCED]
    models, failures = {}, []
    bench.run

    def work(number):
        try:
            schema, table = f"schema {number % 3}", f"table {number}"
            model = models[(schema, table)] = Model(columns)
            chance = random.Random(number)
            assert bench.run.describe(schema, table) is None
            bench.run.create(schema, table, columns)
            for round in range(4):
                bench.write(model, table, ("replace", [{"id": chance.randrange(3000), "v": f"{number} {round} {i}", "_fivetran_synced": NOW}
                                                       for i in range(2000)]),
                            ("delete", [{"id": chance.randrange(3000)} for _ in range(200)]), schema=schema)
                assert bench.run.describe(schema, table) == columns
            bench.run.alter(schema, table, columns + [Column("new", "INT")])
        except BaseException as failure:  # handed to the main thread
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not failures, failures
    for (schema, table), model in models.items():
        bench.check(model, table, schema)


def kill_and_send_again(bench):
    """R-DST-06, R-ENG-03: SIGKILL in the middle of a request; the table is the old one or the new one; sent again it is the new one."""
    columns = [Column("id", "LONG", True), Column("v", "STRING"), Column("u", "UTC_DATETIME"), SYNCED]
    model = Model(columns)
    bench.run.create("s", "t", columns)
    bench.write(model, "t", ("replace", [{"id": i, "v": f"old {i}", "u": NOW, "_fivetran_synced": NOW} for i in range(20000)]))
    for attempt in range(8):
        before = Model(columns)
        before.rows = {key: dict(row) for key, row in model.rows.items()}
        files = bench.files(seed=attempt)
        steps = [("replace", [{"id": i * 3, "v": f"new {attempt} {i}", "u": NOW + attempt, "_fivetran_synced": NOW} for i in range(12000)]),
                 ("update", [{"id": i * 2, "v": UNCHANGED, "u": NOW - i, "_fivetran_synced": NOW + attempt} for i in range(8000)]),
                 ("delete", [{"id": attempt * 1000 + i} for i in range(900)])]
        for kind, rows in steps:
            files.add(kind, columns, rows)
            model.apply(kind, rows)
        destination = bench.run
        sender = threading.Thread(target=swallow, args=(lambda: destination.write("s", "t", columns, files.request()),))
        sender.start()
        time.sleep(0.02 + attempt * 0.03)  # the moment of the kill, not a wait for anything
        destination.process.kill()
        sender.join()
        destination.kill()
        bench.running = None
        found = bench.rows("t", columns)
        try:
            kit.compare(columns, list(before.rows.values()), found)
        except AssertionError:
            kit.compare(columns, list(model.rows.values()), found)
        bench.run.write("s", "t", columns, files.request())
        bench.check(model, "t")
        assert bench.store.damage() == []


def swallow(block):
    with contextlib.suppress(Failed):
        block()


def no_room_and_no_permission(bench):
    """A disk that is full and a file that may not be written: one clear error, nothing half applied, and it works again."""
    columns = [Column("id", "LONG", True), Column("v", "STRING"), SYNCED]
    model = Model(columns)
    bench.run.create("s", "t", columns)
    bench.write(model, "t", ("replace", [{"id": i, "v": f"old {i}", "_fivetran_synced": NOW} for i in range(1000)]))
    bench.stop()
    chance = random.Random(1)
    letters = string.ascii_letters
    big = [{"id": i, "v": "".join(chance.choices(letters, k=200)), "_fivetran_synced": NOW} for i in range(30000)]
    files = bench.files()
    files.add("replace", columns, big)
    size = os.path.getsize(bench.path)  # of a file; each part of a folder may be as large as that
    with bench.start(limit_file_size=size + 600_000) as destination:
        with refused(None, "t"):
            destination.write("s", "t", columns, files.request())
    bench.check(model, "t")
    assert bench.store.damage() == []
    bench.run.write("s", "t", columns, files.request())
    model.apply("replace", big)
    bench.check(model, "t")
    bench.stop()
    locked = bench.path / "s" / "t" if bench.path.is_dir() else bench.path
    os.chmod(locked, 0o500 if locked.is_dir() else 0o400)
    with bench.start(obey_permissions=True) as destination:
        with refused("task", str(bench.path)):
            destination.write("s", "t", columns, files.request())
    os.chmod(locked, 0o700 if locked.is_dir() else 0o600)
    bench.check(model, "t")


def no_room_for_several_tables(bench):
    """The disk is full while as many tables are written as there is memory for, or more: each is told so, and soon."""
    columns = [Column("id", "LONG", True), Column("v", "STRING")]
    chance = random.Random(1)
    numbers = list(range(300_000))
    chance.shuffle(numbers)
    text = ("id,v\n" + "".join(f"{i},{chance.getrandbits(300):x}\n" for i in numbers)).encode()
    tables = [f"t{number}" for number in range(4)]
    for table in tables:
        bench.run.create("s", table, columns)
    bench.stop()
    told = {}

    def work(destination, table):
        try:
            files = bench.files()
            files.add_raw("replace", text)
            destination.write("s", table, columns, files.request(), timeout_s=50)
            told[table] = "written"
        except Failed as failure:
            told[table] = failure.text

    with bench.start(limit_file_size=os.path.getsize(bench.path) + 300_000) as destination:
        threads = [threading.Thread(target=work, args=(destination, table)) for table in tables]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(told) == tables and all("Could not write" in text or "disk" in text for text in told.values()), told
    assert [bench.rows(table, columns) for table in tables] == [[]] * len(tables)


def many_rows(bench):
    """More rows than one stage or page cache holds, fine times that come late, one key many times; memory stays bounded."""
    columns = [Column("id", "LONG", True), Column("at", "UTC_DATETIME", True), Column("v", "STRING"), Column("n", "INT"), SYNCED]
    model = Model(columns)
    count = 300_000
    bench.run.create("s", "t", columns)
    rows = [{"id": i * 7919 % count, "at": NOW, "v": f"value {i}", "n": i, "_fivetran_synced": NOW} for i in range(count)]
    rows[-5]["at"] += 1  # the first value past the microsecond, after more rows than fit into memory at once
    rows[-4]["_fivetran_synced"] += 1
    rows += [{"id": 5, "at": NOW, "v": f"hot {i}", "n": i, "_fivetran_synced": NOW} for i in range(1000)]
    bench.write(model, "t", ("replace", rows))
    updates = [{"id": i, "at": NOW, "v": UNCHANGED if i % 2 else f"u{i}", "n": i if i % 2 else UNCHANGED, "_fivetran_synced": NOW + 2}
               for i in range(0, count, 2)]
    updates += [{"id": 7, "at": NOW, "v": UNCHANGED, "n": i, "_fivetran_synced": NOW} for i in range(1000)]
    bench.write(model, "t", ("update", updates), ("delete", [{"id": i, "at": NOW} for i in range(1, count, 5)]))
    peak = bench.run.memory_peak_mb()
    assert peak < 700, f"{peak} MB"
    bench.check(model, "t")


def more_rows_than_memory(bench):
    """A first load in one request of more than DuckDB may hold, sorted as sources read them; rows of it come again afterwards."""
    count, part, memory = 4_000_000, 1_000_000, {"memory_limit_mb": "128"}
    columns = [Column("id", "LONG", True), Column("v", "LONG"), Column("w", "LONG")]
    destination = bench.running = bench.start(memory)
    destination.create("s", "t", columns)
    files = bench.files()
    for first in range(0, count, part):
        files.add_raw("replace", ("id,v,w\n" + "".join(f"{i},{i * 7919 % 1000003},{-i}\n" for i in range(first, first + part))).encode())
    destination.write("s", "t", columns, files.request(), timeout_s=300)
    peak = destination.memory_peak_mb()
    assert peak < 400, f"{peak} MB"
    files = bench.files()
    again = range(part // 2, count, part // 2)
    files.add_raw("replace", ("id,v,w\n" + "".join(f"{i},0,{-i}\n" for i in again)).encode())
    destination.write("s", "t", columns, files.request())
    bench.stop()
    with bench.store.open() as run:
        text = "CAST({} AS VARCHAR)".format
        found, = run(f"SELECT {text('count(*)')}, {text('count(DISTINCT id)')}, {text('sum(v)')}, {text('sum(w)')} FROM s.t")
    values = sum(i * 7919 % 1000003 for i in range(count)) - sum(i * 7919 % 1000003 for i in again)
    assert [int(value) for value in found] == [count, count, values, -sum(range(count))], found


def rising_keys_with_breaks(bench):
    """Eight tables at once, more than have room for their rows: keys that rise for a while, then one that was there (R-DST-05)."""
    count, run_of, back = 240_000, 20_000, 5_000
    columns = [Column("id", "LONG", True), Column("v", "LONG")]
    lines = []
    for i in range(count):
        lines.append(f"{i},{i * 7}\n")
        if i % run_of == run_of - 1:
            lines.append(f"{i - back},-1\n")
    text = ("id,v\n" + "".join(lines)).encode()
    failures = []

    def work(table):
        try:
            for _ in range(2):  # into an empty table, and onto all of its rows
                files = bench.files()
                files.add_raw("replace", text)
                destination.write("s", table, columns, files.request(), timeout_s=120)
        except Exception as error:  # told below, by the thread that runs the test
            failures.append(f"{table}: {error}")

    destination = bench.running = bench.start()
    tables = [f"t{number}" for number in range(8)]
    for table in tables:
        destination.create("s", table, columns)
    threads = [threading.Thread(target=work, args=(table,)) for table in tables]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    bench.stop()
    again = range(run_of - 1 - back, count, run_of)
    values = sum(i * 7 for i in range(count)) - sum(i * 7 + 1 for i in again)
    with bench.store.open() as run:
        for table in tables:
            found, = run(f"SELECT CAST(count(*) AS VARCHAR), CAST(count(DISTINCT id) AS VARCHAR), CAST(sum(v) AS VARCHAR) FROM s.{table}")
            assert [int(value) for value in found] == [count, count, values], (table, found)


def rising_keys_and_a_late_nanosecond(bench):
    """Keys that rise, and only near the end a value past the microsecond, for which the table has no place yet (R-BAT-08)."""
    columns = [Column("id", "LONG", True), Column("at", "UTC_DATETIME"), Column("v", "STRING"), SYNCED]
    model = Model(columns)
    bench.run.create("s", "t", columns)
    rows = [{"id": i, "at": NOW + i * 1000, "v": f"value {i}", "_fivetran_synced": NOW} for i in range(60_000)]
    rows[-500]["at"] += 7
    bench.write(model, "t", ("replace", rows))
    bench.check(model, "t")


def log_of_an_update_in_the_same_request(bench):
    """A text that one request adds and makes NULL, and another gives again, survives a kill: DuckDB 1.5 lost it on the way (R-DST-06)."""
    columns = [Column("id", "LONG", True), Column("v", "STRING"), Column("n", "INT"), SYNCED]
    model = Model(columns)
    bench.run.create("s", "t", columns)
    text = "a text that is not kept in place"
    bench.write(model, "t", ("replace", [{"id": i, "v": text, "n": i, "_fivetran_synced": NOW} for i in range(3)]),
                ("update", [{"id": 1, "v": None, "n": UNCHANGED, "_fivetran_synced": NOW + 1000}]))
    bench.write(model, "t", ("update", [{"id": 1, "v": text, "n": UNCHANGED, "_fivetran_synced": NOW + 2000}]))
    bench.run.process.kill()
    bench.run.kill()
    bench.running = None
    bench.check(model, "t")


def changes_do_not_fill_the_file(bench):
    """Most rows, here and there, are replaced many times: their former values make room for later ones."""
    columns = [Column("id", "LONG", True), Column("v", "STRING"), SYNCED]
    model = Model(columns)
    chance = random.Random(1)
    sizes = []
    bench.run.create("s", "t", columns)
    for round_of in range(12):
        rows = [{"id": i, "v": "".join(chance.choices(string.ascii_letters, k=60)), "_fivetran_synced": NOW + round_of}
                for i in range(30_000) if round_of == 0 or chance.random() < 0.7]
        bench.write(model, "t", ("replace", rows))
        bench.stop()
        sizes.append(os.path.getsize(bench.path))
    assert sizes[-1] < 4 * sizes[0], sizes
    bench.check(model, "t")


def large_cells(bench):
    """Cells of 16 and 30 MB, and a request whose rows are far larger than memory for one stage."""
    columns = [Column("id", "LONG", True), Column("v", "STRING"), Column("b", "BINARY")]
    model = Model(columns)
    bench.run.create("s", "t", columns)
    bench.write(model, "t", ("replace", [{"id": 1, "v": "é" * 8_000_000, "b": os.urandom(1000)}, {"id": 2, "v": "x" * 30_000_000, "b": b""}]))
    bench.write(model, "t", ("replace", [{"id": i, "v": os.urandom(100_000).hex(), "b": os.urandom(100_000)} for i in range(10, 400)]),
                ("update", [{"id": 2, "v": UNCHANGED, "b": b"new"}]))
    assert bench.run.memory_peak_mb() < 1200
    bench.check(model, "t")


def wide_table(bench):
    """A thousand columns: created, described, altered, loaded, updated in part."""
    columns = [Column("id", "LONG", True)] + [Column(f"column {i}", ["STRING", "LONG", "DOUBLE", "UTC_DATETIME"][i % 4]) for i in range(1000)]
    value = lambda c, i: {"STRING": f"{c.name} {i}", "LONG": i, "DOUBLE": i / 2, "UTC_DATETIME": NOW + i}[c.type]
    model = Model(columns)
    bench.run.create("s", "t", columns)
    bench.write(model, "t", ("replace", [{"id": i, **{c.name: value(c, i) for c in columns[1:]}} for i in range(50)]),
                ("update", [{"id": i, **{c.name: value(c, -i) if (k + i) % 7 == 0 else UNCHANGED for k, c in enumerate(columns[1:])}}
                            for i in range(20)] * 2))
    bench.check(model, "t")
    more = columns + [Column(f"new {i}", "INT") for i in range(200)]
    bench.run.alter("s", "t", more)
    assert bench.run.describe("s", "t") == more


def too_wide_table(bench):
    """More columns than SQLite takes: a task that says how many fit, at create and at alter; the most that fit do work."""
    columns = [Column("id", "LONG", True)] + [Column(f"c{i}", "INT") for i in range(1999)]
    with refused("task", "SQLite takes 2000 columns", "Leave columns out"):
        bench.run.create("s", "t", columns + [Column("more", "INT")])
    assert bench.run.describe("s", "t") is None
    bench.run.create("s", "t", columns)
    model = Model(columns)
    rows = [{c.name: i for c in columns} for i in range(2)]
    bench.write(model, "t", ("replace", rows), ("update", [{**rows[0], "c5": UNCHANGED, "c6": 77}]), ("delete", [{"id": 1}]))
    with refused("task", "SQLite takes 2000 columns", "Leave columns out"):
        bench.run.alter("s", "t", columns + [Column("more", "INT")])
    assert bench.run.describe("s", "t") == columns
    bench.check(model, "t")


def abandoned_call(bench):
    """R-RPC-05: a caller that gives up leaves nothing behind, and holds nobody up."""
    columns = [Column("id", "LONG", True), Column("v", "STRING"), SYNCED]
    model = Model(columns)
    bench.run.create("s", "t", columns)
    bench.write(model, "t", ("replace", [{"id": i, "v": "old", "_fivetran_synced": NOW} for i in range(100)]))
    rows = [{"id": i, "v": f"new {i}", "_fivetran_synced": NOW} for i in range(60_000)]
    files = bench.files()
    for _ in range(4):
        files.add("replace", columns, rows)
    for timeout_s in (0.001, 0.02, 0.06, 0.2):
        swallow(lambda: bench.run.write("s", "t", columns, files.request(), timeout_s=timeout_s))
        # Whether the abandoned request was applied or not, the next one comes after it.
        bench.run.write("s", "t", columns, bench_update(bench, columns, f"after {timeout_s}"))
        found = {row["id"]: row["v"] for row in bench.rows("t", columns)}
        assert found[1] == f"after {timeout_s}"
        assert len(found) in (100, 60_000) and {found[i] == f"new {i}" for i in range(2, 100)} == {len(found) == 60_000}
    bench.run.write("s", "t", columns, files.request())
    model.apply("replace", rows)
    bench.check(model, "t")


def bench_update(bench, columns, text):
    files = bench.files()
    files.add("update", columns, [{"id": 1, "v": text, "_fivetran_synced": NOW}])
    return files.request()


def killed_while_the_file_was_made(bench):
    """What a program left that was killed before its new database was whole does not stand in the way."""
    assert bench.store.name == "duckdb", "SQLite's first write is one transaction"
    leftovers = [pathlib.Path(f"{bench.path}.{name}") for name in ("draft", "turn")]
    bench.stop()
    bench.path.unlink(missing_ok=True)
    leftovers[0].write_bytes(bytes(8) + b"DUCK" + bytes(5000))
    leftovers[1].touch()
    bench.run.create("s", "t", [Column("id", "LONG", True)])
    assert bench.run.describe("s", "t") == [Column("id", "LONG", True)]
    assert not [path for path in leftovers if path.exists()]


def file_of_the_first_version(bench):
    """A file that version 0.1 made, by its own statements, is described, written, altered and truncated as ever."""
    columns = [Column("id", "LONG", True), Column("code", "STRING", True, 16), Column("price", "DECIMAL", params=(10, 2)),
               Column("page", "XML"), Column("seen", "UTC_DATETIME"), SYNCED]
    notes = {"id": "LONG KEY", "code": "STRING(16) KEY", "price": "DECIMAL(10,2)", "page": "XML", "seen": "UTC_DATETIME",
             "_fivetran_synced": "UTC_DATETIME", "seen (ns)": "nanoseconds of seen"}
    assert bench.store.name == "duckdb"
    path = bench.store.path_of("s", "t")
    bench.stop()
    bench.path.unlink(missing_ok=True)
    with bench.store.open() as run:
        run(f'CREATE SCHEMA "s"; CREATE TABLE {path} ("id" BIGINT, "code" VARCHAR, "price" DECIMAL(10,2), "page" VARCHAR, '
            '"seen" TIMESTAMP WITH TIME ZONE, "_fivetran_synced" TIMESTAMP WITH TIME ZONE); '
            f'ALTER TABLE {path} ADD COLUMN "seen (ns)" SMALLINT DEFAULT 0')
        for name, note in notes.items():
            run(f"COMMENT ON COLUMN {path}.\"{name}\" IS '{note}'")
        run(f"INSERT INTO {path} SELECT i, 'c' || i, i / 4, '<a/>', make_timestamptz({NOW // 1000} + i), "
            f"make_timestamptz({NOW // 1000}), i FROM range(5) r(i)")
    model = Model(columns)
    model.apply("replace", [{"id": i, "code": f"c{i}", "price": D(i) / 4, "page": "<a/>", "seen": NOW // 1000 * 1000 + i * 1001,
                             "_fivetran_synced": NOW // 1000 * 1000} for i in range(5)])
    bench.check(model, "t")
    assert bench.run.describe("s", "t") == columns
    bench.write(model, "t", ("replace", [{"id": i, "code": f"c{i}", "price": D("9.75"), "seen": NOW + 7, "_fivetran_synced": NOW + 10**9}
                                         for i in (3, 7)]),
                ("update", [{"id": 1, "code": "c1", "seen": NOW + 11, "price": UNCHANGED, "page": UNCHANGED, "_fivetran_synced": UNCHANGED}]),
                ("delete", [{"id": 2, "code": "c2"}]))
    bench.check(model, "t")
    model.columns = [Column("price", "DECIMAL", params=(20, 4)) if c.name == "price" else c for c in columns] + [Column("more", "INT")]
    bench.run.alter("s", "t", model.columns)
    assert bench.run.describe("s", "t") == model.columns
    for row in model.rows.values():
        row.setdefault("more", None)
    bench.check(model, "t")
    bench.run.truncate("s", "t", NOW + 1)
    model.truncate(NOW + 1)
    bench.check(model, "t")


def open_elsewhere(bench):
    """Another program holds the file: a clear error that can be tried again, not a wait without end."""
    columns = [Column("id", "LONG", True)]
    bench.run.create("s", "t", columns)
    bench.stop()
    with bench.start() as other:
        if bench.store.name != "sqlite":
            other.describe("s", "t")
            with refused("error", "another program"):
                bench.run.describe("s", "t")
            bench.stop()
        else:
            lock = sqlite3.connect(bench.path, isolation_level=None)
            lock.execute("BEGIN IMMEDIATE")
            configuration = {"path": str(bench.path), "lock_timeout_seconds": "1"}
            waiting = kit.Destination(bench.program, bench.protocol, configuration)
            assert waiting.describe("s", "t") == columns, "reading goes on"
            with refused("error", "locked"):
                waiting.create("s", "t2", columns)
            lock.execute("ROLLBACK")
            waiting.create("s", "t2", columns)
            assert waiting.stop() == 0
    assert bench.run.describe("s", "t") == columns


def parts_that_are_not_touched_stay(bench):
    """A table of several parts: new keys add parts, changed keys replace those parts that have them, and no others."""
    assert bench.store.name == "parquet"
    columns = [Column("id", "LONG", True), Column("v", "STRING"), SYNCED]
    model = Model(columns)
    rows = lambda ids, v: [{"id": i, "v": v, "_fivetran_synced": NOW + i} for i in ids]
    files = lambda: {part["file"]: part["rows"] for part in bench.store.manifest("s", "t")["parts"]}
    with bench.start(more={"part_rows": "1000"}) as bench.running:
        bench.run.create("s", "t", columns)
        seen = {}
        for first in range(0, 5000, 1000):
            bench.write(model, "t", ("replace", rows(range(first, first + 1000), "first")))
            assert seen.items() <= files().items(), "an append has changed a part"
            seen = files()
        assert len(seen) == 5 and set(seen.values()) == {1000}
        ids = {name: {row["id"] for row in bench.store.part_rows("s", "t", name)} for name in seen}
        for kind, touched in (("replace", [1500, 9000]), ("update", [2500, 2600]), ("delete", [3500])):
            bench.write(model, "t", (kind, rows(touched, kind) if kind != "delete" else [{"id": i} for i in touched]))
            for name, has in ids.items():
                assert (name in files()) == (name in seen and not has & set(touched)), (kind, name)
            seen = files()
        bench.run.truncate("s", "t", NOW + 10)  # of the first part only
        model.truncate(NOW + 10)
        assert sum(name in files() for name in seen) == len(seen) - 1
        bench.check(model, "t")
        assert bench.store.damage() == []


def readers_see_whole_versions(bench):
    """Who reads the files of a manifest sees one version of the table, whatever is written meanwhile."""
    assert bench.store.name == "parquet"
    columns = [Column("id", "LONG", True), Column("v", "INT")]
    bench.run.create("s", "t", columns)
    ids = range(200)
    seen, done = [], threading.Event()

    def read():
        while not done.is_set() or len(seen) < 5:
            manifest = bench.store.manifest("s", "t")
            try:
                found = bench.store.rows_of(manifest, columns)
            except (AssertionError, FileNotFoundError):
                # Two versions later the files may be gone.
                assert bench.store.manifest("s", "t")["version"] > manifest["version"] + 1
                continue
            assert len(found) in (0, len(ids)) and len({row["v"] for row in found}) <= 1, manifest["version"]
            seen.append(manifest["version"])

    failures = []

    def reader():
        try:
            read()
        except BaseException as failure:  # handed to the main thread
            failures.append(failure)

    thread = threading.Thread(target=reader)
    thread.start()
    for version in range(15):
        files = bench.files()
        files.add("replace", columns, [{"id": i, "v": version} for i in ids])
        bench.run.write("s", "t", columns, files.request())
    done.set()
    thread.join()
    assert not failures, failures


def random_value(chance, column, ids):
    if column.key and column.type == "LONG":
        return chance.choice(ids)
    if chance.random() < 0.12 and not column.key:
        return None
    return {
        "BOOLEAN": lambda: chance.random() < 0.5,
        "SHORT": lambda: chance.randrange(-2**15, 2**15), "INT": lambda: chance.randrange(-2**31, 2**31),
        "LONG": lambda: chance.randrange(-2**63, 2**63), "DECIMAL": lambda: D(chance.randrange(-10**10, 10**10)).scaleb(-4),
        "FLOAT": lambda: kit.float32(chance.uniform(-1e6, 1e6)), "DOUBLE": lambda: chance.choice([chance.uniform(-1, 1), 1e300, float("nan")]),
        "NAIVE_DATE": lambda: kit.EPOCH + datetime.timedelta(chance.randrange(-700000, 2900000)),
        "NAIVE_TIME": lambda: chance.randrange(kit.DAY_NS) // chance.choice([1, 10**3, 10**9]) * chance.choice([1]),
        "NAIVE_DATETIME": lambda: chance.randrange(-10**19, 10**20), "BINARY": lambda: chance.randbytes(chance.randrange(20)),
        "UTC_DATETIME": lambda: NOW + chance.randrange(5) * chance.choice([1, 10**3, 10**6]),
        "STRING": lambda: "".join(chance.choices("abc,\"\n\\ é🦆\0", k=chance.randrange(9))) if not column.key else chance.choice("pqr"),
        "JSON": lambda: chance.choice(["{}", "[1]", "null"]), "XML": lambda: "<x/>",
    }[column.type]()


WIDER = {"SHORT": ["INT", "LONG"], "INT": ["LONG"], "FLOAT": ["DOUBLE"], "JSON": ["STRING"], "XML": ["STRING"]}


def random_operations(bench, seed=1):
    """Replace, update and delete files of random rows, sent again now and then, with alters and truncates between, against the model."""
    for round in range(4):
        chance = random.Random(seed * 1000 + round)
        types = ["BOOLEAN", "SHORT", "INT", "LONG", "DECIMAL", "FLOAT", "DOUBLE", "NAIVE_DATE", "NAIVE_TIME", "NAIVE_DATETIME",
                 "UTC_DATETIME", "BINARY", "STRING", "JSON", "XML"]
        make = lambda name, type, key=False: Column(name, type, key, (18, 4) if type == "DECIMAL" else None)
        columns = [make("k0", "LONG", True)] + [make(f"k{i + 1}", chance.choice(["STRING", "UTC_DATETIME", "BOOLEAN"]), True)
                                                for i in range(chance.randrange(3))]
        columns += [make(f"c{i}", chance.choice(types)) for i in range(chance.randrange(1, 12))] + [SYNCED, DELETED]
        chance.shuffle(columns)
        model, table, ids = Model(columns), f"random {seed} {round}", range(chance.choice([5, 40, 400]))
        bench.run.create("s", table, columns)
        for step in range(14):
            files = bench.files(compression=chance.choice(["ZSTD", "GZIP", "OFF"]), encryption=chance.choice(["AES", "NONE"]),
                                style=chance.choice(["official", "everything", "needed"]), seed=chance.random())
            steps = []
            for kind in chance.choices(["replace", "update", "delete"], k=chance.randrange(1, 5)):
                some = model.columns if kind != "update" or chance.random() < 0.7 else [
                    c for c in model.columns if c.key or chance.random() < 0.5]
                rows = [{c.name: UNCHANGED if kind == "update" and not c.key and chance.random() < 0.4 else random_value(chance, c, ids)
                         for c in some} for _ in range(chance.choice([0, 1, 10, 300]))]
                steps.append((kind, rows))
            bench.write(model, table, *steps, files=files)
            if chance.random() < 0.3:
                bench.run.write("s", table, model.columns, files.request())
            if chance.random() < 0.3:
                cut, deleted = NOW + chance.randrange(5) * 10**chance.choice([0, 3, 6]), chance.choice([None, "_fivetran_deleted"])
                bench.run.truncate("s", table, cut, deleted)
                model.truncate(cut, deleted)
            if chance.random() < 0.3:
                model.columns = [Column(c.name, chance.choice(WIDER[c.type]), c.key, None) if c.type in WIDER and chance.random() < 0.3
                                 else c for c in model.columns]
                if chance.random() < 0.5:
                    model.columns = model.columns + [make(f"new{step}", chance.choice(types))]
                    for row in model.rows.values():
                        row[f"new{step}"] = None
                bench.run.alter("s", table, model.columns)
                assert sorted(map(repr, bench.run.describe("s", table))) == sorted(map(repr, model.columns))
        bench.check(model, table)
        assert bench.store.damage() == []


CASES = [form_and_setup_tests, describe_and_create, every_type, order_of_files, keys_by_value, names, damaged_files,
         numbers_that_do_not_fit, truncate, alter_columns, alter_that_cannot_be, alter_key, parallel_tables, kill_and_send_again,
         no_room_and_no_permission, many_rows, large_cells, wide_table, abandoned_call, open_elsewhere, random_operations]
