"""grpcurl, which knows nothing of our schema, asks a connector of ours through reflection and health."""

import json
import tempfile
from pathlib import Path

import peers
from servers import serving

SERVICES = (
    "fivetran_sdk.v2.SourceConnector",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
)


class Grpcurl:
    def __init__(self, built, address):
        self.program = built.go("grpcurl")
        self.address = address

    def ask(self, *words, data=None, code=0):
        given = ["-d", json.dumps(data)] if data is not None else []
        actual, text = peers.run(
            self.program + ["-plaintext", "-max-time", "20", *given, self.address, *words], 30
        )
        if actual != code:
            raise RuntimeError(f"grpcurl {' '.join(words)} ended with {actual}, expected {code}: {text}")
        return text

    def check(self, what, good, text):
        peers.say(f"grpcurl {what:60} {'pass' if good else 'FAIL'}")
        if not good:
            raise RuntimeError(f"grpcurl {what}: {text}")


def documents(text):
    """The JSON objects that grpcurl prints one after another."""
    decoder, position, found = json.JSONDecoder(), 0, []
    while position < len(text.rstrip()):
        document, end = decoder.raw_decode(text[position:].lstrip())
        position += len(text[position:]) - len(text[position:].lstrip()) + end
        found.append(document)
    return found


def run(built, command):
    with tempfile.TemporaryDirectory() as folder, serving(
        command, env=built.environment(), ours=True
    ) as running:
        (Path(folder) / "pets.csv").write_text("name,legs\nRex,4\nTweety,2\n", encoding="utf-8")
        tool = Grpcurl(built, running.address)
        text = tool.ask("list")
        tool.check("list", set(SERVICES) <= set(text.split()), text)
        text = tool.ask("list", SERVICES[0])
        methods = [f"{SERVICES[0]}.{name}" for name in ("ConfigurationForm", "Schema", "Test", "Update")]
        tool.check(f"list {SERVICES[0]}", sorted(text.split()) == methods, text)
        text = tool.ask("describe", SERVICES[0])
        tool.check(
            f"describe {SERVICES[0]}", "returns ( stream .fivetran_sdk.v2.UpdateResponse )" in text, text
        )
        text = tool.ask("describe", ".fivetran_sdk.v2.Record")
        tool.check(
            "describe .fivetran_sdk.v2.Record",
            "map<string, .fivetran_sdk.v2.ValueType> data = 4;" in text,
            text,
        )
        text = tool.ask("grpc.health.v1.Health/Check", data={})
        tool.check("call Health/Check", json.loads(text) == {"status": "SERVING"}, text)
        text = tool.ask("grpc.health.v1.Health/Check", data={"service": SERVICES[0]})
        tool.check("call Health/Check of the service", json.loads(text) == {"status": "SERVING"}, text)
        text = tool.ask("grpc.health.v1.Health/Check", data={"service": "no.such.Service"}, code=64 + 5)
        tool.check("call Health/Check of a missing service", "NotFound" in text, text)
        text = tool.ask(f"{SERVICES[0]}/ConfigurationForm", data={})
        fields = {field["name"]: field for field in json.loads(text)["fields"]}
        tool.check("call ConfigurationForm", fields["folder"]["required"] is True, text)
        text = tool.ask(f"{SERVICES[0]}/Update", data={"configuration": {"folder": folder}})
        rows = [
            record["data"]
            for message in documents(text)
            for record in message.get("records", {}).get("records", [])
        ]
        pets = [(row["name"]["string"], row["legs"]["long"]) for row in rows]
        tool.check("call Update", pets == [("Rex", "4"), ("Tweety", "2")], text)
        running.check_alive()
    return True
