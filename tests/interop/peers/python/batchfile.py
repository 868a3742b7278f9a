"""Batch files by foreign tools only: Python's csv, the zstd and gzip programs, the openssl program (R-BAT-01)."""

import csv
import io
import os
import subprocess

csv.field_size_limit(1 << 30)

# The names of the proto enums Compression and Encryption.
PACK = {"OFF": None, "ZSTD": ["zstd", "-q", "-c"], "GZIP": ["gzip", "-c"]}
UNPACK = {"OFF": None, "ZSTD": ["zstd", "-q", "-d", "-c"], "GZIP": ["gzip", "-d", "-c"]}


def pipe(command, data):
    if command is None:
        return data
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise ValueError(f"{command[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def aes(key, iv, *more):
    return ["openssl", "enc", "-aes-256-cbc", "-K", key.hex(), "-iv", iv.hex(), *more]


def write(path, columns, rows, compression, encryption, strings):
    """Writes a file and returns its key, or None. A cell is text, None for NULL, False for unmodified."""
    null_string, unmodified_string = strings
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(
            [null_string if cell is None else unmodified_string if cell is False else cell for cell in row]
        )
    data = pipe(PACK[compression], text.getvalue().encode())
    key = None
    if encryption == "AES":
        key, iv = os.urandom(32), os.urandom(16)
        data = iv + pipe(aes(key, iv), data)
    with open(path, "wb") as file:
        file.write(data)
    return key


def read(path, compression, encryption, key, strings):
    """Returns the header and the rows as dicts of text, None for NULL and False for unmodified."""
    null_string, unmodified_string = strings
    with open(path, "rb") as file:
        data = file.read()
    if encryption == "AES":
        if key is None or len(key) != 32:
            raise ValueError(f"no key of 32 bytes for '{path}'")
        data = pipe(aes(key, data[:16], "-d"), data[16:])
    text = pipe(UNPACK[compression], data).decode("utf-8")
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = next(rows)
    special = {null_string: None, unmodified_string: False}
    return header, [dict(zip(header, [special.get(cell, cell) for cell in row], strict=True)) for row in rows]
