"""destination-postgresql: random requests by seed, compared with a row-by-row model made from the rules.

The model keeps a dict of rows and does what R-DST-04…06 and R-BAT-09 say, one row at a time; what PostgreSQL holds
afterwards is read with psql. Every request is sent twice now and then, which must change nothing (R-DST-06).
"""
import random
import unittest

import destination_test as base
import kit
from batch import KEEP, Batch

BIN = MESSAGES = None
SEEDS = range(40)

COLUMNS = [("k1", "DECIMAL", True), ("k2", "STRING", True), ("n", "LONG"), ("s", "STRING"), ("j", "JSON"), ("f", "DOUBLE"),
           ("_fivetran_synced", "UTC_DATETIME"), ("_fivetran_deleted", "BOOLEAN")]
NAMES = [c[0] for c in COLUMNS]
KEYS = NAMES[:2]


def setUpModule():
    global cluster, connector
    cluster = kit.Cluster()
    connector = kit.Connector(f"{BIN}/destination-postgresql", MESSAGES)


def tearDownModule():
    connector.stop()
    cluster.stop()


def key_of(row):
    """By value: 1, 1.0 and 1.00 are one key (R-DST-07)."""
    return (float(row["k1"]), row["k2"])


class Model:
    def __init__(self):
        self.rows = {}

    def replace(self, row):
        self.rows[key_of(row)] = {n: row.get(n) for n in NAMES if n not in KEYS}

    def update(self, row):
        stored = self.rows.get(key_of(row))
        if stored is not None:
            stored.update({n: row[n] for n in row if n not in KEYS and row[n] is not KEEP})

    def delete(self, row):
        self.rows.pop(key_of(row), None)

    def truncate(self, before, soft):
        for key, row in list(self.rows.items()):
            if row["_fivetran_synced"] is not None and row["_fivetran_synced"] < before:
                if soft:
                    row["_fivetran_deleted"] = "true"
                else:
                    del self.rows[key]


def random_row(rng, space, kind):
    number = rng.randrange(space)
    row = {"k1": rng.choice([f"{number}", f"{number}.0", f"{number}.00"]), "k2": rng.choice(["", "a", "ä\n", "b'\""])}
    if kind == "delete":
        return row
    values = {"n": lambda: str(rng.randrange(-2 ** 63, 2 ** 63)), "s": lambda: rng.choice(["", "x" * rng.randrange(40), "é,\"\r\n"]),
              "j": lambda: rng.choice(["{}", '{"a": 1}', "null"]), "f": lambda: rng.choice(["0.5", "-3.25", "1.0E10"]),
              "_fivetran_synced": lambda: f"2024-01-01T00:00:{rng.randrange(60):02}.{rng.randrange(1000):03}Z",
              "_fivetran_deleted": lambda: rng.choice(["true", "false"])}
    for name, make in values.items():
        roll = rng.random()
        row[name] = None if roll < 0.1 else KEEP if kind == "update" and roll < 0.5 else make()
    return row


def shown(name, value):
    """The batch text as psql shows the stored value."""
    if value is None:
        return None
    if name == "_fivetran_synced":
        text = value[:-1].replace("T", " ")
        return (text.rstrip("0").rstrip(".") if "." in text else text) + "+00"
    if name == "_fivetran_deleted":
        return value[0]
    if name == "f":
        return repr(float(value)).removesuffix(".0")
    return value


class Random(unittest.TestCase):
    def run_seed(self, seed):
        rng = random.Random(seed)
        cluster.psql("DROP SCHEMA IF EXISTS s CASCADE")
        wanted = base.table("t", *COLUMNS)
        connector.call("CreateTable", configuration=cluster.config(), schema_name="s", table=wanted)
        model = Model()
        space = rng.choice([3, 50, 5000])
        for step in range(rng.randrange(2, 7)):
            if rng.random() < 0.2:
                self.truncate(rng, model)
            else:
                self.write(rng, model, wanted, space, seed * 100 + step)
            self.compare(model, f"seed {seed}, step {step}")

    def truncate(self, rng, model):
        second, soft = rng.randrange(60), rng.random() < 0.5
        before = f"2024-01-01T00:00:{second:02}.000Z"
        reply = connector.call("Truncate", configuration=cluster.config(), schema_name="s", table_name="t",
                               synced_column="_fivetran_synced", utc_delete_before={"seconds": 1704067200 + second},
                               soft={"deleted_column": "_fivetran_deleted"} if soft else None)
        self.assertEqual(reply.WhichOneof("response"), "success", reply)
        model.truncate(before, soft)

    def write(self, rng, model, wanted, space, seed):
        batch = Batch(connector, cluster.config(), "s", wanted, seed)
        applied = []
        for kind in ("replace", "update", "delete"):
            for _ in range(rng.choice([0, 1, 1, 2])):
                columns = NAMES if kind != "delete" else KEYS
                left_out = set() if kind == "delete" or rng.random() < 0.7 else {rng.choice(NAMES[2:])}
                rows = [random_row(rng, space, kind) for _ in range(rng.choice([0, 1, 20, 800]))]
                for row in rows:
                    for name in left_out:  # R-BAT-09: absent is NULL in a replace file, unmodified in an update file
                        row.pop(name)
                applied.append((kind, rows))
                batch.add(kind, [c for c in columns if c not in left_out], rows)
        for _ in range(rng.choice([1, 1, 2])):
            reply = batch.send()
            self.assertEqual(reply.WhichOneof("response"), "success", reply)
            for kind, rows in applied:
                for row in rows:
                    getattr(model, kind)(row)

    def compare(self, model, where):
        stored = {(float(r[0]), r[1]): r[2:] for r in cluster.rows(f"SELECT {', '.join(NAMES)} FROM s.t")}
        expected = {key: tuple(shown(n, row[n]) for n in NAMES[2:]) for key, row in model.rows.items()}
        self.assertEqual(set(stored), set(expected), where)
        for key, row in expected.items():
            self.assertEqual(stored[key], row, f"{where}, key {key}")

    def test_random_requests(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                self.run_seed(seed)


class Large(unittest.TestCase):
    """Requests larger than a segment: the direct way, the way back from it, and both in turn."""

    def setUp(self):
        cluster.psql("DROP SCHEMA IF EXISTS s CASCADE")
        self.wanted = base.table("t", ("id", "LONG", True), ("v", "STRING"))
        connector.call("CreateTable", configuration=cluster.config(), schema_name="s", table=self.wanted)
        self.model = {}

    def write(self, rows, **more):
        batch = Batch(connector, cluster.config(), "s", self.wanted)
        batch.add("replace", ["id", "v"], [{"id": str(i), "v": v} for i, v in rows])
        self.model.update(rows)
        if "deleted" in more:
            batch.add("delete", ["id"], [{"id": str(i)} for i in more["deleted"]])
            for i in more["deleted"]:
                self.model.pop(i, None)
        self.assertEqual(batch.send().WhichOneof("response"), "success")
        stored = {int(i): v for i, v in cluster.rows("SELECT id, v FROM s.t")}
        self.assertEqual(len(stored), len(self.model))
        self.assertTrue(stored == self.model)

    def test_initial_load_in_ranges(self):
        for start in range(0, 150000, 50000):
            self.write([(i, f"{i}" + "x" * 200) for i in range(start, start + 50000)])
        self.write([(i, "again") for i in range(0, 50000)])

    def test_random_order(self):
        rng = random.Random(4)
        keys = rng.sample(range(10 ** 9), 100000)
        self.write([(i, "x" * 200) for i in keys[:60000]])
        self.write([(i, "y" * 200) for i in keys[60000:]])
        self.write([(i, "z" * 100) for i in rng.sample(keys, 70000)], deleted=rng.sample(keys, 5000))

    def test_duplicate_at_the_end(self):
        """A key that comes again after many rows: the segment is undone, staged and merged; the later row wins."""
        rows = [(i, "x" * 200) for i in range(100000)]
        self.write(rows + [(99999, "late"), (5, "late too")])

    def test_mostly_new(self):
        """Two old keys among many new ones: the sample misses them, the key does not."""
        self.write([(i, "x" * 200) for i in range(10)])
        self.write([(i, "y" * 200) for i in range(1000, 60000)] + [(3, "changed")] + [(i, "y" * 200) for i in range(70000, 90000)])
