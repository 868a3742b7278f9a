"""Reads a recording as docs/internals/recording.md describes it, with libsodium and zstd and nothing of Weir's."""
import ctypes
import ctypes.util
import pathlib
import struct
import subprocess

INFO, CALL, FILE, DATA, MESSAGE, END, LOG, CLOSE = range(1, 9)
FINAL = 3

sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
assert sodium.sodium_init() >= 0


def unzstd(data):
    return subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=True).stdout


def chunks(data, key):
    magic, version, zero, mark, head = struct.unpack("<8sII16s24s", data[:56])
    assert (magic, version, zero) == (b"WEIRREC\n", 1, 0)
    wanted = ctypes.create_string_buffer(16)
    sodium.crypto_generichash(wanted, ctypes.c_size_t(16), b"weir recording\0", ctypes.c_ulonglong(15), key,
                              ctypes.c_size_t(32))
    assert wanted.raw == mark, "the key is another recording's"
    state = ctypes.create_string_buffer(sodium.crypto_secretstream_xchacha20poly1305_statebytes())
    assert sodium.crypto_secretstream_xchacha20poly1305_init_pull(state, head, key) == 0
    at, tag = 56, ctypes.c_ubyte(0)
    while at < len(data):
        size, = struct.unpack_from("<I", data, at)
        sealed = data[at + 4:at + 4 + size]
        out = ctypes.create_string_buffer(size)
        assert sodium.crypto_secretstream_xchacha20poly1305_pull(
            state, out, None, ctypes.byref(tag), sealed, ctypes.c_ulonglong(size), None, ctypes.c_ulonglong(0)) == 0
        at += 4 + size
        plain = out.raw[:size - 17]
        yield unzstd(plain[1:]) if plain[0] else plain[1:]
    assert tag.value == FINAL, "the recording is cut"


def frames(path, key_path=None):
    """(type, call, microseconds, payload) of every frame; payloads are whole."""
    key = bytes.fromhex(pathlib.Path(key_path or f"{path}.key").read_text().strip())
    parts = b""
    for chunk in chunks(pathlib.Path(path).read_bytes(), key):
        at = 0
        while at < len(chunk):
            kind, more, _, call, time, size = struct.unpack_from("<BBHIQI", chunk, at)
            parts += chunk[at + 20:at + 20 + size]
            at += 20 + size
            if not more:
                yield kind, call, time, parts
                parts = b""


def batch_files(path, key_path=None):
    """The plaintext of every batch file, in their order."""
    files, last = [], {}
    for kind, call, _, payload in frames(path, key_path):
        if kind == FILE:
            last[call] = len(files)
            files.append(b"")
        if kind == DATA:
            files[last[call]] += payload
    return [unzstd(data) for data in files]


def everything(path, key_path=None):
    """All payloads, batch files unpacked: where a secret or a value would be if it were anywhere."""
    out = [payload for kind, _, _, payload in frames(path, key_path) if kind != DATA]
    return b"\n".join(out + batch_files(path, key_path))
