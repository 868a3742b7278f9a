"""Reads rows back from the stores, not through Weir: SQLite by Python's own module, DuckDB by its library's C interface."""
import contextlib
import ctypes
import datetime
import decimal
import pathlib
import sqlite3

import kit


def parse_clock(text):
    hours, minutes, seconds = text.split(":")
    whole, _, fraction = seconds.partition(".")
    return (int(hours) * 3600 + int(minutes) * 60 + int(whole)) * 10**9 + int(fraction.ljust(9, "0") or 0)


def parse_datetime(text):
    date, _, clock = text.partition(" ")
    return (datetime.date.fromisoformat(date) - kit.EPOCH).days * kit.DAY_NS + parse_clock(clock)


class SqliteStore:
    name = "sqlite"
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


class DuckdbStore:
    name = "duckdb"
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


STORES = {"sqlite": SqliteStore, "duckdb": DuckdbStore}
