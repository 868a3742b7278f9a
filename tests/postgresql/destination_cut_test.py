"""destination-postgresql: cut off from the server, or killed, between any two statements of a request.

Every scenario runs once undisturbed through a proxy that counts its statements. Then, from the same tables, once per statement:
the connection is lost there, which the request must survive by itself; the connector is killed there, and the request is sent
again. Both must end in the tables of the undisturbed run, with no other relation left (R-DST-03, R-DST-06, R-MIG-01).
CUT_EVERY in the environment is the stride through the statements (1: all of them).
"""
import itertools
import os
import pathlib
import subprocess
import sys
import unittest

import destination_test as base
import grpc
import kit
from batch import KEEP, Batch

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "destinations"))
from proxy import PostgresWire, Proxy  # noqa: E402

BIN = MESSAGES = None
EVERY = int(os.environ.get("CUT_EVERY", "4"))

KEYED = [("id", "LONG", True), ("v", "STRING"), ("n", "SHORT"), ("_fivetran_synced", "UTC_DATETIME"), ("_fivetran_deleted", "BOOLEAN")]
SYNCED = "2024-01-01T00:00:00.{:03}Z"
LAST = "9999-12-31T23:59:59.999Z"
HISTORY = [("id", "LONG", True), ("_fivetran_start", "UTC_DATETIME", True), ("v", "STRING"), ("n", "LONG"),
           ("_fivetran_end", "UTC_DATETIME"), ("_fivetran_active", "BOOLEAN"), ("_fivetran_synced", "UTC_DATETIME")]

DUMP = r"""
SELECT c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum), a.attnotnull,
    a.attnum = ANY (k.conkey) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
    WHERE c.relnamespace = 's'::regnamespace AND c.relkind <> 'i' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 3;
SELECT 'column', attname FROM pg_attribute WHERE attrelid IN (SELECT oid FROM pg_class WHERE relname LIKE '\_weir%');
SELECT format('SELECT %L, t.* FROM s.%I t ORDER BY t::text', relname, relname) FROM pg_class
    WHERE relnamespace = 's'::regnamespace AND relkind = 'r' ORDER BY relname \gexec
"""


def setUpModule():
    global cluster, proxy
    cluster = kit.Cluster("fsync=off", "log_min_messages=fatal")
    proxy = Proxy(cluster.env["PGPORT"], PostgresWire)


def tearDownModule():
    proxy.stop()
    cluster.stop()


class Cut(unittest.TestCase):
    def start(self):
        return kit.Connector(f"{BIN}/destination-postgresql", MESSAGES)

    def setUp(self):
        cluster.psql("DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s")
        self.config = cluster.config(port=str(proxy.port))
        self.connector = self.start()
        self.addCleanup(lambda: self.connector.stop())

    def call(self, method, **fields):
        reply = self.connector.call(method, configuration=self.config, **fields)
        self.assertEqual(reply.WhichOneof("response"), "success", reply)

    def batch(self, wanted):
        batch = Batch(self.connector, self.config, "s", wanted)
        batch.finished = batch.send

        def send():
            batch.connector = self.connector
            reply = batch.finished()
            self.assertEqual(reply.WhichOneof("response"), "success", reply)
        batch.send = send
        return batch

    def keyed(self, count=60):
        wanted = base.table("t", *KEYED)
        self.call("CreateTable", schema_name="s", table=wanted)
        self.batch(wanted).add("replace", [c[0] for c in KEYED], [
            {"id": str(i), "v": f"{i}", "n": str(i), "_fivetran_synced": SYNCED.format(i), "_fivetran_deleted": str(i % 5 == 0).lower()}
            for i in range(count)]).send()
        return wanted

    def disturb(self, request, again=None):
        """`request` undisturbed, then cut and killed at every statement; `again` sends it once more."""
        again = again or request
        before = subprocess.run(["pg_dump", "--schema=s"], env={**os.environ, **cluster.env}, check=True, capture_output=True,
                                text=True).stdout
        reset = "DROP SCHEMA s CASCADE;" + before
        self.connector.stop()
        self.connector = self.start()
        proxy.plan(None)
        request()
        count, wanted = proxy.count, cluster.psql(DUMP)
        self.assertGreater(count, 3)
        for kill, at in itertools.product((False, True), [*range(1, count + 1, EVERY), count]):
            for after in (False, True) if at == count else (False,):
                with self.subTest(kill=kill, at=at, after=after, of=count):
                    cluster.psql(reset)
                    self.connector.stop()
                    self.connector = self.start()
                    proxy.plan(at, after, self.connector.process.kill if kill else None)
                    if kill:
                        with self.assertRaises(grpc.RpcError):
                            request()
                        self.connector.stop()
                        self.connector = self.start()
                        again()
                    else:
                        request()
                    self.assertTrue(proxy.struck)
                    self.assertEqual(cluster.psql(DUMP), wanted)

    def test_create(self):
        wanted = base.table("t", *KEYED)

        def again():
            reply = self.connector.call("DescribeTable", configuration=self.config, schema_name="s", table_name="t")
            if reply.WhichOneof("response") == "not_found":  # R-ENG-11: creating is not idempotent, so the engine looks first
                self.call("CreateTable", schema_name="s", table=wanted)
        self.disturb(lambda: self.call("CreateTable", schema_name="s", table=wanted), again)

    def test_alter(self):
        """Columns added, dropped and widened, another key."""
        self.keyed()
        wanted = base.table("t", ("v", "STRING", True), ("id", "STRING", True), ("n", "LONG"), ("more", "DECIMAL(10,2)"),
                            ("_fivetran_synced", "UTC_DATETIME"))
        self.disturb(lambda: self.call("AlterTable", schema_name="s", table=wanted, drop_columns=True))

    def test_write(self):
        wanted = self.keyed()
        names = [c[0] for c in KEYED]
        row = {"v": "new", "n": None, "_fivetran_synced": SYNCED.format(999), "_fivetran_deleted": "false"}
        rows = [{"id": str(i), **row} for i in (1000, 1001, 3, 4, 1000)]
        updates = [{"id": "7", **row, "v": KEEP}, {"id": "7", **row, "n": KEEP, "v": "later"}, {"id": "8", **row}]
        batch = self.batch(wanted).add("replace", names, rows).add("update", names, updates).add("delete", ["id"], [{"id": "9"}])
        self.disturb(batch.send)

    def test_first_load(self):
        """A table without a key only grows, so rows would be there twice if an outcome were guessed."""
        wanted = base.table("t", ("a", "LONG"), ("b", "STRING"))
        self.call("CreateTable", schema_name="s", table=wanted)
        batch = self.batch(wanted).add("replace", ["a", "b"], [{"a": str(i), "b": f"b{i}"} for i in range(100)])

        def again():  # a commit whose answer was lost shows
            if cluster.rows("SELECT 1 FROM s.t LIMIT 1") == []:
                batch.send()
        self.disturb(batch.send, again)

    def test_history(self):
        wanted = base.table("t", *HISTORY)
        names = [c[0] for c in HISTORY]
        self.call("CreateTable", schema_name="s", table=wanted)

        def version(number, milli, value, n, active=True, end=LAST):
            return {"id": str(number), "_fivetran_start": SYNCED.format(milli), "v": value, "n": n, "_fivetran_end": end,
                    "_fivetran_active": str(active).lower(), "_fivetran_synced": SYNCED.format(milli)}
        first = self.batch(wanted).add("earliest_start", names, [])
        first.add("replace", names, [version(i, 1, f"a{i}", str(i)) for i in range(20)]).send()
        batch = self.batch(wanted)
        batch.add("earliest_start", ["id", "_fivetran_start"], [{"id": str(i), "_fivetran_start": SYNCED.format(100)} for i in range(9)])
        batch.add("replace", names, [version(1, 100, "r", "5"), version(30, 100, "new", "6")])
        batch.add("update", names, [version(2, 100, KEEP, "7", False, SYNCED.format(199)), version(2, 200, "u", KEEP),
                                    version(3, 100, KEEP, None)])
        batch.add("delete", ["id", "_fivetran_end"], [{"id": "12", "_fivetran_end": SYNCED.format(300)}])
        self.disturb(batch.send)

    def migrate(self, **details):
        self.call("Migrate", details={"schema": "s", "table": "t", **details})

    def test_to_history_and_back(self):
        self.keyed()
        names = MESSAGES["TableSyncModeMigrationOperation"].DESCRIPTOR.fields_by_name["type"].enum_type.values_by_name
        change = lambda name: self.migrate(table_sync_mode_migration={"type": names[name].number, "soft_deleted_column": "_fivetran_deleted"})
        self.disturb(lambda: change("SOFT_DELETE_TO_HISTORY"))
        self.disturb(lambda: change("HISTORY_TO_SOFT_DELETE"))

    def test_rename(self):
        self.keyed()
        self.disturb(lambda: self.migrate(rename={"rename_table": {"from_table": "t", "to_table": "u"}}))

    def test_copy_to_history(self):
        self.keyed()
        self.disturb(lambda: self.migrate(copy={"copy_table_to_history_mode": {"from_table": "t", "to_table": "u",
                                                                              "soft_deleted_column": "_fivetran_deleted"}}))

    def test_truncate(self):
        self.keyed()
        self.disturb(lambda: self.call("Truncate", schema_name="s", table_name="t", synced_column="_fivetran_synced",
                                       utc_delete_before={"seconds": 1704067200, "nanos": 30000000}))
