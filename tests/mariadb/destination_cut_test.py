#!/usr/bin/env python3
"""destination-mariadb: cut off from the server between any two statements of a request, and a server that stays away.

Every request runs once undisturbed through a proxy that counts its statements. Then, from the same rows, once per statement:
the connection is lost there, which the request must survive by itself and end in the rows of the model, with no other table
left (R-DST-03, R-DST-06). CUT_EVERY in the environment is the stride through the statements (1: all of them, and the waits that take long).

usage: destination_cut_test.py BIN_DIR
"""
import copy
import os
import pathlib
import signal
import socket
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "destinations"))
sys.dont_write_bytecode = True
import kit  # noqa: E402
import stores  # noqa: E402
from kit import UNCHANGED  # noqa: E402
from proxy import MariadbWire, Proxy  # noqa: E402
from server import Server  # noqa: E402

PROGRAM = None
EVERY = int(os.environ.get("CUT_EVERY", "13"))
AWAY_SECONDS_MAX = 60

C = kit.Column
SYNCED = C("_fivetran_synced", "UTC_DATETIME")
KEYED = [C("id", "LONG", True), C("v", "STRING"), C("n", "SHORT"), SYNCED, C("_fivetran_deleted", "BOOLEAN")]
HISTORY = [C("id", "LONG", True), C("_fivetran_start", "UTC_DATETIME", True), C("v", "STRING"), C("n", "LONG"),
           C("_fivetran_end", "UTC_DATETIME"), C("_fivetran_active", "BOOLEAN"), SYNCED]
NOW, MS = 1_700_000_000 * 10**9, 10**6


def setUpModule():
    global server, proxy, room, protocol
    server = Server()
    os.environ.update(MARIADB_PORT=str(server.port), MARIADB_SOCKET=str(server.socket), MARIADB_PASSWORD=server.password)
    proxy = Proxy(server.port, MariadbWire)
    room = tempfile.TemporaryDirectory(prefix="weir-my-cut-")
    protocol = kit.load_protocol(pathlib.Path(room.name) / "protocol")


def tearDownModule():
    proxy.stop()
    server.stop()
    room.cleanup()


def open_destination(port):
    return kit.Destination(str(PROGRAM), protocol, server.config(database="weir", tls="disable", port=str(port)))


def files_of(columns, **lists):
    files = kit.Files(room.name)
    for kind, rows in lists.items():
        files.add(kind, columns, rows)
    return files.request()


def live(id, v, n=1, at=0, deleted=False):
    return {"id": id, "v": v, "n": n, "_fivetran_synced": NOW + at * MS, "_fivetran_deleted": deleted}


def version(id, at, v, n, active=True, end=kit.LAST):
    return {"id": id, "_fivetran_start": NOW + at * MS, "v": v, "n": n, "_fivetran_end": end, "_fivetran_active": active,
            "_fivetran_synced": NOW + at * MS}


class Cut(unittest.TestCase):
    def setUp(self):
        server.sql("DROP DATABASE IF EXISTS s")
        self.destination = open_destination(proxy.port)
        self.addCleanup(lambda: self.destination.stop())
        proxy.plan(None)

    def rows_are(self, model):
        kit.compare(model.columns, list(model.rows.values()), stores.MariadbStore().rows("s", "t", model.columns))
        names = [name for name, in server.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 's'")]
        self.assertEqual([b"t"], names)

    def disturb(self, request, before, after, floor):
        """`request` from the rows of `before`, undisturbed and then cut at every statement: the rows of `after`."""
        server.sql("CREATE OR REPLACE TABLE weir.kept AS SELECT * FROM s.t")
        self.destination.stop()
        self.destination = open_destination(proxy.port)
        proxy.plan(None)
        request()
        count = proxy.count
        self.assertGreater(count, floor)
        self.rows_are(after)
        for at in sorted({*range(1, count + 1, EVERY), count}):
            for late in (False, True) if EVERY == 1 or at == count else (at % 2 == 0,):
                with self.subTest(at=at, late=late, of=count):
                    server.sql("DELETE FROM s.t; INSERT INTO s.t SELECT * FROM weir.kept")
                    self.rows_are(before)
                    self.destination.stop()
                    self.destination = open_destination(proxy.port)
                    proxy.plan(at, late)
                    request()
                    self.assertTrue(proxy.struck)
                    self.rows_are(after)

    def batch(self, model, columns=KEYED, **lists):
        """A request that writes, with the models before and after it."""
        before = copy.deepcopy(model)
        if isinstance(model, kit.HistoryModel):
            model.request(**lists)
        else:
            for kind in ("replace", "update", "delete"):
                model.apply(kind, lists.get(kind, ()))
        request = files_of(columns, **lists)
        return lambda: self.destination.write("s", "t", columns, request), before, model

    def created(self, columns=KEYED, model=kit.Model):
        self.destination.create("s", "t", columns)
        return model(columns)

    def test_first_load(self):
        self.disturb(*self.batch(self.created(), replace=[live(i, f"v{i}") for i in range(100)]), floor=5)

    def test_load_of_several_segments(self):
        """A key that comes again sends the rows another way, from the middle of the load."""
        rows = [live(i, "x" * 5000) for i in range(2000)]
        self.disturb(*self.batch(self.created(), replace=rows + [live(1900, "late"), live(5, "late")]), floor=10)

    def test_upsert(self):
        model = self.created()
        self.batch(model, replace=[live(i, f"v{i}", i, i) for i in range(60)])[0]()
        updates = [{**live(7, UNCHANGED, None)}, {**live(7, "later", UNCHANGED)}, live(8, "new", None), live(4000, "nobody")]
        self.disturb(*self.batch(model, replace=[live(i, "new", None, 999) for i in (1000, 1001, 3, 4, 1000)], update=updates,
                                 delete=[{"id": 9}]), floor=10)

    def test_history(self):
        model = self.created(HISTORY, kit.HistoryModel)
        self.batch(model, HISTORY, earliest_start=[{"id": i, "_fivetran_start": NOW} for i in range(20)],
                   replace=[version(i, 1, f"a{i}", i) for i in range(20)])[0]()
        self.disturb(*self.batch(
            model, HISTORY, earliest_start=[{"id": i, "_fivetran_start": NOW + 100 * MS} for i in (*range(9), 30)],
            replace=[version(1, 100, "r", 5), version(30, 100, "new", 6)],
            update=[version(2, 100, UNCHANGED, 7, False, NOW + 199 * MS), version(2, 200, "u", UNCHANGED), version(3, 100, UNCHANGED, None)],
            delete=[{"id": 12, "_fivetran_end": NOW + 300 * MS}]), floor=10)


class Silent:
    """Takes connections and says nothing."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.taken = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                self.taken.append(self.listener.accept()[0])
        except OSError:
            pass

    def stop(self):
        for sock in (*self.taken, self.listener):
            sock.close()


class Away(unittest.TestCase):
    """A server that is not there, goes for good, or never answers: told in words, in time."""

    def told(self, action, *words):
        began = time.monotonic()
        with self.assertRaises(kit.Failed) as failed:
            action()
        for word in words:
            self.assertIn(word, failed.exception.text)
        self.assertLess(time.monotonic() - began, AWAY_SECONDS_MAX)

    def test_stopped_after_the_connection_was_up(self):
        request = files_of(KEYED, replace=[live(i, "v") for i in range(10)])
        server.sql("DROP DATABASE IF EXISTS s")
        with open_destination(server.port) as destination:
            destination.create("s", "t", KEYED)
            server.client.close()
            server.kill_process()
            try:
                self.told(lambda: destination.write("s", "t", KEYED, request), "connect to '127.0.0.1'", str(server.port))
            finally:
                server.start()
                server.client = server.connect()
            destination.write("s", "t", KEYED, request)

    @unittest.skipIf(EVERY != 1, "takes 30 seconds; CUT_EVERY=1 has it")
    def test_never_answers(self):
        silent = Silent()
        self.addCleanup(silent.stop)
        with open_destination(silent.port) as destination:
            self.told(lambda: destination.describe("s", "t"), "connect to '127.0.0.1'", str(silent.port), "no answer within 30 seconds")

    @unittest.skipIf(EVERY != 1, "takes 40 seconds; CUT_EVERY=1 has it")
    def test_stops_answering(self):
        """The connection is up, and there is nobody any more behind it."""
        server.sql("DROP DATABASE IF EXISTS s")
        with open_destination(server.port) as destination:
            destination.create("s", "t", KEYED)
            server.process.send_signal(signal.SIGSTOP)
            try:
                self.told(lambda: destination.describe("s", "t"), "no answer within 30 seconds")
            finally:
                server.process.send_signal(signal.SIGCONT)
            self.assertEqual(len(KEYED), len(destination.describe("s", "t")))


if __name__ == "__main__":
    PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve() / "destination-mariadb"
    unittest.main()
