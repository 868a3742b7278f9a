#!/usr/bin/python3
"""What is known of batch files in the wild, one test for each fact: facts.py FILE_TOOL

The files are made here, by Python, openssl, zstd and gzip: nothing of ours has written them. FILE_TOOL reads them as a
destination does, from a request (weir_batch_next). The facts, each proven by the function that has its name:

  random_column_order        every file has its own order of columns, within one request too (R-BAT-05)
  quoted_null                the null string is NULL, quoted or bare (R-BAT-06)
  sentinel_look_alikes       "null", "NULL", part of a marker, the marker of another request are data (R-BAT-06)
  markers_of_the_request     whatever the two strings are, commas and quotes included (R-BAT-06)
  unmodified_in_every_type   also where the text is no value of the type, as in BINARY (R-BAT-06)
  empty_is_not_null          an empty cell is the empty text, quoted or bare (R-BAT-06)
  line_breaks_in_cells       CR, LF, CRLF, U+2028, U+2029, VT, FF, FS, GS, RS, NEL and NUL stay (R-BAT-05)
  backslash_is_ordinary      also before a quote and at the end of a cell (R-BAT-05)
  large_cells                20 and 30 MiB, as text and as base64, in encrypted files
  header_only                no rows; a file of no bytes is an error that names it (R-BAT-05)
  missing_final_lf           in the last row and in the header (R-BAT-05)
  every_length_modulo_16     also a plaintext that fills its last block, so that a whole block is padding (R-BAT-01)
  large_ciphertexts          around 4 KiB and 128 KiB, and past them: read in pieces, decrypted as one (R-BAT-01)
  zstd_without_size          frames without content size and checksum, as streaming writers make them (R-BAT-04)
  gzip_files                 (R-BAT-01)
  plain_files                without keys, and with keys that nobody needs (R-BAT-02)
  wrong_keys                 another file's, of another length, none: an error that names the file (R-BAT-10)
  cut_files                  anywhere: an error that names the file, after rows that were whole (R-BAT-10)
  several_files_of_a_kind    in the order of the list, kinds in the order of the guide (R-BAT-03, R-DST-05)
  everything_quoted          names in the header, too (R-BAT-07)
  the_official_quoting       over 24 characters, or a character below 0x2D (R-BAT-07)
  odd_paths                  with space, quote, percent, newline, UTF-8: the key is found by the exact string (R-BAT-02)
  duplicate_keys             come in the order of the file (R-DST-05)
  missing_columns            unmodified in an update file, NULL in a replace file, no matter in a delete file (R-BAT-09)
  history_files              earliest starts; delete files in both shapes (R-HIS-05)
  texts_of_every_type        as Java and the guides write them (R-BAT-08)
"""
import base64
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

TOOL = sys.argv[1]
RNG = random.Random(11)
NULL = "null-m8yilkvPsNulehxl2G6pmSQ3G3WWdLP"
SAME = "unmod-NcK9NIjPUutCsz4mjOQQztbnwnE1sY3"
PEOPLE = [("id", "LONG", True), ("s", "STRING", False), ("n", "INT", False)]
FOLDER = None


def run(command, data=None):
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    assert done.returncode == 0, (command[:3], done.stderr)
    return done.stdout


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def official(text):
    return quoted(text) if text != NULL and (len(text) > 24 or any(c < "-" for c in text)) else text


def csv_text(header, rows, quote=official, end="\n"):
    return "".join(",".join(map(quote, row)) + end for row in [header, *rows])


class Request:
    """Files on the disk, and what becomes of them."""

    def __init__(self, table, compression="off", encryption="none", null=NULL, same=SAME):
        self.table, self.compression, self.encryption = table, compression, encryption
        self.null, self.same, self.files, self.count = null, same, [], 0

    def pack(self, data, key):
        if self.compression == "zstd":
            data = run(["zstd", "-q", "-c", "--no-check"], data)
        elif self.compression == "gzip":
            data = run(["gzip", "-c"], data)
        if self.encryption == "aes":
            iv = RNG.randbytes(16)
            data = iv + run(["openssl", "enc", "-e", "-aes-256-cbc", "-K", key.hex(), "-iv", iv.hex()], data)
        return data

    def add(self, kind, text, name=None, key=None):
        """A file of the kind; the key is drawn when it is needed. Returns the path."""
        key = key or RNG.randbytes(32)
        path = pathlib.Path(FOLDER) / (name or f"{id(self)}_{self.count}.csv")
        data = text.encode() if isinstance(text, str) else text
        path.write_bytes(self.pack(data, key))
        self.count += 1
        self.files.append([kind, key.hex() if self.encryption == "aes" else "-", os.fsencode(path).hex()])
        return path

    def ask(self):
        spec = ",".join(f"{n.encode().hex()}:{t}{':key' if k else ''}" for n, t, k in self.table)
        words = [word for file in self.files for word in file]
        return subprocess.run([TOOL, "request", self.compression, self.encryption, self.null.encode().hex() or ".",
                               self.same.encode().hex() or ".", spec, *words], capture_output=True, check=False)

    def rows(self):
        done = self.ask()
        assert done.returncode == 0, done.stderr.decode()
        return [line.split("\t") for line in done.stdout.decode().splitlines()]

    def error(self):
        done = self.ask()
        assert done.returncode == 1, done.stdout[:200]
        return done.stderr.decode()


def hexed(text):
    data = text.encode() if isinstance(text, str) else text
    return data.hex() or "."


def read(text, kind="replace", table=PEOPLE, **options):
    request = Request(table, **options)
    request.add(kind, text)
    return [row[1:] for row in request.rows()]


def random_column_order():
    request = Request(PEOPLE)
    for order in ((2, 0, 1), (1, 2, 0), (0, 1, 2)):
        row = ["1", "x", "3"]
        request.add("replace", csv_text([PEOPLE[i][0] for i in order], [[row[i] for i in order]]))
    assert request.rows() == [["replace", "1", hexed("x"), "3"]] * 3


def quoted_null():
    assert read(f'id,s,n\n1,"{NULL}",{NULL}\n2,{NULL},"{NULL}"\n') == [["1", "null", "null"], ["2", "null", "null"]]


def sentinel_look_alikes():
    texts = ["null", "NULL", '"null"', NULL + "x", NULL[:-1], NULL.upper(), f" {NULL}", SAME[1:], "null-", "unmod-"]
    rows = read(csv_text(["id", "s", "n"], [[str(i), text, "0"] for i, text in enumerate(texts)]))
    assert [row[1] for row in rows] == [hexed(text) for text in texts]
    # The markers of another request are data here.
    assert read(f"id,s,n\n1,{NULL},0\n2,{SAME},0\n3,n,0\n", null="n", same="u") == [
        ["1", hexed(NULL), "0"], ["2", hexed(SAME), "0"], ["3", "null", "0"]]


def markers_of_the_request():
    for null, same in (("magic-nullvalue", "unmod-testmarker"), ("a,b", 'say "u"'), ("\n", "\r\n"), ("é", "\u2028")):
        text = csv_text(["id", "s", "n"], [["1", null, same], ["2", same, null]], quoted)
        assert read(text, "update", null=null, same=same) == [["1", "null", "same"], ["2", "same", "null"]]


def unmodified_in_every_type():
    types = ["BOOLEAN", "SHORT", "INT", "LONG", "DECIMAL", "FLOAT", "DOUBLE", "NAIVE_DATE", "NAIVE_TIME", "NAIVE_DATETIME",
             "UTC_DATETIME", "BINARY", "XML", "STRING", "JSON"]
    table = [("id", "LONG", True)] + [(t, t, False) for t in types]
    header = [name for name, _, _ in table]
    text = csv_text(header, [["1"] + [SAME] * len(types), ["2"] + [NULL] * len(types)])
    assert read(text, "update", table) == [["1"] + ["same"] * len(types), ["2"] + ["null"] * len(types)]


def empty_is_not_null():
    assert read('s,id,n\n,1,5\n"",2,6\n') == [["1", ".", "5"], ["2", ".", "6"]]


def line_breaks_in_cells():
    texts = ["a\rb", "a\nb", "a\r\nb", "\r", "\n", "\r\n", "\u2028", "\u2029", "\v", "\f", "\x1c\x1d\x1e", "\x85", "\u0085",
             "nul\0nul", "\n\n\r\r", 'q"\n"q', "end\n", "\nstart", ",\n,"]
    rows = [[str(i), text, "0"] for i, text in enumerate(texts)]
    for end in ("\n", "\r\n"):
        for options in ({}, {"compression": "zstd", "encryption": "aes"}):
            found = read(csv_text(["id", "s", "n"], rows, quoted, end), **options)
            assert [row[1] for row in found] == [hexed(text) for text in texts]


def backslash_is_ordinary():
    texts = ["\\", '\\"', '"\\', "C:\\Program Files\\", "\\n", "\\\\", 'a\\",b', "\\N"]
    rows = [[str(i), text, "0"] for i, text in enumerate(texts)]
    for quote in (quoted, official):
        assert [row[1] for row in read(csv_text(["id", "s", "n"], rows, quote))] == [hexed(text) for text in texts]


def large_cells():
    mib = 1 << 20
    table = [("id", "LONG", True), ("s", "STRING", False), ("b", "BINARY", False)]
    text, data = "é\n" * (20 * mib // 3), RNG.randbytes(30 * mib)
    rows = [["1", text, NULL], ["2", "", base64.b64encode(data).decode()], ["3", "x" * (30 * mib), ""]]
    found = read(csv_text(["id", "s", "b"], rows), table=table, compression="zstd", encryption="aes")
    assert found[0] == ["1", hexed(text), "null"]
    assert found[1] == ["2", ".", data.hex()]
    assert found[2] == ["3", "78" * (30 * mib), "."]


def header_only():
    for text in ("id,s,n\n", "id,s,n", '"id","s","n"\r\n'):
        assert read(text) == []
    request = Request(PEOPLE)
    path = request.add("replace", b"")
    assert path.name in request.error() and "empty" in request.error()
    request = Request(PEOPLE, "zstd", "aes")
    path = request.add("replace", b"")
    assert path.name in request.error() and "empty" in request.error()


def missing_final_lf():
    for last in ("2,x,7", '2,x,"7"', "2,x,7\n", "2,x,7\r\n"):
        assert read("id,s,n\n1,,1\n" + last if "\r" not in last else "id,s,n\r\n1,,1\r\n" + last) == [
            ["1", ".", "1"], ["2", hexed("x"), "7"]]


def every_length_modulo_16():
    for length in range(64, 64 + 17):
        text = "id,s,n\n1," + "x" * (length - 12) + ",7\n"
        assert len(text) == length
        assert read(text, encryption="aes") == [["1", "78" * (length - 12), "7"]]


def large_ciphertexts():
    for size in (4096, 65536, 131072, 1 << 20):
        for near in (-33, -17, -16, -1, 0, 1, 16):
            text = "id,s,n\n1," + "".join(RNG.choices("abcdef", k=size + near - 12)) + ",7\n"
            assert read(text, encryption="aes") == [["1", text[9:-3].encode().hex(), "7"]]


def zstd_without_size():
    text = csv_text(["id", "s", "n"], [[str(i), "row", "7"] for i in range(1000)]).encode()
    frame = run(["zstd", "-q", "-c", "--no-check"], text)
    # The frame header's descriptor: no single segment, no content size, no checksum.
    assert frame[:4] == b"\x28\xb5\x2f\xfd" and frame[4] & 0b11100100 == 0, frame[:6]
    for encryption in ("none", "aes"):
        assert len(read(text, compression="zstd", encryption=encryption)) == 1000


def gzip_files():
    text = csv_text(["id", "s", "n"], [[str(i), "row", "7"] for i in range(1000)])
    for encryption in ("none", "aes"):
        assert len(read(text, compression="gzip", encryption=encryption)) == 1000


def plain_files():
    assert read("id,s,n\n1,x,7\n") == [["1", hexed("x"), "7"]]
    request = Request(PEOPLE)
    request.add("replace", "id,s,n\n1,x,7\n")
    request.files[0][1] = RNG.randbytes(32).hex()
    assert request.rows() == [["replace", "1", hexed("x"), "7"]]


def wrong_keys():
    for bad in (RNG.randbytes(32).hex(), RNG.randbytes(16).hex(), RNG.randbytes(33).hex(), "-"):
        for compression in ("off", "zstd"):
            request = Request(PEOPLE, compression, "aes")
            path = request.add("replace", "id,s,n\n" + "1,x,7\n" * 100)
            request.files[0][1] = bad
            assert path.name in request.error(), request.error()


def cut_files():
    text = csv_text(["id", "s", "n"], [[str(i), f"{i * 7919}", "7"] for i in range(400)])
    for compression in ("off", "zstd", "gzip"):
        request = Request(PEOPLE, compression, "aes")
        path = request.add("replace", text)
        whole = path.read_bytes()
        for cut in sorted({0, 1, 15, 16, 17, 32, len(whole) // 2, len(whole) - 17, len(whole) - 16, len(whole) - 1}):
            path.write_bytes(whole[:cut])
            assert path.name in request.error(), (compression, cut, request.error())
    for compression in ("zstd", "gzip"):
        request = Request(PEOPLE, compression)
        path = request.add("replace", text)
        whole = path.read_bytes()
        for cut in (1, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:cut])
            assert path.name in request.error(), (compression, cut)


def several_files_of_a_kind():
    request = Request(PEOPLE, "zstd", "aes")
    for number, kind in enumerate(("delete", "update", "replace", "replace", "update", "delete", "replace")):
        request.add(kind, f"id,s,n\n{number},x,7\n")
    assert [row[:2] for row in request.rows()] == [["replace", "2"], ["replace", "3"], ["replace", "6"], ["update", "1"],
                                                   ["update", "4"], ["delete", "0"], ["delete", "5"]]


def everything_quoted():
    assert read('"id","s","n"\n"1","","-7"\n"2","x, y","0"\n') == [["1", ".", "-7"], ["2", hexed("x, y"), "0"]]


def the_official_quoting():
    texts = ["2025-11-21T14:59:47.315Z", "2025-11-21T14:59:47.315000001Z", "3q2+7w==", "New Year", "x" * 24, "x" * 25, "a-b",
             "a'b", "a b", "#"]
    text = csv_text(["id", "s", "n"], [[str(i), cell, NULL] for i, cell in enumerate(texts)])
    assert f",{NULL}\n" in text and ',"New Year",' in text and ",2025-11-21T14:59:47.315Z," in text
    assert read(text) == [[str(i), hexed(cell), "null"] for i, cell in enumerate(texts)]


def odd_paths():
    request = Request(PEOPLE, "zstd", "aes")
    names = ["with space.csv", "it's \"quoted\".csv", "100%25.csv", "new\nline.csv", "é€😀.csv", "\\back.csv", "a;b&c.csv"]
    for number, name in enumerate(names):
        request.add("replace", f"id,s,n\n{number},x,7\n", name)
    assert [row[1] for row in request.rows()] == [str(number) for number in range(len(names))]
    request.files = request.files[:1]
    request.files[0][2] = os.fsencode(pathlib.Path(FOLDER) / "it is not there.csv").hex()
    assert request.error() == "batch file 'it is not there.csv' is not there\n"


def duplicate_keys():
    assert read("id,s,n\n5,a,1\n6,b,2\n5,c,3\n5,d,4\n") == [
        ["5", hexed("a"), "1"], ["6", hexed("b"), "2"], ["5", hexed("c"), "3"], ["5", hexed("d"), "4"]]


def missing_columns():
    assert read("n,id\n7,1\n", "update") == [["1", "same", "7"]]
    assert read("n,id\n7,1\n", "replace") == [["1", "null", "7"]]
    assert read("id\n1\n", "delete") == [["1", "same", "same"]]
    assert read("n,unknown,id,s\nrubbish,x,1,y\n", "delete") == [["1", "same", "same"]]
    for kind, text in (("replace", "id,unknown\n1,x\n"), ("update", "s,n\nx,1\n"), ("replace", "id,s,s\n1,x,x\n")):
        request = Request(PEOPLE)
        path = request.add(kind, text)
        error = request.error()
        assert path.name in error and ("'unknown'" in error or "'id'" in error or "'s'" in error), error


def history_files():
    table = PEOPLE[:2] + [("_fivetran_start", "UTC_DATETIME", True), ("_fivetran_end", "UTC_DATETIME", False),
                          ("_fivetran_active", "BOOLEAN", False), ("b", "BINARY", False)]
    second = str(1704067200)
    at = "2024-01-01T00:00:00.001Z"
    moment = f"{second} 1000000"
    assert read(f"_fivetran_start,id\n{at},1\n", "earliest", table) == [["1", "same", moment, "same", "same", "same"]]
    assert read(f"_fivetran_end,id\n{at},1\n", "delete", table) == [["1", "same", "same", moment, "same", "same"]]
    tester = csv_text(["b", "s", "_fivetran_active", "_fivetran_start", "id", "_fivetran_end"],
                      [[NULL, NULL, "false", NULL, "1", at]])
    assert read(tester, "delete", table) == [["1", "same", "null", moment, "0", "same"]]
    assert read(csv_text([c[0] for c in table], [["1", SAME, at, at, "true", base64.b64encode(b"\xff").decode()]]), "update",
                table) == [["1", "same", moment, moment, "1", "ff"]]


def texts_of_every_type():
    def real(value):
        return f"{struct.unpack('<Q', struct.pack('<d', value))[0]:016x}"

    cases = [("BOOLEAN", "true", "1"), ("LONG", "-9223372036854775808", "-9223372036854775808"),
             ("DOUBLE", "200", real(200)), ("DOUBLE", "2300.0", real(2300)), ("DOUBLE", "-2.2250738585072014E-308",
                                                                             real(-2.2250738585072014e-308)),
             ("FLOAT", "3.4028235E38", real(3.4028234663852886e38)), ("DOUBLE", "Infinity", real(float("inf"))),
             ("DECIMAL", "12345.123456789012345", hexed("12345.123456789012345")), ("DECIMAL", "1E3", hexed("1000")),
             ("NAIVE_DATE", "0001-01-01", "-62135596800 0"), ("NAIVE_TIME", "15:00", "54000 0"),
             ("NAIVE_TIME", "10:15:30.5", "36930 500000000"), ("NAIVE_DATETIME", "1970-01-01T00:00:01", "1 0"),
             ("UTC_DATETIME", "1970-01-01T00:00:01Z", "1 0"), ("UTC_DATETIME", "1970-01-01T00:00:01.123Z", "1 123000000"),
             ("UTC_DATETIME", "1969-12-31T23:59:59.999999999Z", "-1 999999999"), ("UTC_DATETIME", "1970-01-01T00:00:01", "1 0"),
             ("BINARY", "3q2+7w==", "deadbeef"), ("JSON", '{"a": [1, 2]}', hexed('{"a": [1, 2]}')), ("JSON", "5", hexed("5")),
             ("XML", "<a>\n</a>", hexed("<a>\n</a>"))]
    for kind, text, want in cases:
        table = [("id", "LONG", True), ("v", kind, False)]
        assert read(csv_text(["id", "v"], [["1", text]]), table=table) == [["1", want]], (kind, text)


def main():
    global FOLDER
    names = [line.split()[0] for line in __doc__.splitlines() if line.startswith("  ") and line.split()]
    with tempfile.TemporaryDirectory(prefix="weir-facts-") as FOLDER:
        for name in names:
            try:
                globals()[name]()
            except AssertionError:
                print(f"fact not kept: {name}")
                raise
    print(f"{len(names)} facts kept")


main()
