"""Foreign clients drive our connectors: the phases of peers/*/connector_client.*, and what they must leave behind."""

import json
import os
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

import peers
from servers import serving

sys.path.insert(0, str(peers.SOURCES / "python"))
from values import canonical, time_nanos  # noqa: E402

DATA = peers.HERE / "data"
PHASES = ("create", "write", "change", "alter", "soft", "hard")
SYNCED = ("2024-05-01T10:00:00.000Z", "2024-05-01T10:00:01.000Z")
CUT = "2024-05-01T10:00:00.500Z"


def client(built, peer):
    return built.python("connector_client.py") if peer == "python" else built.node("connector_client.js")


def run_client(built, peer, words, flags, gzip):
    """Both scripts take '--name=value'."""
    command = client(built, peer) + list(words) + [f"--{name}={value}" for name, value in flags.items()]
    if gzip:
        command.append("--gzip" if peer == "python" else "--gzip=1")
    code, text = peers.run(command, 120, env=built.environment())
    label = f"{peer} -> {' '.join(words)}{' with gzip' if gzip else ''}"
    peers.say(f"{label:44} {'pass' if code == 0 else 'FAIL'}")
    if code != 0:
        raise RuntimeError(f"{label}:\n{text[-4000:]}")


def data_set():
    return json.loads((DATA / "all_types.json").read_text(encoding="utf-8"))


def expected_rows(data, phase):
    """{id: {column: text}} after a phase, from the data file and the rules alone."""
    names = [c["name"] for c in data["columns"]]
    rows = {
        row[0]: dict(zip(names, row), _fivetran_synced=SYNCED[0], _fivetran_deleted="false")
        for row in data["rows"]
    }
    passed = PHASES[: PHASES.index(phase) + 1]
    if "write" not in passed:
        return {}
    if "change" in passed:
        for row in data["update"]["rows"]:
            if row[0] in rows:
                changed = {n: cell for n, cell in zip(data["update"]["columns"], row) if cell is not False}
                rows[row[0]].update(changed, _fivetran_synced=SYNCED[1])
        rows["7"].update(_fivetran_synced=SYNCED[1], _fivetran_deleted="true")
        for row in data["delete"]["rows"]:
            rows.pop(row[0], None)
    if "alter" in passed:
        added = data["added"]
        for row in rows.values():
            row[added["column"]["name"]] = None
        rows[added["id"]] = dict(
            dict.fromkeys(names),
            id=added["id"],
            _fivetran_synced=SYNCED[1],
            _fivetran_deleted="false",
            **{added["column"]["name"]: added["value"]},
        )
    for key, row in list(rows.items()):
        if time_nanos(row["_fivetran_synced"]) < time_nanos(CUT):
            if "hard" in passed:
                del rows[key]
            elif "soft" in passed:
                row["_fivetran_deleted"] = "true"
    return rows


def types_of(data):
    columns = data["columns"] + data["system"] + [data["added"]["column"]]
    return {c["name"]: c["type"] for c in columns}


def canonical_rows(rows, types, key="id"):
    return {str(row[key]): {name: canonical(types[name], cell) for name, cell in row.items()} for row in rows}


def read_store(path, table):
    """The rows of a SQLite table as dicts of what SQLite holds."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
        store.row_factory = sqlite3.Row
        quoted = table.replace('"', '""')
        return [dict(row) for row in store.execute(f'SELECT * FROM "{quoted}"')]


def compare(found, wanted, what):
    if found == wanted:
        return
    lines = [f"{what}: rows differ"]
    for key in sorted(found.keys() | wanted.keys()):
        left, right = found.get(key), wanted.get(key)
        if left is None or right is None:
            lines.append(f"  row {key}: {'missing' if left is None else 'unexpected'}")
            continue
        for name in sorted(left.keys() | right.keys()):
            if left.get(name, "absent") != right.get(name, "absent"):
                lines.append(
                    f"  row {key}, '{name}': {left.get(name, 'absent')!r}, expected {right.get(name, 'absent')!r}"
                )
    raise RuntimeError("\n".join(lines))


def drive_destination(built, peer, command, store, table, gzip=False):
    """All phases against one running destination; after each the store holds what the rules say."""
    data = data_set()
    types = types_of(data)
    with tempfile.TemporaryDirectory() as work, serving(
        command, env=built.environment(), ours=True
    ) as running:
        flags = {
            "address": running.address,
            "config": json.dumps({"path": str(store)}),
            "work": work,
            "data": DATA / "all_types.json",
        }
        for phase in PHASES:
            run_client(built, peer, ("destination", phase), flags, gzip)
            found = canonical_rows(read_store(store, table), types)
            compare(
                found, canonical_rows(expected_rows(data, phase).values(), types), f"{peer}, after '{phase}'"
            )
        running.check_alive()


def drive_source(built, peer, command, gzip=False):
    with tempfile.TemporaryDirectory() as work, serving(
        command, env=built.environment(), ours=True
    ) as running:
        folder = Path(work) / "files"
        shutil.copytree(DATA / "files", folder)
        for number, path in enumerate(sorted(folder.iterdir())):
            os.utime(path, ns=(0, 1700000000123456789 + number))
        flags = {
            "address": running.address,
            "config": json.dumps({"folder": str(folder)}),
            "folder": folder,
            "expected": DATA / "source_files.json",
        }
        run_client(built, peer, ("source",), flags, gzip)
        running.check_alive()


def listening(program, socket):
    """Plain requests go over TCP, compressed ones over a Unix socket: both ways are taken once by every client."""
    return [program, "--socket", "{socket}"] if socket else [program, "--port", "0"]


def run(built, peer, source, destination):
    for gzip in (False, True):
        drive_source(built, peer, listening(source, gzip), gzip)
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "store.db"
            drive_destination(
                built,
                peer,
                listening(destination, gzip),
                store,
                f"interop schema.{data_set()['table']}",
                gzip,
            )
    return True
