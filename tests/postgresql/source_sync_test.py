"""source-postgresql: snapshots that are killed and resumed, cursors, selection, permissions, bad settings."""
import contextlib
import json
import random
import unittest

import grpc

import kit

BIN = MESSAGES = None


def setUpModule():
    global cluster
    cluster = kit.Cluster()


def tearDownModule():
    cluster.stop()


def source():
    return kit.running(f"{BIN}/source-postgresql", MESSAGES)


class Base(unittest.TestCase):
    def setUp(self):
        cluster.psql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    def keys(self, **tables):
        return {("public", table): columns for table, columns in tables.items()}

    def sync(self, synced, **settings):
        """One undisturbed sync from the last state."""
        with source() as connector:
            self.assertTrue(synced.take(connector.update(cluster.config(**settings), state=synced.state)))
        self.assertIsNone(synced.task)

    def progress(self, synced):
        return json.loads(synced.state)["tables"]["public.t"]["progress"]

    def check(self, synced, table, columns):
        """The synced rows are those of the table, by value: integers and text are compared as they are."""
        expected = sorted(cluster.rows(f"SELECT {', '.join(columns)} FROM {table}"), key=repr)
        got = sorted((tuple(None if row.get(c) is None else str(row[c][1]) for c in columns)
                      for row in synced.tables.get(("public", table), {}).values()), key=repr)
        self.assertEqual(len(got), len(expected))
        self.assertEqual(got, expected)


class Snapshot(Base):
    def killed_and_resumed(self, seed, between, tables, **settings):
        """Kills the source at a random checkpoint, changes rows, and resumes; until a sync gets through."""
        rng = random.Random(seed)
        synced = kit.Synced(tables)
        kills = 0
        while kills < 4:
            connector = kit.Connector(f"{BIN}/source-postgresql", MESSAGES)
            try:
                before = len(synced.states)
                done = synced.take(connector.update(cluster.config(rows_per_range="500", **settings), synced.state),
                                   stop_after_checkpoints=before + rng.randint(1, 4))
                connector.kill()
                if done:
                    break
            except grpc.RpcError as error:
                self.fail(error)
            kills += 1
            between(rng)
        self.assertGreaterEqual(kills, 3, f"seed {seed}: the snapshot was too short to be killed")
        self.sync(synced, rows_per_range="500", **settings)
        return synced

    def test_killed_with_key(self):
        """R-SRC-11, R-SRC-01: every row is there, also those that an update moved to pages already read."""
        for seed in (1, 2, 3):
            self.setUp()
            cluster.psql("""CREATE TABLE t (id int PRIMARY KEY, v text) WITH (fillfactor = 60);
                INSERT INTO t SELECT g, repeat('x', 100) || g FROM generate_series(1, 8000) g;
                CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1), (2); ANALYZE""")

            def between(rng):
                # Moved rows: updated twice with a vacuum between, so that early pages have room for late rows.
                low = rng.randint(1, 7000)
                cluster.psql(f"DELETE FROM t WHERE id BETWEEN {low % 500 + 1} AND {low % 500 + 20};")
                cluster.psql("VACUUM t")
                cluster.psql(f"UPDATE t SET v = v || '!{low}' WHERE id BETWEEN {low} AND {low + 900};"
                             f"INSERT INTO t VALUES ({rng.randint(10000, 10 ** 8)}, 'new')")

            synced = self.killed_and_resumed(seed, between, self.keys(t=["id"], other=["id"]), read_again="false")
            gone = set(synced.tables[("public", "t")]) - {(("int", int(r[0])),) for r in cluster.rows("SELECT id FROM t")}
            for key in gone:  # deletions are seen by reading again only: README, limits
                del synced.tables[("public", "t")][key]
            self.check(synced, "t", ["id", "v"])
            self.check(synced, "other", ["id"])

    def test_killed_without_key(self):
        cluster.psql("CREATE TABLE t (a int, b text); INSERT INTO t SELECT g, 'row ' || g FROM generate_series(1, 20000) g;"
                     "ANALYZE")
        synced = self.killed_and_resumed(5, lambda rng: cluster.psql("INSERT INTO t VALUES (99999, 'late')")
                                         if rng.random() < 0.1 else None, self.keys(), read_again="false")
        self.check(synced, "t", ["a", "b"])

    def test_rewritten_between(self):
        """VACUUM FULL moves rows without a trace: the table starts over, with a truncate first (R-SRC-09)."""
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY, v text);"
                     "INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 20000) g; ANALYZE")

        def between(_rng):
            cluster.psql("DELETE FROM t WHERE id % 7 = 3")
            cluster.psql("VACUUM FULL t")

        synced = self.killed_and_resumed(7, between, self.keys(t=["id"]))
        self.check(synced, "t", ["id", "v"])

    def test_partitions_and_inheritance(self):
        cluster.psql("""CREATE TABLE t (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
            CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (5000);
            CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (5000) TO (100000) PARTITION BY RANGE (id);
            CREATE TABLE t21 PARTITION OF t2 FOR VALUES FROM (5000) TO (9000);
            CREATE TABLE t22 PARTITION OF t2 DEFAULT;
            INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 15000) g;
            CREATE TABLE empty_one (id int PRIMARY KEY) PARTITION BY RANGE (id);
            CREATE TABLE mother (id int PRIMARY KEY); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (mother);
            INSERT INTO mother VALUES (1); INSERT INTO child VALUES (2);
            CREATE MATERIALIZED VIEW seen AS SELECT id, v FROM t WHERE id < 10; CREATE VIEW plain AS SELECT 1 AS one; ANALYZE""")
        synced = self.killed_and_resumed(11, lambda _: None, self.keys(t=["id"], mother=["id"], child=["id"]),
                                         read_again="false")
        self.check(synced, "t", ["id", "v"])
        self.assertEqual(len(synced.tables[("public", "mother")]), 1)
        self.assertEqual(len(synced.tables[("public", "child")]), 1)
        self.check(synced, "seen", ["id", "v"])
        for name in ("t21", "plain"):
            self.assertNotIn(("public", name), synced.tables)

    def test_read_again(self):
        """A table without a cursor is read at every sync; the truncate before it makes deletions visible."""
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)")
        synced = kit.Synced(self.keys(t=["id"]))
        self.sync(synced)
        cluster.psql("DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (4)")
        self.sync(synced)
        self.check(synced, "t", ["id"])
        cluster.psql("INSERT INTO t VALUES (5)")
        rows = synced.rows
        self.sync(synced, read_again="false")
        self.assertEqual(synced.rows, rows)

    def test_new_column_reads_again(self):
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)")
        synced = kit.Synced(self.keys(t=["id"]))
        self.sync(synced, read_again="false")
        cluster.psql("ALTER TABLE t ADD v text DEFAULT 'x'")
        self.sync(synced, read_again="false")
        self.check(synced, "t", ["id", "v"])

    def test_names(self):
        cluster.psql('''CREATE SCHEMA "Odd ""one"".x"; CREATE TABLE "Odd ""one"".x"."select" ("a""b" int PRIMARY KEY,
            "drop; --" text, "é" int); INSERT INTO "Odd ""one"".x"."select" VALUES (1, 'v', 2)''')
        synced = kit.Synced({('Odd "one".x', "select"): ['a"b']})
        self.sync(synced)
        self.assertEqual(list(synced.tables[('Odd "one".x', "select")].values()),
                         [{'a"b': ("int", 1), "drop; --": ("string", "v"), "é": ("int", 2)}])
        cluster.psql('DROP SCHEMA "Odd ""one"".x" CASCADE')


class Cursor(Base):
    def test_ids(self):
        cluster.psql("CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t SELECT g, 'a' FROM generate_series(1, 5000) g")
        synced = kit.Synced(self.keys(t=["id"]))
        settings = {"cursor_columns": "public.t=id", "overlap_values": "10"}
        self.sync(synced, **settings)
        self.assertEqual(synced.rows, 5000)
        cluster.psql("INSERT INTO t SELECT g, 'b' FROM generate_series(5001, 9000) g")
        self.sync(synced, rows_per_range="500", **settings)
        self.check(synced, "t", ["id", "v"])
        self.assertEqual(synced.rows, 9000 + 11)  # the boundary row and ten below it again

    def test_ties_and_nulls(self):
        """Rows that share the last value are never lost, nor are those without one."""
        cluster.psql("""CREATE TABLE t (id int PRIMARY KEY, at timestamptz, v text);
            INSERT INTO t SELECT g, '2024-01-01 00:00:00+00', 'a' FROM generate_series(1, 50) g;
            INSERT INTO t VALUES (100, NULL, 'n')""")
        settings = {"cursor_default": "changed, at", "overlap_seconds": "0"}
        synced = kit.Synced(self.keys(t=["id"]))
        self.sync(synced, **settings)
        cluster.psql("""INSERT INTO t SELECT g, '2024-01-01 00:00:00+00', 'tie' FROM generate_series(51, 60) g;
            INSERT INTO t VALUES (101, NULL, 'n2'); UPDATE t SET v = 'changed' WHERE id = 100;
            INSERT INTO t VALUES (102, '2024-01-01 00:00:00.000001+00', 'next')""")
        self.sync(synced, **settings)
        self.check(synced, "t", ["id", "v"])
        rows = synced.rows
        self.sync(synced, **settings)
        self.assertEqual(synced.rows - rows, 3)  # the boundary, and the two without a value
        self.check(synced, "t", ["id", "v"])

    def test_future_and_infinity(self):
        """A time that has not come yet does not swallow what comes before it."""
        cluster.psql("""CREATE TABLE t (id int PRIMARY KEY, at timestamp NOT NULL);
            INSERT INTO t VALUES (1, '2020-01-01'), (2, 'infinity'), (3, '9999-01-01'), (4, '-infinity')""")
        synced = kit.Synced(self.keys(t=["id"]))
        settings = {"cursor_default": "at"}
        self.sync(synced, **settings)
        cluster.psql("INSERT INTO t VALUES (5, '2020-01-02'), (6, '2024-05-05')")
        self.sync(synced, **settings)
        self.check(synced, "t", ["id"])
        self.assertIn("2024-05-05", self.progress(synced))

    def test_late_commit(self):
        """A transaction that took its time earlier than others, and commits after a sync, is not lost."""
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())")
        synced = kit.Synced(self.keys(t=["id"]))
        settings = {"cursor_default": "at", "overlap_seconds": "0"}
        import os
        import subprocess
        slow = subprocess.Popen(["psql", "-X", "-q"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                env={**os.environ, **cluster.env})
        slow.stdin.write("BEGIN; INSERT INTO t VALUES (1);\n\\echo begun\n")
        slow.stdin.flush()
        self.assertEqual(slow.stdout.readline(), "begun\n")
        cluster.psql("INSERT INTO t VALUES (2)")
        self.sync(synced, **settings)
        slow.stdin.write("COMMIT;\n")
        slow.stdin.close()
        self.assertEqual(slow.wait(), 0)
        slow.stdout.close()
        self.sync(synced, **settings)
        self.check(synced, "t", ["id"])

    def test_every_kind_of_cursor(self):
        kinds = {"smallint": ["1", "2", "3"], "integer": ["-5", "0", "7"], "numeric": ["1.5", "'NaN'", "2.25"],
                 "numeric(10,2)": ["1.50", "'NaN'", "2.25"], "date": ["'2020-01-01'", "'infinity'", "'2020-01-02'"],
                 "uuid": ["'00000000-0000-0000-0000-000000000001'", "'10000000-0000-0000-0000-000000000001'",
                          "'20000000-0000-0000-0000-000000000001'"], "text": ["'a''b'", "'b'", "'c \\ é'"]}
        for kind, values in kinds.items():
            with self.subTest(kind):
                self.setUp()
                cluster.psql(f"CREATE TABLE t (id int PRIMARY KEY, c {kind}); INSERT INTO t VALUES (1, {values[0]}), (2, {values[1]})")
                synced = kit.Synced(self.keys(t=["id"]))
                self.sync(synced, cursor_columns="t = c")
                cluster.psql(f"INSERT INTO t VALUES (3, {values[2]})")
                self.sync(synced, cursor_columns="t = c")
                self.check(synced, "t", ["id"])

    def test_partitioned(self):
        cluster.psql("""CREATE TABLE t (id int PRIMARY KEY, at int) PARTITION BY HASH (id);
            CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);
            CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1);
            INSERT INTO t SELECT g, g FROM generate_series(1, 100) g""")
        synced = kit.Synced(self.keys(t=["id"]))
        self.sync(synced, cursor_default="at")
        cluster.psql("UPDATE t SET at = at + 1000 WHERE id < 20")
        self.sync(synced, cursor_default="at")
        self.check(synced, "t", ["id", "at"])


class Settings(Base):
    def failure(self, name, **settings):
        with source() as connector:
            return connector.call("Test", name=name, configuration=cluster.config(**settings)).failure

    def fails(self, **settings):
        """The text of an Update that ends badly, be it a task or an error."""
        synced = kit.Synced({})
        with source() as connector:
            try:
                synced.take(connector.update(cluster.config(**settings)))
            except grpc.RpcError as error:
                return error.details()
        return synced.task

    def test_selection(self):
        """R-SRC-05: only what was chosen is read, and the key."""
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY, a text, b text); INSERT INTO t VALUES (1, 'a', 'b');"
                     "CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1)")
        synced = kit.Synced(self.keys(t=["id"]))
        selection = {"with_schema": {"schemas": [{"included": True, "schema_name": "public", "tables": [
            {"included": True, "table_name": "t", "columns": {"id": False, "a": True, "b": False}}]}]}}
        with source() as connector:
            synced.take(connector.update(cluster.config(), selection=selection))
        self.assertEqual(synced.tables, {("public", "t"): {(("int", 1),): {"id": ("int", 1), "a": ("string", "a")}}})

    def test_cursor_that_is_not_chosen(self):
        """It is read for the position, but not sent."""
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY, a text, at int); INSERT INTO t VALUES (1, 'a', 5)")
        synced = kit.Synced(self.keys(t=["id"]))
        selection = {"with_schema": {"schemas": [{"included": True, "schema_name": "public", "tables": [
            {"included": True, "table_name": "t", "columns": {"a": True, "at": False}}]}]}}
        for _ in range(2):
            with source() as connector:
                synced.take(connector.update(cluster.config(cursor_default="at"), synced.state, selection))
        self.assertEqual(synced.tables, {("public", "t"): {(("int", 1),): {"id": ("int", 1), "a": ("string", "a")}}})
        self.assertIn("at=5", self.progress(synced))

    def test_permissions(self):
        cluster.psql("""DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD 'Read-2207';
            CREATE SCHEMA shut; CREATE TABLE shut.t (id int); CREATE TABLE open (id int); CREATE TABLE closed (id int);
            GRANT USAGE ON SCHEMA public TO reader; GRANT SELECT ON open TO reader; INSERT INTO open VALUES (1)""")
        reader = {"user": "reader", "password": "Read-2207"}
        text = self.failure("permissions", **reader)
        self.assertIn('GRANT USAGE ON SCHEMA "shut" TO "reader"; GRANT SELECT ON ALL TABLES IN SCHEMA "shut" TO "reader";', text)
        self.assertEqual(self.failure("permissions", schemas="public", **reader), "")
        synced = kit.Synced({})
        with source() as connector:
            synced.take(connector.update(cluster.config(schemas="public", **reader)))
        self.assertEqual(list(synced.tables), [("public", "open")])
        self.assertIn("closed", " ".join(synced.warnings))
        self.assertIn("GRANT SELECT", " ".join(synced.warnings))
        cluster.psql("DROP SCHEMA shut CASCADE")

    def test_row_security_is_no_silent_filter(self):
        cluster.psql("""DROP ROLE IF EXISTS walled; CREATE ROLE walled LOGIN PASSWORD 'Wall-7315'; GRANT USAGE ON SCHEMA public TO walled;
            CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
            CREATE POLICY p ON t USING (id = 1); GRANT SELECT ON t TO walled""")
        self.assertIn("row-level security", self.fails(user="walled", password="Wall-7315"))

    def test_bad_settings(self):
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY, j json)")
        self.assertIn("no schema nope", self.failure("permissions", schemas="public, nope"))
        self.assertIn("no table 'nope'", self.failure("cursors", cursor_columns="nope=id"))
        self.assertIn("no column 'x'", self.failure("cursors", cursor_columns="t=x"))
        self.assertIn("cannot be a cursor", self.failure("cursors", cursor_columns="t=j"))
        self.assertIn("table=column", self.failure("cursors", cursor_columns="t"))
        self.assertIn("no column 'x'", self.fails(cursor_columns="t=x"))
        self.assertIn("password", self.fails(password="wrong"))
        self.assertIn("nosuch", self.fails(database="nosuch"))
        self.assertIn("port", self.fails(port="70000"))
        text = self.fails(host="127.0.0.1", port="1")
        self.assertIn("127.0.0.1", text)
        self.assertIn("refused", text)

    def test_socket_and_name(self):
        """The static binary connects by name, by address and through a Unix socket, each with SCRAM."""
        for host in ("localhost", "127.0.0.1", cluster.env["PGSOCKET"]):
            with self.subTest(host):
                self.assertEqual(self.failure("connect", host=host), "")

    def test_state_of_another_make(self):
        """R-SRC-01: what does not parse counts as a fresh start."""
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        for state in ("", "{}", '{"\\"public\\".\\"t\\"": "done columns=zz"}', '{"\\"public\\".\\"t\\"": 7}',
                      '{"tables": {"public.t": {"progress": "done columns=zz"}}}', '{"tables": {"public.t": {"progress": 7}}}'):
            synced = kit.Synced(self.keys(t=["id"]))
            synced.state = state
            self.sync(synced)
            self.check(synced, "t", ["id"])

    def test_state_of_an_earlier_version(self):
        """Lines under the tables' quoted paths are taken over: the sync goes on from there."""
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000);"
                     'CREATE TABLE "a.b" ("I" int PRIMARY KEY); INSERT INTO "a.b" VALUES (1)')
        synced = kit.Synced(self.keys(t=["id"]))
        self.sync(synced, cursor_columns="t=id", overlap_values="0", read_again="false")
        state = json.loads(synced.state)
        tables = state.pop("tables")
        self.assertEqual(set(tables), {"public.t", "public.a\\.b"})
        synced.state = json.dumps({**state, '"public"."t"': tables["public.t"]["progress"],
                                   '"public"."a.b"': tables["public.a\\.b"]["progress"]})
        rows = synced.rows
        cluster.psql("INSERT INTO t VALUES (1001)")
        self.sync(synced, cursor_columns="t=id", overlap_values="0", read_again="false")
        self.assertEqual(synced.rows - rows, 2)  # the last one of before, and the new one
        self.check(synced, "t", ["id"])
        self.assertEqual(set(json.loads(synced.state)), {*state, "tables"})

    def test_server_goes_away(self):
        """A lost connection is an error that says so, and the state stays where it was."""
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY, v text);"
                     "INSERT INTO t SELECT g, repeat('x', 500) FROM generate_series(1, 100000) g; ANALYZE")
        synced = kit.Synced(self.keys(t=["id"]))
        with source() as connector:
            stream = connector.update(cluster.config(rows_per_range="1000"))
            synced.take(stream, stop_after_checkpoints=1)
            cluster.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'weir source'")
            with self.assertRaises(grpc.RpcError) as raised:
                synced.take(stream)
        self.assertIn("public.t", raised.exception.details())
        self.sync(synced)
        self.check(synced, "t", ["id"])

    def test_cancel_reaches_the_server(self):
        """A cancelled sync leaves no statement running."""
        cluster.psql("CREATE TABLE t (id int PRIMARY KEY, v text);"
                     "INSERT INTO t SELECT g, repeat('x', 500) FROM generate_series(1, 100000) g")
        with source() as connector:
            stream = connector.update(cluster.config())
            next(stream)
            stream.cancel()
            with contextlib.suppress(grpc.RpcError):
                for _ in stream:
                    pass
            for _ in range(200):
                left = cluster.rows("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'weir source'")
                if left == [("0",)]:
                    break
                cluster.psql("SELECT pg_sleep(0.05)")
            self.assertEqual(left, [("0",)])
