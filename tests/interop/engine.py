"""Our engine between a Python source and a Python destination (and each of them with a connector of ours)."""

import contextlib
import json
import shutil
import sqlite3
import tempfile
from pathlib import Path

import connectors
import peers
from servers import serving
from values import canonical, time_nanos

SCHEMA = "landing"
LOOSE = "loose"
STATUS = {0: "success", 1: "failure", 3: "task"}
FILE_COLUMNS = ("name", "population", "area", "capital", "code")


class Run:
    """One engine state between a source and a destination; source and destination are addresses or programs."""

    def __init__(self, weir, work, source_config, destination, destination_config):
        self.weir = weir
        self.work = Path(work)
        self.destination = destination
        for name, config in (("source", source_config), ("destination", destination_config)):
            (self.work / f"{name}.json").write_text(json.dumps(config), encoding="utf-8")
        (self.work / "schema.json").write_text('{"naming": "SOURCE_NAMING"}', encoding="utf-8")

    def sync(self, source, code=0):
        """Runs one sync; returns what it printed after checking the exit code."""
        actual, text = peers.run(
            [
                self.weir,
                "sync",
                "--source",
                source,
                "--source-config",
                str(self.work / "source.json"),
                "--destination",
                self.destination,
                "--destination-config",
                str(self.work / "destination.json"),
                "--schema",
                SCHEMA,
                "--state",
                str(self.work / "state"),
                "--schema-config",
                str(self.work / "schema.json"),
                "--json",
            ],
            120,
        )
        if actual != code:
            raise RuntimeError(f"weir sync ended with {actual}, expected {code}: {text[-3000:]}")
        summaries = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        if [summary["status"] for summary in summaries] != [STATUS[code]]:
            raise RuntimeError(f"weir sync ended with {code} and these summaries: {text[-3000:]}")
        return text


def base_rows(data):
    names = [c["name"] for c in data["columns"]]
    return {row[0]: dict(zip(names, row), _fivetran_deleted="false") for row in data["rows"]}


def rows_after(data, step):
    """{id: {column: text}} after sync 1, 2 or 3 of peers/python/source.py, by the rules alone (R-ENG-05)."""
    rows = base_rows(data)
    names = [c["name"] for c in data["columns"]]
    if step >= 2:
        for row in data["update"]["rows"]:
            if row[0] in rows:
                rows[row[0]].update(
                    (n, cell) for n, cell in zip(data["update"]["columns"], row) if cell is not False
                )
        for row in data["delete"]["rows"]:
            if row[0] in rows:
                rows[row[0]]["_fivetran_deleted"] = "true"
        added = data["added"]
        for row in rows.values():
            row[added["column"]["name"]] = None
        rows[added["id"]] = dict(
            dict.fromkeys(names),
            id=added["id"],
            small="4294967296",
            _fivetran_deleted="false",
            **{added["column"]["name"]: added["value"]},
        )
    if step >= 3:
        for row in rows.values():
            row["_fivetran_deleted"] = "true"
        rows["1"] = dict(
            dict.fromkeys(rows["1"]), id="1", text="after the truncate", _fivetran_deleted="false"
        )
    return rows


def check_table(read, data, step, what):
    """Rows by value; every row has a time of receipt. Returns {id: time}."""
    types = dict(connectors.types_of(data), small="SHORT" if step == 1 else "LONG")
    found = read(data["table"])
    synced = {str(row["id"]): time_nanos(row.pop("_fivetran_synced")) for row in found}
    connectors.compare(
        connectors.canonical_rows(found, types),
        connectors.canonical_rows(rows_after(data, step).values(), types),
        f"{what}, sync {step}",
    )
    peers.say(f"{what:44} sync {step}: {len(found)} rows equal by value")
    return synced


def check_loose(read):
    """The table without a key and without a declaration: inferred columns and a stand-in key (R-ENG-06)."""
    rows = read(LOOSE)
    found = sorted(
        (canonical("INT", row["n"]), row["word"], canonical("BOOLEAN", row["_fivetran_deleted"]))
        for row in rows
    )
    if found != [(1, "one", False), (2, None, False)]:
        raise RuntimeError(f"table '{LOOSE}': {found}")
    keys = {row["_fivetran_id"] for row in rows}
    if len(keys) != 2 or any(len(key) != 27 for key in keys):
        raise RuntimeError(f"stand-in keys: {keys}")


def shapes(store):
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT name, shape FROM shapes").fetchall()
    return {
        name: {c["name"]: (c["type"], c["primaryKey"]) for c in json.loads(shape)["columns"]}
        for name, shape in rows
    }


def check_shape(store, data, step):
    wanted = {c["name"]: (c["type"], c.get("key", False)) for c in data["columns"]}
    wanted.update(_fivetran_synced=("UTC_DATETIME", False), _fivetran_deleted=("BOOLEAN", False))
    if step >= 2:
        wanted.update(small=("LONG", False), **{data["added"]["column"]["name"]: ("STRING", False)})
    found = shapes(store)[f"{SCHEMA}.{data['table']}"]
    if found != wanted:
        raise RuntimeError(f"columns after sync {step}: {found}, expected {wanted}")


@contextlib.contextmanager
def python_source(built, *more):
    command = built.python("source.py") + ["--data", str(connectors.DATA / "all_types.json"), *more]
    with serving(command, env=built.environment()) as running:
        yield running


def three_syncs(built, run, read, what, after=lambda step: None):
    """The life of the Python source, with a failure of the source and a wrong configuration on the way."""
    data = connectors.data_set()
    with python_source(built) as good, python_source(built, "--fail-at", "1") as bad:
        first = run.sync(good.address)
        if "a warning that the sync survives" not in first:
            raise RuntimeError(f"the source's warning was not shown: {first}")
        before = check_table(read, data, 1, what)
        check_loose(read)
        after(1)
        text = run.sync(bad.address, code=1)
        if "told to fail" not in text:
            raise RuntimeError(f"the source's error was not shown: {text}")
        # Rows after the last checkpoint of a failed stream are dropped (R-ENG-02).
        if check_table(read, data, 1, what + ", after a failure") != before:
            raise RuntimeError("a failed sync touched rows")
        for step in (2, 3):
            run.sync(good.address)
            check_table(read, data, step, what)
            after(step)
        run.sync(good.address)
        check_table(read, data, 3, what + ", nothing new")
        (run.work / "source.json").write_text(json.dumps({"word": "wrong"}), encoding="utf-8")
        text = run.sync(good.address, code=3)
        if "set it to 'right'" not in text:
            raise RuntimeError(f"the source's task was not shown: {text}")


def foreign_to_foreign(built, weir):
    with tempfile.TemporaryDirectory() as work:
        store = Path(work) / "store.db"
        command = built.python("destination.py") + ["--store", str(store), "--socket", "{socket}"]
        with serving(command, env=built.environment()) as destination:
            run = Run(weir, work, {"word": "right"}, destination.address, {"word": "any"})
            three_syncs(
                built,
                run,
                lambda table: connectors.read_store(store, f"{SCHEMA}.{table}"),
                "python source -> weir -> python destination",
                lambda step: check_shape(store, connectors.data_set(), step),
            )


def files_to_foreign(built, weir, source):
    """source-files into the Python destination: the cells of data/source_files.json."""
    expected = json.loads((connectors.DATA / "source_files.json").read_text(encoding="utf-8"))["cities"]
    with tempfile.TemporaryDirectory() as work:
        store = Path(work) / "store.db"
        folder = Path(work) / "files"
        shutil.copytree(connectors.DATA / "files", folder)
        command = built.python("destination.py") + ["--store", str(store)]
        with serving(command, env=built.environment()) as destination:
            run = Run(weir, work, {"folder": str(folder)}, destination.address, {"word": "any"})
            run.sync(source)
            rows = connectors.read_store(store, f"{SCHEMA}.cities")
        found = {
            tuple(canonical(expected["types"][name], row[name]) for name in FILE_COLUMNS) for row in rows
        }
        wanted = {
            tuple(
                None if row[name][0] == "null" else canonical(expected["types"][name], row[name][1])
                for name in FILE_COLUMNS
            )
            for row in expected["rows"]
        }
        if found != wanted:
            raise RuntimeError(f"cities: {found}, expected {wanted}")
        peers.say("source-files -> weir -> python destination          rows equal by value")


def foreign_to_ours(built, weir, destination):
    """The Python source into destination-sqlite, which the engine starts itself."""
    with tempfile.TemporaryDirectory() as work:
        store = Path(work) / "store.db"
        run = Run(weir, work, {"word": "right"}, destination, {"path": str(store)})
        three_syncs(
            built,
            run,
            lambda table: connectors.read_store(store, f"{SCHEMA}.{table}"),
            "python source -> weir -> destination-sqlite",
        )
