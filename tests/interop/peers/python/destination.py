"""A destination on grpcio that keeps rows in SQLite; batch files are opened with the openssl and zstd programs.

Cells are stored as the text of the batch file after a strict look at its form, so a reader sees what was sent; the
table `shapes` has each table's description as JSON.
"""

import argparse
import signal
import sqlite3
import sys
import threading
from concurrent import futures

import grpc
from google.protobuf import json_format

import batchfile
import v2_common_pb2 as common
import v2_destination_pb2 as pb
import v2_destination_pb2_grpc as stubs
from values import canonical, time_nanos


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def table_name(schema, table):
    return quoted(f"{schema}.{table}")


def names(columns):
    return ", ".join(quoted(c.name) for c in columns)


class Destination(stubs.DestinationConnectorServicer):
    def __init__(self, path):
        self.lock = threading.Lock()
        self.store = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.store.execute("CREATE TABLE IF NOT EXISTS shapes (name TEXT PRIMARY KEY, shape TEXT)")

    def shape(self, schema, table):
        row = self.store.execute("SELECT shape FROM shapes WHERE name = ?", (f"{schema}.{table}",)).fetchone()
        return json_format.Parse(row[0], common.Table()) if row else None

    def keep_shape(self, schema, table):
        shape = json_format.MessageToJson(table, always_print_fields_with_no_presence=True)
        self.store.execute("REPLACE INTO shapes VALUES (?, ?)", (f"{schema}.{table.name}", shape))

    def create(self, schema, table):
        keys = [c for c in table.columns if c.primary_key]
        key = f", PRIMARY KEY ({names(keys)})" if keys else ""
        self.store.execute(f"CREATE TABLE {table_name(schema, table.name)} ({names(table.columns)}{key})")
        self.keep_shape(schema, table)

    def ConfigurationForm(self, request, context):
        form = common.ConfigurationFormResponse()
        form.fields.add(name="word", label="Word", required=True, text_field=common.PlainText)
        return form

    def Capabilities(self, request, context):
        return pb.CapabilitiesResponse(batch_file_format=pb.CSV)

    def Test(self, request, context):
        return common.TestResponse(success=True)

    def DescribeTable(self, request, context):
        with self.lock:
            found = self.shape(request.schema_name, request.table_name)
        return pb.DescribeTableResponse(table=found) if found else pb.DescribeTableResponse(not_found=True)

    def CreateTable(self, request, context):
        with self.lock:
            if self.shape(request.schema_name, request.table.name):
                return pb.CreateTableResponse(task=common.Task(message="the table exists"))
            self.create(request.schema_name, request.table)
        return pb.CreateTableResponse(success=True)

    def AlterTable(self, request, context):
        with self.lock:
            stored = self.shape(request.schema_name, request.table.name)
            known = {c.name: c for c in stored.columns}
            wanted = {c.name: c for c in request.table.columns}
            if any(known[n].primary_key != wanted[n].primary_key for n in known if n in wanted):
                return pb.AlterTableResponse(task=common.Task(message="this destination cannot change keys"))
            for name in wanted.keys() - known.keys():
                self.store.execute(
                    f"ALTER TABLE {table_name(request.schema_name, request.table.name)} "
                    f"ADD COLUMN {quoted(name)}"
                )
            merged = common.Table(name=request.table.name, columns=request.table.columns)
            merged.columns.extend(c for n, c in known.items() if n not in wanted)
            self.keep_shape(request.schema_name, merged)
        return pb.AlterTableResponse(success=True)

    def Truncate(self, request, context):
        with self.lock:
            if self.shape(request.schema_name, request.table_name) is None:
                return pb.TruncateResponse(success=True)
            table, synced = table_name(request.schema_name, request.table_name), quoted(request.synced_column)
            before = request.utc_delete_before.seconds * 10**9 + request.utc_delete_before.nanos
            old = [
                row
                for row, time in self.store.execute(f"SELECT rowid, {synced} FROM {table}")
                if time_nanos(time) < before
            ]
            change = (
                f"UPDATE {table} SET {quoted(request.soft.deleted_column)} = 'true'"
                if request.HasField("soft")
                else f"DELETE FROM {table}"
            )
            self.store.executemany(f"{change} WHERE rowid = ?", [(row,) for row in old])
        return pb.TruncateResponse(success=True)

    def WriteBatch(self, request, context):
        try:
            with self.lock:
                self.store.execute("BEGIN")
                try:
                    self.apply(request)
                    self.store.execute("COMMIT")
                except BaseException:
                    self.store.execute("ROLLBACK")
                    raise
        except (ValueError, KeyError, OSError, sqlite3.Error) as error:
            context.abort(grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}")
        return pb.WriteBatchResponse(success=True)

    def apply(self, request):
        params = request.file_params
        strings = (params.null_string, params.unmodified_string)
        types = {c.name: common.DataType.Name(c.type) for c in request.table.columns}
        keys = [c.name for c in request.table.columns if c.primary_key]
        table = table_name(request.schema_name, request.table.name)
        same_key = " AND ".join(f"{quoted(key)} = ?" for key in keys)

        def rows(paths):
            for path in paths:
                yield from batchfile.read(
                    path,
                    pb.Compression.Name(params.compression),
                    pb.Encryption.Name(params.encryption),
                    request.keys.get(path),
                    strings,
                )[1]

        def check(row):
            for name, text in row.items():
                canonical(types[name], text)
                if isinstance(text, str) and types[name] == "BOOLEAN" and text not in ("true", "false"):
                    raise ValueError(f"'{text}' is no BOOLEAN")

        for row in rows(request.replace_files):
            check(row)
            if any(cell is False for cell in row.values()):
                raise ValueError("an unmodified cell in a replace file")
            columns = ", ".join(quoted(name) for name in row)
            self.store.execute(
                f"REPLACE INTO {table} ({columns}) VALUES ({', '.join('?' * len(row))})", list(row.values())
            )
        for row in rows(request.update_files):
            check(row)
            changed = {name: text for name, text in row.items() if text is not False and name not in keys}
            if changed:
                self.store.execute(
                    f"UPDATE {table} SET {', '.join(f'{quoted(n)} = ?' for n in changed)} "
                    f"WHERE {same_key}",
                    [*changed.values(), *(row[key] for key in keys)],
                )
        for row in rows(request.delete_files):
            self.store.execute(f"DELETE FROM {table} WHERE {same_key}", [row[key] for key in keys])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", help="a Unix socket's path, in place of a free loopback port")
    parser.add_argument("--store", required=True)
    options = parser.parse_args()
    # The C core takes 4 MiB by default, and a record may be larger (R-RPC-02).
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=8), options=[("grpc.max_receive_message_length", 1 << 27)]
    )
    stubs.add_DestinationConnectorServicer_to_server(Destination(options.store), server)
    port = server.add_insecure_port(f"unix:{options.socket}" if options.socket else "127.0.0.1:0")
    server.start()
    print(f"listening on {port}", flush=True)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    stop.wait()
    server.stop(1).wait()


if __name__ == "__main__":
    sys.exit(main())
