"""Drives a destination program over gRPC with foreign tools only: protoc's and grpcio's code, the zstd and openssl commands,
Python's csv rules written out by hand. Nothing in here is Weir's.
"""
import base64
import ctypes
import datetime
import decimal
import gzip
import importlib
import json
import os
import pathlib
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile

import grpc

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NULL, UNMODIFIED = "null-m8yilkvPsNulehxl2G6pmSQ3G3WWdLP", "unmod-NcK9NIjPUutCsz4mjOQQztbnwnE1sY3"
DAY_NS = 86400 * 10**9
EPOCH = datetime.date(1970, 1, 1)
CALL_TIMEOUT_S = 120


def load_protocol(folder):
    """Python modules of protocol/, made by protoc."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["protoc", f"-I{ROOT / 'protocol'}", f"--python_out={folder}", "v2_common.proto", "v2_destination.proto"],
                   check=True)
    sys.path.insert(0, str(folder))
    return importlib.import_module("v2_common_pb2"), importlib.import_module("v2_destination_pb2")


class Column:
    """A column: name, type by its name on the wire, key, and (precision, scale) or a byte length."""

    def __init__(self, name, type, key=False, params=None):
        self.name, self.type, self.key, self.params = name, type, key, params

    def __eq__(self, other):
        return (self.name, self.type, self.key, self.params) == (other.name, other.type, other.key, other.params)

    def __repr__(self):
        return f"{self.name}:{self.type}{self.params or ''}{' key' if self.key else ''}"


class Unmodified:
    def __repr__(self):
        return "UNMODIFIED"


UNCHANGED = Unmodified()


class Failed(Exception):
    """The destination said no: `kind` is task, error (a gRPC status) or warning."""

    def __init__(self, kind, text):
        super().__init__(f"{kind}: {text}")
        self.kind, self.text = kind, text


class Destination:
    """A running destination program."""

    def __init__(self, program, protocol, configuration, limit_file_size=None, obey_permissions=False):
        self.common, self.messages = protocol
        self.configuration = configuration

        def limit():
            if obey_permissions and os.geteuid() == 0:
                # Without this capability root, too, may only do what a file's mode says. (PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)
                assert ctypes.CDLL(None).prctl(24, 1, 0, 0, 0) == 0
            if limit_file_size is not None:
                # As on a full disk, writing past the limit fails instead of ending the process.
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit_file_size, limit_file_size))

        self.process = subprocess.Popen([program, "--port", "0"], stdout=subprocess.PIPE, preexec_fn=limit, text=True)
        line = json.loads(self.process.stdout.readline())
        self.port = int(line["message"].rsplit(" ", 1)[1])
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", options=[
            ("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.channel.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def kill(self):
        self.channel.close()
        self.process.kill()
        self.process.communicate()

    def memory_peak_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) // 1024

    def call(self, method, request, reply, timeout_s=CALL_TIMEOUT_S):
        rpc = self.channel.unary_unary(f"/fivetran_sdk.v2.DestinationConnector/{method}",
                                       request_serializer=lambda m: m.SerializeToString(),
                                       response_deserializer=getattr(self.messages, reply, None).FromString
                                       if hasattr(self.messages, reply) else getattr(self.common, reply).FromString)
        try:
            answer = rpc(request, timeout=timeout_s)
        except grpc.RpcError as error:
            raise Failed("error", f"{error.code().name}: {error.details()}") from None
        member = answer.WhichOneof("response") if "response" in answer.DESCRIPTOR.oneofs_by_name else None
        if member in ("task", "warning"):
            raise Failed(member, getattr(answer, member).message)
        return answer

    def table(self, name, columns):
        message = self.common.Table(name=name)
        for column in columns:
            out = message.columns.add(name=column.name, type=self.common.DataType.Value(column.type), primary_key=column.key)
            if isinstance(column.params, tuple):
                out.params.decimal.precision, out.params.decimal.scale = column.params
            elif column.params is not None:
                out.params.string_byte_length = column.params
        return message

    def describe(self, schema, table):
        """The columns, or None when the destination says not_found."""
        answer = self.call("DescribeTable", self.messages.DescribeTableRequest(
            configuration=self.configuration, schema_name=schema, table_name=table), "DescribeTableResponse")
        if answer.WhichOneof("response") == "not_found":
            return None
        assert answer.table.name == table
        columns = []
        for column in answer.table.columns:
            which = column.params.WhichOneof("params")
            params = {"decimal": lambda p: (p.decimal.precision, p.decimal.scale),
                      "string_byte_length": lambda p: p.string_byte_length, None: lambda p: None}[which](column.params)
            columns.append(Column(column.name, self.common.DataType.Name(column.type), column.primary_key, params))
        return columns

    def create(self, schema, table, columns):
        return self.call("CreateTable", self.messages.CreateTableRequest(
            configuration=self.configuration, schema_name=schema, table=self.table(table, columns)), "CreateTableResponse")

    def alter(self, schema, table, columns, drop=False):
        return self.call("AlterTable", self.messages.AlterTableRequest(
            configuration=self.configuration, schema_name=schema, table=self.table(table, columns), drop_columns=drop),
            "AlterTableResponse")

    def truncate(self, schema, table, before_ns, deleted_column=None, synced="_fivetran_synced"):
        request = self.messages.TruncateRequest(configuration=self.configuration, schema_name=schema, table_name=table,
                                                synced_column=synced)
        request.utc_delete_before.seconds, request.utc_delete_before.nanos = divmod(before_ns, 10**9)
        if deleted_column is not None:
            request.soft.deleted_column = deleted_column
        return self.call("Truncate", request, "TruncateResponse")

    def write(self, schema, table, columns, files, timeout_s=CALL_TIMEOUT_S):
        """`files` is what Files.request() gives; with earliest_start files it is a WriteHistoryBatch."""
        method = "WriteHistoryBatch" if files["earliest_start"] else "WriteBatch"
        request = getattr(self.messages, method + "Request")(configuration=self.configuration, schema_name=schema,
                                                  table=self.table(table, columns), keys=files["keys"])
        if files["earliest_start"]:
            request.earliest_start_files.extend(files["earliest_start"])
        request.replace_files.extend(files["replace"])
        request.update_files.extend(files["update"])
        request.delete_files.extend(files["delete"])
        request.file_params.compression = self.messages.Compression.Value(files["compression"])
        request.file_params.encryption = self.messages.Encryption.Value(files["encryption"])
        request.file_params.null_string, request.file_params.unmodified_string = NULL, UNMODIFIED
        return self.call(method, request, "WriteBatchResponse", timeout_s)


def clock_text(ns, digits):
    second, fraction = divmod(ns, 10**9)
    text = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    if digits is None:
        digits = len(f"{fraction:09}".rstrip("0"))
    return f"{text}.{fraction:09}"[:9 + digits] if digits else text


def cell_text(type, value, chance=None):
    """The text of a value; `chance` varies the spelling where R-BAT-08 leaves a choice."""
    if type == "BOOLEAN":
        return "true" if value else "false"
    if type == "DECIMAL":
        if chance and value and chance.random() < 0.2:
            return f"{value:E}"
        return f"{value:f}"
    if type in ("FLOAT", "DOUBLE"):
        special = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
        return special.get(repr(value), repr(value))
    if type == "NAIVE_DATE":
        return value.isoformat()
    if type == "NAIVE_TIME":
        return clock_text(value, None)
    if type in ("NAIVE_DATETIME", "UTC_DATETIME"):
        day, ns = divmod(value, DAY_NS)
        digits = None
        if chance and ns % 1000 == 0:
            digits = chance.choice([6, 9, None])
        date = (EPOCH + datetime.timedelta(days=day)).isoformat()
        return f"{date}T{clock_text(ns, digits)}{'Z' if type == 'UTC_DATETIME' else ''}"
    if type == "BINARY":
        return base64.b64encode(value).decode()
    return str(value)


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def official_quotes(text):
    """R-BAT-07: longer than 24 characters, or a byte below 0x2D, or a line break."""
    if len(text) > 24 or any(c < "-" for c in text):
        return quoted(text)
    return text


def needed_quotes(text):
    return quoted(text) if any(c in text for c in ',"\r\n') else text


class Files:
    """Batch files of one request, written the way `compression`, `encryption` and `style` say."""

    def __init__(self, folder, compression="ZSTD", encryption="AES", style="official", seed=0):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
        self.compression, self.encryption, self.style = compression, encryption, style
        self.chance = random.Random(seed)
        self.keys, self.lists = {}, {"earliest_start": [], "replace": [], "update": [], "delete": []}

    def cell(self, column, value):
        if value is None:
            return quoted(NULL) if self.style == "everything" else NULL
        if value is UNCHANGED:
            return quoted(UNMODIFIED) if self.style != "needed" else UNMODIFIED
        text = cell_text(column.type, value, self.chance)
        return {"official": official_quotes, "everything": quoted, "needed": needed_quotes}[self.style](text)

    def add(self, kind, columns, rows):
        """`rows` are dicts by column name; a column that no row has is left out of the file."""
        present = [c for c in columns if not rows or any(c.name in row for row in rows)]
        self.chance.shuffle(present)
        head = [needed_quotes(c.name) if self.style != "everything" else quoted(c.name) for c in present]
        lines = [",".join(head)] + [",".join(self.cell(c, row.get(c.name)) for c in present) for row in rows]
        text = "\n".join(lines) + ("" if rows and self.chance.random() < 0.3 else "\n")
        return self.add_raw(kind, text.encode())

    def add_raw(self, kind, data):
        if self.compression == "ZSTD":
            data = subprocess.run(["zstd", "-q", "-1", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
        elif self.compression == "GZIP":
            data = gzip.compress(data, 1)
        path = str(self.folder / f"file {len(self.keys)} {kind} {sum(map(len, self.lists.values()))}.csv")
        if self.encryption == "AES":
            key, iv = os.urandom(32), os.urandom(16)
            data = iv + subprocess.run(["openssl", "enc", "-aes-256-cbc", "-K", key.hex(), "-iv", iv.hex()], input=data,
                                       stdout=subprocess.PIPE, check=True).stdout
            self.keys[path] = key
        pathlib.Path(path).write_bytes(data)
        self.lists[kind].append(path)
        return path

    def request(self):
        return {"keys": self.keys, "compression": self.compression, "encryption": self.encryption, **self.lists}


class Model:
    """A table by the rules, row by row (R-DST-05, R-BAT-09): a dict of rows by key."""

    def __init__(self, columns):
        self.columns, self.rows = list(columns), {}

    def key(self, row):
        return tuple(row[c.name] for c in self.columns if c.key)

    def apply(self, kind, rows):
        for row in rows:
            key = self.key(row)
            if kind == "replace":
                self.rows[key] = {c.name: row.get(c.name) for c in self.columns}
            elif kind == "delete":
                self.rows.pop(key, None)
            elif key in self.rows:
                self.rows[key].update({name: value for name, value in row.items() if value is not UNCHANGED})

    def truncate(self, before_ns, deleted_column=None):
        for key, row in list(self.rows.items()):
            if row["_fivetran_synced"] is not None and row["_fivetran_synced"] < before_ns:
                if deleted_column:
                    row[deleted_column] = True
                else:
                    del self.rows[key]


LAST = (datetime.date(9999, 12, 31) - EPOCH).days * DAY_NS + DAY_NS - 10**6


class HistoryModel(Model):
    """A table of versions by the rules (R-HIS-01 to R-HIS-04); a dict of versions by key and start."""

    def versions(self, row):
        """Of the row's key, by start."""
        own = [c.name for c in self.columns if c.key and c.name != "_fivetran_start"]
        return sorted((r for r in self.rows.values() if all(r[n] == row[n] for n in own)), key=lambda r: r["_fivetran_start"])

    def request(self, earliest_start=(), replace=(), update=(), delete=()):
        for row in earliest_start:
            for version in self.versions(row):
                if version["_fivetran_start"] >= row["_fivetran_start"]:
                    del self.rows[self.key(version)]
                elif version["_fivetran_active"]:
                    version.update(_fivetran_active=False, _fivetran_end=row["_fivetran_start"] - 10**6)
        for row in sorted((*replace, *update), key=lambda r: r["_fivetran_start"]):
            before = [v for v in self.versions(row) if v["_fivetran_start"] < row["_fivetran_start"]]
            if before or UNCHANGED not in row.values():
                self.rows[self.key(row)] = {n: before[-1][n] if value is UNCHANGED else value for n, value in row.items()}
        for row in delete:
            began = [v for v in self.versions(row) if v["_fivetran_start"] <= row["_fivetran_end"]]
            if began and (began[-1]["_fivetran_active"] or began[-1]["_fivetran_end"] > row["_fivetran_end"]):
                began[-1].update(_fivetran_active=False, _fivetran_end=row["_fivetran_end"])


def plain(type, value):
    """A form in which equal values are equal objects."""
    if type in ("FLOAT", "DOUBLE") and value is not None:
        # One NaN, one zero.
        return "NaN" if value != value else float(value) + 0.0
    if type == "DECIMAL" and value is not None:
        return decimal.Decimal(value)
    return value


def float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def compare(columns, expected, actual):
    """Lists of dicts, compared as multisets by value; raises AssertionError with the first difference."""
    def lines(rows):
        return sorted((repr([plain(c.type, row.get(c.name)) for c in columns]) for row in rows))

    def normal(rows):
        out = []
        for row in rows:
            out.append({c.name: plain(c.type, row.get(c.name)) for c in columns})
            for c in columns:
                value = out[-1][c.name]
                if isinstance(value, decimal.Decimal):
                    out[-1][c.name] = value.normalize() if value else decimal.Decimal(0)
        return out

    with decimal.localcontext() as context:
        context.prec = 80
        want, have = lines(normal(expected)), lines(normal(actual))
    if want != have:
        wanted, found = set(want), set(have)
        missing = [line for line in want if line not in found][:3]
        extra = [line for line in have if line not in wanted][:3]
        raise AssertionError(f"{len(want)} rows expected, {len(have)} found\n  missing: {missing}\n  found:   {extra}")
