#!/usr/bin/env python3
"""`weir sync --record`, `weir record`: what is written down, what is not, and how it looks.

usage: record.py BIN_DIR    needs weir, source-files and destination-sqlite there
"""
import json
import pathlib
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import weirrec

BIN = pathlib.Path(sys.argv[1]).resolve()
SECRET = "canary-secret-7f3a91"


class Recorded(unittest.TestCase):
    def setUp(self):
        self.folder_object = tempfile.TemporaryDirectory(prefix="weir-record-")
        self.folder = pathlib.Path(self.folder_object.name)
        self.files = self.folder / f"files-{SECRET}"
        self.files.mkdir()
        self.write("source.json", {"folder": str(self.files), "keys": "people=id; orders=order_id"})
        self.write("destination.json", {"path": str(self.folder / "warehouse.db")})

    def tearDown(self):
        self.folder_object.cleanup()

    def write(self, name, value):
        (self.folder / name).write_text(json.dumps(value))

    def table(self, name, text):
        (self.files / f"{name}.csv").write_text(text)

    def weir(self, *arguments, code=0, **options):
        done = subprocess.run([BIN / "weir", *map(str, arguments)], capture_output=True, text=True, timeout=120,
                              **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def sync(self, *more, code=0, source=BIN / "source-files", state="state", config="destination.json",
             destination=BIN / "destination-sqlite", **options):
        return self.weir("sync", "--source", source, "--source-config", self.folder / "source.json",
                         "--destination", destination, "--destination-config", self.folder / config,
                         "--schema", "t", "--state", self.folder / state, "--retry-delay", "0", *more, code=code,
                         **options)

    def record(self, name, **options):
        path = self.folder / f"{name}.weirrec"
        self.sync("--record", path, **options)
        return path


class Recording(Recorded):
    def test_what_is_said_is_in_it_and_secrets_are_not(self):
        self.table("people", "id,name\n1,Ann\n2,Bob\n")
        path = self.record("first")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual((self.folder / "first.weirrec.key").stat().st_mode & 0o777, 0o600)
        self.assertNotIn(b"Ann", path.read_bytes())
        text = weirrec.everything(path)
        self.assertIn(b"Ann", text)
        self.assertNotIn(SECRET.encode(), text)
        self.assertNotIn(str(self.folder).encode(), text)
        kinds = [kind for kind, *_ in weirrec.frames(path)]
        self.assertEqual((kinds[0], kinds[-1]), (weirrec.INFO, weirrec.CLOSE))
        paths = [payload.split(b"\0")[0].split(b"/")[-1].decode()
                 for kind, _, _, payload in weirrec.frames(path) if kind == weirrec.CALL]
        self.assertEqual(paths, ["Capabilities", "Schema", "Update", "DescribeTable", "CreateTable", "WriteBatch"])

    def test_a_task_is_written_down_masked(self):
        self.table("people", "id,name\n1,Ann,too,many\n")
        path = self.record("task", code=3)
        text = weirrec.everything(path)
        self.assertNotIn(SECRET.encode(), text)
        shown = json.loads(self.weir("record", "show", path, "--json").stdout)
        self.assertEqual(shown["status"], "task")
        self.assertEqual([call["status"] for call in shown["calls"] if call["method"] == "Update"], ["success"])

    def test_show_tells_calls_rows_and_cuts(self):
        self.table("people", "id,name\n1,Ann\n2,Bob\n")
        path = self.record("first")
        shown = json.loads(self.weir("record", "show", path, "--json").stdout)
        self.assertEqual(shown["tables"], [{"schema": "", "table": "people", "upserts": 2, "updates": 0,
                                            "deletes": 0, "truncates": 0}])
        self.assertEqual((shown["status"], shown["cut"], shown["sync"]["source"]), ("success", False, "source-files"))
        writes = [call for call in shown["calls"] if call["method"] == "WriteBatch"]
        self.assertEqual([(call["schema"], call["table"], call["files"]) for call in writes], [("t", "people", 1)])
        picture = self.weir("record", "show", path).stdout
        self.assertIn("WriteBatch t.people", picture)
        (self.folder / "cut").write_bytes(path.read_bytes()[:-5])
        done = self.weir("record", "show", self.folder / "cut", "--record-key", f"{path}.key")
        self.assertIn("cut: ", done.stdout)

    def test_what_cannot_be_recorded_is_not_begun(self):
        self.table("people", "id\n1\n")
        path = self.record("first")
        done = self.sync("--record", path, code=1)
        self.assertIn("exists", done.stderr)
        (self.folder / "open.key").write_text("00" * 32)
        (self.folder / "open.key").chmod(0o644)
        done = self.sync("--record", self.folder / "x", "--record-key", self.folder / "open.key", code=1)
        self.assertIn("can be read by others", done.stderr)
        self.assertFalse((self.folder / "x").exists())
        self.sync("--record-key", self.folder / "k", code=2)

    def test_a_full_disk_ends_the_recording_and_not_the_sync(self):
        rng = random.Random(1)  # many versions of few rows: a large stream, and a small warehouse
        self.table("people", "id,a\n" + "".join(f"{i % 100},{rng.randbytes(40).hex()}\n" for i in range(40000)))
        path = self.folder / "full.weirrec"
        limit = 1024 * 1024
        done = self.sync("--record", path, code=1,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertIn("is not whole", done.stderr)
        self.assertIn("the sync itself is complete", done.stderr)
        with sqlite3.connect(self.folder / "warehouse.db") as db:
            self.assertEqual(db.execute('SELECT count(*) FROM "t.people"').fetchone(), (100,))
        self.assertIn("cut: ", self.weir("record", "show", path).stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
