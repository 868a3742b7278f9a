#!/usr/bin/env python3
"""source-files through `weir sync` into SQLite: what the files say, read by Python's csv and json, is what lands.

Each check makes a folder, syncs, and compares every cell; later checks change the folder and sync again, and look at the
counts that the sync reports: only what changed may travel.

usage: files.py BIN_DIR [SOURCE [CHECKS]]

SOURCE is another program in the place of source-files, CHECKS a text that the names of the wanted checks have.
"""
import csv
import decimal
import io
import itertools
import json
import os
import pathlib
import random
import re
import sqlite3
import subprocess
import sys
import tempfile

SOURCE = sys.argv[2] if len(sys.argv) > 2 else None
OWN = ("_file", "_line", "_modified", "_fivetran_synced", "_fivetran_deleted")


class Sync:
    def __init__(self, bin_dir, folder, **options):
        self.bin = pathlib.Path(bin_dir)
        self.base = pathlib.Path(folder)
        self.files = self.base / "files"
        self.files.mkdir(parents=True)
        self.database = self.base / "warehouse.db"
        (self.base / "source.json").write_text(json.dumps({"folder": str(self.files), **options}))
        (self.base / "destination.json").write_text(json.dumps({"path": str(self.database)}))
        (self.base / "schema.json").write_text('{"naming": "SOURCE_NAMING"}')  # names of files and columns as they are

    def write(self, name, data):
        path = self.files / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())

    def run(self, wanted=0, more=(), destination="destination-sqlite"):
        done = subprocess.run(
            [self.bin / "weir", "sync", "--source", SOURCE or self.bin / "source-files", "--source-config",
             self.base / "source.json", "--destination", self.bin / destination, "--destination-config",
             self.base / "destination.json", "--schema", "t", "--state", self.base / "state", "--schema-config",
             self.base / "schema.json", "--json", *more],
            text=True, capture_output=True, timeout=60)
        assert done.returncode == wanted, f"exit {done.returncode}, not {wanted}\n{done.stdout}\n{done.stderr}"
        assert "Sanitizer" not in done.stderr, done.stderr
        return json.loads(done.stdout), done.stderr

    def rows(self, table, columns, deleted=0):
        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
        with sqlite3.connect(self.database) as db:
            return db.execute(f'SELECT {quoted} FROM "t.{table}" WHERE _fivetran_deleted = {deleted} '
                              "ORDER BY _file, _line").fetchall()

    def types(self, table):
        """Fivetran's names of the types, as the destination describes them."""
        with sqlite3.connect(self.database) as db:
            names = [row[1] for row in db.execute(f'PRAGMA table_info("t.{table}")')]
            kept = dict(db.execute("SELECT column_name, type FROM _weir_columns WHERE table_name = ?", (f"t.{table}",)))
        return {name: kept.get(name) for name in names}


def count(summary, table):
    for entry in summary["tables"]:
        if entry["table"] == table:
            return entry["upserted"], entry["deleted"]
    return 0, 0


HARD = ('id,zip,text,amount,exact,day,moment,zoned,flag,mixed,empty\r\n'
        '1,00501,"a, ""quoted"" cell",1.5,12345678901234567890.12,2007-12-03,2007-12-03T10:15:30,'
        '2007-12-03T10:15:30Z,true,1,\r\n'
        '2,10001,"two\nlines",-2,0.5,0001-01-01,2007-12-03 10:15:30.25,2007-12-03T12:15:30+02:00,false,x,\r\n'
        '9007199254740993,,"",0.1,,,,,,2.5,\r\n')


def check_csv(bin_dir, folder):
    """Every type that a CSV can show, against the csv module and hand-written values."""
    sync = Sync(bin_dir, folder)
    sync.write("hard.csv", HARD)
    sync.run()
    texts = list(csv.reader(io.StringIO(HARD, newline="")))
    found = sync.rows("hard", ["id", "zip", "text", "mixed"])
    expected = [(int(r[0]), r[1] or None, r[2], r[9]) for r in texts[1:]]
    assert found == expected, found
    assert sync.rows("hard", ["flag"]) == [(1,), (0,), (None,)]
    assert sync.rows("hard", ["amount"]) == [(1.5,), (-2.0,), (0.1,)]
    assert [str(v) for (v,) in sync.rows("hard", ["exact"])] == ["12345678901234567890.12", "0.50", "None"] or \
           [str(v) for (v,) in sync.rows("hard", ["exact"])] == ["12345678901234567890.12", "0.5", "None"]
    assert [v and v[:10] for (v,) in sync.rows("hard", ["day"])] == ["2007-12-03", "0001-01-01", None]
    zoned = [v for (v,) in sync.rows("hard", ["zoned"])]
    assert zoned[0][11:19] == "10:15:30" and zoned[1][11:19] == "10:15:30", zoned
    assert sync.rows("hard", ["empty"]) == [(None,)] * 3
    sync.write("names.csv", "a,,c,a\n1,2,3,4\n5\n")
    sync.run()
    assert sync.rows("names", ["a", "column_2", "c", "a_2"]) == [(1, 2, 3, 4), (5, None, None, None)]


def check_json(bin_dir, folder):
    """Lines and arrays, nested values, missing names, against the json module."""
    sync = Sync(bin_dir, folder)
    rows = [{"a": 1, "b": "x", "n": {"k": [1, None]}}, {"b": "2007-12-03", "a": None}, {"a": 2.5, "c": True, "n": []}]
    sync.write("lines.jsonl", "\n".join(json.dumps(row) for row in rows))
    sync.write("array.json", json.dumps(rows, indent=2))
    sync.write("empty.json", "[]")
    sync.run()
    for table in ("lines", "array"):
        assert sync.rows(table, ["a", "b", "c"]) == [(1.0, "x", None), (None, "2007-12-03", None), (2.5, None, 1)]
        nested = [value and json.loads(value) for (value,) in sync.rows(table, ["n"])]
        assert nested == [{"k": [1, None]}, None, []], nested


def check_increments(bin_dir, folder):
    """Changed, longer, shorter, new and removed files; only they travel."""
    sync = Sync(bin_dir, folder)
    sync.write("a.csv", "id\n1\n2\n3\n")
    sync.write("b.csv", "id\n1\n")
    sync.write("parts/1.csv", "v\nx\n")
    summary, _ = sync.run()
    assert (count(summary, "a"), count(summary, "b"), count(summary, "parts")) == ((3, 0), (1, 0), (1, 0)), summary
    summary, _ = sync.run()
    assert summary["rows"] == 0, summary
    sync.write("a.csv", "id\n10\n")
    sync.write("parts/2.csv", "v\ny\n")
    os.remove(sync.files / "b.csv")
    summary, _ = sync.run()
    assert (count(summary, "a"), count(summary, "b"), count(summary, "parts")) == ((1, 2), (0, 1), (1, 0)), summary
    assert sync.rows("a", ["id"]) == [(10,)] and sync.rows("a", ["_line"], 1) == [(2,), (3,)]
    assert sync.rows("b", ["id"]) == [] and len(sync.rows("b", ["id"], 1)) == 1
    assert sync.rows("parts", ["v", "_file"]) == [("x", "parts/1.csv"), ("y", "parts/2.csv")]


def check_widening(bin_dir, folder):
    """A column whose values change kind from sync to sync: LONG, DOUBLE, STRING; old values keep their meaning."""
    sync = Sync(bin_dir, folder)
    for number, value in enumerate(("7", "1.5", "seven", ""), 1):
        sync.write(f"parts/{number}.csv", f"v,w{number}\n{value},1\n")
        sync.run()
    values = [row[0] for row in sync.rows("parts", ["v"])]
    assert values[1:] == ["1.5", "seven", None] and values[0] in ("7", "7.0"), values
    assert sync.rows("parts", ["w1", "w4"]) == [(1, None), (None, None), (None, None), (None, 1)]


def check_digits(bin_dir, folder):
    """R-ENG-20, R-ENG-23: a LONG or DOUBLE column that becomes a DECIMAL has room for what is there and for what comes, on DuckDB."""
    query = pathlib.Path(bin_dir) / "duckdb-query"
    if not query.exists():
        print("skipped: no destination-duckdb", file=sys.stderr)
        return
    for number, (first, then, type_) in enumerate((("7", "123456789012345678901234567890", "DECIMAL(30,0)"),
                                                   ("1.5", "0.1234567890123456789", "DECIMAL(20,19)"),
                                                   ("1.5", "12345678901234567890123456.25", "DECIMAL(28,2)"))):
        sync = Sync(bin_dir, os.path.join(folder, str(number)), keys="t=id")
        sync.database = sync.base / "warehouse.duckdb"
        (sync.base / "destination.json").write_text(json.dumps({"path": str(sync.database)}))
        for text in (f"id,n\n1,{first}\n", f"id,n\n1,{first}\n2,{then}\n"):
            sync.write("t.csv", text)
            sync.run(destination="destination-duckdb")
        found = subprocess.run([query, sync.database, "SELECT typeof(n) AS t, n FROM t.t ORDER BY id"], text=True,
                               capture_output=True, check=True).stdout
        values = [line.split("│")[1:3] for line in found.splitlines() if "DECIMAL" in line]
        assert [kind.strip() for kind, _ in values] == [type_] * 2, found
        assert [decimal.Decimal(value.strip()) for _, value in values] == [decimal.Decimal(first), decimal.Decimal(then)], found


def check_options(bin_dir, folder):
    """Own keys, another delimiter, a text that means NULL."""
    sync = Sync(bin_dir, folder, keys="o=id ; other=x", delimiter=";", null_text="NA")
    sync.write("o.csv", "id;v\n1;a\n2;NA\n1;b\n")
    sync.run()
    assert sync.rows("o", ["id", "v"]) in ([(2, None), (1, "b")], [(1, "b"), (2, None)])
    tabs = Sync(bin_dir, pathlib.Path(folder) / "tabs", delimiter="\\t")
    tabs.write("t.csv", "id\tv\n1\ta;b\n")
    tabs.run()
    assert tabs.rows("t", ["id", "v"]) == [(1, "a;b")]
    for wrong in (";;", '"', "é"):
        sync = Sync(bin_dir, pathlib.Path(folder) / f"wrong{len(wrong)}{ord(wrong[0])}", delimiter=wrong)
        sync.write("o.csv", "id;v\n1;a\n")
        summary, _ = sync.run(3)
        assert "'Delimiter'" in summary["task"], summary


def check_depth(bin_dir, folder):
    """Files too deep are left out with a warning that names the folder."""
    sync = Sync(bin_dir, folder)
    deep = "/".join("d" * 18)
    sync.write("t.csv", "id\n1\n")
    (sync.files / deep).mkdir(parents=True)
    sync.write(f"{deep}/x.csv", "id\n2\n")
    summary, _ = sync.run()
    assert any("d/d" in text and "deep" in text for text in summary["warnings"]), summary
    assert sync.rows("t", ["id"]) == [(1,)]


def check_bad_files(bin_dir, folder):
    """Each fault is a task that names the file and the place; the state stays, and mending it is enough."""
    for name, data, words in (
            ("ragged.csv", "a,b\n1,2\n1,2,3\n", ("ragged.csv", "row 2", "header")),
            ("open.csv", 'a,b\n1,"2\n', ("open.csv", "quote")),
            ("bad.jsonl", '{"a": 1}\n{"a": \n', ("bad.jsonl", "object 2")),
            ("control.jsonl", '{"a": "all is well until\x01here"}', ("control.jsonl", "control character")),
            ("open.jsonl", '{"a": "all is well until the end', ("open.jsonl",)),
            ("cut.json", '[{"a": 1},', ("cut.json",)),
            ("word.json", 'hello', ("word.json", "object"))):
        sync = Sync(bin_dir, pathlib.Path(folder) / name)
        sync.write(name, data)
        summary, err = sync.run(3)
        text = (summary["task"] or "") + (summary["error"] or "")
        assert all(word in text for word in words), (name, summary, err)
        sync.write(name, '{"a": 1}' if name.endswith("l") else "[]" if name.endswith("n") else "a,b\n1,2\n")
        sync.run()


def check_setup(bin_dir, folder):
    """A folder that is not there is a task; a required option that is missing too."""
    sync = Sync(bin_dir, folder)
    sync.files.rmdir()
    summary, _ = sync.run(3)
    assert str(sync.files) in summary["task"], summary
    (sync.base / "source.json").write_text("{}")
    summary, _ = sync.run(3)
    assert "Folder" in summary["task"] or "folder" in summary["task"], summary


def check_numbers(bin_dir, folder):
    """Numbers keep their value: what no double holds stays a decimal or text, in CSV and in JSON."""
    texts = ["1e400", "-1e400", "1e-400", "1.23456789012345e-320", "0.30000000000000000001", "123456789012345678901",
             "0.1", "-0.0", "1e22", "5e-324", "2.2250738585072014e-308", "100000000000000000000000000000000000000000"]
    for number, text in enumerate(texts):
        sync = Sync(bin_dir, os.path.join(folder, str(number)))
        sync.write("c.csv", f"v\n{text}\n")
        sync.write("j.jsonl", '{"v": %s, "n": {"k": [%s]}}\n' % (text, text))
        sync.run()
        for table in ("c", "j"):
            (value,), = sync.rows(table, ["v"])
            kept = decimal.Decimal(str(value)) if not isinstance(value, float) else decimal.Decimal(repr(value))
            assert kept == decimal.Decimal(text), (table, text, value)
        (nested,), = sync.rows("j", ["n"])
        assert json.loads(nested, parse_float=decimal.Decimal, parse_int=decimal.Decimal) == {
            "k": [decimal.Decimal(text)]}, nested


def random_value(draw, depth=0):
    kind = draw.randrange(8 if depth < 3 else 5)
    if kind < 2:
        return "".join(draw.choice('ab"\\/\n\t\u00e9\u2028\U0001F600\x01 {}[],:') for _ in range(draw.randrange(12)))
    if kind == 2:
        return draw.choice([None, True, False])
    if kind == 3:
        return draw.randrange(-10**12, 10**12)
    if kind == 4:
        return draw.uniform(-1e6, 1e6)
    if kind == 5:
        return [random_value(draw, depth + 1) for _ in range(draw.randrange(4))]
    return {f"k{i}": random_value(draw, depth + 1) for i in range(draw.randrange(4))}


def check_random_json(bin_dir, folder):
    """Random objects, escaped and not, with and without spaces: what Python reads is what lands."""
    draw = random.Random(7)
    rows = [{"s": f"x{random_value(draw)}", "nested": {"v": random_value(draw)},
             "i": draw.randrange(-2**63, 2**63)} for _ in range(300)]
    sync = Sync(bin_dir, folder)
    lines = [json.dumps(row, ensure_ascii=draw.random() < 0.5, indent=draw.choice([None, 1])) for row in rows]
    sync.write("r.json", "\n".join(lines))
    sync.run()
    found = sync.rows("r", ["s", "nested", "i"])
    assert [(s, json.loads(n), i) for s, n, i in found] == [(r["s"], r["nested"], r["i"]) for r in rows]


def check_random_csv(bin_dir, folder):
    """Random cells, quoted and not, some larger than a read, with every line end: what Python reads is what lands."""
    csv.field_size_limit(1 << 20)
    draw = random.Random(11)
    rows = []
    for number in range(400):
        size = draw.choice([0, 1, 3, 40, 40, 700]) if number % 100 else 600000
        rows.append(["".join(draw.choice('ab"",;\n\r\u00e9 ') for _ in range(size)) + draw.choice(["", "x"]) for _ in range(3)])
    for end in ("\n", "\r\n"):
        sync = Sync(bin_dir, os.path.join(folder, str(len(end))))
        text = io.StringIO(newline="")
        text.write(f"a,b,c{end}")
        for row in rows:
            bare = "\r" not in "".join(row) and draw.random() < 0.5  # Python's writer leaves a CR without quotes
            quoting = csv.QUOTE_MINIMAL if bare else csv.QUOTE_ALL
            csv.writer(text, lineterminator=end, quoting=quoting).writerow(row)
        sync.write("r.csv", text.getvalue())
        sync.run()
        wanted = csv.reader(io.StringIO(text.getvalue(), newline=""), strict=True)
        next(wanted)
        found = [[value or "" for value in row] for row in sync.rows("r", ["a", "b", "c"])]
        assert found == list(wanted) == rows


def large_csv(draw, rows, lines):
    """About 4 MB, more than one thread scans; in that part of the rows a cell has lines that look like rows."""
    text = io.StringIO(newline="")
    text.write("id,n,late,v\r\n")
    for number in range(1, rows + 1):
        words = "".join(draw.choices('ab," ', k=draw.randrange(60)))
        if draw.random() < lines:
            words += "\n\r" + f"\n{number},1,1,x\n" * (number % 3)
        csv.writer(text, quoting=csv.QUOTE_ALL if number % 2 else csv.QUOTE_NONNUMERIC).writerow(
            [number, number % 1000, 7, words])
    return text.getvalue()


def check_large_csv(bin_dir, folder):
    """What comes late in a large file makes the types, and every row lands once, wherever threads begin in it."""
    draw = random.Random(13)
    for number, (lines, last, late) in enumerate(((0.02, ["90001", "5", "12.5", "end"], float), (0.02, ["90001", "x", "7", "end"], int),
                                                  (0.9, ["90001", "x", "12.5", "end"], float))):
        text = large_csv(draw, 90_000, lines)
        sync = Sync(bin_dir, os.path.join(folder, str(number)), keys="r=id")
        whole = text + ",".join(last) + "\r\n"
        assert len(whole) > 4_000_000
        sync.write("r.csv", whole)
        sync.run()
        wanted = list(csv.reader(io.StringIO(whole, newline=""), strict=True))[1:]
        found = sync.rows("r", ["id", "n", "late", "v"])
        kind = str if last[1] == "x" else int
        assert [row[3] for row in found] == [row[3] for row in wanted]
        assert [row[:3] for row in found] == [(int(row[0]), kind(row[1]), late(row[2])) for row in wanted]
        assert [row[0] for row in sync.rows("r", ["_line"])] == list(range(1, len(wanted) + 1))


def check_large_csv_order(bin_dir, folder):
    """R-ENG-20: in what order numbers come, and which threads see them, makes no difference to the type."""
    numbers = ["123456789012345678901234.5", "1234567890123456", "0.5"]
    kinds = set()
    for count, order in enumerate([*itertools.permutations(numbers), numbers]):
        sync = Sync(bin_dir, os.path.join(folder, str(count)), keys="t=id")
        padding = 60_000 if count == 6 else 1
        sync.write("t.csv", "id,n,w\n" + "".join(f"{row},{order[0] if row == 0 else ''},{'word ' * 12}\n" for row in range(padding))
                   + "".join(f"{padding + row},{value},\n" for row, value in enumerate(order[1:])))
        sync.run()
        kinds.add(str(sync.types("t")["n"]))
    assert len(kinds) == 1 and "DECIMAL" in min(kinds), kinds


def check_large_csv_in_quotes(bin_dir, folder):
    """Half of a large file is one cell, of lines that look like rows."""
    draw = random.Random(17)
    rows = [[str(number), f"v{draw.random()}"] for number in range(40_000)]
    rows[20_000][1] = "".join(f"{number},text\n" for number in range(500_000))
    sync = Sync(bin_dir, folder)
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["id", "v"], *rows])
    sync.write("r.csv", text.getvalue())
    sync.run()
    assert sync.rows("r", ["id", "v"]) == [(int(id), v) for id, v in rows]


def check_large_csv_faults(bin_dir, folder):
    """A fault late in a large file is told with its row."""
    for number, (line, words) in enumerate((
            ('9,1,2,"3"x\n', ("no valid CSV after row 60000",)), ("9,1,2,3,4\n", ("row 60001 has more cells",)),
            (",1,2,3\n", ("row 60001 has no value in the key column 'id'",)), (b"9,1,2,caf\xe9\n", ("row 60001:", "'c'", "UTF-8")), ('9,1,2,"3\n', ("after row 60000", "closing quote")))):
        sync = Sync(bin_dir, os.path.join(folder, str(number)), keys="r=id")
        before = "id,a,b,c\n" + "".join(f"{row},{row * 7919},{row}.5,{'word ' * 12}\n" for row in range(1, 60_001))
        after = "".join(f"{row},1,1.5,more\n" for row in range(100_000, 130_000))
        sync.write("r.csv", before.encode() + (line if isinstance(line, bytes) else line.encode()) + after.encode())
        summary, _ = sync.run(3)
        assert all(word in summary["task"] for word in words), summary
        assert summary["rows"] == 0, summary


def check_encoding(bin_dir, folder):
    """A cell that is not UTF-8 is a task that names it, before anything of its table is sent; what is UTF-8 lands as it is."""
    fine = ["plain", "\u00e9", "\u20ac x", "\U0001F600", "eight in" + "\u00e9", "a" * 30 + "\u4e2d" * 9, '"\u00fc"', "\ufffd"]
    sync = Sync(bin_dir, os.path.join(folder, "fine"))
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["v", "w"], *([value, "x"] for value in fine)])
    sync.write("t.csv", text.getvalue())
    sync.run()
    assert sync.rows("t", ["v", "w"]) == [(value, "x") for value in fine]
    for number, bad in enumerate((
            b"caf\xe9", b"\xe9", b"\xff", b"12345678\xe9", b"a\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"cut\xe2\x82", b"\x80 1")):
        try:
            bad.decode()
        except UnicodeDecodeError:
            pass
        else:
            raise AssertionError(bad)
        for quote in (b"", b'"'):
            sync = Sync(bin_dir, os.path.join(folder, f"{number}{len(quote)}"))
            sync.write("t.csv", "id,caf\u00e9,more\n1,\u00e9,x\n2,ok,x\n".encode() + b"3," + quote + bad + quote + b",\xc3\xa9\n")
            sync.write("u.csv", "v\n1\n")
            summary, err = sync.run(3)
            assert all(word in summary["task"] for word in ("'t.csv'", "row 3", "'caf\u00e9'", "UTF-8")), (bad, summary, err)
            assert count(summary, "t") == (0, 0) and count(summary, "u") == (1, 0), summary
            sync.write("t.csv", "id,caf\u00e9,more\n1,\u00e9,x\n2,ok,x\n".encode() + b"3,caf\xc3\xa9,\xc3\xa9\n")
            sync.run()
            assert sync.rows("t", ["id", "caf\u00e9"]) == [(1, "\u00e9"), (2, "ok"), (3, "caf\u00e9")]


def check_empty_folder(bin_dir, folder):
    """A folder that held files and is empty now is a task, unless that is allowed: it may be a lost mount."""
    sync = Sync(bin_dir, folder)
    sync.write("a.csv", "id\n1\n")
    sync.run()
    os.remove(sync.files / "a.csv")
    summary, _ = sync.run(3)
    assert "empty" in summary["task"], summary
    assert sync.rows("a", ["id"]) == [(1,)]
    (sync.base / "source.json").write_text(json.dumps({"folder": str(sync.files), "allow_empty": "true"}))
    summary, _ = sync.run()
    assert count(summary, "a") == (0, 1), summary


def check_keys(bin_dir, folder):
    """Keys that can't be are tasks that name what is wrong; changed keys too."""
    for number, (keys, word) in enumerate((("orders", "orders"), ("t=", "t="), ("t=idd", "idd"), ("t=a,a", "t=a,a"))):
        sync = Sync(bin_dir, os.path.join(folder, str(number)), keys=keys)
        sync.write("t.csv", "id,a\n1,2\n")
        summary, _ = sync.run(3)
        assert word in summary["task"], (keys, summary)
    sync = Sync(bin_dir, os.path.join(folder, "changed"), keys="t=id")
    sync.write("t.csv", "id,a\n1,2\n")
    sync.run()
    (sync.base / "source.json").write_text(json.dumps({"folder": str(sync.files)}))
    os.remove(sync.files / "t.csv")
    sync.write("u.csv", "v\n1\n")
    summary, _ = sync.run(3)
    assert "'t'" in summary["task"] and "key" in summary["task"].lower(), summary


def check_keys_of_no_table(bin_dir, folder):
    """Keys of a table that the folder does not have, and never had, are a warning that names it."""
    sync = Sync(bin_dir, folder, keys="t=id; nosuch=id; gone=id")
    sync.write("t.csv", "id\n1\n")
    sync.write("gone.csv", "id\n1\n")
    summary, _ = sync.run()
    assert [text for text in summary["warnings"] if "'nosuch'" in text] == summary["warnings"] != [], summary
    os.remove(sync.files / "gone.csv")
    summary, _ = sync.run()
    assert len(summary["warnings"]) == 1 and "'nosuch'" in summary["warnings"][0], summary
    sync.write("nosuch.csv", "id\n1\n")
    summary, _ = sync.run()
    assert summary["warnings"] == [], summary


def check_resync(bin_dir, folder):
    """R-ENG-12: one table read again has the rows of all its files, changed ones and others."""
    sync = Sync(bin_dir, folder)
    sync.write("t/a.csv", "v\n1\n2\n")
    sync.write("t/b.csv", "v\n3\n4\n")
    sync.write("u.csv", "v\n5\n")
    sync.run()
    sync.write("t/b.csv", "v\n33\n")
    summary, _ = sync.run(more=["--resync-table", "t"])
    assert count(summary, "t")[0] == 3 and count(summary, "u") == (0, 0), summary
    assert sync.rows("t", ["v"]) == [(1,), (2,), (33,)], sync.rows("t", ["v"])
    assert sync.rows("t", ["_file", "_line"], deleted=1) == [("t/b.csv", 2)]
    assert sync.rows("u", ["v"]) == [(5,)]
    summary, _ = sync.run()
    assert summary["rows"] == 0, summary


def check_resync_in_two_runs(bin_dir, folder):
    """R-ENG-12: a re-sync that a task broke off ends in the next run, for tables that came before the task too."""
    sync = Sync(bin_dir, folder)
    for name in ("a", "b"):
        sync.write(f"{name}.csv", "v\n1\n2\n")
    sync.run()
    sync.write("a.csv", "v\n1\n")
    sync.write("b.csv", "v\n1,2\n")
    summary, _ = sync.run(3, more=["--resync"])
    assert count(summary, "a") == (1, 0), summary
    assert sync.rows("a", ["_line"], deleted=1) == []
    sync.write("b.csv", "v\n1\n")
    summary, _ = sync.run()
    assert summary["warnings"] == [], summary
    for name in ("a", "b"):
        assert sync.rows(name, ["v"]) == [(1,)] and sync.rows(name, ["_line"], deleted=1) == [(2,)], name
    summary, _ = sync.run()
    assert summary["rows"] == 0 and not any(table["truncated"] for table in summary["tables"]), summary


def check_resync_of_gone_files(bin_dir, folder):
    """R-ENG-12: rows of a table of which nothing comes again stay, and a warning names it."""
    sync = Sync(bin_dir, folder)
    for name in ("a", "b", "parts/1", "parts/2"):
        sync.write(f"{name}.csv", "v\n1\n")
    sync.run()
    os.remove(sync.files / "b.csv")
    os.remove(sync.files / "parts" / "2.csv")
    summary, _ = sync.run(more=["--resync"])
    assert len(summary["warnings"]) == 1 and "'b'" in summary["warnings"][0], summary
    assert sync.rows("b", ["v"]) == [(1,)] and sync.rows("a", ["v"]) == [(1,)]
    assert sync.rows("parts", ["_file"]) == [("parts/1.csv",)]
    assert sync.rows("parts", ["_file"], deleted=1) == [("parts/2.csv",)]
    summary, _ = sync.run()
    assert summary["warnings"] == [], summary
    for name in ("a.csv", "parts/1.csv"):
        os.remove(sync.files / name)
    summary, _ = sync.run(more=["--resync"])
    assert len(summary["warnings"]) == 1 and "'a'" in summary["warnings"][0], summary
    assert sync.rows("a", ["v"]) == [(1,)]


def check_resync_names(bin_dir, folder):
    """R-ENG-12: a table is read again by its name, whatever characters that has; also from a state of an earlier version."""
    names = ("plain", "a.b", "a\\b", "a\\.b")
    for number, before in enumerate((False, True)):
        for again in names[:2] if before else names:
            sync = Sync(bin_dir, os.path.join(folder, f"{number}{again}"))
            for name in names:
                sync.write(f"{name}.csv", "v\n1\n2\n")
            sync.run()
            if before:  # which wrote the names as they are
                with sqlite3.connect(sync.base / "state" / "state.db") as db:
                    (text,), = db.execute("SELECT value FROM connection WHERE name = 'state'")
                    kept = json.loads(text)
                    assert kept.pop("marked") is True
                    kept["tables"] = {re.sub(r"\\(.)", r"\1", name): value for name, value in kept["tables"].items()}
                    assert set(kept["tables"]) == set(names)
                    db.execute("UPDATE connection SET value = ? WHERE name = 'state'", (json.dumps(kept).encode(),))
                summary, _ = sync.run()
                assert summary["rows"] == 0, summary
                with sqlite3.connect(sync.base / "state" / "state.db") as db:
                    db.execute("UPDATE connection SET value = ? WHERE name = 'state'", (json.dumps(kept).encode(),))
            for name in names:
                sync.write(f"{name}.csv", "v\n1\n")
            spelled = again.replace("\\", "\\\\").replace(".", "\\.") if "\\" in again else again
            sync.run(more=["--resync-table", spelled])
            for name in names:
                assert sync.rows(name, ["v"]) == [(1,)], (again, name, sync.rows(name, ["v"]))
                assert sync.rows(name, ["_line"], deleted=1) == [(2,)], (again, name)
            summary, _ = sync.run()
            assert summary["rows"] == 0, summary


def check_names(bin_dir, folder):
    """Names that can't travel are tasks that name the file; the other files land all the same."""
    for number, (name, data, word) in enumerate((
            (b"wide.csv", "id\n1\n".encode("utf-16"), "UTF-16"), (b"head.csv", b"v\xff\n1\n", "head.csv"),
            (b"key.jsonl", b'{"": 1}\n', "key.jsonl"), (b"n\xff.csv", b"v\n1\n", "UTF-8"))):
        sync = Sync(bin_dir, os.path.join(folder, str(number)))
        sync.write("zz.csv", "v\n1\n")
        with open(os.path.join(os.fsencode(sync.files), name), "wb") as file:
            file.write(data)
        summary, _ = sync.run(3)
        assert word in summary["task"], (name, summary)
        assert sync.rows("zz", ["v"]) == [(1,)]


def main():
    wanted = sys.argv[3] if len(sys.argv) > 3 else ""
    checks = [value for name, value in globals().items() if name.startswith("check_") and wanted in name]
    with tempfile.TemporaryDirectory(prefix="weir-files-") as folder:
        for check in checks:
            check(sys.argv[1], os.path.join(folder, check.__name__))
            print("ok:", check.__doc__)


main()
