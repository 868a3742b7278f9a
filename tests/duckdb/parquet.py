#!/usr/bin/env python3
"""Parquet batch files against pyarrow, a foreign implementation: it reads what we write, and writes what we read.

parquet.py PARQUET_TOOL BIN-FOLDER CACHE

pyarrow comes from the package registry into an environment of its own in CACHE, once; where it is not to be had the
test is skipped, visibly (exit code 77).
"""
import csv
import datetime
import decimal
import fcntl
import io
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

VERSION = "26.0.1"
SKIPPED = 77


def enter_environment(cache):
    """Goes on with the Python that has pyarrow."""
    folder = Path(cache) / f"pyarrow-{VERSION}"
    python = folder / "bin" / "python"
    Path(cache).mkdir(parents=True, exist_ok=True)
    with open(Path(cache) / "pyarrow.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            for command in ([sys.executable, "-m", "venv", str(folder)],
                            [str(python), "-m", "pip", "--disable-pip-version-check", "--retries", "1", "install", "-q",
                             f"pyarrow=={VERSION}"]):
                done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
                if done.returncode != 0:
                    print("SKIPPED: pyarrow is not to be had:", (done.stdout + done.stderr).strip()[-300:])
                    sys.exit(SKIPPED)
            (folder / "complete").touch()
    os.execv(python, [str(python), *sys.argv])


if "pyarrow" not in sys.executable:
    enter_environment(sys.argv[3])

import pyarrow  # noqa: E402
import pyarrow.parquet  # noqa: E402

TOOL, BIN = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
COLUMNS = ["id:LONG", "b:BOOLEAN", "s:SHORT", "i:INT", "d:DECIMAL:10:2", "big:DECIMAL:38:37", "any:DECIMAL", "f:FLOAT",
           "r:DOUBLE", "day:NAIVE_DATE", "utc:UTC_DATETIME", "bin:BINARY", "x:XML", "t:STRING", "j:JSON",
           "clock:NAIVE_TIME"]
NAMES = [column.split(":")[0] for column in COLUMNS]
FULL = ("-9223372036854775808,true,-32768,2147483647,-1.50,9.9999999999999999999999999999999999999,123.456,0.1,5e-324,"
        "0001-01-01,9999-12-31T23:59:59.999999999Z,AP+A,<a/>,\"q\"\"\r\n\U0001f986\",\"{\"\"k\"\": [1]}\",01:02:03.000000001")
EMPTY = "1" + ",null-x" * (len(COLUMNS) - 1)
NAN = EMPTY.split(",")
NAN[NAMES.index("f")], NAN[NAMES.index("r")], NAN[NAMES.index("t")] = "-Infinity", "NaN", '""'
NAN = ",".join(NAN)


def tool(*arguments, data):
    done = subprocess.run([TOOL, *arguments], input=data, capture_output=True,
                          env={**os.environ, "WEIR_DUCKDB": str(BIN / "libduckdb.so")})
    return done.returncode, done.stdout, done.stderr.decode()


class Parquet(unittest.TestCase):
    maxDiff = None

    def write(self, kind, *rows, columns=COLUMNS):
        text = "\n".join([",".join(column.split(":")[0] for column in columns), *rows, ""])
        code, out, error = tool("write", kind, *columns, data=text.encode())
        self.assertEqual(code, 0, error)
        return pyarrow.parquet.read_table(io.BytesIO(out)), out

    def read(self, kind, table, *columns, **options):
        sink = io.BytesIO()
        pyarrow.parquet.write_table(table, sink, **options)
        return tool("read", kind, *columns, data=sink.getvalue())

    def test_pyarrow_reads_what_we_write(self):  # R-BAT-11
        table, data = self.write("replace", FULL, EMPTY, NAN)
        schema = {field.name: str(field.type) for field in table.schema}
        self.assertEqual(schema, {
            "id": "int64", "b": "bool", "s": "int32", "i": "int32", "d": "decimal128(10, 2)",
            "big": "decimal128(38, 37)", "any": "decimal128(6, 3)", "f": "float", "r": "double", "day": "string",
            "utc": "string", "bin": "binary", "x": "string", "t": "string", "j": "string", "clock": "string"})
        full, empty, nan = table.to_pylist()
        self.assertEqual(full, {
            "id": -2**63, "b": True, "s": -32768, "i": 2**31 - 1, "d": decimal.Decimal("-1.50"),
            "big": decimal.Decimal("9." + "9" * 37), "any": decimal.Decimal("123.456"), "f": 0.10000000149011612,
            "r": 5e-324, "day": "0001-01-01", "utc": "9999-12-31T23:59:59.999999999Z", "bin": b"\0\xff\x80", "x": "<a/>",
            "t": 'q"\r\n\U0001f986', "j": '{"k": [1]}', "clock": "01:02:03.000000001"})
        self.assertEqual(empty, {name: 1 if name == "id" else None for name in NAMES})
        self.assertEqual((nan["f"], nan["r"] != nan["r"], nan["t"]), (float("-inf"), True, ""))
        self.assertEqual(pyarrow.parquet.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(0).compression,
                         "UNCOMPRESSED")

    def test_unmodified_cells_make_a_column_text(self):
        rows = ["1,unmod-x,7,unmod-x,AP8=", "2,1.5,null-x,unmod-x,unmod-x"]
        table, _ = self.write("update", *rows, columns=["id:LONG", "r:DOUBLE", "i:INT", "t:STRING", "bin:BINARY"])
        self.assertEqual({field.name: str(field.type) for field in table.schema},
                         {"id": "int64", "r": "string", "i": "int32", "t": "string", "bin": "string"})
        self.assertEqual(table.to_pylist(), [
            {"id": 1, "r": "unmod-x", "i": 7, "t": "unmod-x", "bin": "AP8="},
            {"id": 2, "r": "1.5", "i": None, "t": "unmod-x", "bin": "unmod-x"}])

    def test_a_file_without_rows(self):
        table, data = self.write("replace")
        self.assertEqual((table.num_rows, table.column_names), (0, NAMES))
        code, out, error = tool("read", "replace", *COLUMNS, data=data)
        self.assertEqual((code, out.decode(), error), (0, ",".join(NAMES) + "\n", ""))

    def test_we_read_what_pyarrow_writes(self):
        table = pyarrow.table({
            "id": pyarrow.array([-2**63, 1], pyarrow.int64()), "b": [True, None],
            "s": pyarrow.array([-32768, None], pyarrow.int16()), "i": pyarrow.array([2**31 - 1, None], pyarrow.int32()),
            "d": pyarrow.array([decimal.Decimal("-1.50"), None], pyarrow.decimal128(10, 2)),
            "f": pyarrow.array([0.1, None], pyarrow.float32()), "r": pyarrow.array([5e-324, None], pyarrow.float64()),
            "day": ["0001-01-01", None], "utc": ["9999-12-31T23:59:59.999999999Z", None], "bin": [b"\0\xff\x80", None],
            "t": ['q"\r\n\U0001f986', "null-x"], "clock": ["01:02:03.000000001", None]})
        columns = [column for column in COLUMNS if column.split(":")[0] in table.column_names]
        for options in ({}, {"compression": "zstd"}, {"compression": "snappy", "use_dictionary": False},
                        {"version": "1.0", "row_group_size": 1}, {"data_page_version": "2.0"}):
            with self.subTest(options):
                code, out, error = self.read("replace", table, *columns, **options)
                self.assertEqual(code, 0, error)
                first, second = list(csv.reader(io.StringIO(out.decode(), newline="")))[1:]
                self.assertEqual([float(cell) for cell in first[5:7]], [0.1, 5e-324])
                self.assertEqual(first[:5] + first[7:], [
                    "-9223372036854775808", "true", "-32768", "2147483647", "-1.50", "0001-01-01",
                    "9999-12-31T23:59:59.999999999Z", "AP+A", 'q"\r\n\U0001f986', "01:02:03.000000001"])
                self.assertEqual(second, ["1"] + ["null-x"] * 11)

    def test_we_read_other_writers_types(self):
        instant = datetime.datetime(2024, 1, 2, 3, 4, 5, 678000, datetime.timezone.utc)
        table = pyarrow.table({
            "id": pyarrow.array([5], pyarrow.int8()), "day": pyarrow.array([datetime.date(2024, 2, 29)]),
            "utc": pyarrow.array([instant], pyarrow.timestamp("us", "UTC")),
            "naive": pyarrow.array([datetime.datetime(2024, 1, 2)], pyarrow.timestamp("ns")),
            "d": pyarrow.array([7], pyarrow.int64()), "t": pyarrow.array(["x"]).dictionary_encode(),
            "bin": pyarrow.array([b"\1"], pyarrow.binary(1)), "r": pyarrow.array([2], pyarrow.int32())})
        code, out, error = self.read("replace", table, "id:LONG", "day:NAIVE_DATE", "utc:UTC_DATETIME",
                                     "naive:NAIVE_DATETIME", "d:DECIMAL:5:2", "t:STRING", "bin:BINARY", "r:DOUBLE")
        self.assertEqual(code, 0, error)
        self.assertEqual(out.decode().split("\n")[1],
                         "5,2024-02-29,2024-01-02T03:04:05.678Z,2024-01-02T00:00:00,7,x,AQ==,2")

    def test_what_does_not_fit(self):
        for array, column, words in (
                (pyarrow.array([40000]), "v:SHORT", "40000"), (pyarrow.array(["soon"]), "v:NAIVE_DATE", "soon"),
                (pyarrow.array([b"\xff"]), "v:STRING", "no text"), (pyarrow.array([[1]]), "v:STRING", "'v'"),
                (pyarrow.array([1.5]), "v:LONG", "'v'")):
            with self.subTest(column):
                code, _, error = self.read("replace", pyarrow.table({"id": [1], "v": array}), "id:LONG", column)
                self.assertEqual(code, 1)
                self.assertIn(words, error)
                self.assertIn("stdin", error)


unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
