"""Drives a connector of ours with grpcio and code generated from protocol/: one phase a run, exit code 0 when all held.

    connector_client.py source --address A --config JSON --folder DIR --expected FILE
    connector_client.py destination PHASE --address A --config JSON --data FILE --work DIR

The phases of a destination are create, write, change, alter, soft and hard, in this order; what they leave in the store
is compared by the caller. --gzip compresses every request.
"""

import argparse
import json
import math
import os
import sys

import grpc

import batchfile
import v2_common_pb2 as common
import v2_destination_pb2 as destination_pb
import v2_destination_pb2_grpc as destination_stubs
import v2_source_pb2 as source_pb
import v2_source_pb2_grpc as source_stubs
from values import time_nanos, wire_text

SCHEMA = "interop schema"
STRINGS = ("null-7f3a", "unmodified-91c2")
SYNCED = ("2024-05-01T10:00:00.000Z", "2024-05-01T10:00:01.000Z")
CUT = "2024-05-01T10:00:00.500Z"


def expect(actual, wanted, what):
    if actual != wanted:
        raise AssertionError(f"{what}: expected {wanted!r}, got {actual!r}")


def check_form(stub, config):
    """Every test that the form names passes with the configuration."""
    form = stub.ConfigurationForm(common.ConfigurationFormRequest())
    expect(
        [f.name for f in form.fields if f.required and f.name not in config],
        [],
        "required fields not configured",
    )
    for field in form.fields:
        expect(
            field.WhichOneof("type") is not None and field.label != "",
            True,
            f"kind and label of '{field.name}'",
        )
    for test in form.tests:
        answer = stub.Test(common.TestRequest(name=test.name, configuration=config))
        expect(answer.WhichOneof("response"), "success", f"test '{test.name}' ({answer.failure})")
        expect(answer.success, True, f"test '{test.name}'")
    return form


def same_cell(actual, wanted):
    if wanted[0] in ("double", "float"):
        return actual[0] == wanted[0] and math.isclose(
            float(actual[1]), float(wanted[1]), rel_tol=0, abs_tol=0
        )
    return actual == wanted


class Sync:
    """Everything an Update stream brought."""

    def __init__(self, stub, config, state=None, selection=None):
        request = source_pb.UpdateRequest(configuration=config, selection=selection)
        if state is not None:
            request.state_json = state
        self.rows, self.tables, self.state, self.after_state = {}, {}, None, 0
        for response in stub.Update(request):
            self.take(response)

    def take(self, response):
        kind = response.WhichOneof("operation")
        if kind == "records":
            expect(0 < len(response.records.records) <= 100, True, "count of records in a message (R-SRC-03)")
            for record in response.records.records:
                self.take_record(record)
        elif kind == "record":
            self.take_record(response.record)
        elif kind == "schema_change":
            for table in response.schema_change.without_schema.tables:
                self.tables[table.name] = {c.name: common.DataType.Name(c.type) for c in table.columns}
        elif kind == "checkpoint":
            json.loads(response.checkpoint.state_json)
            self.state, self.after_state = response.checkpoint.state_json, 0
        else:
            raise AssertionError(f"unexpected {kind}: {response}")

    def take_record(self, record):
        expect(record.type, source_pb.UPSERT, "kind of a record")
        expect(record.table_name in self.tables, True, f"'{record.table_name}' was announced before its rows")
        self.rows.setdefault(record.table_name, []).append({n: wire_text(v) for n, v in record.data.items()})
        self.after_state += 1


def check_rows(rows, wanted, file, modified):
    expect(len(rows), len(wanted), f"count of rows of {file}")
    for line, (row, cells) in enumerate(zip(rows, wanted), 1):
        full = dict(
            cells, _file=["string", file], _line=["long", str(line)], _modified=["utc_datetime", modified]
        )
        expect(set(row), set(full), f"columns of {file}, row {line}")
        for name, cell in full.items():
            expect(
                same_cell(row[name], cell), True, f"{file}, row {line}, '{name}': {row[name]} against {cell}"
            )


def modified_text(path):
    """As source-files gives it: to the microsecond."""
    seconds, nanos = divmod(os.stat(path).st_mtime_ns // 1000 * 1000, 10**9)
    return f"{seconds}.{nanos:09d}"


def drive_source(channel, options):
    stub = source_stubs.SourceConnectorStub(channel)
    with open(options.expected, encoding="utf-8") as file:
        expected = {name: t for name, t in json.load(file).items() if name != "note"}
    form = check_form(stub, options.config)
    expect("folder" in [f.name for f in form.fields], True, "field 'folder'")
    bad = stub.Test(common.TestRequest(name=form.tests[0].name, configuration={"folder": "/no/such/folder"}))
    expect(bad.WhichOneof("response"), "failure", "test of a wrong folder")
    schema = stub.Schema(source_pb.SchemaRequest(configuration=options.config))
    expect(schema.WhichOneof("response"), "schema_response_not_supported", "Schema")

    def check(sync, name):
        table = expected[name]
        expect(sync.tables[name], table["types"], f"types of '{name}'")
        check_rows(
            sync.rows[name],
            table["rows"],
            table["file"],
            modified_text(os.path.join(options.folder, table["file"])),
        )

    first = Sync(stub, options.config)
    expect(set(first.rows), set(expected), "tables")
    for name in expected:
        check(first, name)
    expect(first.after_state, 0, "rows after the last checkpoint")
    expect(Sync(stub, options.config, first.state).rows, {}, "rows of a sync with nothing new")
    chosen = source_pb.Selection(
        without_schema=source_pb.TablesWithNoSchema(
            tables=[source_pb.TableSelection(included=True, table_name="events", include_new_columns=True)]
        )
    )
    expect(set(Sync(stub, options.config, "{}", chosen).rows), {"events"}, "tables of a selection")
    with open(os.path.join(options.folder, expected["cities"]["file"]), "a", encoding="utf-8") as file:
        file.write(expected["cities"]["appended"])
    expected["cities"]["rows"].append(expected["cities"]["appended_row"])
    third = Sync(stub, options.config, first.state)
    expect(set(third.rows), {"cities"}, "tables of a sync with one changed file")
    check(third, "cities")


class Destination:
    def __init__(self, channel, options):
        self.stub = destination_stubs.DestinationConnectorStub(channel)
        self.config = options.config
        self.work = options.work
        with open(options.data, encoding="utf-8") as file:
            self.data = json.load(file)
        self.columns = self.data["columns"] + self.data["system"]
        self.files = 0

    def table(self, more=()):
        made = common.Table(name=self.data["table"])
        for c in self.columns + list(more):
            column = made.columns.add(
                name=c["name"], type=common.DataType.Value(c["type"]), primary_key=c.get("key", False)
            )
            if "precision" in c:
                column.params.decimal.precision, column.params.decimal.scale = c["precision"], c["scale"]
        return made

    def described(self):
        return self.stub.DescribeTable(
            destination_pb.DescribeTableRequest(
                configuration=self.config, schema_name=SCHEMA, table_name=self.data["table"]
            )
        )

    def check_described(self, wanted):
        found = self.described()
        expect(found.WhichOneof("response"), "table", f"DescribeTable ({found})")
        expect(found.table.name, wanted.name, "name")

        def shape(table):
            return {
                c.name: (
                    common.DataType.Name(c.type),
                    c.primary_key,
                    c.params.decimal.precision,
                    c.params.decimal.scale,
                )
                for c in table.columns
            }

        expect(shape(found.table), shape(wanted), "columns")

    def write(self, table, compression="ZSTD", encryption="AES", **lists):
        """lists: replace, update, delete, each a list of (columns, rows). Sent twice: the same result (R-DST-06)."""
        request = destination_pb.WriteBatchRequest(configuration=self.config, schema_name=SCHEMA, table=table)
        request.file_params.compression = destination_pb.Compression.Value(compression)
        request.file_params.encryption = destination_pb.Encryption.Value(encryption)
        request.file_params.null_string, request.file_params.unmodified_string = STRINGS
        for kind, parts in lists.items():
            for columns, rows in parts:
                self.files += 1
                path = os.path.join(self.work, f"{kind}-{self.files}.csv")
                key = batchfile.write(path, columns, rows, compression, encryption, STRINGS)
                if key is not None:
                    request.keys[path] = key
                getattr(request, kind + "_files").append(path)
        for _ in range(2):
            self.succeed(self.stub.WriteBatch(request), "WriteBatch")

    def succeed(self, answer, what):
        expect(answer.WhichOneof("response"), "success", f"{what} ({answer})")
        expect(answer.success, True, what)

    def create(self):
        check_form(self.stub, self.config)
        capabilities = self.stub.Capabilities(destination_pb.CapabilitiesRequest())
        expect(capabilities.batch_file_format, destination_pb.CSV, "batch file format")
        expect(self.described().WhichOneof("response"), "not_found", "DescribeTable of a missing table")
        request = destination_pb.CreateTableRequest(
            configuration=self.config, schema_name=SCHEMA, table=self.table()
        )
        self.succeed(self.stub.CreateTable(request), "CreateTable")
        self.check_described(self.table())
        try:
            again = self.stub.CreateTable(request).WhichOneof("response")
        except grpc.RpcError:
            again = "error"
        expect(again in ("task", "error"), True, "creating a table twice fails (R-DST-02)")
        missing = destination_pb.TruncateRequest(
            configuration=self.config,
            schema_name=SCHEMA,
            table_name="missing",
            synced_column="_fivetran_synced",
        )
        missing.utc_delete_before.seconds = 1
        self.succeed(self.stub.Truncate(missing), "Truncate of a missing table")

    def write_rows(self):
        """Two files with different orders of columns; the second ends with a second row of key 1, which wins."""
        names = [c["name"] for c in self.columns]
        rows = [row + [SYNCED[0], "false"] for row in self.data["rows"]]
        stale = [rows[0][0], *([None] * (len(names) - 2)), "false"]
        backwards = [list(reversed(row)) for row in [*rows[3:], rows[0]]]
        self.write(self.table(), replace=[(names, [stale, *rows[1:3]]), (list(reversed(names)), backwards)])

    def change(self):
        update = self.data["update"]
        more = ["_fivetran_synced", "_fivetran_deleted"]
        rows = [row + [SYNCED[1], False] for row in update["rows"]]
        soft = [["7", SYNCED[1], "true"]]
        self.write(self.table(), "GZIP", update=[(update["columns"] + more, rows), (["id", *more], soft)])
        self.write(
            self.table(),
            "OFF",
            "NONE",
            delete=[(self.data["delete"]["columns"], self.data["delete"]["rows"])],
        )

    def alter(self):
        added = self.data["added"]
        table = self.table([added["column"]])
        request = destination_pb.AlterTableRequest(configuration=self.config, schema_name=SCHEMA, table=table)
        for _ in range(2):
            self.succeed(self.stub.AlterTable(request), "AlterTable")
            self.check_described(table)
        columns = ["id", added["column"]["name"], "_fivetran_synced", "_fivetran_deleted"]
        self.write(table, replace=[(columns, [[added["id"], added["value"], SYNCED[1], "false"]])])

    def truncate(self, soft):
        request = destination_pb.TruncateRequest(
            configuration=self.config,
            schema_name=SCHEMA,
            table_name=self.data["table"],
            synced_column="_fivetran_synced",
        )
        request.utc_delete_before.seconds, request.utc_delete_before.nanos = divmod(time_nanos(CUT), 10**9)
        if soft:
            request.soft.deleted_column = "_fivetran_deleted"
        self.succeed(self.stub.Truncate(request), "Truncate")

    def run(self, phase):
        {
            "create": self.create,
            "write": self.write_rows,
            "change": self.change,
            "alter": self.alter,
            "soft": lambda: self.truncate(True),
            "hard": lambda: self.truncate(False),
        }[phase]()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["source", "destination"])
    parser.add_argument("phase", nargs="?")
    parser.add_argument("--address", required=True)
    parser.add_argument("--config", type=json.loads, required=True)
    parser.add_argument("--gzip", action="store_true")
    for name in ("folder", "expected", "data", "work"):
        parser.add_argument("--" + name)
    options = parser.parse_args()
    compression = grpc.Compression.Gzip if options.gzip else None
    with grpc.insecure_channel(options.address, compression=compression) as channel:
        if options.kind == "source":
            drive_source(channel, options)
        else:
            Destination(channel, options).run(options.phase)
    print("passed")


if __name__ == "__main__":
    sys.exit(main())
