"""A small destination in memory, on foreign tools only (grpcio, protoc, openssl, zstd), and its faults.

With `--parquet BIN`, or PARQUET in the environment, it asks for Parquet files and reads them with DuckDB's library in the
folder BIN; the types of their columns are written to `DUMPS/types.jsonl`.

Rows are kept as the texts that the batch files hold; after every change a table is written as JSON Lines to
`DUMPS/SCHEMA.TABLE.jsonl`, where `cat` finds it for `weir test --dump`. `--fault NAME` breaks one thing.
"""
import argparse
import base64
import concurrent.futures
import csv
import datetime
import io
import json
import os
import pathlib
import struct
import subprocess
import sys

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "destinations"))
import kit
import stores

FAULTS = """none lose_updates mangle_cells ignore_cutoff narrow_type keep_column describe_warning task unset warning die
no_key empty_is_null lose_row end_of_version unread unsupported no_history fail_test slow_start answer_false
refuse_alter refuse_truncate""".split()


def time_of(text):
    """A UTC text as (seconds, nanoseconds), exact."""
    body, _, fraction = text.rstrip("Z").partition(".")
    seconds = int(datetime.datetime.fromisoformat(body).replace(tzinfo=datetime.timezone.utc).timestamp())
    return seconds, int((fraction + "000000000")[:9])


def text_of(seconds, nanos):
    stamp = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{stamp}.{nanos // 1_000_000:03d}Z"


def before(text):
    """One millisecond earlier."""
    seconds, nanos = time_of(text)
    return text_of(seconds, nanos - 1_000_000) if nanos >= 1_000_000 else text_of(seconds - 1, nanos + 999_000_000)


class Table:
    def __init__(self, schema, name, columns):
        self.schema, self.name, self.columns, self.rows = schema, name, columns, []

    def keys(self):
        return [c.name for c in self.columns if c.primary_key]

    def own_key(self, row):
        return tuple(row.get(k) for k in self.keys() if k != "_fivetran_start")


class Store:
    def __init__(self, fault, dumps, protocol, library=None):
        self.fault, self.dumps = fault, dumps
        self.duckdb = stores.DuckdbStore(":memory:", library) if library else None
        self.common, self.messages = protocol
        self.tables = {}

    # --- tables ---

    def describe(self, request):
        table = self.tables.get((request.schema_name, request.table_name))
        reply = self.messages.DescribeTableResponse()
        if table is None and self.fault == "describe_warning":
            reply.warning.message = f"Table not found: {request.table_name}"
        elif table is None:
            reply.not_found = True
        else:
            reply.table.name = table.name
            reply.table.columns.extend(table.columns)
            for column in reply.table.columns:
                if self.fault == "no_key":
                    column.primary_key = False
                if self.fault == "narrow_type" and column.type == self.common.LONG:
                    column.type = self.common.SHORT
        return reply

    def create(self, request):
        key = request.schema_name, request.table.name
        if key in self.tables:
            return self.messages.CreateTableResponse(task=self.common.Task(message="the table exists"))
        self.tables[key] = Table(*key, list(request.table.columns))
        self.dump(self.tables[key])
        return self.messages.CreateTableResponse(success=True)

    def alter(self, request):
        if self.fault == "refuse_alter":
            return self.messages.AlterTableResponse(success=False)
        table = self.tables[request.schema_name, request.table.name]
        wanted = {c.name: c for c in request.table.columns}
        keys = [c.name for c in request.table.columns if c.primary_key]
        seen = {tuple(row.get(k) for k in keys) for row in table.rows}
        if keys and len(seen) < len(table.rows):
            return self.messages.AlterTableResponse(task=self.common.Task(message="rows would share a key"))
        columns = []
        for column in table.columns:
            if column.name in wanted:
                self.convert(table, column, wanted[column.name])
                columns.append(wanted.pop(column.name))
            elif not request.drop_columns or self.fault == "keep_column":
                column.primary_key = False
                columns.append(column)
            else:
                for row in table.rows:
                    row.pop(column.name, None)
        table.columns = columns + list(wanted.values())
        self.dump(table)
        return self.messages.AlterTableResponse(success=True)

    def convert(self, table, old, new):
        """Texts of the old type as texts of the new one, where they differ."""
        if old.type == self.common.FLOAT and new.type == self.common.DOUBLE:
            for row in table.rows:
                if row.get(old.name) is not None:
                    row[old.name] = repr(struct.unpack("f", struct.pack("f", float(row[old.name])))[0])

    def truncate(self, request):
        if self.fault == "refuse_truncate":
            return self.messages.TruncateResponse(success=False)
        table = self.tables.get((request.schema_name, request.table_name))
        cut = request.utc_delete_before.seconds, request.utc_delete_before.nanos
        if table is not None:
            old = [r for r in table.rows if self.fault == "ignore_cutoff" or time_of(r[request.synced_column]) < cut]
            for row in old:
                if request.HasField("soft"):
                    row[request.soft.deleted_column] = "true"
                else:
                    table.rows.remove(row)
            self.dump(table)
        return self.messages.TruncateResponse(success=True)

    # --- rows ---

    def read(self, request, path):
        """The rows of a file as {column: text}, None for NULL; unmodified cells are left out."""
        if self.fault == "unread":
            return
        data = pathlib.Path(path).read_bytes()
        if request.file_params.encryption == self.messages.AES:
            data = subprocess.run(["openssl", "enc", "-d", "-aes-256-cbc", "-K", request.keys[path].hex(), "-iv",
                                   data[:16].hex()], input=data[16:], capture_output=True, check=True).stdout
        if request.file_params.compression == self.messages.ZSTD:
            data = subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=True).stdout
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""))) if self.duckdb is None else self.read_parquet(
            request.table.name, data)
        params = request.file_params
        for cells in rows[1:]:
            assert len(cells) == len(rows[0]), (path, cells)
            yield {name: self.cell(None if cell == params.null_string else cell)
                   for name, cell in zip(rows[0], cells) if cell != params.unmodified_string}

    def read_parquet(self, table, data):
        """Names, then rows as they would stand in CSV, but None for NULL."""
        file = os.memfd_create("batch")
        os.write(file, data)
        source = f"read_parquet('/proc/self/fd/{file}')"
        with self.duckdb.open() as run:
            columns = [row[:2] for row in run(f"DESCRIBE SELECT * FROM {source}")]
            texts = ", ".join(f"base64({kit.quoted(name)})" if type == "BLOB" else f"CAST({kit.quoted(name)} AS VARCHAR)"
                              for name, type in columns)
            rows = run(f"SELECT {texts} FROM {source}")
        os.close(file)
        with open(self.dumps / "types.jsonl", "a") as types:
            print(json.dumps({"table": table, "columns": dict(columns)}), file=types)
        return [[name for name, _ in columns], *rows]

    def cell(self, text):
        if self.fault == "mangle_cells" and text is not None:
            return text.upper()
        return None if self.fault == "empty_is_null" and text == "" else text

    def write(self, request):
        table = self.tables[request.schema_name, request.table.name]
        rows = {table.own_key(r): r for r in table.rows}
        for path in request.replace_files:
            for row in self.read(request, path):
                rows[table.own_key(row)] = row
        for path in request.update_files if self.fault != "lose_updates" else []:
            for row in self.read(request, path):
                rows.get(table.own_key(row), {}).update(row)
        for path in request.delete_files:
            for row in self.read(request, path):
                rows.pop(table.own_key(row), None)
        table.rows = list(rows.values())
        if self.fault == "lose_row":
            table.rows = table.rows[:-1]
        self.dump(table)
        return self.outcome()

    def write_history(self, request):
        table = self.tables[request.schema_name, request.table.name]

        def versions(row):
            return sorted((r for r in table.rows if table.own_key(r) == table.own_key(row)),
                          key=lambda r: time_of(r["_fivetran_start"]))

        for path in request.earliest_start_files:
            for row in self.read(request, path):
                for old in versions(row):
                    if time_of(old["_fivetran_start"]) >= time_of(row["_fivetran_start"]):
                        table.rows.remove(old)
                    elif old["_fivetran_active"] == "true":
                        end = row["_fivetran_start"]
                        old.update(_fivetran_active="false",
                                   _fivetran_end=end if self.fault == "end_of_version" else before(end))
        new = [row for path in request.replace_files for row in self.read(request, path)]
        new += [row for path in request.update_files for row in self.read(request, path)]
        for row in sorted(new, key=lambda r: time_of(r["_fivetran_start"])):
            earlier = [r for r in versions(row) if time_of(r["_fivetran_start"]) < time_of(row["_fivetran_start"])]
            whole = {c.name for c in request.table.columns} <= set(row)
            if whole or earlier:
                table.rows.append({**(earlier[-1] if earlier else {}), **row})
        for path in request.delete_files:
            for row in self.read(request, path):
                reached = [r for r in versions(row) if time_of(r["_fivetran_start"]) <= time_of(row["_fivetran_end"])]
                if reached and (reached[-1]["_fivetran_active"] == "true" or
                                time_of(reached[-1]["_fivetran_end"]) > time_of(row["_fivetran_end"])):
                    reached[-1].update(_fivetran_active="false", _fivetran_end=row["_fivetran_end"])
        self.dump(table)
        return self.outcome()

    def outcome(self):
        reply = self.messages.WriteBatchResponse(success=True)
        if self.fault == "task":
            reply = self.messages.WriteBatchResponse(task=self.common.Task(message="please buy more disk"))
        elif self.fault == "warning":
            reply = self.messages.WriteBatchResponse(warning=self.common.Warning(message="the disk is nearly full"))
        elif self.fault == "unset":
            reply = self.messages.WriteBatchResponse()
        elif self.fault == "answer_false":
            reply = self.messages.WriteBatchResponse(success=False)
        elif self.fault == "die":
            os._exit(7)
        return reply

    # --- Migrate: the operations on whole tables and columns ---

    def migrate(self, request):
        details, what = request.details, request.details.WhichOneof("operation")
        done = getattr(self, f"migrate_{what}")(details, getattr(details, what)) if self.fault != "unsupported" else None
        return self.messages.MigrateResponse(success=True) if done else self.messages.MigrateResponse(unsupported=True)

    def migrate_drop(self, details, drop):
        if drop.WhichOneof("entity") != "drop_table":
            return False
        self.tables.pop((details.schema, details.table), None)
        return True

    def column_like(self, column, name):
        new = self.common.Column()
        new.CopyFrom(column)
        new.name = name
        return new

    def migrate_copy(self, details, copy):
        if copy.WhichOneof("entity") == "copy_column":
            table = self.tables[details.schema, details.table]
            old = next(c for c in table.columns if c.name == copy.copy_column.from_column)
            new = self.column_like(old, copy.copy_column.to_column)
            new.primary_key = False
            table.columns.append(new)
            for row in table.rows:
                row[new.name] = row.get(copy.copy_column.from_column)
        elif copy.WhichOneof("entity") == "copy_table":
            old = self.tables[details.schema, copy.copy_table.from_table]
            table = Table(details.schema, copy.copy_table.to_table, [self.column_like(c, c.name) for c in old.columns])
            table.rows = [dict(r) for r in old.rows]
            self.tables[details.schema, table.name] = table
        else:
            return False
        self.dump(table)
        return True

    def migrate_rename(self, details, rename):
        if rename.WhichOneof("entity") == "rename_table":
            table = self.tables.pop((details.schema, rename.rename_table.from_table))
            table.name = rename.rename_table.to_table
            self.tables[details.schema, table.name] = table
        else:
            table = self.tables[details.schema, details.table]
            next(c for c in table.columns if c.name == rename.rename_column.from_column).name = \
                rename.rename_column.to_column
            for row in table.rows:
                row[rename.rename_column.to_column] = row.pop(rename.rename_column.from_column, None)
        self.dump(table)
        return True

    def migrate_add(self, details, add):
        if add.WhichOneof("entity") != "add_column_with_default_value":
            return False
        table, what = self.tables[details.schema, details.table], add.add_column_with_default_value
        table.columns.append(self.common.Column(name=what.column, type=what.column_type))
        return self.set_column(table, what.column, what.default_value)

    def migrate_update_column_value(self, details, what):
        return self.set_column(self.tables[details.schema, details.table], what.column, what.value)

    def migrate_table_sync_mode_migration(self, details, what):
        return False

    def set_column(self, table, column, value):
        for row in table.rows:
            row[column] = None if value == "NULL" else value
        self.dump(table)
        return True

    def dump(self, table):
        lines = [json.dumps({c.name: row.get(c.name) for c in table.columns}) for row in table.rows]
        (self.dumps / f"{table.schema}.{table.name}.jsonl").write_text("".join(line + "\n" for line in lines))


def form(common):
    reply = common.ConfigurationFormResponse(schema_selection_supported=True, table_selection_supported=True)
    field = reply.fields.add(name="kind", label="Kind", required=True)
    field.dropdown_field.dropdown_field.extend(["file", "server"])
    group = reply.fields.add(name="of_server").conditional_fields
    group.condition.condition_field, group.condition.string_value = "kind", "server"
    group.fields.add(name="host", label="Host", required=True, text_field=common.PlainText)
    group.fields.add(name="password", label="Password", text_field=common.Password)
    reply.fields.add(name="verbose", label="Verbose").toggle_field.SetInParent()
    upload = reply.fields.add(name="certificate", label="Certificate").upload_field
    upload.allowed_file_type.append(".pem")
    upload.max_file_size_bytes = 100
    reply.fields.add(name="port", label="Port", default_value="5432", text_field=common.PlainText)
    reply.tests.add(name="connect", label="Reach the server")
    reply.tests.add(name="permission", label="May write")
    return reply


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", required=True)
    parser.add_argument("--fault", choices=FAULTS, default=os.environ.get("FAULT", "none"))
    parser.add_argument("--parquet", metavar="BIN", default=os.environ.get("PARQUET"))
    options = parser.parse_args()
    dumps = pathlib.Path(os.environ["DUMPS"])
    common, messages = protocol = kit.load_protocol(dumps / "protocol")
    store = Store(options.fault, dumps, protocol, options.parquet)
    files = messages.PARQUET if options.parquet else messages.CSV

    def test(request):
        (dumps / "configuration_seen.json").write_text(json.dumps(dict(request.configuration)))
        if options.fault == "fail_test" and request.name == "permission":
            return common.TestResponse(failure="no permission to write")
        return common.TestResponse(success=True)

    methods = {
        "ConfigurationForm": (common.ConfigurationFormRequest, lambda _: form(common)),
        "Test": (common.TestRequest, test),
        "Capabilities": (messages.CapabilitiesRequest, lambda _: messages.CapabilitiesResponse(batch_file_format=files)),
        "DescribeTable": (messages.DescribeTableRequest, store.describe),
        "CreateTable": (messages.CreateTableRequest, store.create),
        "AlterTable": (messages.AlterTableRequest, store.alter),
        "Truncate": (messages.TruncateRequest, store.truncate),
        "WriteBatch": (messages.WriteBatchRequest, store.write),
        "WriteHistoryBatch": (messages.WriteHistoryBatchRequest, store.write_history),
        "Migrate": (messages.MigrateRequest, store.migrate),
    }
    if options.fault == "no_history":
        del methods["WriteHistoryBatch"]

    def handler(request_type, function):
        return grpc.unary_unary_rpc_method_handler(lambda request, _: function(request),
                                                   request_deserializer=request_type.FromString,
                                                   response_serializer=lambda reply: reply.SerializeToString())

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
        "fivetran_sdk.v2.DestinationConnector", {name: handler(*what) for name, what in methods.items()}),))
    assert server.add_insecure_port(f"127.0.0.1:{options.port}") != 0
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
