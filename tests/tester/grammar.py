"""The published JSON schema of input files and the parser accept and refuse the same."""
import json
import pathlib

from kit import INPUTS, SAMPLES, Folder

SCHEMA = pathlib.Path(__file__).resolve().parent.parent.parent / "docs/reference/input-file.schema.json"


def table(**more):
    return {"create_table": {"t": {"columns": {"id": "INT"}, **more}}}


def column(type):
    return {"create_table": {"t": {"columns": {"id": type}}}}


def migration(name, **fields):
    return {"schema_migration": [{name: [fields]}]}


TIME = "2024-05-28T20:57:00Z"
GOOD = [
    {}, {"create_table": {}}, {"ops": []}, {"ops": [{}]}, {"describe_table": ["a", "b"]}, table(), table(primary_key=["id"]),
    table(primary_key=[], history_mode=True), column("DECIMAL"), column({"type": "DECIMAL", "precision": 38, "scale": 0}),
    column({"type": "DECIMAL", "precision": 5}), column({"type": "STRING", "string_byte_length": 0}), column({"type": "INT"}),
    column("NAIVE_TIME"), {"ops": [{"upsert": {}}, {"delete": {"t": []}}, {"truncate": ["x"]}]},
    {"ops": [{"upsert": {"t": [{"anything": [{"deep": None}]}]}, "truncate_before": []}]},
    {"schema_migration": [{}]}, migration("add_column", table="t", column="c", data_type={"type": "DECIMAL", "precision": 3}),
    migration("update_column_value", table="t", column="c", value=None),
    migration("update_column_value", table="t", column="c", value=1.5),
    migration("add_column_in_history_mode", table="t", column="c", data_type="INT", default_value="7",
              operation_timestamp=TIME),
    migration("copy_table_to_history_mode", from_table="a", to_table="b", deleted_column=None),
    migration("migrate_history_to_soft_delete", table="t", deleted_column="gone"),
    migration("migrate_live_to_history", table="t", keep_inactive_rows=True, keep_deleted_rows=False),
    {"create_table": {"weird \"name\", é": {"columns": {"sel ect": "INT"}}}},
]
BAD = [
    [], "x", 7, None, {"create_tables": {}}, {"create_table": []}, {"create_table": {"t": {}}}, {"create_table": {"t": []}},
    {"create_table": {"": {"columns": {}}}}, {"create_table": {"x" * 1025: {"columns": {}}}}, column("INTEGER"), column("int"),
    column("UNSPECIFIED"), column(3), column({}), column({"type": "DECIMAL", "precision": 39}),
    column({"type": "DECIMAL", "precision": 0}), column({"type": "DECIMAL", "scale": 2}),
    column({"type": "DECIMAL", "precision": "5"}), column({"type": "INT", "precision": 5}),
    column({"type": "STRING", "string_byte_length": -1}), column({"type": "STRING", "length": 1}),
    {"create_table": {"t": {"columns": {"_fivetran_id": "STRING"}}}}, table(primary_key="id"), table(primary_key=[1]),
    table(primary_key=["id", "id"]), table(history_mode="true"), table(indexes=[]), {"ops": {}}, {"ops": [[]]},
    {"ops": [{"insert": {}}]}, {"ops": [{"upsert": []}]}, {"ops": [{"upsert": {"t": {}}}]}, {"ops": [{"upsert": {"t": [1]}}]},
    {"ops": [{"truncate_before": "t"}]}, {"ops": [{"truncate_before": [""]}]}, {"describe_table": "t"},
    {"describe_table": [None]}, {"schema_migration": {}}, {"schema_migration": [{"drop_tables": []}]},
    migration("drop_table"), migration("drop_table", table=""), migration("drop_table", table="t", cascade=True),
    migration("copy_column", table="t", from_column="a"), migration("update_column_value", table="t", column="c", value=[]),
    migration("add_column", table="t", column="c", data_type="TEXT"),
    migration("drop_column_in_history_mode", table="t", column="c", operation_timestamp="now"),
    migration("drop_column_in_history_mode", table="t", column="c", operation_timestamp=5),
    migration("migrate_live_to_history", table="t", keep_inactive_rows="yes"), {"schema_migration": [{"drop_table": {}}]},
]


def schema_and_parser_agree(bench):
    try:
        import jsonschema
    except ImportError:
        print("SKIP: jsonschema is not there (package python3-jsonschema)")
        return 77
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for file in INPUTS + SAMPLES:
        text = file.read_text()
        validator.validate(json.JSONDecoder().raw_decode(text)[0])
    folder = Folder(bench, "grammar")
    for number, case in enumerate(GOOD):
        assert validator.is_valid(case), f"the schema refuses {case}"
        folder.write(f"good{number:02}.json", case)
    # All good ones are read before anything is called; then nobody listens.
    folder.run("--port", "1", "--connect-timeout", "1", connector=None).expect(1, "Connection refused")
    folder = Folder(bench, "grammar")
    for case in BAD:
        assert not validator.is_valid(case), f"the schema accepts {case}"
        folder.write("bad.json", case)
        folder.run("--port", "1", "--connect-timeout", "1", connector=None).expect(2, "'bad.json', line 1")
    return 0
