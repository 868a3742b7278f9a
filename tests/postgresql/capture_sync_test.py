"""`weir sync` with change data capture, PostgreSQL to PostgreSQL: random changes while source, engine and destination are
killed at random; in the end both sides hold the same rows, as SQL compares them.

WEIR_CAPTURE_CHANGES (4000) is how many rows are changed, WEIR_CAPTURE_SEED the seed. By hand, for the long run:
WEIR_CAPTURE_CHANGES=1000000 main.py capture_sync_test …
"""
import contextlib
import json
import os
import random
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

import kit
from sync_test import members

BIN = MESSAGES = None
CHANGES = int(os.environ.get("WEIR_CAPTURE_CHANGES", "4000"))
SEED = int(os.environ.get("WEIR_CAPTURE_SEED", "1"))

TABLES = """
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigint PRIMARY KEY, n int, note text, amount numeric(12,2), at timestamptz, tags text[]);
CREATE TABLE shop.lines (a int, b text, v double precision, PRIMARY KEY (a, b));
ALTER TABLE shop.lines REPLICA IDENTITY FULL;
CREATE TABLE shop.parts (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES FROM (0) TO (500);
CREATE TABLE shop.parts_2 PARTITION OF shop.parts DEFAULT;
CREATE TABLE shop.small (id int PRIMARY KEY, v text);
CREATE TABLE shop.nokey (a int, b text);
INSERT INTO shop.orders SELECT g, 0, repeat(md5(g::text), CASE WHEN g % 5 = 0 THEN 150 ELSE 2 END), g / 7.0, now(), ARRAY['a', NULL, 'b"c']
    FROM generate_series(1, 5000) g;
ALTER TABLE shop.orders ALTER note SET STORAGE EXTERNAL;
INSERT INTO shop.lines SELECT g, 'b' || g % 3, sqrt(g) FROM generate_series(1, 2000) g;
INSERT INTO shop.parts SELECT g, 'p' || g FROM generate_series(1, 1000) g;
INSERT INTO shop.small SELECT g, 's' || g FROM generate_series(1, 100) g;
INSERT INTO shop.nokey VALUES (1, 'x'), (2, NULL);
CREATE PUBLICATION weir FOR TABLE shop.orders, shop.lines, shop.parts, shop.small WITH (publish_via_partition_root = true);
"""

# One transaction of changes, `size` rows at most in each; returns how many rows it changed.
CHURN = """
CREATE OR REPLACE FUNCTION churn(low int, size int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE changed int := 0; once int; choice int := (random() * 11)::int; span int := 1 + (random() * size)::int;
BEGIN
    FOR i IN 1..2 LOOP
        CASE choice
        WHEN 0 THEN INSERT INTO shop.orders SELECT g, low, repeat(md5(g::text), 1 + g % 200), g, now(), NULL FROM generate_series(low, low + span) g
            ON CONFLICT (id) DO UPDATE SET n = orders.n + 1;
        WHEN 1 THEN UPDATE shop.orders SET n = n + 1 WHERE id BETWEEN low AND low + span; -- notes are not sent
        WHEN 2 THEN UPDATE shop.orders SET note = md5(note), tags = ARRAY[id::text, n::text] WHERE id BETWEEN low AND low + span / 2;
        WHEN 3 THEN DELETE FROM shop.orders WHERE id BETWEEN low AND low + span / 4;
        WHEN 4 THEN UPDATE shop.orders o SET id = id + 1000000 WHERE id BETWEEN low AND low + span / 4
            AND NOT EXISTS (SELECT FROM shop.orders p WHERE p.id = o.id + 1000000);
        WHEN 5 THEN DELETE FROM shop.orders WHERE id IN (SELECT id FROM shop.orders WHERE id > 1000000 ORDER BY id DESC LIMIT span);
        WHEN 6 THEN INSERT INTO shop.lines SELECT low + g, 'b' || g % 2, random() FROM generate_series(1, span) g ON CONFLICT DO NOTHING;
        WHEN 7 THEN UPDATE shop.lines l SET v = v * 1.5, b = b || '+' WHERE a BETWEEN low AND low + span AND b NOT LIKE '%+'
            AND NOT EXISTS (SELECT FROM shop.lines m WHERE m.a = l.a AND m.b = l.b || '+');
            UPDATE shop.lines SET v = v + 1 WHERE a BETWEEN low AND low + span;
        WHEN 8 THEN DELETE FROM shop.lines WHERE a BETWEEN low AND low + span / 2;
        WHEN 9 THEN UPDATE shop.parts SET v = v || '.' WHERE id BETWEEN low % 1000 AND low % 1000 + span;
        WHEN 10 THEN UPDATE shop.parts p SET id = 20000 + p.id WHERE id BETWEEN low % 1000 AND low % 1000 + span / 8
            AND NOT EXISTS (SELECT FROM shop.parts q WHERE q.id = 20000 + p.id);
        ELSE INSERT INTO shop.parts SELECT g, 'n' || low FROM generate_series(low % 1000, low % 1000 + span) g ON CONFLICT (id) DO UPDATE SET v = 'again';
        END CASE;
        GET DIAGNOSTICS once = ROW_COUNT;
        changed := changed + once;
        choice := (choice + 1 + (random() * 10)::int) % 12;
    END LOOP;
    RETURN changed;
END $$;
"""

COLUMNS = {"orders": "id, n, note, amount, at, tags::text, extra, filled", "lines": "a, b, v", "parts": "id, v", "small": "id, v", "nokey": "a, b"}


def setUpModule():
    global cluster
    cluster = kit.Cluster("wal_level=logical", "max_wal_size=2GB", "synchronous_commit=off")


def tearDownModule():
    cluster.stop()


class Writer(threading.Thread):
    """Changes rows until enough are changed; pauses now and then, so that syncs meet it in the middle."""

    def __init__(self, changes, rng):
        super().__init__()
        self.rng = rng
        self.left = changes
        self.alters = {changes * 2 // 3: "ALTER TABLE shop.orders ADD extra text; UPDATE shop.orders SET extra = 'e' || id WHERE id % 50 = 0;",
                       changes // 3: "ALTER TABLE shop.orders ADD filled int DEFAULT 7;"}
        self.size = 60 if changes < 100000 else 300
        self.error = None

    def run(self):
        try:
            cluster.psql(f"SELECT setseed({self.rng.random()})")
            while self.left > 0:
                calls = "".join(f"SELECT churn({self.rng.randrange(1, 6000)}, {self.size});" for _ in range(10))
                if self.rng.random() < 0.05:
                    calls += f"TRUNCATE shop.small; INSERT INTO shop.small SELECT g, '{self.left}' FROM generate_series(1, 50) g;"
                for left in list(self.alters):
                    if self.left <= left:
                        calls = self.alters.pop(left) + calls
                self.left -= sum(int(line) for line in cluster.psql(calls).split())
        except Exception as error:  # told by the test
            self.error = error


class Capture(unittest.TestCase):
    def setUp(self):
        cluster.psql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
        cluster.psql("DROP PUBLICATION IF EXISTS weir; DROP SCHEMA IF EXISTS shop CASCADE; DROP SCHEMA IF EXISTS copy_shop CASCADE;" + TABLES + CHURN)
        self.folder = tempfile.TemporaryDirectory(prefix="weir-capture-")
        self.addCleanup(self.folder.cleanup)
        folder = Path(self.folder.name)
        (folder / "source.json").write_text(json.dumps(cluster.config(schemas="shop", mode="capture", rows_per_range="1000")))
        (folder / "destination.json").write_text(json.dumps(cluster.config()))
        self.command = [f"{BIN}/weir", "sync", "--source", f"{BIN}/source-postgresql", "--source-config", folder / "source.json",
                        "--destination", f"{BIN}/destination-postgresql", "--destination-config", folder / "destination.json",
                        "--schema", "copy", "--state", folder / "state", "--json"]

    def sync(self, *more):
        done = subprocess.run([*self.command, *more], text=True, capture_output=True, timeout=3600)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])
        return json.loads(done.stdout.strip().splitlines()[-1])

    def kill_one(self, rng, victim, *more):
        """A sync of which one process is killed; True when it was."""
        process = subprocess.Popen([*self.command, *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        killed = False
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0.2, 2.5))
        for pid in members(process.pid):
            with contextlib.suppress(OSError):
                if Path(os.readlink(f"/proc/{pid}/exe")).name == victim:
                    os.kill(pid, signal.SIGKILL)
                    killed = True
        process.wait(600)
        return killed

    def same(self):
        for table, columns in COLUMNS.items():
            there = f"SELECT {columns.replace('::text', '')} FROM copy_shop.{table} WHERE NOT _fivetran_deleted"
            here = f"SELECT {columns} FROM shop.{table}"
            if table == "orders":  # arrays travel as JSON
                here = here.replace("tags::text", "array_to_json(tags)::text")
                there = there.replace("tags", "tags::text")
            for left, right in ((here, there), (there, here)):
                self.assertEqual(cluster.rows(f"SELECT * FROM (({left}) EXCEPT ALL ({right})) d LIMIT 3"), [], f"seed {SEED}: {table}")

    def test_changes_under_kills(self):
        """R-ENG-03, R-SRC-01, R-SRC-04: whichever process is killed whenever, no change is lost and none is undone."""
        rng = random.Random(SEED)
        writer = Writer(CHANGES, rng)
        killed = {"source-postgresql": 0, "destination-postgresql": 0, "weir": 0}
        begin = time.monotonic()
        writer.start()
        while writer.is_alive() or not all(killed.values()):
            self.assertLess(sum(killed.values()), 2000)
            victim = min(killed, key=lambda name: (killed[name], rng.random()))
            killed[victim] += self.kill_one(rng, victim)
            if writer.is_alive() and rng.random() < 0.3:
                self.sync()
        writer.join()
        if writer.error is not None:
            raise writer.error
        self.sync()
        self.sync()  # for tables that start over because they were truncated
        self.same()
        print(f"# {CHANGES - writer.left} changes, kills {killed}, {time.monotonic() - begin:.0f} s", flush=True)

    def test_one_table_is_read_again(self):
        """R-ENG-12: a snapshot of one table is taken anew while its changes and the others' go on, and a process is killed."""
        rng = random.Random(SEED)
        self.sync()
        broken = ("UPDATE copy_shop.orders SET note = 'broken', n = -1 WHERE id % 7 = 0; DELETE FROM copy_shop.orders WHERE id % 11 = 0 OR id < 0;"
                  "INSERT INTO copy_shop.orders (id, note, _fivetran_synced, _fivetran_deleted)"
                  " SELECT -g, 'never was', '2020-01-01', false FROM generate_series(1, 10) g;")
        cluster.psql("ALTER TABLE shop.orders ADD extra text, ADD filled int")
        self.sync()
        cluster.psql(broken)
        done = self.sync("--resync-table", "shop.orders")  # in peace
        self.assertEqual({t["table"]: t["upserted"] for t in done["tables"] if t["upserted"] and t["table"] != "nokey"}, {"orders": 5000})
        self.same()
        writer = Writer(CHANGES // 4, rng)
        writer.alters = {}
        writer.start()
        for victim in ("source-postgresql", "weir"):
            cluster.psql(broken)
            self.kill_one(rng, victim, "--resync-table", "shop.orders")
            self.sync()
            self.sync("--resync-table", "shop.orders")
        writer.join()
        if writer.error is not None:
            raise writer.error
        self.sync()
        self.sync()  # for tables that start over because they were truncated
        self.same()
