"""source-postgresql, change data capture: the stream's rows are psql's rows, whatever happened to table, slot or source."""
import contextlib
import json
import os
import random
import subprocess
import time
import unittest

import grpc

import kit
import source_types_test as types

BIN = MESSAGES = None
SETTINGS = ("wal_level=logical", "max_replication_slots=4", "wal_keep_size=0", "min_wal_size=32MB", "max_wal_size=64MB")


def setUpModule():
    global cluster
    cluster = kit.Cluster(*SETTINGS)


def tearDownModule():
    cluster.stop()


def source():
    return kit.running(f"{BIN}/source-postgresql", MESSAGES)


class Base(unittest.TestCase):
    def setUp(self):
        cluster.psql("""DROP PUBLICATION IF EXISTS weir; DROP SCHEMA public CASCADE; CREATE SCHEMA public;
            CREATE PUBLICATION weir FOR ALL TABLES WITH (publish_via_partition_root = true)""")
        self.drop_slot()

    def drop_slot(self):
        """A walsender goes a moment after its client."""
        for _ in range(100):
            with contextlib.suppress(RuntimeError):
                cluster.psql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
                return
            time.sleep(0.05)
        self.fail("the slot stays in use")

    def config(self, **settings):
        return cluster.config(mode="capture", **settings)

    def sync(self, synced, selection=None, **settings):
        """One undisturbed sync from the last state; returns how many rows it sent."""
        before = synced.rows
        with source() as connector:
            self.assertTrue(synced.take(connector.update(self.config(**settings), synced.state, selection)))
        self.assertIsNone(synced.task)
        return synced.rows - before

    def fails(self, state=None, **settings):
        synced = kit.Synced({})
        with source() as connector:
            try:
                synced.take(connector.update(self.config(**settings), state))
            except grpc.RpcError as error:
                return error.details()
        return synced.task

    def failure(self, name, **settings):
        with source() as connector:
            return connector.call("Test", name=name, configuration=self.config(**settings)).failure

    def check(self, synced, table, columns):
        """Integers and texts, compared as they are."""
        expected = sorted(cluster.rows(f"SELECT {', '.join(columns)} FROM {table}"), key=repr)
        got = sorted((tuple(None if row.get(c) is None else str(row[c][1]) for c in columns)
                      for row in synced.tables.get(("public", table), {}).values()), key=repr)
        self.assertEqual(len(got), len(expected))
        self.assertEqual(got, expected)


def keys(**tables):
    return {("public", table): columns for table, columns in tables.items()}


class Changes(Base):
    def test_every_type_both_ways(self):
        """A row of the stream is the row of a snapshot, to the byte, for every type and for what has no place."""
        more = [("ab", "boolean[]", "'{t,f,NULL}'"), ("an", "numeric[]", "'{1.50,NaN,Infinity}'"), ("af", "float8[]", "'{0.1,NaN,-Infinity}'"),
                ("ats", "timestamp[]", "'{2024-02-29 12:34:56.5,infinity,0044-03-15 BC}'"), ("atz", "timestamptz[]", "'{2024-02-29 12:34:56+05:30}'"),
                ("ad", "date[]", "'{2024-02-29}'"), ("aj", "jsonb[]", """ARRAY['{"a": [1]}'::jsonb, NULL]"""), ("aby", "bytea[]", r"'{\\x00ff}'"),
                ("am", "mood[]", "'{sad,happy}'"), ("ap", "pair[]", "ARRAY[ROW(1, 'x, \"y\"')::pair]"), ("ado", "posint[]", "'{1,2}'"),
                ("at2", "text[]", r"""ARRAY[ARRAY['a"b\', E'\t\x01'], ARRAY['', 'NULL']]"""), ("abx", "box[]", "'{(1,2),(3,4);(5,6),(7,8)}'"),
                ("alo", "int[]", "'[2:3]={5,6}'"), ("iv2", "int2vector", "'1 2'"), ("mr", "int4multirange", "'{[1,3),[5,9)}'"),
                ("ivs", "interval", "'-1 mons +2 days -03:00:00.5'"), ("nx", "numeric(10,2)", "'NaN'"), ("dx", "date", "'infinity'"),
                ("dbc", "date", "'0044-03-15 BC'"), ("tsx", "timestamp", "'-infinity'"), ("tzx", "timestamptz", "'infinity'"),
                ("tsl", "timestamp", "'12000-01-01 00:00:00'"), ("f4x", "real", "'1e-45'"), ("js", "json", "'  {\"a\" :\t1}'")]
        columns = [(t[0], t[1], t[3:]) for t in types.TYPES] + [(m[0], m[1], m[2:]) for m in more]
        count = max(len(c[2]) for c in columns)
        cluster.psql("SET client_min_messages = error; DROP TYPE IF EXISTS mood, pair CASCADE; DROP DOMAIN IF EXISTS posint, price, price2 CASCADE")
        cluster.psql(types.SETUP + "CREATE TABLE everything (id int PRIMARY KEY, %s)" % ", ".join(f'"{c[0]}" {c[1]}' for c in columns))
        inserts = ["(%%d, %s)" % ", ".join(c[2][i] if i < len(c[2]) else "NULL" for c in columns).replace("%", "%%") for i in range(count)]
        for i, insert in enumerate(inserts):
            cluster.psql(f"INSERT INTO everything VALUES {insert % i}")
        synced = kit.Synced(keys(everything=["id"]))
        self.sync(synced)
        for i, insert in enumerate(inserts):
            cluster.psql(f"INSERT INTO everything VALUES {insert % (100 + i)}")
        self.assertEqual(self.sync(synced), count)
        rows = synced.tables[("public", "everything")]
        self.assertEqual(len(rows), 2 * count)
        for i in range(count):
            read, streamed = rows[(("int", i),)], rows[(("int", 100 + i),)]
            for name, *_ in columns:
                self.assertEqual(types.comparable(streamed.get(name)), types.comparable(read.get(name)), f"{name} of row {i}")

    def test_insert_update_delete(self):
        cluster.psql("""CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c');
            CREATE TABLE full_one (id int NOT NULL UNIQUE, v text); ALTER TABLE full_one REPLICA IDENTITY FULL; INSERT INTO full_one VALUES (1, 'a'), (2, NULL);
            CREATE TABLE by_index (a int, b int NOT NULL, v text); CREATE UNIQUE INDEX i ON by_index (b); ALTER TABLE by_index REPLICA IDENTITY USING INDEX i;
            INSERT INTO by_index VALUES (1, 1, 'a')""")
        synced = kit.Synced(keys(t=["id"], full_one=["id"], by_index=["b"]))
        self.assertEqual(self.sync(synced), 6)
        self.assertEqual(self.sync(synced), 0)
        cluster.psql("""INSERT INTO t VALUES (4, 'd'); UPDATE t SET v = 'B' WHERE id = 2; DELETE FROM t WHERE id = 1; UPDATE t SET id = 30 WHERE id = 3;
            BEGIN; INSERT INTO t VALUES (99, 'never'); ROLLBACK; BEGIN; INSERT INTO t VALUES (5, 'e'); SAVEPOINT s; INSERT INTO t VALUES (6, 'no'); ROLLBACK TO s; COMMIT;
            UPDATE full_one SET v = 'z' WHERE id = 2; DELETE FROM full_one WHERE id = 1; UPDATE full_one SET id = 20 WHERE id = 2;
            UPDATE by_index SET a = 7; UPDATE by_index SET b = 2; INSERT INTO by_index VALUES (5, 9, NULL)""")
        self.sync(synced)
        self.check(synced, "t", ["id", "v"])
        self.check(synced, "full_one", ["id", "v"])
        self.check(synced, "by_index", ["a", "b", "v"])

    def test_large_values_that_did_not_change(self):
        """The server leaves them out: an update record does, too (R-SRC-02); a new key brings them along."""
        big = "(SELECT string_agg(md5(g::text || '%s'), '') FROM generate_series(1, 400) g)"
        cluster.psql(f"""CREATE TABLE t (id int PRIMARY KEY, n int, big text, list text[]);
            INSERT INTO t VALUES (1, 1, {big % 'a'}, ARRAY[{big % 'l'}]), (2, 1, {big % 'b'}, NULL), (3, 1, {big % 'c'}, NULL);
            CREATE TABLE f (id int PRIMARY KEY, n int, big text); ALTER TABLE f REPLICA IDENTITY FULL; INSERT INTO f VALUES (1, 1, {big % 'f'}), (2, 1, {big % 'g'});
            CREATE TABLE k (id text PRIMARY KEY, n int); ALTER TABLE k ALTER id SET STORAGE EXTERNAL; INSERT INTO k VALUES (left({big % 'k'}, 2500), 1)""")
        synced = kit.Synced(keys(t=["id"], f=["id"], k=["id"]))
        self.sync(synced)
        cluster.psql(f"""UPDATE t SET n = 2 WHERE id = 1; UPDATE t SET id = 20 WHERE id = 2; UPDATE t SET id = 30, n = 5 WHERE id = 3; UPDATE t SET id = 31 WHERE id = 30;
            INSERT INTO t VALUES (4, 1, {big % 'd'}, NULL); UPDATE t SET n = 2 WHERE id = 4; UPDATE t SET big = NULL WHERE id = 4;
            UPDATE f SET n = 2 WHERE id = 1; UPDATE f SET id = 20 WHERE id = 2; UPDATE k SET n = 2""")
        self.sync(synced)
        self.check(synced, "t", ["id", "n", "big"])
        self.check(synced, "f", ["id", "n", "big"])
        self.check(synced, "k", ["id", "n"])
        self.assertEqual(json.loads(synced.tables[("public", "t")][(("int", 1),)]["list"][1]), [cluster.rows("SELECT list[1] FROM t WHERE id = 1")[0][0]])

    def test_tables_without_a_key(self):
        """They are read again at every sync; so are unpublished ones, with the statement that mends it."""
        cluster.psql("""DROP PUBLICATION weir; CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE nokey (a int, b text); CREATE TABLE out (id int PRIMARY KEY);
            CREATE PUBLICATION weir FOR TABLE t, nokey; INSERT INTO nokey VALUES (1, 'x'), (2, NULL), (3, 'y'); INSERT INTO out VALUES (1)""")
        synced = kit.Synced(keys(t=["id"], out=["id"]))
        self.sync(synced)
        self.assertIn('ALTER PUBLICATION "weir" ADD TABLE "public"."out"', " ".join(synced.warnings))
        cluster.psql("INSERT INTO nokey VALUES (4, 'z'); INSERT INTO out VALUES (2); INSERT INTO t VALUES (7)")
        self.sync(synced)
        self.check(synced, "nokey", ["a", "b"])
        self.check(synced, "out", ["id"])
        self.check(synced, "t", ["id"])

    def test_truncate(self):
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2); CREATE TABLE u (id int PRIMARY KEY, t int REFERENCES t); INSERT INTO u VALUES (1, 1)")
        synced = kit.Synced(keys(t=["id"], u=["id"]))
        self.sync(synced)
        cluster.psql("TRUNCATE t CASCADE; INSERT INTO t VALUES (3)")
        self.sync(synced)
        self.check(synced, "t", ["id"])
        self.check(synced, "u", ["id"])
        cluster.psql("INSERT INTO t VALUES (4); TRUNCATE t CASCADE; INSERT INTO t VALUES (5)")
        self.sync(synced)  # R-SRC-09: rows were sent before it, so the table starts over with the next sync
        self.sync(synced)
        self.check(synced, "t", ["id"])
        self.assertEqual(self.sync(synced), 0)

    def test_schema_changes(self):
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY, v text, n int); INSERT INTO t SELECT g, 'v' || g, g FROM generate_series(1, 50) g")
        synced = kit.Synced(keys(t=["id"], u=["id"]))
        self.sync(synced)
        for change, columns, rows in (
                ("INSERT INTO t VALUES (60, 'old', 1); ALTER TABLE t ADD w text; INSERT INTO t VALUES (61, 'new', 1, 'w')", ["id", "v", "n", "w"], 2),
                ("ALTER TABLE t ADD d int DEFAULT 5; INSERT INTO t VALUES (62, 'd', 2, 'w'); UPDATE t SET w = 'kept' WHERE id = 3", ["id", "v", "n", "w", "d"], None),
                ("UPDATE t SET v = 'x' WHERE id = 3; ALTER TABLE t RENAME w TO x; UPDATE t SET n = 9 WHERE id = 4", ["id", "v", "n", "x", "d"], None),
                ("INSERT INTO t VALUES (63, 'q', 7, NULL, 1); ALTER TABLE t DROP n; INSERT INTO t VALUES (64, 'r', NULL, 2)", ["id", "v", "x", "d"], 2),
                ("UPDATE t SET v = 'y' WHERE id = 3; ALTER TABLE t ALTER d TYPE bigint; UPDATE t SET d = 5000000000 WHERE id = 4", ["id", "v", "x", "d"], None),
                ("CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1); DELETE FROM t WHERE id = 5", ["id", "v"], 2),
                ("DROP TABLE u; CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (2)", ["id"], 1),
                ("VACUUM FULL t", ["id", "v"], 0)):
            with self.subTest(change):
                cluster.psql(change)
                sent = self.sync(synced)
                if rows is not None:
                    self.assertEqual(sent, rows)
                self.check(synced, "t", columns if "TABLE u" not in change else ["id", "v"])
                if "TABLE u" in change:
                    self.check(synced, "u", ["id"])

    def test_partitions(self):
        cluster.psql("""CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
            CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100); CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (100) TO (200); INSERT INTO t VALUES (1, 'a'), (150, 'b')""")
        synced = kit.Synced(keys(t=["id"]))
        self.sync(synced)
        cluster.psql("""UPDATE t SET id = 151 WHERE id = 1; DELETE FROM t2 WHERE id = 150; CREATE TABLE t3 PARTITION OF t FOR VALUES FROM (200) TO (300);
            INSERT INTO t VALUES (250, 'c'), (5, 'd')""")
        self.assertEqual(self.sync(synced), 5)
        self.check(synced, "t", ["id", "v"])

    def test_selection(self):
        """R-SRC-05: columns that were not chosen are not sent; chosen later, the table is read again."""
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY, a text, b text); INSERT INTO t VALUES (1, 'a', 'b')")
        chosen = lambda b: {"with_schema": {"schemas": [{"included": True, "schema_name": "public", "tables": [
            {"included": True, "table_name": "t", "columns": {"a": True, "b": b}}]}]}}
        synced = kit.Synced(keys(t=["id"]))
        self.sync(synced, chosen(False))
        cluster.psql("INSERT INTO t VALUES (2, 'c', 'd')")
        self.assertEqual(self.sync(synced, chosen(False)), 1)
        self.assertEqual({c for row in synced.tables[("public", "t")].values() for c in row}, {"id", "a"})
        self.sync(synced, chosen(True))
        self.check(synced, "t", ["id", "a", "b"])

    def test_from_cursor_to_capture_and_back(self):
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b')")
        synced = kit.Synced(keys(t=["id"]))
        for mode in ("cursor", "capture", "cursor"):
            with source() as connector:
                self.assertTrue(synced.take(connector.update({**self.config(), "mode": mode}, synced.state)))
            self.check(synced, "t", ["id", "v"])
            cluster.psql("DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (3, 'c') ON CONFLICT DO NOTHING")


class Resumed(Base):
    def churn(self, rng, low, high):
        """A few transactions of random changes."""
        for _ in range(rng.randrange(1, 4)):
            body = []
            for _ in range(rng.randrange(1, 8)):
                at = rng.randrange(low, high)
                body.append(rng.choice((
                    f"INSERT INTO t SELECT g, {rng.randrange(1000)}, repeat('n', 50) FROM generate_series({at}, {at} + {rng.randrange(30)}) g ON CONFLICT (id) DO UPDATE SET n = t.n + 1",
                    f"UPDATE t SET n = n + 1 WHERE id BETWEEN {at} AND {at} + {rng.randrange(40)}",
                    f"UPDATE t SET v = md5(id::text || {at}) WHERE id = {at}",
                    f"DELETE FROM t WHERE id BETWEEN {at} AND {at} + {rng.randrange(10)}",
                    f"UPDATE t SET id = id + 1000000 WHERE id = {at} AND NOT EXISTS (SELECT FROM t WHERE id = {at} + 1000000)",
                    f"DELETE FROM t WHERE id > 1000000 AND id % 7 = {at % 7}")))
            cluster.psql("BEGIN; " + "; ".join(body) + rng.choice(("; COMMIT", "; COMMIT", "; ROLLBACK")))

    def test_killed_at_random(self):
        """R-SRC-01, R-SRC-04: the source is killed at random checkpoints, in snapshots and streams, while rows change."""
        for seed in (1, 2):
            with self.subTest(seed=seed):
                self.setUp()
                rng = random.Random(seed)
                cluster.psql("""CREATE TABLE t (id int PRIMARY KEY, n int, v text) WITH (fillfactor = 70);
                    INSERT INTO t SELECT g, 0, repeat('x', 200) || g FROM generate_series(1, 4000) g;
                    CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other SELECT generate_series(1, 2000); ANALYZE""")
                synced = kit.Synced(keys(t=["id"], other=["id"]))
                for _ in range(8):
                    connector = kit.Connector(f"{BIN}/source-postgresql", MESSAGES)
                    stream = connector.update(self.config(rows_per_range="400"), synced.state)
                    synced.take(stream, stop_after_checkpoints=len(synced.states) + rng.randint(1, 6))
                    connector.kill()
                    self.churn(rng, 1, 5000)
                self.sync(synced)
                self.check(synced, "t", ["id", "n", "v"])
                self.check(synced, "other", ["id"])

    def test_changes_during_the_snapshot(self):
        """Every change is in the snapshot or in the stream, whichever table is read when."""
        cluster.psql("""CREATE TABLE a (id int PRIMARY KEY, n int); CREATE TABLE t (id int PRIMARY KEY, n int, v text); CREATE TABLE z (id int PRIMARY KEY, n int);
            INSERT INTO a SELECT g, 0 FROM generate_series(1, 3000) g; INSERT INTO t SELECT g, 0, 'v' FROM generate_series(1, 3000) g; INSERT INTO z SELECT g, 0 FROM generate_series(1, 3000) g""")
        script = "".join(f"BEGIN; UPDATE a SET n = n + 1 WHERE id = {i}; UPDATE t SET n = n + 1 WHERE id = {i}; UPDATE z SET n = n + 1 WHERE id = {i};"
                         f"INSERT INTO t VALUES ({5000 + i}, 0, 'new'); DELETE FROM a WHERE id = {2000 + i}; COMMIT;\n" for i in range(1, 900))
        writer = subprocess.Popen(["psql", "-X", "-q"], stdin=subprocess.PIPE, text=True, env={**os.environ, **cluster.env})
        writer.stdin.write("INSERT INTO t VALUES (4000, 0, 'first');" + script)
        writer.stdin.close()
        synced = kit.Synced(keys(a=["id"], t=["id"], z=["id"]))
        for _ in range(3):
            self.sync(synced, rows_per_range="300")
        self.assertEqual(writer.wait(), 0)
        self.sync(synced)
        for table in ("a", "t", "z"):
            self.check(synced, table, ["id", "n"])

    def test_large_transaction(self):
        """It goes out as it comes: memory stays where it was, and a kill in its middle sends it again."""
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY, v text)")
        synced = kit.Synced(keys(t=["id"]))
        self.sync(synced)
        cluster.psql("INSERT INTO t SELECT g, repeat(md5(g::text), 20) FROM generate_series(1, 60000) g; UPDATE t SET v = 'last' WHERE id = 60000")
        connector = kit.Connector(f"{BIN}/source-postgresql", MESSAGES)
        stream = connector.update(self.config(), synced.state)
        for _ in range(200):
            next(stream)
        connector.kill()
        with source() as connector:
            self.assertTrue(synced.take(connector.update(self.config(), synced.state)))
            with open(f"/proc/{connector.process.pid}/status", encoding="ascii") as status:
                peak = int(next(line for line in status if line.startswith("VmHWM")).split()[1])
        self.assertLess(peak, 32 * 1024 if "asan" not in BIN else 1 << 30)  # kB; the transaction has 40 MB
        self.check(synced, "t", ["id", "v"])

    def test_only_what_was_stored_is_confirmed(self):
        """The slot follows the state that a request brings, never a checkpoint of the same sync."""
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        synced = kit.Synced(keys(t=["id"]))
        lsn = lambda state: json.loads(state)["/lsn"]
        confirmed = lambda at: cluster.psql(f"SELECT confirmed_flush_lsn {at} FROM pg_replication_slots").strip()
        self.sync(synced)
        first = synced.state
        # Log that brings no changes follows the row, so that the server hears of us after it.
        cluster.psql("INSERT INTO t VALUES (2); BEGIN; INSERT INTO t SELECT generate_series(1000, 60000); ROLLBACK")
        self.sync(synced)
        self.assertEqual(confirmed(f"<= '{lsn(first)}'"), "t")
        self.assertNotEqual(lsn(first), lsn(synced.state))
        synced.state = first  # the engine lost the second sync
        self.assertEqual(self.sync(synced), 1)
        second = synced.state
        self.sync(synced)
        self.assertEqual(confirmed(f"= '{lsn(second)}'"), "t")
        self.check(synced, "t", ["id"])
        self.assertIn("read further", self.fails(first))

    def test_slot_lost(self):
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
        synced = kit.Synced(keys(t=["id"]))
        self.sync(synced)
        self.drop_slot()
        cluster.psql("DELETE FROM t WHERE id = 1")
        text = self.fails(synced.state)
        self.assertIn("is gone", text)
        self.assertIn("'again'", text)
        self.sync(synced, lost="again")
        self.check(synced, "t", ["id"])
        self.assertIn("read again", " ".join(synced.warnings))
        cluster.psql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'; SELECT pg_reload_conf()")
        self.addCleanup(cluster.psql, "ALTER SYSTEM RESET max_slot_wal_keep_size; SELECT pg_reload_conf()")
        for _ in range(6):
            cluster.psql("CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 20000); DROP TABLE filler; SELECT pg_switch_wal(); CHECKPOINT")
        self.assertEqual(cluster.psql("SELECT wal_status FROM pg_replication_slots").strip(), "lost")
        self.assertIn("max_slot_wal_keep_size", self.fails(synced.state))
        self.assertIn("max_slot_wal_keep_size", self.failure("slot"))
        cluster.psql("INSERT INTO t VALUES (9)")
        self.sync(synced, lost="again")
        self.check(synced, "t", ["id"])

    def test_slot_used_again(self):
        """A slot that a first sync made before it was killed serves the next first sync."""
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
        self.sync(kit.Synced({}))
        cluster.psql("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (3)")
        synced = kit.Synced(keys(t=["id"]))
        self.assertEqual(self.sync(synced), 2)
        self.check(synced, "t", ["id"])


class Setup(Base):
    def test_says_what_to_run(self):
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY); DROP PUBLICATION weir;"
                     "DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN PASSWORD 'Plain-901'; GRANT USAGE ON SCHEMA public TO plain; GRANT SELECT ON t TO plain")
        plain = {"user": "plain", "password": "Plain-901"}
        self.assertIn('ALTER ROLE "plain" REPLICATION;', self.failure("log", **plain))
        cluster.psql("ALTER ROLE plain REPLICATION")
        self.assertEqual(self.failure("log", **plain), "")
        self.assertIn('CREATE PUBLICATION "weir" FOR TABLE', self.failure("publication"))
        self.assertIn("CREATE PUBLICATION", self.fails())
        cluster.psql("CREATE PUBLICATION weir FOR TABLE t WITH (publish = 'insert')")
        self.assertIn("SET (publish = 'insert, update, delete, truncate')", self.failure("publication"))
        cluster.psql("ALTER PUBLICATION weir SET (publish = 'insert, update, delete, truncate')")
        self.assertEqual(self.failure("publication"), "")
        self.assertIn("small letters", self.failure("slot", slot="Not-one"))
        self.assertEqual(self.failure("slot"), "")
        cluster.psql("SELECT pg_create_logical_replication_slot('s' || g, 'pgoutput') FROM generate_series(1, 4) g")
        self.assertIn("max_replication_slots = 9", self.failure("slot"))
        cluster.psql("SELECT pg_drop_replication_slot('s1'); SELECT pg_create_physical_replication_slot('weir')")
        self.assertIn("serves something else", self.failure("slot"))
        self.assertIn("serves something else", self.fails())
        self.drop_slot()
        synced = kit.Synced(keys(t=["id"]))
        cluster.psql("INSERT INTO t VALUES (1)")
        self.sync(synced, **plain)  # needs no more than the setup guide grants
        self.check(synced, "t", ["id"])

    def test_wal_level(self):
        other = kit.Cluster("wal_level=replica")
        self.addCleanup(other.stop)
        with source() as connector:
            text = connector.call("Test", name="log", configuration=other.config(mode="capture")).failure
        self.assertIn("ALTER SYSTEM SET wal_level = 'logical';", text)
