#!/usr/bin/env python3
"""destination-mariadb over gRPC: a server that restarts, missing rights, values that MariaDB would change, many writers at a time.

usage: destination_test.py BIN_DIR
"""
import concurrent.futures
import pathlib
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "destinations"))
sys.dont_write_bytecode = True
import kit  # noqa: E402
from server import Server  # noqa: E402

C = kit.Column
COLUMNS = [C("id", "LONG", True), C("v", "STRING"), C("_fivetran_synced", "UTC_DATETIME")]
PROGRAM = None


def rows_text(count, first=0, v="x"):
    return ("id,v,_fivetran_synced\n" + "".join(f"{i},{v}{i},2025-01-01T00:00:00Z\n" for i in range(first, first + count))).encode()


class MariaDB(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.room = tempfile.TemporaryDirectory(prefix="weir-my-dst-")
        cls.folder = pathlib.Path(cls.room.name)
        cls.protocol = kit.load_protocol(cls.folder / "protocol")
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.room.cleanup()

    def open(self, **more):
        return kit.Destination(str(PROGRAM), self.protocol, self.server.config(database="weir", **more))

    def batch(self, text):
        files = kit.Files(self.folder)
        files.add_raw("replace", text)
        return files.request()

    def test_restarted_between_and_during_requests(self):
        with self.open() as destination:
            destination.create("restart", "t", COLUMNS)
            destination.write("restart", "t", COLUMNS, self.batch(rows_text(10)))
            self.server.restart()
            destination.write("restart", "t", COLUMNS, self.batch(rows_text(10, 5)))
            request = self.batch(rows_text(200_000, 0, "a longer text that takes its time "))
            again = threading.Thread(target=lambda: (time.sleep(0.5), self.server.restart()))
            again.start()
            try:
                destination.write("restart", "t", COLUMNS, request)
            finally:
                again.join()
        self.assertEqual([(b"200000", b"199999")], self.server.rows("SELECT count(*), max(id) FROM restart.t"))

    def test_missing_rights(self):
        self.server.sql("CREATE USER reader IDENTIFIED BY 'p'; GRANT SELECT, CREATE TEMPORARY TABLES ON weir.* TO reader")
        with kit.Destination(str(PROGRAM), self.protocol,
                             self.server.config(database="weir", user="reader", password="p")) as destination:
            with self.assertRaises(kit.Failed) as failed:
                destination.create("rights", "t", COLUMNS)
        self.assertIn("GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, CREATE TEMPORARY TABLES ON *.* TO 'reader'@'%';",
                      str(failed.exception))

    def test_values_that_the_server_would_change(self):
        columns = [C("id", "LONG", True), C("v", "DECIMAL", params=(5, 1)), C("r", "FLOAT"), C("_fivetran_synced", "UTC_DATETIME")]
        with self.open() as destination:
            destination.create("exact", "t", columns)
            for decimal, real in (("1.25", "1"), ("12345.6", "1"), ("1", "NaN"), ("1", "Infinity")):
                text = f"id,v,r,_fivetran_synced\n1,{decimal},{real},2025-01-01T00:00:00Z\n".encode()
                with self.assertRaises(kit.Failed, msg=f"{decimal}, {real}"):
                    destination.write("exact", "t", columns, self.batch(text))
            text = b"id,v,r,_fivetran_synced\n1,1234.5,3.4028235E38,2025-01-01T00:00:00Z\n2,-0.5,1.4E-45,2025-01-01T00:00:00Z\n"
            destination.write("exact", "t", columns, self.batch(text))
        self.assertEqual([(b"1", b"1234.5", b"1"), (b"2", b"-0.5", b"1")], self.server.rows(
            "SELECT id, v, r = if(id = 1, 3.4028234663852886e38, 1.401298464324817e-45) FROM exact.t ORDER BY id"))

    def test_eight_writers(self):
        with self.open() as destination, concurrent.futures.ThreadPoolExecutor(8) as pool:
            for i in range(4):
                destination.create("many", f"t{i}", COLUMNS)
            requests = [(f"t{i % 4}", self.batch(rows_text(5000, 2500 * i))) for i in range(8)]
            for done in [pool.submit(destination.write, "many", table, COLUMNS, request) for table, request in requests]:
                done.result()
        for i in range(4):
            self.assertEqual([(b"10000",)], self.server.rows(f"SELECT count(*) FROM many.t{i}"))


if __name__ == "__main__":
    PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve() / "destination-mariadb"
    unittest.main()
