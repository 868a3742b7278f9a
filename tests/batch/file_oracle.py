#!/usr/bin/python3
"""Batch files against openssl, zstd, gzip and Python's csv, both ways (R-BAT-01 to R-BAT-08): file_oracle.py FILE_TOOL

What we write is decrypted by `openssl enc`, decompressed by `zstd` or `gzip` and parsed by Python; the values must be
those that went in. What those tools write, in any column order and quoting, we must read.
"""
import base64
import csv
import datetime
import decimal
import io
import random
import struct
import subprocess
import sys

TOOL = sys.argv[1]
RNG = random.Random(42)
NULL = "null-m8yilkvPsNulehxl2G6pmSQ3G3WWdLP"
SAME = "unmod-NcK9NIjPUutCsz4mjOQQztbnwnE1sY3"
EPOCH = datetime.datetime(1970, 1, 1)
decimal.getcontext().prec = 60
csv.field_size_limit(1 << 30)
TEXTS = ["", "plain", "New Year", 'say "hi"', '"', '""', "a,b", "line\nfeed", "crlf\r\nin", "cr\rin", "\u2028\u0085",
         "C:\\Program Files\\", "nul\0byte", "null", "NULL", NULL + "x", "é€😀", " lead", "trail ", "=1+1", "x" * 24,
         "x" * 25, ",,,", "\n", "\r", "\\N", "\ufeff", "'"]
# A column name of every awkward kind.
TABLE = [("id", "LONG", True), ("a,b", "BOOLEAN", False), ('q"uote', "SHORT", False), ("i", "INT", False),
         ("décimal", "DECIMAL", False), ("f", "FLOAT", False), ("d", "DOUBLE", False), ("day", "NAIVE_DATE", False),
         ("time of day", "NAIVE_TIME", False), ("naive", "NAIVE_DATETIME", False), ("utc", "UTC_DATETIME", False),
         ("bin", "BINARY", False), ("xml", "XML", False), ("s", "STRING", False), ("json", "JSON", False)]
SPEC = ",".join(f"{n.encode().hex()}:{t}{':key' if k else ''}" for n, t, k in TABLE)


def run(command, data):
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def hexed(data):
    return data.hex() if data else "."


def bits(value):
    return f"{struct.unpack('<Q', struct.pack('<d', value))[0]:016x}"


def random_text():
    if RNG.random() < 0.6:
        return RNG.choice(TEXTS)
    return "".join(RNG.choice('ab",\n\r é\\;') for _ in range(RNG.randrange(40)))


def random_value(kind, index):
    """The value as a Python object of the type that the official text form stands for."""
    if kind == "LONG":
        return RNG.choice((index, RNG.randrange(-2**63, 2**63)))
    if kind in ("SHORT", "INT"):
        bound = 2**15 if kind == "SHORT" else 2**31
        return RNG.choice((0, bound - 1, -bound, RNG.randrange(-bound, bound)))
    if kind == "BOOLEAN":
        return RNG.random() < 0.5
    if kind == "DECIMAL":
        digits = RNG.randrange(1, 39)
        return decimal.Decimal(RNG.randrange(-10**digits, 10**digits)).scaleb(-RNG.randrange(digits + 1))
    if kind == "DOUBLE":
        value = struct.unpack("<d", struct.pack("<Q", RNG.getrandbits(64)))[0]
        return RNG.choice((value if value == value else 0.5, round(RNG.uniform(-1000, 1000), 2), float("inf")))
    if kind == "FLOAT":
        value = struct.unpack("<f", struct.pack("<I", RNG.getrandbits(32)))[0]
        return value if value == value else 0.5
    if kind == "NAIVE_TIME":
        return (RNG.randrange(86400), RNG.choice((0, RNG.randrange(10**9))))
    if kind == "NAIVE_DATE":
        return (RNG.randrange(-719162, 2932897) * 86400, 0)
    if kind in ("NAIVE_DATETIME", "UTC_DATETIME"):
        return (RNG.randrange(-62135596800, 253402300800), RNG.choice((0, RNG.randrange(1000) * 10**6, RNG.randrange(10**9))))
    if kind == "BINARY":
        return RNG.randbytes(RNG.randrange(40))
    return random_text()


def tool_value(kind, value):
    """As tool_values.h writes it."""
    if value in (NULL, SAME):
        return "null" if value == NULL else "same"
    if kind == "BOOLEAN":
        return "1" if value else "0"
    if kind in ("SHORT", "INT", "LONG"):
        return str(value)
    if kind in ("FLOAT", "DOUBLE"):
        return bits(value)
    if kind.endswith(("DATE", "TIME")):
        return f"{value[0]} {value[1]}"
    if kind == "DECIMAL":
        return hexed(format(value, "f").encode())
    return hexed(value if isinstance(value, bytes) else value.encode())


def moment(value):
    return EPOCH + datetime.timedelta(seconds=value[0])


def fraction(nanos):
    return f".{nanos:09d}".rstrip("0") if nanos else ""


def foreign_text(kind, value):
    """A text form that Python or Java would write."""
    if value in (NULL, SAME):
        return value
    if kind == "BOOLEAN":
        return "true" if value else "false"
    if kind in ("FLOAT", "DOUBLE"):
        if abs(value) == float("inf"):
            return "Infinity" if value > 0 else "-Infinity"
        return RNG.choice((repr(value), repr(value).replace("e", "E"), f"{value:.20e}"))
    if kind == "DECIMAL":
        return RNG.choice((format(value, "f"), f"{value:e}"))
    if kind == "NAIVE_DATE":
        return moment(value).date().isoformat()
    if kind == "NAIVE_TIME":
        text = moment(value).time().isoformat() + fraction(value[1])
        return text[:5] if text.endswith(":00") and len(text) == 8 else text
    if kind in ("NAIVE_DATETIME", "UTC_DATETIME"):
        return moment(value).isoformat() + fraction(value[1]) + (RNG.choice(("Z", "")) if kind[0] == "U" else "")
    if kind == "BINARY":
        return base64.b64encode(value).decode()
    return str(value)


def parsed(kind, text):
    """The value that Python makes of our text; raises when the form is not the official one."""
    if text in (NULL, SAME):
        return text
    if kind == "BOOLEAN":
        return {"true": True, "false": False}[text]
    if kind in ("SHORT", "INT", "LONG"):
        return int(text)
    if kind == "DOUBLE":
        return float(text)
    if kind == "FLOAT":
        return struct.unpack("<f", struct.pack("<f", float(text)))[0]
    if kind == "DECIMAL":
        assert "E" not in text.upper(), text
        return decimal.Decimal(text)
    if kind == "NAIVE_DATE":
        return (int((datetime.datetime.fromisoformat(text) - EPOCH).total_seconds()), 0)
    if kind == "NAIVE_TIME":
        clock, _, part = text.partition(".")
        hours, minutes, seconds = clock.split(":")
        return (int(hours) * 3600 + int(minutes) * 60 + int(seconds), int(part.ljust(9, "0")) if part else 0)
    if kind in ("NAIVE_DATETIME", "UTC_DATETIME"):
        assert text.endswith("Z") == (kind == "UTC_DATETIME"), text
        whole, _, part = text.rstrip("Z").partition(".")
        seconds = int((datetime.datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S") - EPOCH).total_seconds())
        return (seconds, int(part.ljust(9, "0")) if part else 0)
    if kind == "BINARY":
        return base64.b64decode(text, validate=True)
    return text


def random_rows(count, update):
    rows = []
    for index in range(count):
        row = [random_value(kind, index) for _, kind, _ in TABLE]
        for i in range(1, len(row)):
            if RNG.random() < 0.1:
                row[i] = NULL
            elif update and RNG.random() < 0.2:
                row[i] = SAME
        rows.append(row)
    return rows


def unpack(data, compression, encryption, key):
    if encryption == "aes":
        data = run(["openssl", "enc", "-d", "-aes-256-cbc", "-K", key.hex(), "-iv", data[:16].hex()], data[16:])
    if compression == "zstd":
        return run(["zstd", "-d", "-q", "-c"], data)
    return run(["gzip", "-d", "-c"], data) if compression == "gzip" else data


def pack(data, compression, encryption, key):
    if compression == "zstd":
        data = run(["zstd", RNG.choice(("-1", "-19", "--fast=3")), RNG.choice(("--check", "--no-check")), "-q", "-c"], data)
    if compression == "gzip":
        data = run(["gzip", "-c"], data)
    if encryption == "aes":
        iv = RNG.randbytes(16)
        data = iv + run(["openssl", "enc", "-e", "-aes-256-cbc", "-K", key.hex(), "-iv", iv.hex()], data)
    return data


def python_rows(plain):
    # NUL is not for Python's csv before 3.11; an unused character stands in for it.
    text = plain.decode().replace("\0", "\uFFF0")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    return rows[0], [[cell.replace("\uFFF0", "\0") for cell in row] for row in rows[1:]]


def check_ours(compression, encryption):
    key, iv = RNG.randbytes(32), RNG.randbytes(16)
    rows = random_rows(400, True)
    lines = "".join("\t".join(tool_value(k, v) for (_, k, _), v in zip(TABLE, row)) + "\n" for row in rows)
    data = run([TOOL, "write", compression, encryption, key.hex(), iv.hex(), SPEC], lines.encode())
    if encryption == "aes":
        assert data[:16] == iv and len(data) % 16 == 0
    header, found = python_rows(unpack(data, compression, encryption, key))
    assert header == [name for name, _, _ in TABLE], header
    assert len(found) == len(rows), (len(found), len(rows))
    for got, want in zip(found, rows):
        for (name, kind, _), text, value in zip(TABLE, got, want):
            assert parsed(kind, text) == value, (name, text, value)
    plain = run([TOOL, "plain", compression, encryption, key.hex()], data)
    assert plain == unpack(data, compression, encryption, key)


def foreign_csv(rows, order):
    out = io.StringIO(newline="")
    quoting = RNG.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    writer = csv.writer(out, quoting=quoting, lineterminator=RNG.choice(("\n", "\r\n")))
    writer.writerow([TABLE[i][0] for i in order])
    for row in rows:
        writer.writerow([foreign_text(TABLE[i][1], row[i]) for i in order])
    text = out.getvalue()
    return (text if RNG.random() < 0.5 else text.removesuffix("\n").removesuffix("\r")).encode()


def check_theirs(compression, encryption):
    key = RNG.randbytes(32)
    update = RNG.random() < 0.5
    rows = random_rows(400, update)
    order = list(range(len(TABLE)))
    RNG.shuffle(order)
    if RNG.random() < 0.5:
        order = [i for i in order if i == 0 or RNG.random() < 0.7]
    data = pack(foreign_csv(rows, order), compression, encryption, key)
    kind = "update" if update else "replace"
    found = run([TOOL, "read", kind, compression, encryption, key.hex(), SPEC], data).decode().splitlines()
    assert len(found) == len(rows), (len(found), len(rows))
    for line, row in zip(found, rows):
        for i, got in enumerate(line.split("\t")):
            want = tool_value(TABLE[i][1], row[i]) if i in order else "same" if update else "null"
            if TABLE[i][1] == "DECIMAL" and got not in ("null", "same"):
                assert decimal.Decimal(bytes.fromhex(got).decode()) == row[i], (got, row[i])
            else:
                assert got == want, (TABLE[i], got, want)


def check_empty(compression, encryption):
    key, iv = RNG.randbytes(32), RNG.randbytes(16)
    data = run([TOOL, "write", compression, encryption, key.hex(), iv.hex(), SPEC], b"")
    header, rows = python_rows(unpack(data, compression, encryption, key))
    assert len(header) == len(TABLE) and rows == []
    assert run([TOOL, "read", "replace", compression, encryption, key.hex(), SPEC], data) == b""


checks = 0
for _ in range(4):
    for how in ("off", "zstd", "gzip"):
        for secrecy in ("none", "aes"):
            check_ours(how, secrecy)
            check_theirs(how, secrecy)
            check_empty(how, secrecy)
            checks += 3
print(f"{checks} files checked")
