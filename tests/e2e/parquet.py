#!/usr/bin/env python3
"""`weir sync` into a destination that asks for Parquet files (R-BAT-11).

The destination is tests/tester/destination.py: grpcio, openssl, zstd, and DuckDB's own reader of Parquet. What it has in the
end is compared with destination-sqlite's rows of the same source in CSV files, and in soft-delete mode with the rows that
`weir test` has made of the source and checked against the model.

usage: parquet.py BIN_DIR    needs weir, source-everything, destination-sqlite and libduckdb.so there; a Python with grpcio
"""
import base64
import collections
import datetime
import decimal
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "destinations"))
import kit  # noqa: E402
import stores  # noqa: E402

BIN = pathlib.Path(sys.argv[1]).resolve()
SKIPPED = 77
KEYS = {"everything": ["id"], "pairs": ["code", "number"], "events": ["_fivetran_id"]}
COLUMNS = {
    "everything": {"id": "LONG", "boolean": "BOOLEAN", "short": "SHORT", "int": "INT", "long": "LONG", "decimal": "DECIMAL",
                   "float": "FLOAT", "double": "DOUBLE", "naive_date": "NAIVE_DATE", "utc_datetime": "UTC_DATETIME",
                   "binary": "BINARY", "xml": "XML", "string": "STRING", "json": "JSON"},
    "pairs": {"code": "STRING", "number": "INT", "value": "STRING", "step": "LONG"},
    "events": {"_fivetran_id": "STRING", "at": "UTC_DATETIME", "what": "STRING"},
}
MODES = {"soft delete": {"_fivetran_deleted": "BOOLEAN"},
         "history": {"_fivetran_start": "UTC_DATETIME", "_fivetran_end": "UTC_DATETIME", "_fivetran_active": "BOOLEAN"}}
# R-BAT-11, as DuckDB calls them. A column with unmodified cells is a string column.
PARQUET = {"BOOLEAN": "BOOLEAN", "SHORT": "INTEGER", "INT": "INTEGER", "LONG": "BIGINT", "FLOAT": "FLOAT", "DOUBLE": "DOUBLE",
           "NAIVE_DATE": "VARCHAR", "UTC_DATETIME": "VARCHAR", "BINARY": "BLOB", "XML": "VARCHAR", "STRING": "VARCHAR",
           "JSON": "VARCHAR"}
STEPS = [{"rows": "60", "changes": "40"}, {"rows": "60", "changes": "90"}]


def value(type, text):
    if text is None or type in ("STRING", "XML", "JSON"):
        return text
    if type == "BOOLEAN":
        return {"true": True, "false": False}[text]
    if type in ("FLOAT", "DOUBLE"):
        return struct.unpack("f", struct.pack("f", float(text)))[0] if type == "FLOAT" else float(text)
    if type == "BINARY":
        return base64.b64decode(text, validate=True)
    return {"DECIMAL": decimal.Decimal, "NAIVE_DATE": datetime.date.fromisoformat,
            "UTC_DATETIME": lambda text: stores.parse_datetime(text.replace("T", " ").removesuffix("Z"))}.get(type, int)(text)


def version(rows, table):
    """Rows of a history: the times, which differ from sync to sync, become numbers and whether versions follow each other."""
    keys = collections.defaultdict(list)
    for row in rows:
        keys[tuple(row[name] for name in KEYS[table])].append(row)
    out = []
    for of_key in keys.values():
        of_key.sort(key=lambda row: row["_fivetran_start"])
        for at, row in enumerate(of_key):
            last = at + 1 == len(of_key)
            fits = row["_fivetran_start"] <= row["_fivetran_end"] and (
                last or row["_fivetran_end"] < of_key[at + 1]["_fivetran_start"])
            out.append({**row, "_fivetran_start": at, "_fivetran_end": fits})
    return out


def plain(cell):
    """Numbers of the same value look the same."""
    return cell.normalize(decimal.Context(prec=60)) if isinstance(cell, decimal.Decimal) else cell


def tidy(rows, table, mode):
    """Rows that can be compared."""
    rows = version(rows, table) if mode == "history" else rows
    return sorted(repr(sorted((name, plain(cell)) for name, cell in row.items())) for row in rows)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Parquet(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="weir-parquet-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.servers = 0

    def start(self):
        """The Python destination; (where it listens, the folder of its dumps)."""
        self.servers += 1
        dumps = self.folder / f"dumps{self.servers}"
        dumps.mkdir()
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-B", ROOT / "tests/tester/destination.py", "--port", str(port), "--parquet", BIN],
            env={**os.environ, "DUMPS": str(dumps)})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return f"127.0.0.1:{port}", dumps

    def plan(self, mode, leave_out=True):
        tables = {table: {"sync_mode": mode.upper().replace(" ", "_")} for table in KEYS}
        if leave_out:
            tables["everything"]["columns"] = {"naive_datetime": {"enabled": False}}
        path = self.folder / f"{mode} {leave_out}.json"
        path.write_text(json.dumps({"tables": tables}))
        return path

    def sync(self, state, destination, plan, options, *more, environment=None):
        (self.folder / "source.json").write_text(json.dumps({"checkpoint_every": "25", "turns": "true", **options}))
        (self.folder / "destination.json").write_text(json.dumps({"path": str(self.folder / f"{state}.db")}))
        return subprocess.run(
            [BIN / "weir", "sync", "--source", BIN / "source-everything", "--source-config", self.folder / "source.json",
             "--destination", destination, "--destination-config", self.folder / "destination.json", "--schema", "m", "--state",
             self.folder / state, "--schema-config", plan, *more], capture_output=True, text=True, timeout=120,
            env={**os.environ, **(environment or {})})

    def done(self, *arguments, **keywords):
        done = self.sync(*arguments, **keywords)
        self.assertEqual(done.returncode, 0, done.stderr)

    def rows_of_dump(self, dumps, table, columns):
        lines = (dumps / f"m.{table}.jsonl").read_text().splitlines()
        return [{name: value(type, json.loads(line)[name]) for name, type in columns.items()} for line in lines]

    def test_rows_are_those_of_csv_and_of_the_model(self):
        for mode, system in MODES.items():
            where, dumps = self.start()
            for step in STEPS:
                self.done(f"parquet {mode}", where, self.plan(mode), step)
                self.done(f"csv {mode}", BIN / "destination-sqlite", self.plan(mode), step)
            sqlite = stores.SqliteStore(self.folder / f"csv {mode}.db", BIN)
            for table, own in COLUMNS.items():
                columns = {**own, **system}
                expected = sqlite.rows("m", table, [kit.Column(*column) for column in columns.items()])
                self.assertGreater(len(expected), 20)
                self.assertEqual(tidy(self.rows_of_dump(dumps, table, columns), table, mode), tidy(expected, table, mode),
                                 f"{table} in {mode} mode")
            self.check_types(dumps)
            if mode == "soft delete":
                self.check_model(dumps)

    def check_types(self, dumps):
        """R-BAT-11: columns of the files have the types of the rule; those with unmodified cells are strings."""
        typed = collections.Counter()
        for line in (dumps / "types.jsonl").read_text().splitlines():
            file = json.loads(line)
            for name, seen in file["columns"].items():
                type = {**COLUMNS[file["table"]], "mark": "LONG", "_fivetran_active": "BOOLEAN",
                        "_fivetran_deleted": "BOOLEAN"}.get(name, "UTC_DATETIME")
                fits = seen.startswith("DECIMAL(") if type == "DECIMAL" else seen == PARQUET[type]
                self.assertTrue(fits or seen == "VARCHAR", f"{name}: {seen}")
                typed[type] += fits
        self.assertEqual([type for type in [*PARQUET, "DECIMAL"] if typed[type] == 0], [])

    def check_model(self, dumps):
        """`weir test` compares the rows that it has made of the source with the model, and leaves them in warehouse.db."""
        data = self.folder / "test"
        data.mkdir()
        config = json.loads((self.folder / "source.json").read_text())
        (data / "configuration.json").write_text(json.dumps({**config, "turns": "false"}))  # no key changes: it is one table
        subprocess.run([BIN / "weir", "test", "--tester-type", "source", "--connector", BIN / "source-everything",
                        "--working-dir", data], check=True, capture_output=True, timeout=120)
        model = stores.DuckdbStore(data / "warehouse.db", BIN)
        columns = {**COLUMNS["everything"], **MODES["soft delete"]}
        expected = model.rows("default_schema", "everything", [kit.Column(*column) for column in columns.items()])
        for row in expected:
            row["float"] = value("FLOAT", row["float"])
        self.assertEqual(tidy(self.rows_of_dump(dumps, "everything", columns), "everything", "soft delete"),
                         tidy(expected, "everything", "soft delete"))

    def weir(self, *arguments, code=0, **variables):
        done = subprocess.run([BIN / "weir", *map(str, arguments)], capture_output=True, text=True, timeout=120,
                              env={**os.environ, **variables})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def play(self, path, **variables):
        """The recording against another Python destination; its dumps."""
        where, dumps = self.start()
        self.weir("replay", path, "--destination", where, "--destination-config", self.folder / "nothing.json", **variables)
        return dumps

    def dumped(self, dumps, name):
        return [json.loads(line) for line in (dumps / f"m.{name}.jsonl").read_text().splitlines()]

    def types(self, dumps):
        return sorted((dumps / "types.jsonl").read_text().splitlines())

    def test_recordings_hold_the_files_and_scrubbed_ones_their_types(self):
        """Rows and columns as DuckDB's own reader has them: the same when played, of the same types when scrubbed."""
        (self.folder / "nothing.json").write_text("{}")
        without = {"WEIR_DUCKDB": "/nowhere"}
        for mode in MODES:
            where, dumps = self.start()
            path, scrubbed = self.folder / f"{mode}.weirrec", self.folder / f"{mode} scrubbed.weirrec"
            self.done(mode, where, self.plan(mode), STEPS[1], "--record", path)
            again = self.play(path, **without)
            self.assertEqual(self.types(again), self.types(dumps))
            self.weir("record", "scrub", path, "-o", scrubbed)
            blurred = self.play(scrubbed, **without)
            self.assertEqual(self.types(blurred), self.types(dumps))
            for table in KEYS:
                self.assertEqual(self.dumped(again, table), self.dumped(dumps, table))
                self.check_scrubbed(table, self.dumped(dumps, table), self.dumped(blurred, table))
            done = self.weir("record", "scrub", path, "-o", self.folder / "none.weirrec", code=1, **without)
            self.assertIn("DuckDB is needed for Parquet batch files", done.stderr)

    def check_scrubbed(self, table, rows, scrubbed):
        """Of each column: as many NULLs and as many values that differ, no value of before but those that stay."""
        self.assertEqual(len(scrubbed), len(rows))
        for name, type in COLUMNS[table].items():
            old, new = ([row[name] for row in of] for of in (rows, scrubbed))
            self.assertEqual(old.count(None), new.count(None))
            self.assertEqual(*[sorted(collections.Counter(values).values()) for values in (old, new)], f"{table}.{name}")
            if type in ("DECIMAL", "UTC_DATETIME") or name == "long":
                self.assertGreater(len({*new}), 10)
                self.assertFalse({*old} & {*new} - {None}, f"{table}.{name}")

    def test_what_parquet_cannot_hold_is_a_task(self):
        where, dumps = self.start()
        done = self.sync("refused", where, self.plan("soft delete", leave_out=False), STEPS[0])
        self.assertEqual(done.returncode, 3)
        self.assertIn("takes Parquet files only: write table 'everything' as Parquet: column 'naive_datetime' is a "
                      "NAIVE_DATETIME, which Parquet batch files cannot hold", done.stderr)
        self.assertEqual(list(dumps.glob("m.*")), [], "tables were made before the refusal")
        done = self.sync("bare", where, self.plan("soft delete"), STEPS[0], environment={"WEIR_DUCKDB": "/nowhere"})
        self.assertEqual(done.returncode, 1)
        self.assertIn("takes Parquet files only: ", done.stderr)
        self.assertIn("DuckDB is needed for Parquet batch files", done.stderr)


if not (BIN / "libduckdb.so").exists():
    print("SKIPPED: no DuckDB")
    sys.exit(SKIPPED)
unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
