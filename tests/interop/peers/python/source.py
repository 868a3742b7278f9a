"""A source on grpcio that sends every type (data/all_types.json), in three syncs that end with the states 1, 2 and 3.

1: every row, half of them one by one, half in batches; a table that was never declared and has no key.
2: an update of some columns, a delete, operations on missing rows, a new column, a wider type.
3: a truncate, then one row.
An argument --fail-at N makes the sync that begins with state N end with a gRPC error after its rows.
"""

import argparse
import json
import signal
import sys
import threading
from concurrent import futures

import grpc

import v2_common_pb2 as common
import v2_source_pb2 as pb
import v2_source_pb2_grpc as stubs
from values import set_wire

SCHEMALESS = "loose"


def column(described):
    made = common.Column(
        name=described["name"],
        type=common.DataType.Value(described["type"]),
        primary_key=described.get("key", False),
    )
    if "precision" in described:
        made.params.decimal.precision = described["precision"]
        made.params.decimal.scale = described["scale"]
    return made


def record(table, kind, types, cells):
    made = pb.Record(table_name=table, type=pb.RecordType.Value(kind))
    for name, text in cells.items():
        set_wire(made.data[name], types[name], text)
    return pb.UpdateResponse(record=made)


def batched(responses):
    made = pb.UpdateResponse()
    made.records.records.extend(response.record for response in responses)
    return made


def checkpoint(state):
    return pb.UpdateResponse(checkpoint=pb.Checkpoint(state_json=json.dumps({"step": state})))


class Source(stubs.SourceConnectorServicer):
    def __init__(self, data, fail_at):
        self.data = data
        self.fail_at = fail_at
        self.table = data["table"]
        self.types = {c["name"]: c["type"] for c in data["columns"]}

    def ConfigurationForm(self, request, context):
        form = common.ConfigurationFormResponse(
            schema_selection_supported=True, table_selection_supported=True
        )
        form.fields.add(name="word", label="Word", required=True, text_field=common.PlainText)
        form.tests.add(name="word", label="Looking at the word")
        return form

    def Test(self, request, context):
        if request.configuration.get("word") == "right":
            return common.TestResponse(success=True)
        return common.TestResponse(failure="the word is not 'right'")

    def Schema(self, request, context):
        table = common.Table(name=self.table, columns=[column(c) for c in self.data["columns"]])
        return pb.SchemaResponse(without_schema=common.TableList(tables=[table]))

    def Update(self, request, context):
        if request.configuration.get("word") != "right":
            yield pb.UpdateResponse(task=common.Task(message="the word is not 'right': set it to 'right'"))
            return
        step = json.loads(request.state_json or "{}").get("step", 0)
        yield from (self.first, self.second, self.third)[step]() if step < 3 else ()
        if step == self.fail_at:
            context.abort(grpc.StatusCode.INTERNAL, f"the source was told to fail at {step}")
        yield checkpoint(min(step + 1, 3))

    def first(self):
        names = [c["name"] for c in self.data["columns"]]
        rows = [record(self.table, "UPSERT", self.types, dict(zip(names, row))) for row in self.data["rows"]]
        half = len(rows) // 2
        yield from rows[:half]
        yield batched(rows[half:])
        loose = {"n": "INT", "word": "STRING"}
        yield batched(
            [
                record(SCHEMALESS, "UPSERT", loose, {"n": "1", "word": "one"}),
                record(SCHEMALESS, "UPSERT", loose, {"n": "2", "word": None}),
            ]
        )
        yield pb.UpdateResponse(warning=common.Warning(message="a warning that the sync survives"))

    def second(self):
        update = self.data["update"]
        for row in update["rows"]:
            cells = {name: cell for name, cell in zip(update["columns"], row) if cell is not False}
            yield record(self.table, "UPDATE", self.types, cells)
        for row in self.data["delete"]["rows"]:
            yield record(self.table, "DELETE", self.types, dict(zip(self.data["delete"]["columns"], row)))
        added = self.data["added"]
        wide = [dict(c, type="LONG") if c["name"] == "small" else c for c in self.data["columns"]]
        table = common.Table(name=self.table, columns=[column(c) for c in wide + [added["column"]]])
        yield pb.UpdateResponse(
            schema_change=pb.SchemaChange(without_schema=common.TableList(tables=[table]))
        )
        types = dict(self.types, small="LONG", **{added["column"]["name"]: added["column"]["type"]})
        yield record(
            self.table,
            "UPSERT",
            types,
            {"id": added["id"], "small": "4294967296", added["column"]["name"]: added["value"]},
        )

    def third(self):
        yield record(self.table, "TRUNCATE", self.types, {})
        yield record(self.table, "UPSERT", self.types, {"id": "1", "text": "after the truncate"})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--fail-at", type=int, default=-1)
    options = parser.parse_args()
    with open(options.data, encoding="utf-8") as file:
        data = json.load(file)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    stubs.add_SourceConnectorServicer_to_server(Source(data, options.fail_at), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"listening on {port}", flush=True)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    stop.wait()
    server.stop(1).wait()


if __name__ == "__main__":
    sys.exit(main())
