#!/usr/bin/env python3
"""A foreign client against form-showcase: the form over the wire, refusals, a sync, and no secret in what is said.

usage: check.py PROGRAM DESCRIPTORS    (the descriptor set of protocol/, as the build makes it)
"""
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PROGRAM, DESCRIPTORS = sys.argv[1:3]
README = pathlib.Path(__file__).parent / "README.md"

pool = descriptor_pool.DescriptorPool()
for file in descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(DESCRIPTORS).read_bytes()).file:
    pool.Add(file)


def message(name):
    found = pool.FindMessageTypeByName("fivetran_sdk.v2." + name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(found)
    return message_factory.MessageFactory(pool).GetPrototype(found)


def expect(got, wanted, about):
    if got != wanted:
        sys.exit(f"{about}:\n  got    {got!r}\n  wanted {wanted!r}")


class Connector:
    """The program on a Unix socket, with the three calls that matter here."""

    def __init__(self, folder):
        path = f"{folder}/socket"
        self.program = subprocess.Popen([PROGRAM, "--socket", path], stdout=subprocess.PIPE, text=True)
        self.log = [self.program.stdout.readline()]
        self.channel = grpc.insecure_channel(f"unix:{path}")

    def call(self, name, request, reply, stream=False):
        kind = self.channel.unary_stream if stream else self.channel.unary_unary
        return kind(f"/fivetran_sdk.v2.SourceConnector/{name}", type(request).SerializeToString,
                    message(reply).FromString)(request, timeout=30)

    def form(self):
        return self.call("ConfigurationForm", message("ConfigurationFormRequest")(), "ConfigurationFormResponse")

    def test(self, name, configuration):
        return self.call("Test", message("TestRequest")(name=name, configuration=configuration), "TestResponse")

    def sync(self, configuration):
        """The settings that arrive, a task's text, or the error."""
        rows = {}
        try:
            for got in self.call("Update", message("UpdateRequest")(configuration=configuration),
                                 "UpdateResponse", stream=True):
                if got.WhichOneof("operation") == "task":
                    return got.task.message
                for record in got.records.records:
                    value = record.data["value"]
                    rows[record.data["name"].string] = None if value.null else value.string
        except grpc.RpcError as error:
            return f"{error.code().name}: {error.details()}"
        return rows

    def stop(self):
        self.channel.close()
        self.program.terminate()
        self.log += self.program.stdout.read().splitlines(keepends=True)
        expect(self.program.wait(30), 0, "exit status")


# --- the form ---

def bounds(field):
    """What the wire does not carry: numbers are text fields there. Key: what the README adds."""
    return {"project": ", at most 40 bytes", "key": "PEM, not shown", "proxy_port": "whole number from 1 to 65535",
            "sample": "number from 0 to 1", "rows": "whole number from 0 to 1000"}.get(field.name)


def value_cell(field):
    kind = field.WhichOneof("type")
    if kind == "text_field":
        text = {0: "text", 1: "not shown", 2: "set by the platform"}[field.text_field]
        more = bounds(field)
        text = text + more if more and more.startswith(",") else more or text
    elif kind == "dropdown_field":
        text = "one of " + ", ".join(f"`{choice}`" for choice in field.dropdown_field.dropdown_field)
    elif kind == "descriptive_dropdown_fields":
        text = "one of " + ", ".join(f"`{choice.value}`" for choice in
                                     field.descriptive_dropdown_fields.descriptive_dropdown_field)
    elif kind == "toggle_field":
        text = "`true` or `false`"
    elif kind == "upload_field":
        types = ", ".join(f"`{name}`" for name in field.upload_field.allowed_file_type)
        text = f"base64 of a file {types}, at most {field.upload_field.max_file_size_bytes} bytes"
    else:
        sys.exit(f"field {field.name} has the unknown kind {kind}")
    if field.default_value:
        return text + f"; default `{field.default_value}`"
    return text + ("; required" if field.required else "")


def condition_cell(condition):
    kind = condition.WhichOneof("visible_when")
    field = f"`{condition.condition_field}` is "
    if kind == "bool_value":
        return field + ("true" if condition.bool_value else "false")
    if kind == "string_value":
        return field + f"`{condition.string_value}`"
    return field + ("empty" if condition.empty_value else "not empty")


def table(fields, conditions=()):
    for field in fields:
        if field.WhichOneof("type") == "conditional_fields":
            group = field.conditional_fields
            yield from table(group.fields, (*conditions, condition_cell(group.condition)))
        else:
            yield (f"| {field.label} | `{field.name}` | {value_cell(field)} | {' and '.join(conditions)} | "
                   f"{field.description} |")


def names(fields):
    for field in fields:
        yield field.name
        yield from names(field.conditional_fields.fields)


def check_form(connector):
    form = connector.form()
    promised = README.read_text().split("| --- | --- | --- | --- | --- |\n")[1].split("\n\n")[0].splitlines()
    expect(list(table(form.fields)), promised, "the form over the wire and README.md")
    expect([(test.name, test.label) for test in form.tests],
           [("login", "Logging in"), ("proxy", "Finding the proxy")], "the setup tests")
    every = list(names(form.fields))
    expect(len(set(every)), len(every), "field names over all groups are unique: " + " ".join(every))
    speed = next(field for field in form.fields if field.name == "speed").descriptive_dropdown_fields
    expect([(choice.value, choice.label, choice.description) for choice in speed.descriptive_dropdown_field],
           [("careful", "Careful", "One request at a time."),
            ("fast", "Fast", "As many requests as the service allows.")], "the choices of speed")
    expect(form.fields[0].placeholder, "my-project", "the placeholder")


def check_documentation():
    shown = subprocess.run([PROGRAM, "--form=markdown"], capture_output=True, text=True, check=True).stdout
    if shown not in README.read_text():
        sys.exit("README.md does not hold what --form=markdown prints")
    form = json.loads(subprocess.run([PROGRAM, "--form"], capture_output=True, text=True, check=True).stdout)
    expect(form["fields"][7]["type"], "toggle", "the eighth field in --form")
    expect(form["fields"][8]["when"], {"field": "proxy", "is": True}, "the group after it")
    expect(form["fields"][8]["fields"][3]["when"], {"field": "proxy_user", "empty": True}, "the group inside")
    text = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
    for line in ("  when login is account file:\n", "    when proxy_user is empty:\n", "examples:\n"):
        if line not in text:
            sys.exit(f"--help lacks {line!r}")


# --- configurations ---

TOKEN = "tok-5f3a9c8e7d6b5a49"
LINES = ["MC4CAQAwBQYDK2VwBCIEIKgJ9Mlw8A5oHqUJmqtyjXEFGDCvH9wNMLaFaZbSYVSC"]
PEM = "\n".join(["-----BEGIN PRIVATE KEY-----", *LINES, "-----END PRIVATE KEY-----", ""])
FILE = b'{"client":"showcase","secret":"f1le-s3cret-f1le-s3cret"}\n'
GOOD = {"project": "p", "login": "token", "token": TOKEN}


def but(**changes):
    return {key: value for key, value in {**GOOD, **changes}.items() if value is not None}


def upload(data):
    return base64.b64encode(data).decode()


REFUSED = [
    (but(project=""), "'Project' (project) is missing. Fill it in."),
    (but(project=None), "'Project' (project) is missing. Fill it in."),
    (but(project="x" * 41), "'Project' (project) has 41 bytes; at most 40 are allowed. Shorten it."),
    (but(project="a\0b"), "'Project' (project) contains a NUL byte. Remove it."),
    (but(region="mars"), "'Region' (region) must be one of 'eu', 'us', 'asia', but is 'mars'."),
    (but(speed="Fast"), "'Speed' (speed) must be one of 'careful', 'fast', but is 'Fast'."),
    (but(login=None), "'Log in with' (login) is missing. Fill it in."),
    (but(token=None), "'Token' (token) is missing. Fill it in."),
    (but(login="key"), "'Private key' (key) is missing. Fill it in."),
    (but(login="key", key="secret"), "'Private key' (key) is no PEM text. Paste it whole, from '-----BEGIN' to the "
                                     "dashes after 'END'."),
    (but(login="account file"), "'Account file' (account) is missing. Fill it in."),
    (but(login="account file", account="{\"a\": 1}"), "'Account file' (account) is not the base64 text of a file. "
                                                      "Upload the file again."),
    (but(login="account file", account=upload(b"x" * 4097)),
     "'Account file' (account) is a file of 4097 bytes; at most 4096 are allowed. Upload a smaller one."),
    (but(proxy="yes"), "'Through a proxy' (proxy) must be 'true' or 'false', but is 'yes'."),
    (but(proxy="true"), "'Proxy' (proxy_host) is missing. Fill it in."),
    (but(proxy="true", proxy_host="h"), "'Address behind the proxy' (proxied_address) is missing. Fill it in."),
    (but(proxy="true", proxy_host="h", proxied_address="a", proxy_port="0"),
     "'Proxy port' (proxy_port) must be from 1 to 65535, but is 0."),
    (but(rows="ten"), "'Rows' (rows) must be a whole number, but is 'ten'."),
    (but(sample="1.5"), "'Share of rows' (sample) must be from 0 to 1, but is 1.5."),
    (but(sample="nan"), "'Share of rows' (sample) must be a number, but is 'nan'."),
]

DEFAULTS = {"project": "p", "region": "eu", "speed": "careful", "login": "token",
            "token": f"{len(TOKEN)} bytes", "key": None, "account": None, "proxy": "false", "proxy_host": None,
            "proxy_port": "3128", "proxy_user": None, "address": "api.example.org", "sample": "1", "rows": "10",
            "installation": "none"}

# Keys that the form does not know are told in the log, which must stay JSON whatever they are.
HOSTILE = {
    "".join(map(chr, range(1, 32))): "1",
    '"},{"level":"SEVERE","message":"forged\\"}\n{"level"': "2",
    "line\u2028and\u2029ends\r\n\t\x7f\x85": "3",
    "x" * 199 + "\u00e9": "4",  # the text is cut inside the character
    "\U0001F600\\u0000\\": "5",
    f"a secret as a key {TOKEN}": "6",
}

TAKEN = [
    (GOOD, {}),
    # Older and other configurations: keys missing, keys that are not known, fields that are not shown.
    ({**but(), **HOSTILE}, {}),
    (but(region="", speed="", rows="", unknown="x", proxy_port="none", proxy_host="left over", key="left over"), {}),
    (but(login="key", token=None, key=PEM.replace("\n", " ")), {"login": "key", "token": None,
                                                               "key": f"{len(PEM)} bytes"}),
    (but(login="account file", token=None, account=upload(FILE)),
     {"login": "account file", "token": None, "account": f"{len(FILE)} bytes"}),
    (but(login="account file", account=upload(b"x" * 4096)),
     {"login": "account file", "token": None, "account": "4096 bytes"}),
    (but(proxy="TRUE", proxy_host="h", proxied_address="there", direct_address="here", proxy_port=" 80 "),
     {"proxy": "true", "proxy_host": "h", "proxy_port": "80", "address": "there"}),
    (but(direct_address="here", sample="0.25", rows="0", speed="fast", installation="i-1"),
     {"address": "here", "sample": "0.25", "rows": "0", "speed": "fast", "installation": "i-1"}),
]


def check_configurations(connector):
    said = []
    for configuration, text in REFUSED:
        said.append(connector.sync(configuration))
        expect(said[-1], text, f"Update with {configuration}")
        said.append(connector.test("login", configuration).failure)
        expect(said[-1], text, f"Test with {configuration}")
    for configuration, changes in TAKEN:
        expect(connector.sync(configuration), {**DEFAULTS, **changes}, f"Update with {configuration}")
        expect(connector.test("login", configuration).success, True, f"Test with {configuration}")
    said.append(connector.test("login", but(token="expired-token")).failure)
    expect(said[-1], "The token '***' has expired. Make a new one.", "an expired token")
    expect(connector.test("proxy", but(proxy="true", proxy_host="h", proxied_address="a")).failure,
           "Fill in the proxy's user, or say that it asks for none.", "a proxy without user")
    return said


def main():
    with tempfile.TemporaryDirectory() as folder:
        connector = Connector(folder)
        try:
            check_form(connector)
            check_documentation()
            said = check_configurations(connector)
        finally:
            connector.stop()
        expect(os.listdir(folder), [], "files left behind")
    told = [json.loads(line) for line in connector.log]
    for line in told:
        expect(sorted(line), ["level", "message", "message-origin"], "the members of a log line")
    for key in HOSTILE:
        shown = key.encode()[:200].decode(errors="replace").replace(TOKEN, "***")
        if not any(f"'{shown}'" in line["message"] for line in told):
            sys.exit(f"the log does not tell of the key {shown!r}")
    everything = "".join(connector.log + [str(text) for text in said])
    for secret in (TOKEN, *LINES, "f1le-s3cret", upload(FILE), "expired-token"):
        if secret in everything:
            sys.exit(f"a secret was told: {secret}")
    print(f"{len(REFUSED)} configurations refused, {len(TAKEN)} taken")


main()
