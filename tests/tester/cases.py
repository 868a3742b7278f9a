"""`weir test --tester-type destination`, case by case; each gets the folder of the programs."""
import contextlib
import json
import os
import pathlib
import sqlite3
import stat
import subprocess

from kit import HERE, INPUTS, SAMPLES, Folder

ONE = {"create_table": {"t": {"columns": {"id": "INT", "s": "STRING"}, "primary_key": ["id"]}},
       "ops": [{"upsert": {"t": [{"id": 1, "s": "one"}, {"id": 2, "s": ""}, {"id": 3, "s": "three"}]}}],
       "describe_table": ["t"]}
TWO = {"ops": [{"update": {"t": [{"id": 2, "s": "two"}]}}]}


def good_destination_passes(bench):
    """All kinds of operations, in both profiles, verified row by row by an implementation that is not ours."""
    folder = Folder(bench, "good", INPUTS)
    seen = folder.run("--dump", folder.dump).expect(
        0, "Test 'Reach the server' (connect): PASSED", "Processing file: a_plain.json",
        "Create Table succeeded: people", "WriteBatch succeeded: people", "Describe Table: people",
        "Describe Table: nothing: not found", "Rows are as expected: people (4)", "Processing file: b_truncate.json",
        "Truncating: hard", "Hard Truncate succeeded: hard", "Truncate succeeded: soft", "Rows are as expected: hard (1)",
        "Processing file: c_history.json", "Rows are as expected: prices (5)", "Updating definition for table: people",
        "Alter Table succeeded: people", "Rows are as expected: soft_renamed (2)", "Test run SUCCEEDED",
        without=["WARNING", "SEVERE", "were not checked"])
    assert seen.report["files"]["passed"] == [f.name for f in INPUTS], seen.report
    assert seen.report["verdict"] == "pass" and seen.report["rows"]["checked"] == "yes"
    # The destination's own rows: what the input files say, whatever the model thinks.
    people = {r["id"]: r for r in folder.rows("people")}
    assert people["1"]["name"] == 'Ada "the" first,\nof two' and people["1"]["paid"] == "12345678901234567890.0123456789"
    assert people["1"]["photo"] == "W0JAN2Q0OTkxYWQ=" and people["1"]["alive"] == "false"
    assert people["2"]["_fivetran_deleted"] == "true" and people["2"]["name"] == ""
    assert people["3"]["name"] == "third again" and "5" in people and "77" not in people
    assert [r["v"] for r in folder.rows("hard")] == ["new"]
    # R-HIS-02: what arrives late takes all along that began after it, and closes the active row, of which none is left
    # then; a deleted key may live again (R-HIS-04).
    prices = sorted((r["sku"], r["amount"], r["_fivetran_start"], r["_fivetran_end"], r["_fivetran_active"])
                    for r in folder.rows("prices"))
    assert prices == [
        ("a", "1.10", "2024-01-01T00:00:00Z", "2024-01-31T23:59:59.999Z", "false"),
        ("a", "1.20", "2024-02-01T00:00:00Z", "2024-02-29T23:59:59.999Z", "false"),
        ("a", "1.25", "2024-02-15T00:00:00Z", "9999-12-31T23:59:59.999Z", "true"),
        ("b", "2", "2024-01-01T00:00:00Z", "2024-05-01T00:00:00Z", "false"),
        ("b", "3", "2024-06-01T00:00:00.001Z", "9999-12-31T23:59:59.999Z", "true")], prices
    assert not list(folder.path.glob("*.csv*")), "batch files are left behind"
    assert json.loads((folder.path / "dumps/configuration_seen.json").read_text()) == {"kind": "file"}


def official_profile_passes(bench):
    folder = Folder(bench, "official", INPUTS)
    folder.run("--dump", folder.dump, "--profile", "official").expect(
        0, "is no value of column 'photo', BINARY", "Rows are as expected: people (",
        "Rows are as expected: hard (1)", "Rows are as expected: prices (", "Test run SUCCEEDED", without=["SEVERE"])
    # Everything of a table in one request, so the truncate comes after the rows (R-DST-04 keeps those after the cut).
    assert [r["v"] for r in folder.rows("hard")] == ["new"]


FAULTS = {
    "lose_updates": ("Processed file: one.json", "Rows of 't' are not as expected: 0 missing, 0 too many, 1 changed",
                     "id=2", "two", "Failed to process file: two.json"),
    "mangle_cells": ("Rows of 't' are not as expected", "id=1", "one", "ONE"),
    "lose_row": ("Rows of 't' are not as expected: 1 missing", "id=3"),
    "empty_is_null": ("Rows of 't' are not as expected", "id=2"),
    "no_key": ("Column 'id' of 't' is described as no part of the key, expected part (R-DST-01)",),
    "describe_warning": ("DescribeTable of 't': Partner Sdk Warning. Message: Table not found: t",),
    "task": ("WriteBatch of 't': Partner Sdk Task. Message: please buy more disk", "Failed to process file: one.json"),
    "unset": ("WriteBatch of 't': the answer was neither success, warning nor task",),
    "answer_false": ("WriteBatch of 't': the answer was success = false",),
    "die": ("exited with code 7",),
    "fail_test": ("Test 'May write' (permission): FAILED: no permission to write",),
}


def faults_are_caught(bench):
    """R-ENG-15 and row verification: each fault ends in exit code 1 and in a text that says what is wrong."""
    for fault, parts in FAULTS.items():
        folder = Folder(bench, f"fault_{fault}")
        folder.write("one.json", ONE)
        folder.write("two.json", TWO)
        folder.run("--dump", folder.dump, "--seed", "1", fault=fault).expect(1, *parts, "Test run FAILED")


def more_faults_are_caught(bench):
    folder = Folder(bench, "fault_cutoff", [HERE / "inputs/b_truncate.json"])
    folder.run("--dump", folder.dump, "--profile", "official", fault="ignore_cutoff").expect(
        1, "Rows of 'hard' are not as expected: 1 missing", "id=2")
    folder = Folder(bench, "fault_history", [HERE / "inputs/c_history.json"])
    folder.run("--dump", folder.dump, fault="end_of_version").expect(
        1, "Rows of 'prices' are not as expected", "_fivetran_end")
    folder.run("--dump", folder.dump, fault="no_history").expect(1, "WriteHistoryBatch is not implemented")
    folder = Folder(bench, "fault_types", [HERE / "inputs/a_plain.json"])
    folder.run(fault="narrow_type").expect(1, "Column 'id' of 'people' is described as SHORT, expected LONG (R-DST-01)")
    folder = Folder(bench, "fault_drop", INPUTS)
    folder.run(fault="keep_column").expect(1, "Column 'what' of 'events' is described, but should not be there")
    folder = Folder(bench, "fault_migrate", INPUTS)
    # R-MIG-06: the fall-back of the guide, with a warning, and the model follows.
    folder.run("--dump", folder.dump, fault="unsupported").expect(
        0, "copy_table is unsupported: falling back", "Rows are as expected: soft_renamed (0)", "Test run SUCCEEDED")


def official_lets_refusals_pass(bench):
    """What the official example destinations answer: warnings in that profile, failures in production."""
    def decimal(scale, **columns):
        return {"t": {"columns": {"id": "INT", "d": {"type": "DECIMAL", "precision": 38, "scale": scale}, **columns},
                      "primary_key": ["id"]}}

    folder = Folder(bench, "refused")
    folder.write("1.json", {"create_table": decimal(10), "alter_table": decimal(15, new="STRING"),
                            "ops": [{"upsert": {"t": [{"id": 1, "d": 1.5, "new": "n"}]}}], "describe_table": ["t"]})
    folder.write("2.json", {"ops": [{"truncate_before": ["t", "nothing"]}],
                            "schema_migration": [{"drop_column": [{"table": "t", "column": "new"}]}]})
    folder.run("--dump", folder.dump, "--profile", "official", fault="refuse_alter").expect(
        0, "is asked for as DECIMAL(43,15)", "production asks for DECIMAL(38,15)", "Updating definition for table: t",
        "AlterTable of 't': the answer was success = false without a reason", "production fails here",
        "The rows of 't' will not be checked: AlterTable was refused", "WriteBatch succeeded: t",
        "WARNING Column 'new' of 't' is missing in the description", "AlterTable of 't'", "Test run SUCCEEDED",
        without=["SEVERE", "Alter Table succeeded", "Migration succeeded"])
    folder.run("--dump", folder.dump, fault="refuse_alter").expect(
        1, "AlterTable of 't': the answer was success = false", "Failed to process file: 1.json")
    folder.run("--dump", folder.dump, "--profile", "official", fault="refuse_truncate").expect(
        0, "Truncate of 't': the answer was success = false", "The rows of 't' will not be checked: Truncate was refused",
        "Truncate of 'nothing': the answer was success = false without a reason, and no such table has been created",
        "answered with success (R-DST-04)", without=["SEVERE", "Truncate succeeded"])
    folder.run("--dump", folder.dump, fault="refuse_truncate").expect(1, "Truncate of 't': the answer was success = false")
    folder.run("--profile", "official", fault="answer_false").expect(1, "WriteBatch of 't': the answer was success = false")


def binary_that_is_none_is_sent_again(bench):
    """Texts that are no base64 go as they are first, which destination-sqlite refuses (R-BAT-08), then encoded."""
    folder = Folder(bench, "binary", [HERE / "samples/types.json"])
    path = folder.path / "w.db"
    folder.write("configuration.json", {"path": str(path)})
    folder.run("--profile", "official", "--read", f"sqlite:{path}", connector=bench / "destination-sqlite").expect(
        0, "'[I@1b6d3586' is no value of type BINARY", "no base64: 3", "WriteBatch succeeded: sale",
        "Rows are as expected: sale (", without=["SEVERE"])
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert set(database.execute('SELECT scan FROM "tester.sale"')) == {(b"[I@1b6d3586",)}


def a_warning_goes_on(bench):
    folder = Folder(bench, "warning")
    folder.write("one.json", ONE)
    folder.run("--dump", folder.dump, fault="warning").expect(
        0, "Partner Sdk Warning. Message: the disk is nearly full", "WriteBatch succeeded: t", "Test run SUCCEEDED")


def duplicates_under_a_new_key_are_a_task(bench):
    """R-DST-03"""
    two = {"create_table": {"t": {"columns": {"a": "INT", "b": "INT"}, "primary_key": ["a", "b"]}},
           "ops": [{"upsert": {"t": [{"a": 1, "b": 1}, {"a": 1, "b": 2}]}}]}
    folder = Folder(bench, "new_key")
    folder.write("1.json", two)
    folder.write("2.json", {"alter_table": {"t": {"columns": {"a": "INT", "b": "INT"}, "primary_key": ["a"]}}})
    folder.run("--dump", folder.dump).expect(0, "Alter Table ended in a task, as it should", "Rows are as expected: t (2)")


def bad_input_is_told(bench):
    """Exit code 2; nothing has been called when the file is found wrong."""
    bad = {
        '{"create_table": {"t": {"columns": {"id": "INTEGER"}}}}': ("'bad.json', line 1, column 43, at "
                                                                    "create_table.t.columns.id: 'INTEGER' is no type",),
        '{"ops": [\n  {"upsert": {"t": [\n    {"id": 1,}\n  ]}}\n]}': ("line 3, column 14, at ops[0].upsert.t[0]",),
        '{"opps": []}': ("'bad.json', line 1, column 2, at opps: this key is not known here",),
        '{"create_table": {"t": {"columns": {"id": "INT"}, "primary_key": ["id"]}}, "ops": [{"upsert": {"t": [{"id": "x"}]}}]}':
            ("at ops[0].upsert.t[0].id: expected a value of column 'id', INT; found a string 'x'",),
        '{"create_table": {"t": {"columns": {"id": "INT"}, "primary_key": ["id"]}}, "ops": [{"delete": {"t": [{}]}}]}':
            ("the row has no 'id', which is part of the key of table 't'",),
        '{"ops": [{"upsert": {"nowhere": [{"id": 1}]}}]}': ("at ops[0].upsert.nowhere: there is no table 'nowhere'",),
        '{"alter_table": {"nowhere": {"columns": {"id": "INT"}}}}': ("there is no table 'nowhere' to be altered",),
        '{"create_table": {"t": {"columns": {"a": "INT"}, "primary_key": ["a"], "history_mode": true}}, '
        '"ops": [{"soft_truncate_before": ["t"]}]}': ("has no _fivetran_deleted to be set",),
        '{"create_table": {"t": {"columns": {"a": "INT"}}}, "schema_migration": [{"migrate_history_to_live": '
        '[{"table": "t"}]}]}': ("History to Live mode migration is not supported", "Failed to process file: bad.json"),
        '{"create_table": {"t": {"columns": {"a": "INT"}}}, "schema_migration": [{"drop_column": [{"table": "t", '
        '"column": "b"}]}]}': ("table 't' has no column 'b'",),
    }
    folder = Folder(bench, "bad")
    for text, parts in bad.items():
        folder.write("bad.json", text)
        folder.run().expect(2, *parts)
    table = {"columns": {"id": "INT"}, "primary_key": ["id"]}
    folder.write("a.json", {"create_table": {"t": {**table, "history_mode": True}}})
    folder.write("bad.json", {"create_table": {"t": table}})
    folder.run().expect(2, "Processed file: a.json", "at create_table.t: table 't' is there in history mode")
    (folder.path / "a.json").unlink()
    folder.write("bad.json", '{"opps": [], "describe_table": []}')
    folder.run("--profile", "official").expect(0, "WARNING 'bad.json', line 1, column 2, at opps", "Test run SUCCEEDED")


def set_up_fails_clearly(bench):
    folder = Folder(bench, "setup")
    folder.run().expect(2, "there are no input files (*.json)")
    folder.write("one.json", ONE)
    folder.run("--port", "1", "--connect-timeout", "1", connector=None).expect(1, "localhost:1", "Connection refused")
    folder.run(connector="/bin/false").expect(1, "exited with code 1")
    folder.run(connector="/nowhere/at/all").expect(2, "/nowhere/at/all")
    folder.run("--input-file", "two.json").expect(2, "there is no input file")
    folder.run("--read", "oracle:x").expect(2, "oracle")
    for text, part in {"{": "line 1", '{"kind": 5}': "put the number in quotes", "[]": "expected a JSON object"}.items():
        folder.write("configuration.json", text)
        folder.run().expect(2, "configuration.json", part)
    folder.write("configuration.json", '{"king": "file"}')
    folder.run().expect(0, "no value for 'kind', which the form requires", "has a key 'king'")
    folder.run(kind="source", connector=bench / "destination-sqlite").expect(1, "is no source", "--tester-type destination")


def the_form_is_asked(bench):
    """Conditional fields only when visible, choices by number or value, wrong answers asked again, stored with 0600."""
    folder = Folder(bench, "form", configuration=None)
    folder.write("one.json", ONE)
    folder.write("good.pem", "pem")
    folder.write("long.pem", "x" * 101)
    folder.run(stdin="file\n").expect(2, "there is no configuration.json, and the console ended before field 'verbose'")
    answers = f"7\n2\nexample.org\ngeheim\nmaybe\nyes\n/etc/passwd\n{folder.path}/long.pem\n{folder.path}/good.pem\n\n"
    asked = folder.run(stdin=answers).expect(
        0, "1: file", "2: server", "Kind (kind)", "expected a number from 1 to 2", "Host (host)", "Password (password)",
        "Verbose (verbose)", "expected true or false", "Certificate (certificate)", "a file of this type",
        "101 bytes, at most 100", "Port (port), optional [5432]", "The answers are stored", without=["geheim"])
    assert "geheim" not in asked.out
    path = folder.path / "configuration.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    stored = json.loads(path.read_text())
    assert stored == {"kind": "server", "host": "example.org", "password": "geheim", "verbose": "true",
                      "certificate": "cGVt", "port": "5432"}, stored
    assert json.loads((folder.path / "dumps/configuration_seen.json").read_text()) == stored
    path.unlink()
    folder.run(stdin="1\n\n\n\n").expect(0, without=["Host (host)"])
    assert json.loads(path.read_text()) == {"kind": "file", "verbose": "false", "certificate": "", "port": "5432"}


def wrong_usage_is_told(bench):
    folder = Folder(bench, "usage")
    for arguments, part in {
        ("--port", "x"): "--port is a number from 1 to 65535",
        ("--profile", "best"): "--profile is production or official",
        ("--batch-file-type", "ORC"): "--batch-file-type is CSV or PARQUET",
        ("--destination-schema", "s"): "--destination-schema is for --tester-type source",
        ("--read", "sqlite:x", "--dump", "x"): "exclude each other",
        ("--connector-sdk=true",): "--connector-sdk: this tester speaks gRPC",
        ("--nonsense",): "unknown argument '--nonsense'",
        ("--seed", "-1"): "--seed is a number",
        ("--working-dir", "/nowhere"): "there is no data folder '/nowhere'",
    }.items():
        folder.run(*arguments).expect(2, part)
    folder.run("--plain-text", kind="source").expect(2, "--plain-text is for --tester-type destination")
    folder.run(kind="sauce").expect(2, "--tester-type is source or destination")


def files_are_named_as_the_official_ones(bench):
    """Names, keys and layers, looked at with openssl and zstd (R-BAT-01, R-BAT-02)."""
    folder = Folder(bench, "names", [HERE / "inputs/c_history.json"])
    folder.run("--profile", "official", "--keep-files", "--seed", "5").expect(0)
    names = sorted(p.name for p in folder.path.glob("prices*"))
    kinds = ["delete", "earliest", "update", "upsert"]
    assert names == sorted([f"prices_c_history_{k}.csv.zstd.aes" for k in kinds] +
                           [f"prices_c_history_{k}.csv.zstd.aes.key" for k in kinds]), names
    keys = {(folder.path / n).read_bytes() for n in names if n.endswith(".key")}
    assert len(keys) == 4 and all(len(k) == 32 for k in keys)
    data = (folder.path / "prices_c_history_delete.csv.zstd.aes").read_bytes()
    key = (folder.path / "prices_c_history_delete.csv.zstd.aes.key").read_bytes()
    plain = subprocess.run(["openssl", "enc", "-d", "-aes-256-cbc", "-K", key.hex(), "-iv", data[:16].hex()],
                           input=data[16:], capture_output=True, check=True).stdout
    text = subprocess.run(["zstd", "-dc"], input=plain, capture_output=True, check=True).stdout.decode()
    assert "null-m8yilkvPsNulehxl2G6pmSQ3G3WWdLP" in text and "2024-05-01T00:00:00Z" in text, text
    assert stat.S_IMODE((folder.path / names[0]).stat().st_mode) == 0o600


def parquet_files_are_typed(bench):
    """R-BAT-11, looked at with DuckDB's own reader."""
    query = bench / "duckdb-query"
    if not query.exists() or not (bench / "destination-duckdb").exists():
        print("SKIP: no DuckDB")
        return 77
    folder = Folder(bench, "parquet_query")
    database = folder.path / "any.duckdb"
    folder.write("one.json", ONE)
    folder.write("configuration.json", {"path": str(database)})
    folder.run(connector=bench / "destination-duckdb").expect(0)
    folder = Folder(bench, "parquet", [HERE / "inputs/b_truncate.json"])
    folder.write("c.json", {"create_table": {"t": {"columns": {
        "i": "INT", "l": "LONG", "d": {"type": "DECIMAL", "precision": 9, "scale": 2}, "b": "BINARY", "o": "BOOLEAN",
        "u": "UTC_DATETIME", "s": "STRING"}, "primary_key": ["i"]}}, "ops": [
            {"upsert": {"t": [{"i": 1, "l": 9223372036854775807, "d": 1.5, "b": "x", "o": True, "u": "2024-01-01T00:00:00Z"}]}},
            {"update": {"t": [{"i": 2, "s": "new"}]}}]})
    folder.run("--batch-file-type", "PARQUET", "--plain-text", "--keep-files", fault="unread").expect(
        0, "Capabilities ask for CSV files")
    (upsert,) = folder.path.glob("t_c_*_upsert.parquet")
    (update,) = folder.path.glob("t_c_*_update.parquet")

    def ask(sql):
        return subprocess.run([query, database, sql], capture_output=True, text=True, check=True).stdout

    seen = ask(f"SELECT i, l, d, hex(b) AS b, o, u, s IS NULL AS n FROM '{upsert}'")
    for part in ("1", "9223372036854775807", "1.50", "78", "true", "2024-01-01T00:00:00Z"):
        assert part in seen, seen
    types = ask(f"SELECT typeof(i), typeof(l), typeof(d), typeof(b), typeof(u) FROM '{upsert}'")
    for part in ("INTEGER", "BIGINT", "DECIMAL(9,2)", "BLOB", "VARCHAR"):
        assert part in types, types
    assert "unmod-" in ask(f"SELECT l FROM '{update}'") and "new" in ask(f"SELECT s FROM '{update}'")
    folder.write("c.json", {"create_table": {"t": {"columns": {"i": "INT", "n": "NAIVE_DATETIME"}, "primary_key": ["i"]}},
                            "ops": [{"upsert": {"t": [{"i": 1, "n": "2024-01-01T00:00:00"}]}}]})
    folder.run("--batch-file-type", "PARQUET", fault="unread").expect(2, "NAIVE_DATETIME")
    return 0


def parquet_rows_are_as_expected(bench):
    """R-BAT-11: the model agrees with a destination that reads Parquet with DuckDB's own reader."""
    if not (bench / "libduckdb.so").exists():
        print("SKIP: no DuckDB")
        return 77
    folder = Folder(bench, "parquet_rows", [HERE / "inputs/b_truncate.json", HERE / "inputs/c_history.json"])
    folder.write("d.json", {"create_table": {"t": {"columns": {
        "i": "INT", "o": "BOOLEAN", "n": "SHORT", "l": "LONG", "d": "DECIMAL", "f": "FLOAT", "r": "DOUBLE", "b": "BINARY",
        "day": "NAIVE_DATE", "u": "UTC_DATETIME", "s": "STRING", "j": "JSON", "x": "XML"}, "primary_key": ["i"]}}, "ops": [
            {"upsert": {"t": [{"i": 1, "o": True, "n": -7, "l": 9223372036854775807, "d": 1.5, "f": 0.1, "r": 1e300, "b": "x",
                               "day": "2024-02-29", "u": "2024-01-01T00:00:00.5Z", "s": "a\n\"b\",", "j": {"k": [1]},
                               "x": "<a/>"},
                              {"i": 2, "s": ""}, {"i": 3, "d": 123456789.25}]}},
            {"update": {"t": [{"i": 1, "d": 2.25, "s": None}, {"i": 2, "s": "new", "f": 0.5}]}},
            {"soft_delete": {"t": [{"i": 3}]}}]})
    seen = folder.run("--dump", folder.dump, env={"PARQUET": str(bench)}).expect(
        0, "Rows are as expected: hard (1)", "Rows are as expected: prices (5)", "Rows are as expected: t (3)",
        without=["WARNING", "SEVERE", "were not checked"])
    assert seen.report["rows"]["checked"] == "yes"
    assert (folder.path / "dumps/types.jsonl").exists()
    return 0


def a_seed_makes_a_run_again(bench):
    texts = []
    for run in range(2):
        folder = Folder(bench, f"seed{run}", [HERE / "inputs/a_plain.json"])
        folder.run("--plain-text", "--keep-files", "--seed", "42").expect(0)
        texts.append({p.name: p.read_text() for p in folder.path.glob("*.csv")})
    assert texts[0] == texts[1] and len(texts[0]) >= 5
    headers = [t.splitlines()[0].split(",") for n, t in texts[0].items() if n.startswith("people")]
    assert len({tuple(h) for h in headers}) > 1, "columns have the same order in every file"
    folder = Folder(bench, "seed2", [HERE / "inputs/a_plain.json"])
    folder.run("--plain-text", "--keep-files", "--seed", "43").expect(0)
    assert {p.name: p.read_text() for p in folder.path.glob("*.csv")} != texts[0]


def what_was_there_is_not_judged(bench):
    """A table of an earlier run: its rows are unknown, until --fresh drops it or another schema is used."""
    folder = Folder(bench, "again")
    folder.write("one.json", ONE)
    sqlite = bench / "destination-sqlite"
    folder.write("configuration.json", {"path": str(folder.path / "w.db")})
    read = ("--read", f"sqlite:{folder.path}/w.db")
    folder.run(*read, connector=sqlite).expect(0, "Rows are as expected: t (3)")
    folder.run(*read, connector=sqlite).expect(0, "The rows of 't' will not be checked: it was there before")
    folder.run(*read, "--schema-name", "other", connector=sqlite).expect(0, "Rows are as expected: t (3)")


def without_a_reader_it_says_so(bench):
    folder = Folder(bench, "unread")
    folder.write("one.json", ONE)
    seen = folder.run().expect(0, "Rows were not checked: see --read and --dump")
    assert seen.report["rows"]["checked"] == "no"


def embedded_destinations_pass(bench):
    """destination-sqlite and destination-duckdb, read back from their files."""
    for store, file in {"sqlite": "w.db", "duckdb": "w.duckdb"}.items():
        program = bench / f"destination-{store}"
        if not program.exists():
            print(f"SKIP: no destination-{store}")
            continue
        for profile in ("production", "official"):
            folder = Folder(bench, f"{store}_{profile}", INPUTS[:2])
            path = folder.path / file
            folder.write("configuration.json", {"path": str(path)})
            folder.run("--read", f"{store}:{path}", "--profile", profile, connector=program).expect(
                0, "Rows are as expected: hard (1)", "Test run SUCCEEDED")


# How many rows each table has afterwards, by the rules; the official profile cannot know some.
ROWS = {
    "types": {"sale": 4, "event": 0, "pair": 2}, "columns": {"plain": 3}, "values": {"plain": 3, "plain_moved": 3},
    "modes": {"plain": 3, "kept": 7, "plain_kept": 3}, "truncate_missing": {},
    **{f"{kind}_{how}": {"sale": 0, "event": 0} for kind in ("update", "delete", "soft_delete")
       for how in ("missing", "truncated")}}


def samples_pass(bench, store, configuration, place):
    """Input files with everything that the official samples have, each by itself, in both profiles."""
    assert sorted(ROWS) == [path.stem for path in SAMPLES]
    for path in SAMPLES:
        for profile in ("production", "official"):
            folder = Folder(bench, f"sample_{store}_{profile}_{path.stem}", [path])
            values = {name: value.format(folder=folder.path) for name, value in configuration.items()}
            folder.write("configuration.json", values)
            seen = folder.run("--read", place.format(folder=folder.path), "--profile", profile, "--schema-name",
                              f"{path.stem}_{profile}", connector=bench / f"destination-{store}")
            seen.expect(0, "Test run SUCCEEDED", without=["SEVERE", "will not be checked"])
            for table, count in ROWS[path.stem].items():
                if profile == "production" or path.stem in ("columns", "values", "modes"):
                    assert f"Rows are as expected: {table} ({count})" in seen.err, (path.stem, profile, table, seen.err)
                else:
                    assert f"Rows are as expected: {table} (" in seen.err, (path.stem, profile, table, seen.err)


def samples_pass_in_sqlite(bench):
    samples_pass(bench, "sqlite", {"path": "{folder}/w.db"}, "sqlite:{folder}/w.db")


def samples_pass_in_duckdb(bench):
    samples_pass(bench, "duckdb", {"path": "{folder}/w.duckdb"}, "duckdb:{folder}/w.duckdb")


def samples_pass_in_parquet(bench):
    samples_pass(bench, "parquet", {"folder": "{folder}/lake"}, "parquet:{folder}/lake")


def samples_pass_in_postgresql(bench):
    samples_pass(bench, "postgresql", {
        "host": os.environ["PGHOST"], "port": os.environ["PGPORT"], "user": os.environ["PGUSER"],
        "password": os.environ["PGPASSWORD"], "database": os.environ["PGDATABASE"], "tls": "disable"}, "postgresql")


def samples_pass_in_mariadb(bench):
    samples_pass(bench, "mariadb", {
        "host": os.environ["MARIADB_SOCKET"], "user": os.environ["MARIADB_USER"], "password": os.environ["MARIADB_PASSWORD"],
        "database": os.environ["MARIADB_DATABASE"], "tls": "disable"}, "mariadb")


def many_rows_in_seconds(bench):
    """150,000 rows; the memory is that of the rows, not more."""
    rows = [{"id": i, "s": f"row {i}, " + "x" * 30} for i in range(150_000)]
    folder = Folder(bench, "many")
    folder.write("many.json", {**ONE, "ops": [{"upsert": {"t": rows}}, {"update": {"t": rows[:1000]}}]})
    path = folder.path / "w.db"
    folder.write("configuration.json", {"path": str(path)})
    before = os.times()
    folder.run("--read", f"sqlite:{path}", connector=bench / "destination-sqlite").expect(
        0, "Rows are as expected: t (150000)")
    after = os.times()
    print(f"150,000 rows: {after.children_user - before.children_user:.1f} s of CPU")
