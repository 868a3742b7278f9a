#!/usr/bin/env python3
"""destination-mariadb over gRPC: a server that restarts, missing rights, values that MariaDB would change, many writers at a time.

usage: destination_test.py BIN_DIR
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
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
BIN = PROGRAM = None


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

    def test_damaged_files(self):
        """The case of tests/destinations, on this server."""
        names = {"PORT": self.server.port, "SOCKET": self.server.socket, "PASSWORD": self.server.password}
        done = subprocess.run([sys.executable, "-B", HERE.parent / "destinations" / "run.py", PROGRAM, "mariadb", self.folder, "damaged_files"],
                              env={**os.environ, **{f"MARIADB_{name}": str(value) for name, value in names.items()}},
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_missing_rights(self):
        """One right missing at a time: the setup test and the request that needs it name it, and what to run."""
        rights = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "CREATE TEMPORARY TABLES"]
        wider = [C("id", "STRING", True), *COLUMNS[1:]]
        with self.open() as admin:
            admin.create("rights", "t", COLUMNS)
            admin.write("rights", "t", COLUMNS, self.batch(rows_text(2)))
        requests = {"SELECT": lambda d: d.describe("rights", "t"), "CREATE": lambda d: d.create("rights", "u", COLUMNS),
                    "ALTER": lambda d: d.alter("rights", "t", [*COLUMNS, C("w", "INT")]), "DROP": lambda d: d.alter("rights", "t", wider),
                    "DELETE": lambda d: d.truncate("rights", "t", 1_800_000_000 * 10**9)}
        for number, missing in enumerate([*rights, "USAGE"]):
            with self.subTest(missing=missing):
                granted = ", ".join(right for right in rights if right != missing) if missing != "USAGE" else missing
                self.server.sql(f"CREATE USER limited{number} IDENTIFIED BY 'Pass-4411'; GRANT {granted} ON *.* TO limited{number}")
                grant = f"Run: GRANT {', '.join(rights)} ON *.* TO 'limited{number}'@'%';"
                with self.open(user=f"limited{number}", password="Pass-4411") as destination:
                    ask = destination.common.TestRequest(name="permissions", configuration=destination.configuration)
                    told = [destination.call("Test", ask, "TestResponse").failure]
                    with self.assertRaises(kit.Failed) as failed:
                        requests.get(missing, lambda d: d.write("rights", "t", COLUMNS, self.batch(rows_text(2, 1))))(destination)
                    told.append(str(failed.exception))
                self.assertTrue(told[1].startswith("task: "), told)
                for text in told:
                    self.assertIn(grant, text)
                    self.assertIn("denied", text)
                self.server.sql("DROP TABLE IF EXISTS weir._weir_test")

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

    def test_no_value_of_a_row_in_what_is_told(self):
        """A value that a rule of the destination refuses is in no text of a sync, nor in its state."""
        refusals = (
            ("ALTER TABLE copied.people ADD CONSTRAINT short CHECK (length(email) < 3)", "short",
             "ALTER TABLE copied.people DROP CONSTRAINT short"),
            ("CREATE TRIGGER copied.refuse BEFORE INSERT ON copied.people FOR EACH ROW SET NEW.n = NEW.email", "Incorrect integer value",
             "DROP TRIGGER copied.refuse"),
            ("CREATE TRIGGER copied.refuse BEFORE INSERT ON copied.people FOR EACH ROW BEGIN DECLARE t TEXT;"
             " SET t = concat('not ', NEW.email); SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = t; END", "trigger or function",
             "DROP TRIGGER copied.refuse"))
        folder = self.folder / "canary"
        (folder / "files").mkdir(parents=True)
        for name, config in (("source", {"folder": str(folder / "files"), "keys": "people=id"}),
                             ("destination", self.server.config(database="weir"))):
            (folder / f"{name}.json").write_text(json.dumps(config))
        people = folder / "files" / "people.csv"
        command = [BIN / "weir", "sync", "--source", BIN / "source-files", "--source-config", folder / "source.json", "--destination",
                   BIN / "destination-mariadb", "--destination-config", folder / "destination.json", "--schema", "copied",
                   "--state", folder / "state", "--json", "--attempts", "1"]
        people.write_text("id,email,n\n1,x,1\n2,y,1\n")
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        for refuse, named, allow in refusals:
            self.server.sql(refuse)
            people.write_text("id,email,n\n1,x,1\n" + "".join(f"{i},\"canary' for key 'x\",1\n" for i in (3, 4)) )
            done = subprocess.run(command, capture_output=True, timeout=120)
            self.server.sql(allow)
            told = [done.stdout, done.stderr, *(path.read_bytes() for path in (folder / "state").rglob("*") if path.is_file())]
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(named, done.stderr.decode())
            for text in told:
                self.assertNotIn(b"canary", text)
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        self.assertEqual([(b"4",)], self.server.rows("SELECT count(*) FROM copied.people WHERE NOT _fivetran_deleted"))

    def test_no_value_in_an_alter_that_is_refused(self):
        narrower = [C("id", "LONG", True), C("v", "INT"), C("_fivetran_synced", "UTC_DATETIME")]
        with self.open() as destination:
            destination.create("narrow", "t", COLUMNS)
            destination.write("narrow", "t", COLUMNS, self.batch(rows_text(3, v="canary")))
            with self.assertRaises(kit.Failed) as failed:
                destination.alter("narrow", "t", narrower)
        self.assertIn("task: Cannot alter table 'narrow.t': a stored value of column 'v' does not fit", str(failed.exception))
        self.assertNotIn("canary", str(failed.exception))

    def test_no_key_of_a_row_in_what_is_told(self):
        with self.open() as destination:
            destination.create("keys", "t", COLUMNS)
            destination.write("keys", "t", COLUMNS, self.batch(rows_text(2)))
            self.server.sql("CREATE UNIQUE INDEX texts ON keys.t (v(50))")
            files = kit.Files(self.folder)
            files.add_raw("update", "".join(["id,v,_fivetran_synced\n", *(f"{i},canary' for key 'x,2025-01-01T00:00:00Z\n" for i in (0, 1))]).encode())
            with self.assertRaises(kit.Failed) as failed:
                destination.write("keys", "t", COLUMNS, files.request())
        self.assertIn("for key 'texts'", str(failed.exception))
        self.assertNotIn("canary", str(failed.exception))

    def test_a_key_that_comes_again_after_many_rows(self):
        """A first load goes into the table piece by piece; one that meets a key of the pieces before goes another way (R-DST-05)."""
        long = "x" * 400
        text = rows_text(40_000, 0, long) + rows_text(10, 5, "again ").split(b"\n", 1)[1] + rows_text(10, 40_000).split(b"\n", 1)[1]
        with self.open() as destination:
            destination.create("pieces", "t", COLUMNS)
            destination.write("pieces", "t", COLUMNS, self.batch(text))
        self.assertEqual([(b"40010", b"10", b"5", b"14")], self.server.rows(
            "SELECT count(*), sum(v = concat('again ', id)), min(IF(v LIKE 'again%', id, NULL)), max(IF(v LIKE 'again%', id, NULL))"
            " FROM pieces.t"))
        self.assertEqual([(b"39990",)], self.server.rows(f"SELECT count(*) FROM pieces.t WHERE v = concat('{long}', id)"))

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
    BIN = pathlib.Path(sys.argv.pop(1)).resolve()
    PROGRAM = BIN / "destination-mariadb"
    unittest.main()
