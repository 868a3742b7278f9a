"""Reads rows back from the stores, not through Weir: SQLite by Python's own module, DuckDB and the Parquet files that a manifest
lists by DuckDB's C interface, servers' tables by psql and libmariadb."""
import contextlib
import ctypes
import datetime
import decimal
import json
import os
import pathlib
import sqlite3
import subprocess
import sys

import kit


def parse_clock(text):
    hours, minutes, seconds = text.split(":")
    whole, _, fraction = seconds.partition(".")
    return (int(hours) * 3600 + int(minutes) * 60 + int(whole)) * 10**9 + int(fraction.ljust(9, "0") or 0)


def parse_datetime(text):
    date, _, clock = text.partition(" ")
    return (datetime.date.fromisoformat(date) - kit.EPOCH).days * kit.DAY_NS + parse_clock(clock)


class FileStore:
    """A store that is a file or a folder, which the configuration names."""

    def configuration(self, path):
        return {self.option: str(path)}


class SqliteStore(FileStore):
    name, option = "sqlite", "path"
    file = "warehouse.db"

    def __init__(self, path, _bin):
        self.path = path

    @staticmethod
    def stored_name(schema, table):
        return f"{schema.replace('%', '%25').replace('.', '%2E')}.{table}"

    def query(self, sql, *parameters):
        db = sqlite3.connect(self.path)
        # Text with any bytes, NUL included, as it is.
        db.text_factory = lambda data: data.decode()
        try:
            return db.execute(sql, parameters).fetchall()
        finally:
            db.close()

    def rows(self, schema, table, columns):
        names = ", ".join('"' + c.name.replace('"', '""') + '"' for c in columns)
        stored = self.stored_name(schema, table).replace('"', '""')
        return [{c.name: self.value(c.type, v) for c, v in zip(columns, row)}
                for row in self.query(f'SELECT {names} FROM "{stored}"')]

    @staticmethod
    def value(type, value):
        if value is None:
            return None
        if type == "BOOLEAN":
            assert value in (0, 1)
            return bool(value)
        if type in ("SHORT", "INT", "LONG"):
            assert isinstance(value, int)
            return value
        if type == "DECIMAL":
            assert isinstance(value, str)
            return decimal.Decimal(value)
        if type in ("FLOAT", "DOUBLE"):
            assert isinstance(value, float) or value == "NaN", repr(value)
            return float(value)
        if type == "NAIVE_DATE":
            return datetime.date.fromisoformat(value)
        if type == "NAIVE_TIME":
            return parse_clock(value)
        if type in ("NAIVE_DATETIME", "UTC_DATETIME"):
            return parse_datetime(value)
        assert isinstance(value, bytes if type == "BINARY" else str)
        return value

    def execute(self, sql):
        db = sqlite3.connect(self.path)
        db.executescript(sql)
        db.close()

    def tables(self):
        return {row[0] for row in self.query("SELECT name FROM sqlite_schema WHERE type = 'table'")
                if row[0] != "_weir_columns"}

    def damage(self):
        """What SQLite itself says about the file."""
        return [row[0] for row in self.query("PRAGMA integrity_check") if row[0] != "ok"]


class Result(ctypes.Structure):
    _fields_ = [("numbers", ctypes.c_uint64 * 3), ("pointers", ctypes.c_void_p * 3)]


class DuckdbStore(FileStore):
    name, option = "duckdb", "path"
    file = "warehouse.duckdb"

    def __init__(self, path, bin_dir):
        self.path = path
        library = ctypes.CDLL(str(pathlib.Path(bin_dir) / "libduckdb.so"))
        pointer, result, index = ctypes.c_void_p, ctypes.POINTER(Result), ctypes.c_uint64
        for name, arguments, returned in (
                ("open", [ctypes.c_char_p, ctypes.POINTER(pointer)], ctypes.c_int),
                ("connect", [pointer, ctypes.POINTER(pointer)], ctypes.c_int),
                ("query", [pointer, ctypes.c_char_p, result], ctypes.c_int),
                ("result_error", [result], ctypes.c_char_p),
                ("row_count", [result], index), ("column_count", [result], index),
                ("value_is_null", [result, index, index], ctypes.c_bool),
                ("value_varchar", [result, index, index], pointer),
                ("free", [pointer], None), ("destroy_result", [result], None),
                ("disconnect", [ctypes.POINTER(pointer)], None), ("close", [ctypes.POINTER(pointer)], None)):
            function = getattr(library, "duckdb_" + name)
            function.argtypes, function.restype = arguments, returned
        self.library = library

    @contextlib.contextmanager
    def open(self):
        """A function that runs SQL and gives rows of texts and None; other processes cannot open the file meanwhile."""
        library = self.library
        database, connection = ctypes.c_void_p(), ctypes.c_void_p()
        assert library.duckdb_open(str(self.path).encode(), ctypes.byref(database)) == 0, "cannot open"
        assert library.duckdb_connect(database, ctypes.byref(connection)) == 0
        try:
            yield lambda sql: self.run(connection, sql)
        finally:
            library.duckdb_disconnect(ctypes.byref(connection))
            library.duckdb_close(ctypes.byref(database))

    def run(self, connection, sql):
        library, result = self.library, Result()
        at = ctypes.byref(result)
        try:
            if library.duckdb_query(connection, sql.encode(), at) != 0:
                raise AssertionError(library.duckdb_result_error(at).decode())
            columns = range(library.duckdb_column_count(at))
            return [tuple(self.cell(at, column, row) for column in columns) for row in range(library.duckdb_row_count(at))]
        finally:
            library.duckdb_destroy_result(at)

    def cell(self, result, column, row):
        if self.library.duckdb_value_is_null(result, column, row):
            return None
        data = self.library.duckdb_value_varchar(result, column, row)
        text = ctypes.string_at(data).decode()
        self.library.duckdb_free(data)
        return text

    def query(self, sql):
        with self.open() as run:
            return run(sql)

    execute = query

    @staticmethod
    def quoted(name):
        return '"' + name.replace('"', '""') + '"'

    def path_of(self, schema, table):
        return ".".join(self.quoted(name) for name in (self.catalog(), schema, table))

    def catalog(self):
        return pathlib.Path(self.path).stem

    def names(self, schema, table):
        value = lambda text: "'" + text.replace("'", "''") + "'"
        return [row[0] for row in self.query(
            f"SELECT column_name FROM duckdb_columns() WHERE schema_name = {value(schema)} AND table_name = {value(table)}")]

    def rows(self, schema, table, columns):
        present = self.names(schema, table)
        out = []
        for row in self.query(f"SELECT {', '.join(self.expression(c, present) for c in columns)} "
                              f"FROM {self.path_of(schema, table)}"):
            out.append({c.name: self.value(c.type, v) for c, v in zip(columns, row)})
        return out

    def expression(self, column, present):
        name, fine = self.quoted(column.name), column.name + " (ns)"
        if column.type in ("NAIVE_DATETIME", "UTC_DATETIME", "NAIVE_TIME"):
            rest = self.quoted(fine) if fine in present else "0"
            return f"CAST(CAST(epoch_us({name}) AS HUGEINT) * 1000 + {rest} AS VARCHAR)"
        if column.type in ("BINARY", "STRING", "JSON", "XML"):
            return f"hex(CAST({name} AS {'BLOB' if column.type == 'BINARY' else 'VARCHAR'}))"
        if column.type in ("FLOAT", "DOUBLE"):
            return f"CAST(CAST({name} AS DOUBLE) AS VARCHAR)"
        return f"CAST({name} AS VARCHAR)"

    @staticmethod
    def value(type, text):
        if text is None:
            return None
        if type == "BOOLEAN":
            return {"true": True, "false": False}[text]
        if type in ("FLOAT", "DOUBLE"):
            return float(text)
        if type == "DECIMAL":
            return decimal.Decimal(text)
        if type == "NAIVE_DATE":
            return datetime.date.fromisoformat(text)
        if type in ("BINARY", "STRING", "JSON", "XML"):
            data = bytes.fromhex(text)
            return data if type == "BINARY" else data.decode()
        return int(text)

    def tables(self):
        return {f"{row[0]}.{row[1]}" for row in self.query("SELECT schema_name, table_name FROM duckdb_tables()")}

    def damage(self):
        return []


class ParquetStore(DuckdbStore):
    name, option = "parquet", "folder"
    file = "lake"

    def __init__(self, path, bin_dir):
        super().__init__(":memory:", bin_dir)
        self.folder = pathlib.Path(path)

    @staticmethod
    def escaped(name):
        """Lower-case letters, digits, _ and - are themselves; other bytes are %XX, nothing is %, what is long ends in a hash."""
        plain = b"abcdefghijklmnopqrstuvwxyz0123456789_-"
        pieces = [chr(byte) if byte in plain else f"%{byte:02X}" for byte in name.encode()] or ["%"]
        if len("".join(pieces)) <= 200:
            return "".join(pieces)
        hashed, kept = 0xcbf29ce484222325, ""
        for byte in name.encode():
            hashed = (hashed ^ byte) * 0x100000001b3 % 2**64
        while len(kept + pieces[0]) <= 180:
            kept += pieces.pop(0)
        return f"{kept}~{hashed:016x}"

    def place(self, schema, table):
        return self.folder / self.escaped(schema) / self.escaped(table)

    def manifest(self, schema, table):
        place = self.place(schema, table)
        return {"place": place, **json.loads((place / "manifest.json").read_text())}

    def names(self, schema, table):
        return [column["name"] for column in self.manifest(schema, table)["columns"]]

    def source(self, manifest):
        parts = [str(manifest["place"] / part["file"]).replace("'", "''") for part in manifest["parts"]]
        listed = ", ".join(f"'{part}'" for part in parts)
        names = ", ".join(f"NULL AS {self.quoted(column['name'])}" for column in manifest["columns"])
        return f"read_parquet([{listed}], hive_partitioning = false)" if parts else f"(SELECT {names} WHERE false)"

    def path_of(self, schema, table):
        return self.source(self.manifest(schema, table))

    def rows_of(self, manifest, columns):
        present = [column["name"] for column in manifest["columns"]]
        return [{c.name: self.value(c.type, v) for c, v in zip(columns, row)} for row in self.query(
            f"SELECT {', '.join(self.expression(c, present) for c in columns)} FROM {self.source(manifest)}")]

    def part_rows(self, schema, table, name):
        path = self.place(schema, table) / name
        return [{"id": int(row[0])} for row in self.query(f"SELECT CAST(id AS VARCHAR) FROM read_parquet('{path}')")]

    def tables(self):
        return {str(path.parent.relative_to(self.folder)).replace("/", ".") for path in self.folder.glob("*/*/manifest.json")}

    def damage(self):
        """Files that no manifest knows, and parts that are not there or have other rows than it says."""
        wrong = []
        for path in self.folder.glob("*/*/*"):
            manifest = json.loads((path.parent / "manifest.json").read_text())
            known = {part["file"]: part for part in manifest["parts"]}
            if path.name in known:
                count = self.query(f"SELECT CAST(count(*) AS VARCHAR) FROM read_parquet('{path}')")[0][0]
                if (int(count), path.stat().st_size) != (known[path.name]["rows"], known[path.name]["bytes"]):
                    wrong.append(f"{path.name} is not as the manifest says")
            elif path.name not in manifest["previous"] + ["manifest.json"]:
                wrong.append(f"{path.name} belongs to nobody")
        return wrong


def shown_value(type, text):
    """Of what both servers show alike: whole numbers, texts, flags, points in time."""
    if text is None:
        return None
    if type == "BOOLEAN":
        return {"true": True, "false": False, "1": True, "0": False}[text]
    if type in ("SHORT", "INT", "LONG"):
        return int(text)
    if type in ("NAIVE_DATETIME", "UTC_DATETIME"):
        return parse_datetime(text.removesuffix("+00"))
    assert type == "STRING", type
    return text


class ServerStore:
    """A running server, which the environment names as tests/postgresql/with_cluster and tests/mariadb/with_server do."""

    file = "none"

    def __init__(self, _path=None, _bin=None):
        pass

    def configuration(self, _path):
        find = lambda name: os.environ[self.variables + name]
        return {"host": "127.0.0.1", "port": find("PORT"), "database": "weir", "user": "weir", "password": find("PASSWORD"),
                "tls": "disable"}

    def rows(self, schema, table, columns):
        return [{c.name: shown_value(c.type, text) for c, text in zip(columns, row)} for row in self.texts(schema, table, columns)]


class PostgresqlStore(ServerStore):
    name, variables = "postgresql", "PG"

    def texts(self, schema, table, columns):
        shown = ", ".join(f'CAST("{c.name}" AS text)' for c in columns)
        sql = f'SELECT coalesce(json_agg(json_build_array({shown})), \'[]\') FROM "{schema}"."{table}"'
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql], check=True, text=True,
                              stdout=subprocess.PIPE, env={**os.environ, "PGOPTIONS": "-c timezone=UTC"})
        return json.loads(done.stdout)


class MariadbStore(ServerStore):
    name, variables = "mariadb", "MARIADB_"

    def texts(self, schema, table, columns):
        sys.path.append(str(kit.ROOT / "tests" / "mariadb"))
        from server import Client
        shown = ", ".join(f"`{c.name}`" for c in columns)
        with Client(os.environ["MARIADB_SOCKET"], "weir", os.environ["MARIADB_PASSWORD"], None) as client:
            client.rows("SET time_zone = '+00:00'")
            return [[cell if cell is None else cell.decode() for cell in row]
                    for row in client.rows(f"SELECT {shown} FROM `{schema}`.`{table}`")]


STORES = {store.name: store for store in (SqliteStore, DuckdbStore, ParquetStore, PostgresqlStore, MariadbStore)}
