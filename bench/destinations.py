#!/usr/bin/env python3
"""Measures the embedded destinations: a first load of 1,000,000 rows of 10 columns and a spread 10 % upsert, each beside the
store's own bulk load of the same rows from a plain CSV file, in one run.

usage: bench/destinations.py BUILD_DIR [ROWS]      prints CSV: bench,case,rows_per_s and ratio,what,value,goal

The destination gets encrypted and compressed batch files over gRPC; the store's own program reads plain text: the sqlite3
command with .import and one INSERT … ON CONFLICT, DuckDB with COPY and DELETE + INSERT over read_csv.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "destinations"))
sys.dont_write_bytecode = True
import kit  # noqa: E402
import stores  # noqa: E402

COLUMNS = [kit.Column("id", "LONG", True), kit.Column("amount", "INT"), kit.Column("small", "SHORT"), kit.Column("ratio", "DOUBLE"),
           kit.Column("price", "DECIMAL", params=(18, 4)), kit.Column("name", "STRING"), kit.Column("note", "STRING"),
           kit.Column("moment", "UTC_DATETIME"), kit.Column("flag", "BOOLEAN"), kit.Column("_fivetran_synced", "UTC_DATETIME")]
NAMES = [c.name for c in COLUMNS]
FILE_ROWS = 250_000
ROUNDS = 3
DUCKDB_TYPES = "id BIGINT, amount INTEGER, small SMALLINT, ratio DOUBLE, price DECIMAL(18,4), name VARCHAR, note VARCHAR, " \
               "moment TIMESTAMPTZ, flag BOOLEAN, _fivetran_synced TIMESTAMPTZ"
SQLITE_TYPES = "id INTEGER PRIMARY KEY, amount INTEGER, small INTEGER, ratio REAL, price TEXT, name TEXT, note TEXT, moment TEXT, " \
               "flag TEXT, _fivetran_synced TEXT"


def lines(ids, version):
    for i in ids:
        yield (f"{i},{i * 31 % 100003},{i % 1000},{i * 1.25 + version},{i // 7}.{i % 10000:04},name {i},"
               f"some longer text of row {i * 7919 % 100003},2024-01-01T{i % 24:02}:{i % 60:02}:{i // 60 % 60:02}.{i % 1000:03}Z,"
               f"{'true' if i % 2 else 'false'},2025-01-01T00:00:00.{version:03}Z")


def write_parts(folder, name, ids, version):
    """Plain CSV files and their texts, in parts as the engine would cut them."""
    parts = []
    for first in range(0, len(ids), FILE_ROWS):
        path = folder / f"{name}{first}.csv"
        path.write_text(",".join(NAMES) + "\n" + "\n".join(lines(ids[first:first + FILE_ROWS], version)) + "\n")
        parts.append(path)
    return parts


def timed(block):
    began = time.monotonic()
    block()
    return time.monotonic() - began


def measure_ours(bin_dir, store, folder, protocol, parts):
    """Seconds per list of parts."""
    destination = kit.Destination(str(bin_dir / f"destination-{store}"), protocol, {"path": str(folder / f"ours.{store}")})
    seconds = []
    with destination:
        destination.create("s", "t", COLUMNS)
        for some in parts:
            files = kit.Files(folder)
            for path in some:
                files.add_raw("replace", path.read_bytes())
            seconds.append(timed(lambda: destination.write("s", "t", COLUMNS, files.request())))
        peak = destination.memory_peak_mb()
    return seconds, peak


def native_sqlite(folder, parts):
    database = folder / "native.sqlite"

    def run(script):
        subprocess.run(["sqlite3", str(database)], input=script, text=True, check=True, stdout=subprocess.DEVNULL)

    settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY;\n"
    load = "".join(f".import --csv --skip 1 {path} t\n" for path in parts[0])
    changes = "".join(f".import --csv --skip 1 {path} new\n" for path in parts[1])
    sets = ", ".join(f"{name} = excluded.{name}" for name in NAMES[1:])
    return [timed(lambda: run(f"{settings}CREATE TABLE t ({SQLITE_TYPES});\nBEGIN;\n{load}COMMIT;\n")),
            timed(lambda: run(f"{settings}CREATE TEMP TABLE new ({SQLITE_TYPES});\nBEGIN;\n{changes}INSERT INTO t SELECT * FROM new "
                              f"WHERE true ON CONFLICT (id) DO UPDATE SET {sets};\nCOMMIT;\n"))]


def native_duckdb(folder, parts, bin_dir):
    database = stores.DuckdbStore(folder / "native.duckdb", bin_dir)
    listed = lambda some: "[" + ", ".join(f"'{path}'" for path in some) + "]"
    types = "{" + ", ".join(f"'{part.split()[0]}': '{part.split(maxsplit=1)[1]}'" for part in DUCKDB_TYPES.split(", ")) + "}"
    with database.open() as run:
        run(f"CREATE TABLE t ({DUCKDB_TYPES})")
        run("SET temp_directory = ''; SET preserve_insertion_order = false; SET memory_limit = '1GB'")
        return [timed(lambda: run(f"INSERT INTO t SELECT * FROM read_csv({listed(parts[0])}, columns = {types})")),
                timed(lambda: run(
                    f"BEGIN; CREATE TEMP TABLE new AS SELECT * FROM read_csv({listed(parts[1])}, columns = {types}); "
                    "DELETE FROM t USING new WHERE t.id = new.id; INSERT INTO t SELECT * FROM new; COMMIT"))]


def main():
    build, rows = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    print("bench,case,rows_per_s,mb_per_s")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        protocol = kit.load_protocol(folder / "protocol")
        parts = [write_parts(folder, "load", range(rows), 1), write_parts(folder, "change", range(3, rows, 10), 2)]
        sizes = [sum(os.path.getsize(path) for path in some) / 1e6 for some in parts]
        counts = [rows, len(range(3, rows, 10))]
        for store in ("sqlite", "duckdb"):
            if not (build / "bin" / f"destination-{store}").exists():
                print(f"# skipped: destination-{store} is not built")
                continue
            # In turns, and the best of each: what else the machine does hits both alike.
            rounds = []
            for number in range(ROUNDS):
                own = folder / f"{store}{number}"
                own.mkdir()
                ours, peak = measure_ours(build / "bin", store, own, protocol, parts)
                native = native_sqlite(own, parts) if store == "sqlite" else native_duckdb(own, parts, build / "bin")
                rounds.append((ours, native))
            ours, native = ([min(times) for times in zip(*side)] for side in zip(*rounds))
            for what, count, size, mine, theirs, goal in zip(("load", "upsert"), counts, sizes, ours, native, (0.7, 0.5)):
                print(f"destinations,{store} {what},{count / mine:.0f},{size / mine:.0f}")
                print(f"destinations,{store} {what} native,{count / theirs:.0f},{size / theirs:.0f}")
                print(f"ratio,{store} {what} beside native,{theirs / mine:.2f},{goal}")
            print(f"# {store}: peak memory {peak} MB")


if __name__ == "__main__":
    main()
