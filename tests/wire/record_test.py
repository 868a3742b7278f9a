"""The record reader and writer against Python's protobuf.

Usage: record_test.py DRIVER DESCRIPTORS SEED COUNT

Random UpdateResponse messages, whole and damaged: what Python parses and the rules allow, our reader accepts
with the same cells, and what our writer makes of them Python reads as the same records. The rest is refused.
(R-SRC-02, R-SRC-03, R-SRC-07)
"""
import random
import struct
import sys

from oracle import Driver, Maker, content, load_messages, parse, quiet

NAME = "fivetran_sdk.v2.UpdateResponse"
# Member of ValueType -> number of its type.
TYPES = {"bool": 1, "short": 2, "int": 3, "long": 4, "decimal": 5, "float": 6, "double": 7, "naive_date": 8,
         "naive_datetime": 9, "utc_datetime": 10, "binary": 11, "xml": 12, "string": 13, "json": 14}
TIMES = ("naive_date", "naive_datetime", "utc_datetime")
NAME_SIZE_MAX = 1024


def hexed(value):
    return ":" + (value if isinstance(value, bytes) else value.encode()).hex()


def fits_name(name):
    return len(name.encode()) <= NAME_SIZE_MAX and "\0" not in name


def fits_short(value):
    return -32768 <= value <= 32767


def cell_text(name, value):
    """As tests/wire/codec_driver.c describes a cell; None when the rules forbid it."""
    kind = value.WhichOneof("inner")
    if kind is None or kind == "naive_time" or not fits_name(name):
        return None
    if kind == "null":
        return f" {hexed(name)}=0null"
    content = getattr(value, kind)
    number = TYPES["int"] if kind == "short" and not fits_short(content) else TYPES[kind]
    if kind in TIMES:
        if not 0 <= content.nanos <= 999_999_999:
            return None
        return f" {hexed(name)}={number}:{content.seconds}.{content.nanos}"
    if kind in ("float", "double"):
        return f" {hexed(name)}={number}:{struct.unpack('<Q', struct.pack('<d', content))[0]:016x}"
    if kind in ("bool", "short", "int", "long"):
        return f" {hexed(name)}={number}:{int(content)}"
    return f" {hexed(name)}={number}{hexed(content)}"


def record_text(record):
    """(head, sorted cells), or None when the rules forbid the record."""
    cells = [cell_text(name, value) for name, value in record.data.items()]
    names = [record.schema_name, record.table_name]
    if None in cells or not 0 <= record.type <= 3 or not names[1] or not all(map(fits_name, names)):
        return None
    schema = hexed(record.schema_name) if record.HasField("schema_name") else "-"
    return f"{schema} {hexed(record.table_name)} {record.type}", sorted(cells)


def records_of(message):
    if message.WhichOneof("operation") == "record":
        return [message.record]
    return list(message.records.records)


def described(answer):
    rows = []
    for line in answer.decode().splitlines():
        parts = line.split(" ")
        rows.append((" ".join(parts[:3]), sorted(" " + part for part in parts[3:])))
    return rows


def normal(record):
    """The record as our writer puts it: NULL is true, a short that is none is an int."""
    for value in record.data.values():
        kind = value.WhichOneof("inner")
        if kind == "null":
            value.null = True
        elif kind == "short" and not fits_short(value.short):
            value.int = value.short
    return record


def split(answer):
    at = 0
    while at < len(answer):
        size, = struct.unpack_from("<I", answer, at)
        yield answer[at + 4:at + 4 + size]
        at += 4 + size


def check_written(kind, expected, answer, data):
    got = []
    for part in split(answer):
        message = kind.FromString(part)
        records = records_of(message)
        alone = message.WhichOneof("operation") == "record"
        if alone != (len(records) == 1) or len(records) > 100 or (len(records) > 1 and len(part) > 100_010):
            raise SystemExit(f"a message of {len(records)} records, {len(part)} bytes\n{data.hex()}")
        got += records
    if [content(record) for record in got] != [content(normal(record)) for record in expected]:
        raise SystemExit(f"written records differ\n{data.hex()}\n{answer.hex()}")


def excused(reason):
    # Of several operations protobuf lets the last win, of a repeated one it merges the parts: we refuse both.
    # Nesting ends at 64 levels, not at 100.
    return b"more than one operation" in reason or b"nested too deep" in reason


def check(driver, kind, data, tally):
    theirs = parse(kind, data)
    accepted, answer = driver.ask("r", NAME, data)
    rows = None
    if theirs is not None and theirs.WhichOneof("operation") in ("record", "records"):
        rows = [record_text(record) for record in records_of(theirs)]
    elif theirs is not None or (accepted and not answer):
        return  # no records: the other codec's business
    if accepted != (rows is not None and None not in rows):
        if not accepted and excused(answer):
            tally["excused"] += 1
            return
        raise SystemExit(f"accepted by us: {accepted}, expected: {rows}\n{data.hex()}\n{answer}")
    tally["accepted" if accepted else "refused"] += 1
    if not accepted:
        return
    if described(answer) != rows:
        raise SystemExit(f"differs\n{data.hex()}\n{described(answer)}\n{rows}")
    accepted, answer = driver.ask("w", NAME, data)
    if not accepted:
        raise SystemExit(f"the writer refused\n{data.hex()}\n{answer}")
    check_written(kind, records_of(theirs), answer, data)


class RecordMaker(Maker):
    """Records that mostly keep the rules and often share their columns."""

    def value(self, value):
        random = self.random
        kind = random.choice(list(TYPES) + ["null"])
        if kind in TIMES:
            part = getattr(value, kind)
            part.SetInParent()
            part.seconds = self.integer(-2 ** 40, 2 ** 40)
            part.nanos = random.choice([0, 0, 1, 999_999_999, 10 ** 9 if random.random() < 0.01 else 5000])
        elif kind == "short":
            value.short = random.choice([0, -32768, 32767, 5, -7, 40000])
        elif kind == "null":
            value.null = random.random() < 0.9
        elif random.random() < 0.01:
            self.fill(value)
        else:
            setattr(value, kind, self.scalar(value.DESCRIPTOR.fields_by_name[kind]))

    def record(self, record):
        random = self.random
        if random.random() < 0.5:
            record.schema_name = random.choice(["", "public", "é"])
        record.table_name = random.choice(["orders", "t", "customers_of_2024", self.text()])
        record.type = random.choice([0, 0, 0, 1, 2, 3])
        names = ["id", "name", "created_at", "a_rather_long_column_name", "é", "amount", ""]
        extra = [self.text()] if random.random() < 0.1 else []
        for name in random.sample(names, random.randrange(len(names))) + extra:
            self.value(record.data[name])

    def response(self, kind):
        message = kind()
        if self.random.random() < 0.3:
            self.record(message.record)
        else:
            message.records.SetInParent()
            for _ in range(self.random.choice([0, 1, 2, 3, 10])):
                self.record(message.records.records.add())
        return message


def check_limits(driver, kind, maker):
    """Batches are closed at 100 records or 100,000 bytes; a larger record travels alone (R-SRC-03)."""
    for sizes in ([10] * 250, [990] * 300, [10, 150_000, 10, 10], [150_000, 10], [99_900, 10, 99_900],
                  [60_000] * 5):
        message = kind()
        for size in sizes:
            record = message.records.records.add(table_name="t")
            record.data["c"].string = "x" * size
        data = message.SerializeToString()
        check(driver, kind, data, {"accepted": 0})
        _, answer = driver.ask("w", NAME, data)
        counts = [len(records_of(kind.FromString(part))) for part in split(answer)]
        if any(size > 100_000 for size in sizes) and 1 not in counts:
            raise SystemExit(f"a large record did not travel alone: {counts}")
        if sizes[0] == 10 and len(sizes) == 250 and counts != [100, 100, 50]:
            raise SystemExit(f"batches of {counts} records")


def main(program, descriptors, seed, count):
    quiet()
    maker = RecordMaker(random.Random(int(seed)))
    driver = Driver(program)
    kind = load_messages(descriptors, ("fivetran_sdk.v2",))[NAME]
    tally = {"accepted": 0, "refused": 0, "excused": 0}
    check_limits(driver, kind, maker)
    for number in range(int(count)):
        data = maker.response(kind).SerializeToString()
        check(driver, kind, data, tally)
        for _ in range(6):
            check(driver, kind, maker.mutate(data), tally)
        if number < 60:
            for end in range(min(len(data), 200)):
                check(driver, kind, data[:end], tally)
    driver.close()
    print(tally)
    if min(tally["accepted"], tally["refused"]) < 1000:
        raise SystemExit("too few of one kind to mean anything")


if __name__ == "__main__":
    main(*sys.argv[1:])
