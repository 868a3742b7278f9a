"""A scripted source on grpcio, `weir test --tester-type source` run against it, and its warehouse read through DuckDB's own
C interface. Nothing in here is Weir's."""
import importlib
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
from concurrent import futures

import grpc

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "destinations"))
from stores import DuckdbStore  # noqa: E402

RUN_TIMEOUT_S = 300


def load_protocol(folder):
    """Python modules of protocol/, made by protoc."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["protoc", f"-I{ROOT / 'protocol'}", f"--python_out={folder}", "v2_common.proto", "v2_source.proto"],
                   check=True)
    sys.path.insert(0, str(folder))
    return importlib.import_module("v2_common_pb2"), importlib.import_module("v2_source_pb2")


class Words:
    """Makes messages of the protocol."""

    def __init__(self, protocol):
        self.common, self.source = protocol

    def value(self, value):
        """A ValueType: (kind, value), None for NULL, or a plain Python value."""
        if value is None:
            return self.common.ValueType(null=True)
        if isinstance(value, tuple):
            kind, inner = value
            if kind.endswith(("_date", "_datetime", "_time")):
                message = self.common.ValueType()
                getattr(message, kind).seconds, getattr(message, kind).nanos = inner
                return message
            return self.common.ValueType(**{kind: inner})
        kind = {bool: "bool", int: "long", float: "double", str: "string", bytes: "binary"}[type(value)]
        return self.common.ValueType(**{kind: value})

    def record(self, op, table, data=None, schema=None):
        record = self.source.Record(table_name=table, type=getattr(self.source, op))
        if schema is not None:
            record.schema_name = schema
        for name, value in (data or {}).items():
            record.data[name].CopyFrom(self.value(value))
        return record

    def one(self, op, table, data=None, schema=None):
        return self.source.UpdateResponse(record=self.record(op, table, data, schema))

    def batch(self, records):
        return self.source.UpdateResponse(records=self.source.Records(records=records))

    def checkpoint(self, state):
        text = state if isinstance(state, str) else json.dumps(state)
        return self.source.UpdateResponse(checkpoint=self.source.Checkpoint(state_json=text))

    def table(self, name, columns):
        """columns: name -> TYPE or "TYPE key"."""
        table = self.common.Table(name=name)
        for column, type in columns.items():
            kind, _, key = type.partition(" ")
            table.columns.add(name=column, type=getattr(self.common, kind), primary_key=key == "key")
        return table

    def tables(self, **tables):
        return self.common.TableList(tables=[self.table(name, columns) for name, columns in tables.items()])

    def schemas(self, schemas):
        return self.common.SchemaList(schemas=[self.common.Schema(name=name, tables=self.tables(**tables).tables)
                                               for name, tables in schemas.items()])


class Script:
    """What a source answers. `schema`: a TableList, a SchemaList, or None for "not supported"; `stream(request, context)`
    yields UpdateResponses or raw bytes."""

    def __init__(self, schema, stream, tests=(), workers=8):
        self.schema, self.stream, self.tests, self.workers = schema, stream, tests, workers


class Source:
    """A script, served on a port of its own."""

    def __init__(self, words, script):
        self.words, self.script = words, script
        self.requests = []
        self.lock = threading.Lock()
        source, common = words.source, words.common
        unary, stream = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler

        def answer(function, request):
            return unary(function, request_deserializer=request.FromString, response_serializer=bytes)

        handlers = {
            "ConfigurationForm": answer(self.form, common.ConfigurationFormRequest),
            "Test": answer(self.test, common.TestRequest),
            "Schema": answer(self.get_schema, source.SchemaRequest),
            "Update": stream(self.update, request_deserializer=source.UpdateRequest.FromString,
                             response_serializer=bytes),
        }
        self.server = grpc.server(futures.ThreadPoolExecutor(max_workers=script.workers))
        self.server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("fivetran_sdk.v2.SourceConnector", handlers),))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def form(self, _request, _context):
        form = self.words.common.ConfigurationFormResponse()
        form.fields.add(name="word", label="Word", text_field=self.words.common.PlainText)
        for name, _ in self.script.tests:
            form.tests.add(name=name, label=name)
        return form.SerializeToString()

    def test(self, request, _context):
        failure = dict(self.script.tests)[request.name]
        answer = {"failure": failure} if failure else {"success": True}
        return self.words.common.TestResponse(**answer).SerializeToString()

    def get_schema(self, _request, _context):
        schema = self.script.schema
        answer = {"schema_response_not_supported": True}
        if isinstance(schema, self.words.common.TableList):
            answer = {"without_schema": schema}
        elif schema is not None:
            answer = {"with_schema": schema}
        return self.words.source.SchemaResponse(**answer).SerializeToString()

    def update(self, request, context):
        with self.lock:
            self.requests.append(request)
        for message in self.script.stream(request, context):
            yield message if isinstance(message, bytes) else message.SerializeToString()

    def stop(self):
        self.server.stop(None).wait()


class Outcome:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        self.report = json.loads(out) if out.strip() else {}

    def findings(self, *severities):
        return {(f["code"], f["table"], f["column"]): f for f in self.report.get("findings", [])
                if not severities or f["severity"] in severities}

    def codes(self, *severities):
        return {code for code, _, _ in self.findings(*severities)}

    def __str__(self):
        return f"exit {self.code}\n{self.err}\n{self.out}"


class Bench:
    """A data folder and the tester."""

    def __init__(self, bin_dir, words):
        self.bin = pathlib.Path(bin_dir)
        self.words = words
        self.temporary = tempfile.TemporaryDirectory(prefix="weir-tester-source-")
        self.folder = pathlib.Path(self.temporary.name)
        self.configure({"word": "x"})

    def configure(self, configuration):
        (self.folder / "configuration.json").write_text(json.dumps(configuration))

    def command(self, *arguments):
        return [self.bin / "weir", "test", "--tester-type", "source", "--working-dir", self.folder, "--json",
                *map(str, arguments)]

    def run(self, *arguments):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=RUN_TIMEOUT_S,
                              stdin=subprocess.DEVNULL)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def play(self, script, *arguments):
        """Runs the tester against the script; the outcome has the requests that the source got."""
        source = Source(self.words, script)
        try:
            outcome = self.run("--port", source.port, *arguments)
        finally:
            source.stop()
        outcome.requests = source.requests
        return outcome

    def query(self, sql):
        return DuckdbStore(self.folder / "warehouse.db", self.bin).query(sql)

    def rows(self, table, columns, schema="default_schema"):
        names = ", ".join(f'CAST("{c}" AS VARCHAR)' for c in columns)
        return sorted(self.query(f'SELECT {names} FROM "{schema}"."{table}"'), key=repr)

    def columns(self, table, schema="default_schema"):
        return dict(self.query("SELECT column_name, data_type FROM duckdb_columns() WHERE NOT internal AND "
                               f"schema_name = '{schema}' AND table_name = '{table}'"))

    def state(self):
        path = self.folder / "state.json"
        return json.loads(path.read_text()) if path.exists() else None

    def close(self):
        self.temporary.cleanup()
