"""What the PostgreSQL tests share: a private cluster, a connector over gRPC, rows as PostgreSQL shows them.

The messages come from the descriptor set that the build makes of protocol/*.proto; both ends of every comparison are
foreign: grpcio and protobuf on one side, psql on the other.
"""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

HERE = Path(__file__).resolve().parent
PACKAGE = "fivetran_sdk.v2"


def load_messages(descriptors):
    """{name: class} of every message of the schema."""
    files = descriptor_pb2.FileDescriptorSet.FromString(Path(descriptors).read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    # The function came with protobuf 4.22; the factory is what there was before.
    make = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
    return {message.name: make(pool.FindMessageTypeByName(f"{file.package}.{message.name}"))
            for file in files.file if file.package == PACKAGE for message in file.message_type}


class Cluster:
    """A private server; see the script `cluster`."""

    def __init__(self, *settings):
        self.folder = tempfile.mkdtemp(prefix="weir-pg-")
        text = subprocess.run([HERE / "cluster", "start", self.folder, *settings], check=True, capture_output=True,
                              text=True).stdout
        self.env = dict(line[len("export "):].split("=", 1) for line in text.splitlines())

    def stop(self):
        subprocess.run([HERE / "cluster", "stop", self.folder], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def config(self, **more):
        """A connector's configuration for the superuser, over TCP."""
        return {"host": "127.0.0.1", "port": self.env["PGPORT"], "database": "weir", "user": "weir",
                "password": self.env["PGPASSWORD"], "tls": "disable", **more}

    def psql(self, sql, settings=""):
        """Runs statements; returns what they print, unaligned."""
        env = {**os.environ, **self.env, "PGOPTIONS": f"-c timezone=UTC {settings}"}
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"], input=sql, text=True,
                              capture_output=True, env=env)
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr}\n{sql[:2000]}")
        return done.stdout

    def rows(self, query):
        """The rows of a query as tuples of text or None, through COPY's text format."""
        text = self.psql(f"COPY ({query}) TO STDOUT")
        return [tuple(map(copy_field, line.split("\t"))) for line in text.split("\n")[:-1]]


ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def copy_field(field):
    if field == "\\N":
        return None
    if "\\" not in field:
        return field
    out = []
    at = iter(field)
    for char in at:
        if char == "\\":
            char = next(at)
            char = ESCAPES.get(char, char)
        out.append(char)
    return "".join(out)


class Connector:
    """A running connector; `call` is unary, `stream` gives the messages of Update."""

    SERVICES = {"source": "SourceConnector", "destination": "DestinationConnector"}

    def __init__(self, binary, messages):
        self.messages = messages
        self.service = self.SERVICES[Path(binary).name.split("-")[0]]
        self.folder = tempfile.mkdtemp(prefix="weir-socket-")
        path = os.path.join(self.folder, "s")
        self.log = open(os.path.join(self.folder, "log"), "w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen([str(binary), "--socket", path], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT)
        self.await_socket(path)
        self.channel = grpc.insecure_channel(f"unix:{path}", options=[("grpc.max_receive_message_length", 1 << 27)])

    def _method(self, kind, name, request, reply):
        return getattr(self.channel, kind)(f"/{PACKAGE}.{self.service}/{name}",
                                           request_serializer=request.SerializeToString,
                                           response_deserializer=reply.FromString)

    def call(self, method, timeout=60, **fields):
        """The reply; raises grpc.RpcError where the connector fails."""
        m = self.messages
        request = m[f"{method}Request"](**fields)
        reply = m[f"{'WriteBatch' if method == 'WriteHistoryBatch' else method}Response"]
        return self._method("unary_unary", method, m[f"{method}Request"], reply)(request, timeout=timeout)

    def update(self, config, state=None, selection=None, timeout=120):
        request = self.messages["UpdateRequest"](configuration=config, state_json=state, selection=selection)
        return self._method("unary_stream", "Update", self.messages["UpdateRequest"],
                            self.messages["UpdateResponse"])(request, timeout=timeout)

    def await_socket(self, path, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(path)
                return
            time.sleep(0.01)
        self.log.seek(0)
        raise RuntimeError(f"{self.process.args} does not listen: {self.log.read()[-2000:]}")

    def kill(self):
        self.process.kill()
        self.stop()

    def stop(self):
        """Asks the process to end; returns its exit code."""
        self.channel.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return code


@contextlib.contextmanager
def running(binary, messages):
    connector = Connector(binary, messages)
    try:
        yield connector
    finally:
        code = connector.stop()
    assert code == 0, f"{binary} ended with {code}"  # R-RPC-06; also what a sanitizer would say


class Synced:
    """What an Update stream said: rows by table and key, the last state, warnings, and a task if there was one."""

    def __init__(self, keys):
        self.keys = keys  # {(schema, table): [key columns]}
        self.tables = {}
        self.state = None
        self.states = []
        self.warnings = []
        self.task = None
        self.rows = 0

    def take(self, stream, stop_after_checkpoints=None):
        """Reads the stream; rows count only with the checkpoint that follows them. True when it came to its end."""
        pending = []
        for message in stream:
            kind = message.WhichOneof("operation")
            if kind == "records":
                pending.extend(message.records.records)
            elif kind == "record":
                pending.append(message.record)
            elif kind == "checkpoint":
                self.apply(pending)
                pending = []
                self.state = message.checkpoint.state_json
                self.states.append(self.state)
                if stop_after_checkpoints is not None and len(self.states) >= stop_after_checkpoints:
                    return False
            elif kind == "warning":
                self.warnings.append(message.warning.message)
            elif kind == "task":
                self.task = message.task.message
        return True

    def apply(self, records):
        for record in records:
            name = (record.schema_name, record.table_name)
            table = self.tables.setdefault(name, {})
            if record.type == 3:  # TRUNCATE
                table.clear()
                continue
            self.rows += 1
            row = {column: cell_value(value) for column, value in record.data.items()}
            keys = self.keys.get(name)
            key = tuple(row[k] for k in keys) if keys else tuple(sorted(row.items(), key=lambda item: item[0]))
            if record.type == 2:  # DELETE
                table.pop(key, None)
            elif record.type == 1:  # UPDATE: changed columns only; a missing row is ignored (R-SRC-02)
                if key in table:
                    table[key] = {**table[key], **row}
            else:
                table[key] = row


def cell_value(value):
    """A cell as (tag, value); NULL is None."""
    kind = value.WhichOneof("inner")
    if kind in (None, "null"):
        return None
    inner = getattr(value, kind)
    if hasattr(inner, "seconds"):
        return (kind, inner.seconds, inner.nanos)
    return (kind, inner)
