"""What the wire tests share: the messages of protocol/ as Python classes, random values, our codec's pipe."""
import math
import os
import struct
import subprocess
import sys
import warnings

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

F = descriptor_pb2.FieldDescriptorProto


def load_messages(path, packages):
    """Classes of every message of `packages` but map entries, by full name, from protoc's descriptors."""
    with open(path, "rb") as file:
        files = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    names = []

    def add(scope, proto):
        names.append(f"{scope}.{proto.name}")
        for nested in proto.nested_type:
            if not nested.options.map_entry:
                add(names[-1], nested)

    for file in files:
        if file.package in packages:
            for proto in file.message_type:
                add(file.package, proto)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName(name)) for name in names}


def quiet():
    """Protobuf's C++ core prints a line for every bad string: only our own words shall reach stderr."""
    sys.stderr = os.fdopen(os.dup(2), "w")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


def parse(kind, data):
    """The message, None when Python refuses it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            message = kind.FromString(data)
        except DecodeError:
            return None
    return None if caught else message  # at a stray end of a group Python stops, warns, and drops the rest


def content(message):
    """What a message says, comparable: known fields only, floats by their bits, maps without order."""
    def one(field, value):
        if field.message_type:
            return content(value)
        if field.type in (F.TYPE_FLOAT, F.TYPE_DOUBLE):
            return struct.pack("<d", value)
        return value

    said = []
    for field, value in message.ListFields():
        if field.message_type and field.message_type.GetOptions().map_entry:
            inner = field.message_type.fields_by_name["value"]
            said.append((field.number, {key: one(inner, value[key]) for key in value}))
        elif field.label == field.LABEL_REPEATED:
            said.append((field.number, [one(field, element) for element in value]))
        else:
            said.append((field.number, one(field, value)))
    return said


class Driver:
    """Our codec, asked through tests/wire/codec_driver.c."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, command, name, data):
        """(accepted, bytes); the bytes are the error's text when not accepted."""
        name = name.encode()
        self.process.stdin.write(command.encode() + struct.pack("<I", len(name)) + name
                                 + struct.pack("<I", len(data)) + data)
        self.process.stdin.flush()
        head = self.process.stdout.read(5)
        if len(head) != 5:
            raise SystemExit(f"the driver died on {command} {name!r} {data.hex()}")
        accepted, size = struct.unpack("<BI", head)
        return accepted == 1, self.process.stdout.read(size)

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise SystemExit("the driver failed at its end")


class Maker:
    """Random messages: every field, every kind of presence, values at the edges of their ranges."""

    def __init__(self, random):
        self.random = random

    def text(self):
        random = self.random
        edges = [0, 1, 3, 7, 8, 9, 20, 127, 128, 300]
        size = random.choice(edges) if random.random() < 0.3 else random.randrange(12)
        letters = random.choice(["abcdefgh", "aé√𝄞\0\"\\\n", "x\U0010ffff\ue000\ud7ff"])
        return "".join(random.choice(letters) for _ in range(size))

    def integer(self, low, high):
        random = self.random
        edges = [low, high, 0, 1, -1, 127, 128, 16383, 16384, 2 ** 31 - 1, 2 ** 31]
        value = random.choice(edges) if random.random() < 0.5 else random.randrange(low, high + 1)
        return min(max(value, low), high)

    def real(self):
        random = self.random
        edges = [0.0, -0.0, 1.5, -2.25, math.inf, -math.inf, 1e300, 5e-324]
        return random.choice(edges + [random.uniform(-1e6, 1e6)])

    def scalar(self, field):
        kind = field.type
        if kind == F.TYPE_BOOL:
            return self.random.random() < 0.5
        if kind == F.TYPE_STRING:
            return self.text()
        if kind == F.TYPE_BYTES:
            return self.random.randbytes(self.random.randrange(20))
        if kind in (F.TYPE_FLOAT, F.TYPE_DOUBLE):
            value = self.real()
            return value if kind == F.TYPE_DOUBLE else struct.unpack("<f", struct.pack("<f", math.copysign(
                min(abs(value), 3e38), value)))[0]
        if kind in (F.TYPE_INT64, F.TYPE_SINT64, F.TYPE_SFIXED64):
            return self.integer(-2 ** 63, 2 ** 63 - 1)
        if kind in (F.TYPE_UINT64, F.TYPE_FIXED64):
            return self.integer(0, 2 ** 64 - 1)
        if kind in (F.TYPE_UINT32, F.TYPE_FIXED32):
            return self.integer(0, 2 ** 32 - 1)
        return self.integer(-2 ** 31, 2 ** 31 - 1)  # enums are open

    def fill(self, message, depth=0):
        chance = 0.8 if depth < 4 else 0.2
        chosen = {self.random.choice(oneof.fields).number for oneof in message.DESCRIPTOR.oneofs}
        for field in message.DESCRIPTOR.fields:
            if field.containing_oneof and field.number not in chosen:
                continue
            if self.random.random() > chance or (depth > 6 and field.message_type):
                continue
            if field.message_type and field.message_type.GetOptions().map_entry:
                self.fill_map(getattr(message, field.name), field.message_type, depth)
            elif field.label == field.LABEL_REPEATED:
                for _ in range(self.random.choice([0, 1, 2, 3, 9] if depth < 3 else [0, 1, 2])):
                    values = getattr(message, field.name)
                    if field.message_type:
                        self.fill(values.add(), depth + 1)
                    else:
                        values.append(self.scalar(field))
            elif field.message_type:
                part = getattr(message, field.name)
                part.SetInParent()
                self.fill(part, depth + 1)
            else:
                setattr(message, field.name, self.scalar(field))
        return message

    def fill_map(self, entries, entry, depth):
        value = entry.fields_by_name["value"]
        for _ in range(self.random.choice([0, 1, 2, 5, 30])):
            key = self.text()
            if value.message_type:
                self.fill(entries[key], depth + 1)
            else:
                entries[key] = self.scalar(value)

    def mutate(self, data):
        """The same bytes with some damage."""
        random = self.random
        data = bytearray(data)
        for _ in range(random.choice([1, 1, 1, 2, 4])):
            at = random.randrange(len(data) + 1)
            how = random.randrange(7)
            if how == 0 and at < len(data):
                data[at] ^= 1 << random.randrange(8)
            elif how == 1 and at < len(data):
                edges = [0, 1, 2, 7, 8, 0x0A, 0x0B, 0x0C, 0x12, 0x7F, 0x80, 0xFF]
                data[at] = random.choice(edges + [random.randrange(256)])
            elif how == 2:
                del data[at:]
            elif how == 3:
                del data[at:at + random.randrange(1, 6)]
            elif how == 4:
                data[at:at] = random.randbytes(random.randrange(1, 6))
            elif how == 5:
                other = random.randrange(len(data) + 1)
                data[at:at] = data[other:other + random.randrange(1, 40)]
            else:
                data[at:at] = random.choice(self.SNIPPETS)
        return bytes(data)

    # Groups, their ends, long numbers and tags, packed numbers, fields of number 0 and of unknown types.
    SNIPPETS = [
        b"\x0b\x0c", b"\xa3\x06\xa8\x06\x01\xa4\x06", b"\x0b", b"\x0c", b"\x08" + b"\x80" * 9 + b"\x01",
        b"\x08" + b"\xff" * 10, b"\x08" + b"\x80" * 10 + b"\x00", b"\x88\x80\x80\x80\x00\x01",
        b"\x88\x80\x80\x80\x80\x00\x01", b"\x0a\x80\x80\x80\x80\x00", b"\x0a\x80\x80\x80\x80\x80\x00",
        b"\x00", b"\x02\x00", b"\x0e", b"\x0f", b"\xa2\x06\x03abc", b"\xa5\x06abcd", b"\xa1\x06abcdefgh",
        b"\x0a\x01\xff", b"\x12\x04\xf0\x9d\x84\x9e", b"\x12\x03\xed\xa0\x80", b"\x0a\x03\x01\x02\x03",
        b"\x0a\x00", b"\xf8\xff\xff\xff\x0f\x01", b"\xf8\xff\xff\xff\x7f\x01",
    ]
