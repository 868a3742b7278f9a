"""The schema files of protocol/ against the table of facts, in both directions.

Usage: schema_test.py DESCRIPTORS TABLE
"""
import csv
import sys

from google.protobuf import descriptor_pb2

F = descriptor_pb2.FieldDescriptorProto
PACKAGE = "fivetran_sdk.v2"
SCALARS = {F.TYPE_BOOL: "bool", F.TYPE_INT32: "int32", F.TYPE_INT64: "int64", F.TYPE_UINT32: "uint32",
           F.TYPE_FLOAT: "float", F.TYPE_DOUBLE: "double", F.TYPE_STRING: "string", F.TYPE_BYTES: "bytes"}


def type_name(field):
    if field.type in SCALARS:
        return SCALARS[field.type]
    return field.type_name.lstrip(".").removeprefix(PACKAGE + ".")


def field_fact(message, field):
    """(kind, parent, name, number, type, label, oneof) as the table has it."""
    entry = next((nested for nested in message.nested_type if nested.options.map_entry
                  and field.type_name.endswith(f".{message.name}.{nested.name}")), None)
    kind, label, oneof = type_name(field), "singular", ""
    if entry:
        kind, label = f"map<{type_name(entry.field[0])},{type_name(entry.field[1])}>", "map"
    elif field.label == F.LABEL_REPEATED:
        label = "repeated"
    elif field.proto3_optional:
        label = "optional"
    elif field.HasField("oneof_index"):
        oneof = message.oneof_decl[field.oneof_index].name
    return "field", message.name, field.name, str(field.number), kind, label, oneof


def facts_of_schema(path):
    with open(path, "rb") as file:
        files = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file
    facts = []
    for file in files:
        if file.package != PACKAGE:
            continue
        if file.syntax != "proto3":
            raise SystemExit(f"{file.name}: no proto3")
        for enum in file.enum_type:
            facts += [("enum", enum.name, value.name, str(value.number), "", "", "") for value in enum.value]
        for message in file.message_type:
            if any(not nested.options.map_entry for nested in message.nested_type) or message.enum_type:
                raise SystemExit(f"{message.name}: has nested declarations")
            facts += [field_fact(message, field) for field in message.field] or \
                     [("message", message.name, "", "", "", "", "")]
        for service in file.service:
            for method in service.method:
                if method.client_streaming:
                    raise SystemExit(f"{method.name}: streams requests")
                streams = "stream" if method.server_streaming else "unary"
                facts.append(("rpc", service.name, method.name, "", method.input_type.split(".")[-1], streams,
                              method.output_type.split(".")[-1]))
    return facts


def facts_of_table(path):
    with open(path, encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    return [tuple(row) for row in rows[1:]]


def main(descriptors, table):
    schema, known = facts_of_schema(descriptors), facts_of_table(table)
    missing = [fact for fact in known if fact not in schema]
    extra = [fact for fact in schema if fact not in known]
    for title, facts in (("missing from the schema", missing), ("not in the table", extra)):
        for fact in facts:
            print(title + ":", *fact)
    if missing or extra or len(set(schema)) != len(schema) or len(schema) != len(known):
        raise SystemExit("schema and table differ")
    print(f"{len(known)} facts agree")


if __name__ == "__main__":
    main(*sys.argv[1:])
