"""What the source tester must do; each function is a case and gets a Bench. Expected rows are written out by hand from
protocol/rules.md."""
import re
import socket
import time

from kit import Script

DELETED = "_fivetran_deleted"


def require(truth, outcome, what=""):
    if not truth:
        raise AssertionError(f"{what}\n{outcome}")


def plain(words):
    return words.tables(t={"id": "LONG key", "name": "STRING", "price": "DOUBLE"})


def script(words, *messages, schema="plain"):
    return Script(plain(words) if schema == "plain" else schema, lambda request, context: iter(messages))


# --- a sync ---


def clean_sync(bench):
    w = bench.words

    def stream(request, _context):
        yield w.one("TRUNCATE", "t")
        yield w.batch([w.record("UPSERT", "t", {"id": i, "name": f"n{i}", "price": i / 4}) for i in range(100)])
        yield w.one("UPDATE", "t", {"id": 1, "name": None})
        yield w.one("UPDATE", "t", {"id": 777, "name": "nobody"})
        yield w.one("DELETE", "t", {"id": 2})
        yield w.checkpoint({"next": 100})

    outcome = bench.play(Script(plain(w), stream, tests=[("connect", None)]))
    require(outcome.code == 0, outcome)
    require(not outcome.codes(), outcome, "findings in a clean stream")
    for phrase in ("table created: default_schema.t", 'Checkpoint: {"next": 100}', "SYNC PROGRESS:",
                   "Operation       | Calls", "Upserts         | 100", "Updates         | 2", "Deletes         | 1",
                   "Truncates       | 1", "SchemaChanges   | 0", "Checkpoints     | 1", "Sync SUCCEEDED",
                   "Previous state: {}"):
        require(phrase in outcome.err, outcome, phrase)
    require(bench.state() == {"next": 100}, bench.state())
    rows = bench.rows("t", ["id", "name", "price", DELETED])
    wanted = [(str(i), None if i == 1 else f"n{i}", repr(i / 4), "true" if i == 2 else "false") for i in range(100)]
    require(rows == sorted(wanted, key=repr), rows)
    require(outcome.report["rows"]["compared"] == 100, outcome)
    request = outcome.requests[0]
    require(request.state_json == "{}" and request.configuration["word"] == "x", request)
    require(request.selection.without_schema.tables[0].columns["price"], request, "everything is selected")


def resumes_and_starts_over(bench):
    w = bench.words

    def stream(request, _context):
        yield w.one("UPSERT", "t", {"id": len(request.state_json), "name": request.state_json, "price": 1.0})
        yield w.checkpoint({"after": len(request.state_json)})

    one = Script(plain(w), stream)
    require(bench.play(one).code == 0, "first")
    outcome = bench.play(one)
    require(outcome.code == 0 and outcome.requests[0].state_json == '{"after": 2}', outcome)
    require('Previous state: {"after": 2}' in outcome.err, outcome)
    require("schema change" not in outcome.err and "table created" not in outcome.err, outcome)
    require(bench.rows("t", ["name"]) == [('{"after": 2}',), ("{}",)], bench.rows("t", ["name"]))
    outcome = bench.play(one, "--fresh", "--destination-schema", "other")
    require(outcome.code == 0 and outcome.requests[0].state_json == "{}", outcome)
    require(bench.rows("t", ["name"], "other") == [("{}",)], outcome)
    require(bench.query("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'default_schema'") == [("0",)], outcome)


def truncate_marks_what_was_there(bench):
    """R-SRC-02, R-ENG-12: rows of earlier syncs, not those of this one."""
    w = bench.words

    def first(_request, _context):
        for i in range(3):
            yield w.one("UPSERT", "t", {"id": i, "name": "old", "price": 0.0})
        yield w.checkpoint({})

    def second(_request, _context):
        yield w.one("TRUNCATE", "t")
        yield w.one("UPSERT", "t", {"id": 1, "name": "new", "price": 0.0})
        yield w.checkpoint({"done": True})

    require(bench.play(Script(plain(w), first)).code == 0, "first")
    outcome = bench.play(Script(plain(w), second))
    require(outcome.code == 0, outcome)
    require(bench.rows("t", ["id", "name", DELETED]) ==
            [("0", "old", "true"), ("1", "new", "false"), ("2", "old", "true")], outcome)


def failed_stream_keeps_its_checkpoints(bench):
    """R-ENG-02: rows after the last checkpoint of a failed stream are dropped; the next run goes on from there."""
    w = bench.words

    def stream(request, context):
        resumed = request.state_json == '{"at": 1}'
        if not resumed:
            yield w.one("UPSERT", "t", {"id": 1, "name": "a", "price": 1.0})
            yield w.checkpoint({"at": 1})
        yield w.one("UPSERT", "t", {"id": 2, "name": "b", "price": 1.0})
        if not resumed:
            context.abort(14, "the database went away")
        yield w.checkpoint({"at": 2})

    one = Script(plain(w), stream)
    outcome = bench.play(one)
    require(outcome.code == 1 and "the database went away" in outcome.err and "Sync FAILED" in outcome.err, outcome)
    require(bench.rows("t", ["id"]) == [("1",)] and bench.state() == {"at": 1}, outcome)
    outcome = bench.play(one)
    require(outcome.code == 0 and bench.rows("t", ["id"]) == [("1",), ("2",)], outcome)


def rows_without_checkpoint(bench):
    """R-ENG-02: a stream that ends well without a closing checkpoint: the rows are kept, the state is not moved."""
    w = bench.words
    outcome = bench.play(script(w, w.checkpoint({"at": 1}), w.one("UPSERT", "t", {"id": 1, "name": "a", "price": 1.0})))
    require(outcome.code == 1 and "checkpoint-none" in outcome.codes("error"), outcome)
    require(bench.rows("t", ["id"]) == [("1",)] and bench.state() == {"at": 1}, outcome)


def failing_test_of_the_form(bench):
    w = bench.words
    outcome = bench.play(Script(plain(w), lambda *_: iter(()), tests=[("connect", "no such host")]))
    require(outcome.code == 1 and "no such host" in outcome.err and not outcome.requests, outcome)


def nobody_listens(bench):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        began = time.monotonic()
        outcome = bench.run("--port", port, "--connect-timeout", 2)
    require(outcome.code == 1 and str(port) in outcome.err, outcome)
    require(time.monotonic() - began < 30, "it took too long")


# --- tables ---


def words_of_sql_and_odd_names(bench):
    """Names that SQL has taken, and names that only quoting can hold (R-DST-08)."""
    w = bench.words
    tables = {"select": {"order": "LONG key", "group": "STRING"}, 'quo"ted': {"from": "LONG key", "a.b c": "STRING"},
              "Table": {"Id": "LONG key", "iD": "STRING"}, "TABLE": {"id": "LONG key"}}
    messages = [w.one("UPSERT", "select", {"order": 1, "group": "x"}),
                w.one("UPSERT", 'quo"ted', {"from": 2, "a.b c": "y"}),
                w.one("UPSERT", "Table", {"Id": 3, "iD": "z"}), w.one("UPSERT", "TABLE", {"id": 4}), w.checkpoint({})]
    outcome = bench.play(script(w, *messages, schema=w.tables(**tables)))
    require("Sync SUCCEEDED" in outcome.err and outcome.report["rows"]["compared"] == 4, outcome)
    require(bench.rows("select", ["order", "group"]) == [("1", "x")], outcome)
    require(bench.query('SELECT "from", "a.b c" FROM default_schema."quo""ted"') == [("2", "y")], outcome)
    stored = [name for (name,) in bench.query("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'default_schema'")]
    other = next(name for name in stored if name.startswith("TABLE_"))
    require(re.fullmatch("TABLE_[0-9a-f]{8}", other) and bench.rows(other, ["id"]) == [("4",)], stored)
    twin = next(name for name in bench.columns("Table") if name.startswith("iD_"))
    require(bench.rows("Table", ["Id", twin]) == [("3", "z")], outcome)
    # Normalisation would make one of each pair (R-ENG-22), and that is an error.
    require(outcome.code == 1 and outcome.codes("error") == {"name-collision"}, outcome)
    outcome = bench.play(script(w, *messages, schema=w.tables(**tables)), "--profile", "official")
    require(outcome.code == 0 and "name-collision" in outcome.codes("warning"), outcome)
    require(bench.rows(other, ["id"]) == [("4",)], "names stay what they are in the next run")


def schemas_of_the_source(bench):
    w = bench.words
    schema = w.schemas({"north": {"t": {"id": "INT key"}}, "south": {"t": {"id": "INT key"}}})
    outcome = bench.play(script(w, w.one("UPSERT", "t", {"id": ("int", 1)}, "north"),
                                w.one("UPSERT", "t", {"id": ("int", 2)}, "south"), w.checkpoint({}), schema=schema))
    require(outcome.code == 0 and not outcome.codes(), outcome)
    require(bench.rows("t", ["id"], "default_schema_north") == [("1",)], outcome)
    require(bench.rows("t", ["id"], "default_schema_south") == [("2",)], outcome)
    require(outcome.requests[0].selection.with_schema.schemas[1].schema_name == "south", outcome.requests)


def tables_without_rows(bench):
    """A declared table is made, its all-NULL columns too."""
    w = bench.words
    outcome = bench.play(script(w, w.checkpoint({})))
    require(outcome.code == 0 and bench.rows("t", ["id", "name", "price"]) == [], outcome)


def every_type(bench):
    w = bench.words
    values = {"b": (True, "true"), "s": (("short", -5), "-5"), "i": (("int", 7), "7"), "l": (2**62, str(2**62)),
              "d": (("decimal", "12.50"), "12.50"), "f": (("float", 0.5), "0.5"), "r": (1e300, "1e+300"),
              "nd": (("naive_date", (-86400, 0)), "1969-12-31"),
              "nt": (("naive_datetime", (1, 500000000)), "1970-01-01 00:00:01.5"),
              "bin": (b"\x00\xff", "\\x00\\xFF"), "x": (("xml", "<a/>"), "<a/>"), "str": ("caf\u00e9\n", "caf\u00e9\n"),
              "j": (("json", '{"a":[1]}'), '{"a":[1]}')}
    types = dict(zip(values, ["BOOLEAN", "SHORT", "INT", "LONG", "DECIMAL", "FLOAT", "DOUBLE", "NAIVE_DATE",
                              "NAIVE_DATETIME", "BINARY", "XML", "STRING", "JSON"]))
    schema = w.tables(t={"id": "LONG key", "u": "UTC_DATETIME", **types})
    schema.tables[0].columns[6].params.decimal.precision = 10
    schema.tables[0].columns[6].params.decimal.scale = 2
    row = {"id": 1, "u": ("utc_datetime", (1700000000, 123456789)), **{k: v for k, (v, _) in values.items()}}
    outcome = bench.play(script(w, w.one("UPSERT", "t", row), w.one("UPSERT", "t", {k: 2 if k == "id" else None for k in row}),
                                w.checkpoint({}), schema=schema))
    require(outcome.code == 0 and outcome.codes() == {"precision-lost"}, outcome)
    require(outcome.report["rows"]["compared"] == 2, outcome)
    stored = bench.query("SELECT " + ", ".join(f'CAST("{c}" AS VARCHAR)' for c in values) + " FROM default_schema.t WHERE id = 1")
    require(stored == [tuple(text for _, text in values.values())], stored)
    require(bench.query("SELECT epoch_us(u) FROM default_schema.t WHERE id = 1") == [("1700000000123456",)], "instant")
    nulls = bench.query("SELECT " + ", ".join(f'"{c}"' for c in ("u", *values)) + " FROM default_schema.t WHERE id = 2")
    require(nulls == [(None,) * (len(values) + 1)], nulls)
    require(bench.columns("t")["d"] == "DECIMAL(10,2)", bench.columns("t"))


def types_that_show_in_values(bench):
    """R-SRC-08, R-ENG-20: a column without a type gets one, and a wider one when it must."""
    w = bench.words
    schema = w.tables(t={"id": "UNSPECIFIED key", "v": "UNSPECIFIED"})
    first = [w.one("UPSERT", "t", {"id": "a", "v": ("int", 1)}), w.checkpoint({"n": 1}),
             w.one("UPSERT", "t", {"id": "b", "v": 2**40, "new": True}), w.checkpoint({"n": 2})]
    outcome = bench.play(script(w, *first, schema=schema))
    require(outcome.code == 0 and {"type-inferred", "undeclared-column"} == outcome.codes(), outcome)
    require("schema change detected: default_schema.t" in outcome.err, outcome)
    require(bench.columns("t")["v"] == "BIGINT" and bench.columns("t")["new"] == "BOOLEAN", bench.columns("t"))
    require(bench.rows("t", ["id", "v", "new"]) == [("a", "1", None), ("b", str(2**40), "true")], outcome)
    outcome = bench.play(script(w, w.one("UPSERT", "t", {"id": "c", "v": "text"}), w.checkpoint({"n": 3}), schema=schema))
    require("schema change detected: default_schema.t" in outcome.err and bench.columns("t")["v"] == "VARCHAR", outcome)
    require(bench.rows("t", ["id", "v"]) == [("a", "1"), ("b", str(2**40)), ("c", "text")], outcome)


def schema_change_in_the_stream(bench):
    w = bench.words
    change = w.source.UpdateResponse(schema_change=w.source.SchemaChange(without_schema=w.tables(
        t={"id": "LONG key", "name": "STRING", "price": "DOUBLE", "more": "NAIVE_DATE"}, fresh={"k": "STRING key"})))
    outcome = bench.play(script(w, w.one("UPSERT", "t", {"id": 1, "name": "a", "price": 1.0}), change,
                                w.one("UPSERT", "t", {"id": 2, "name": "b", "price": 1.0, "more": ("naive_date", (0, 0))}),
                                w.one("UPSERT", "fresh", {"k": "x"}), w.checkpoint({})))
    require(outcome.code == 0 and "SchemaChanges   | 1" in outcome.err, outcome)
    require("table created: default_schema.fresh" in outcome.err, outcome)
    require(bench.rows("t", ["id", "more"]) == [("1", None), ("2", "1970-01-01")], outcome)


def tables_without_key(bench):
    """R-ENG-06: equal rows are one row; a delete of the whole row finds it."""
    w = bench.words
    schema = w.tables(log={"what": "STRING", "n": "LONG"})
    rows = [{"what": "a", "n": 1}, {"what": "a", "n": 1}, {"what": "b", "n": None}]
    outcome = bench.play(script(w, *[w.one("UPSERT", "log", row) for row in rows], w.one("DELETE", "log", rows[0]),
                                w.checkpoint({}), schema=schema))
    require(outcome.code == 0 and outcome.codes() == {"keyless"} == outcome.codes("note"), outcome)
    require(bench.rows("log", ["what", "n", DELETED]) == [("a", "1", "true"), ("b", None, "false")], outcome)
    require(all(len(i) == 27 for (i,) in bench.rows("log", ["_fivetran_id"])), "ids")


def undeclared_sources(bench):
    w = bench.words
    outcome = bench.play(script(w, w.one("UPSERT", "t", {"a": 1}), w.checkpoint({}), schema=None))
    require(outcome.code == 0 and "undeclared-table" in outcome.codes("note"), outcome)
    require(not outcome.requests[0].HasField("selection"), outcome.requests)
    require(bench.rows("t", ["a"]) == [("1",)], outcome)


def many_rows(bench):
    w = bench.words
    batches = [w.batch([w.record("UPSERT", "t", {"id": i, "name": f"name of {i}", "price": i * 0.5})
                        for i in range(first, first + 100)]).SerializeToString() for first in range(0, 150000, 100)]
    began = time.monotonic()
    outcome = bench.play(script(w, *batches, w.checkpoint({"done": True})))
    took = time.monotonic() - began
    require(outcome.code == 0 and not outcome.codes(), outcome)
    require(bench.query("SELECT count(*), sum(id), sum(price) FROM default_schema.t") ==
            [("150000", "11249925000", "5624962500.0")], outcome)
    require(outcome.report["rows"]["compared"] == 150000, outcome)
    print(f"    150,000 rows in {took:.1f} s")


# --- verdicts ---


def verdicts(bench):
    """Every rule broken once: the finding, where it is, and what it does to the run."""
    w = bench.words
    row = {"id": 1, "name": "a", "price": 1.0}
    good = w.one("UPSERT", "t", row)
    end = w.checkpoint({"end": 1})
    mark = "XQZ"
    bad_text = w.one("UPSERT", "t", {**row, "name": mark}).SerializeToString().replace(mark.encode(), b"\xff\xfe\xfd")
    unset = w.source.UpdateResponse(record=w.record("UPSERT", "t", {"id": 1}))
    unset.record.data["name"].SetInParent()
    task = w.source.UpdateResponse(task=w.common.Task(message="renew the token"))
    warning = w.source.UpdateResponse(warning=w.common.Warning(message="slow today"))
    clash = w.tables(userData={"a.b": "LONG key", "a b": "LONG"}, user_data={"id": "LONG key"})
    wide = w.tables(t={"id": "LONG key", "at": "NAIVE_TIME"})
    cases = [
        ("batch-count", "", "", 1, [w.batch([w.record("UPSERT", "t", row)] * 101), end]),
        ("batch-size", "", "", 0, [w.batch([w.record("UPSERT", "t", {**row, "name": "x" * 60000})] * 2), end]),
        ("key-missing", "t", "id", 1, [w.one("UPDATE", "t", {"name": "b"}), end]),
        ("key-missing", "t", "id", 1, [w.one("UPSERT", "t", {**row, "id": None}), end]),
        ("keyless-update", "loose", "", 1, [w.one("UPDATE", "loose", {"a": 1}), end]),
        ("update-empty", "t", "", 0, [w.one("UPDATE", "t", {"id": 1}), end]),
        ("update-whole", "t", "", 0, [w.one("UPDATE", "t", row)] * 3 + [end]),
        ("delete-extra", "t", "name", 0, [w.one("DELETE", "t", {"id": 1, "name": "a"}), end]),
        ("truncate-data", "t", "", 0, [w.one("TRUNCATE", "t", {"id": 1}), end]),
        ("truncate-late", "t", "", 1, [good, w.one("TRUNCATE", "t"), end]),
        ("upsert-partial", "t", "price", 0, [w.one("UPSERT", "t", {"id": 1, "name": "a"}), end]),
        ("malformed", "", "", 1, [b"\x0a\x7f\x12\x01t", end]),
        ("malformed", "", "", 1, [b"", end]),
        ("utf8", "t", "name", 1, [bad_text, end]),
        ("nanos", "t", "at", 1, [w.one("UPSERT", "t", {"id": 1, "at": ("utc_datetime", (0, -1))}), end]),
        ("naive-time", "t", "at", 1, [w.one("UPSERT", "t", {"id": 1, "at": ("naive_time", (60, 0))}), end]),
        ("naive-time", "t", "at", 1, [end], wide),
        ("value-unset", "t", "name", 1, [unset, end]),
        ("value-form", "t", "dec", 1, [w.one("UPSERT", "t", {**row, "dec": ("decimal", "12,5")}), end]),
        ("value-form", "t", "js", 1, [w.one("UPSERT", "t", {**row, "js": ("json", "{'a'}")}), end]),
        ("type-differs", "t", "price", 1, [w.one("UPSERT", "t", {**row, "price": "cheap"}), end]),
        ("type-inferred", "loose", "a", 0, [w.one("UPSERT", "loose", {"a": 1}), end]),
        ("undeclared-column", "t", "extra", 0, [w.one("UPSERT", "t", {**row, "extra": 1}), end]),
        ("all-null", "t", "extra", 0, [w.one("UPSERT", "t", {**row, "extra": None}), end]),
        ("name-collision", "user_data", "", 1, [end], clash),
        ("name-collision", "userData", "a b", 1, [end], clash),
        ("name-system", "t", "_fivetran_x", 0, [w.one("UPSERT", "t", {**row, "_fivetran_x": 1}), end]),
        ("schema-invalid", "t", "id", 1, [w.source.UpdateResponse(schema_change=w.source.SchemaChange(
            without_schema=w.tables(t={"id": "LONG"}))), end]),
        ("checkpoint-none", "", "", 1, [good]),
        ("state-no-json", "", "", 1, [good, w.checkpoint("next=1")]),
        ("state-size", "", "", 1, [good, w.checkpoint('{"a":"' + "x" * 10000000 + '"}')]),
        ("state-grows", "", "", 0, [good, w.checkpoint("{}"), good, w.checkpoint({"all": "x" * 70000})]),
        ("state-same", "", "", 0, [good, end, good, end]),
        ("task", "", "", 1, [good, end, task]),
        ("after-task", "", "", 1, [task, end]),
        ("warning", "", "", 0, [good, warning, end]),
    ]
    for code, table, column, exit_code, messages, *schema in cases:
        outcome = bench.play(script(w, *messages, schema=schema[0] if schema else "plain"), "--fresh")
        require((code, table, column) in outcome.findings(), outcome, f"{code} of '{table}' '{column}' was not found")
        require(outcome.code == exit_code, outcome, f"{code}: exit {exit_code} was expected")
        found = outcome.findings()[(code, table, column)]
        require(found["rule"].startswith("R-") and found["text"] and found["advice"], found)
        require((found["severity"] == "error") == (exit_code == 1), found)
    resumed = script(w, w.one("TRUNCATE", "t"), end)
    require("truncate-resumed" not in bench.play(resumed, "--fresh").codes(), "a fresh start may truncate")
    require("truncate-resumed" in bench.play(resumed).codes("warning"), "a resumed one may not")
    # Of a text that cannot be read only the place is told, and the count of what is found again.
    outcome = bench.play(script(w, *[w.one("DELETE", "t", {"id": i, "name": "a"}) for i in range(5)], end), "--fresh")
    require(outcome.findings()[("delete-extra", "t", "name")]["count"] == 5, outcome)
    require("(5 times)" in outcome.err, outcome)
    outcome = bench.play(script(w, good, warning, task), "--fresh")
    require("Partner Sdk Warning. Message: slow today" in outcome.err and "renew the token" in outcome.err, outcome)


def official_profile_does_not_fail_for_findings(bench):
    w = bench.words
    one = script(w, w.one("UPSERT", "t", {"id": 1, "name": "a", "price": "cheap"}))
    require(bench.play(one, "--fresh").code == 1, "production")
    outcome = bench.play(one, "--fresh", "--profile", "official")
    require(outcome.code == 0 and {"type-differs", "checkpoint-none"} <= outcome.codes("warning"), outcome)
    require(bench.rows("t", ["price"]) == [("cheap",)], outcome)


# --- further passes ---


def steps(words, obey=True, forget=False, forms=True):
    """A source that goes on from its state, keeps selections and takes every form of the fresh state; each of these may
    be left out."""
    w = words

    def selected(request, column):
        for table in request.selection.without_schema.tables:
            return table.included and table.columns.get(column, table.include_new_columns)
        return True

    def stream(request, _context):
        state = request.state_json
        if not forms and state != "{}" and not state.startswith('{"'):
            raise ValueError("what a state")
        at = int(state.partition(":")[2].strip("} ") or 0) if ":" in state else 0
        if at > 0 and forget:
            at += 1
        for i in range(at, 12):
            row = {"id": i, **{c: v for c, v in (("name", f"n{i}"), ("price", 1.5)) if not obey or selected(request, c)}}
            if not obey or not request.HasField("selection") or request.selection.without_schema.tables[0].included:
                yield w.one("UPSERT", "t", row)
            yield w.checkpoint({"at": i + 1})

    return Script(plain(w), stream)


def checks_of_a_good_source(bench):
    outcome = bench.play(steps(bench.words), "--check", "all")
    require(outcome.code == 0 and not outcome.codes("error", "warning"), outcome)
    require(outcome.report["checks"]["syncs"] >= 20, outcome)
    forms = {(r.HasField("state_json"), r.state_json) for r in outcome.requests}
    require({(False, ""), (True, ""), (True, "{}"), (True, '{"at": 1}'), (True, '{"at": 12}')} <= forms, forms)
    require(any(not r.HasField("selection") for r in outcome.requests), "no selection at all was not tried")


def checks_find_a_forgetful_source(bench):
    outcome = bench.play(steps(bench.words, forget=True), "--check", "resume")
    require(outcome.code == 1 and outcome.codes("error") == {"resume-differs"}, outcome)


def checks_blame_an_origin_that_grows(bench):
    """Rows that every sync has more of say nothing about resuming."""
    w = bench.words
    there = [3]

    def stream(request, _context):
        at = int(request.state_json.partition(":")[2].strip("} ") or 0) if ":" in request.state_json else 0
        there[0] += 1
        for i in range(at, there[0]):
            yield w.one("UPSERT", "t", {"id": i, "name": f"n{i}", "price": 1.5})
            yield w.checkpoint({"at": i + 1})

    outcome = bench.play(Script(plain(w), stream), "--check", "resume,restart")
    require(outcome.code == 0 and not outcome.codes("error"), outcome)
    require(outcome.codes("warning") == {"origin-moves"}, outcome)


def checks_find_a_stubborn_source(bench):
    outcome = bench.play(steps(bench.words, obey=False), "--check", "selection")
    found = outcome.findings("warning")
    require(("selection-table", "t", "") in found and ("selection-column", "t", "price") in found, outcome)


def checks_find_a_picky_source(bench):
    outcome = bench.play(steps(bench.words, forms=False), "--check", "restart")
    require(outcome.code == 1 and outcome.codes("error") == {"restart-differs"}, outcome)


def checks_find_a_deaf_source(bench):
    """R-RPC-05: with one worker that does not look at cancellation the next call has to wait."""
    w = bench.words

    def stream(request, _context):
        if request.state_json != "{}":
            return
        calls.append(request)
        yield w.one("UPSERT", "t", {"id": 1, "name": "a", "price": 1.0})
        yield w.checkpoint({"at": 1})
        if len(calls) > 2:
            time.sleep(4)

    calls = []
    outcome = bench.play(Script(plain(w), stream, workers=1), "--check", "resume")
    require("cancel-slow" in outcome.codes("warning"), outcome)


# --- misuse ---


def misuse_is_told(bench):
    w = bench.words
    (bench.folder / "state.json").write_text('{"a":')
    outcome = bench.play(script(w, w.checkpoint({})))
    require(outcome.code == 2 and "state.json" in outcome.err and "--fresh" in outcome.err, outcome)
    (bench.folder / "state.json").write_text('{"a":1}\n')
    outcome = bench.play(script(w, w.checkpoint({})))
    require(outcome.code == 0 and outcome.requests[0].state_json == '{"a":1}', outcome)
    require("no warehouse.db" in outcome.err, outcome)
    for arguments in (["--check", "resume,luck"], ["--destination-schema", "weir_tester"], ["--schema-name", "x"]):
        outcome = bench.run("--port", 1, *arguments)
        require(outcome.code == 2 and arguments[0] in outcome.err, outcome)


CASES = [value for name, value in list(globals().items())
         if callable(value) and getattr(value, "__module__", "") == __name__ and value.__code__.co_varnames[:1] == ("bench",)]
