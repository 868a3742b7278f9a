#!/usr/bin/env python3
"""`weir sync` as a person or a script meets it: arguments, exit codes, error lines, signals, full disks, reruns.

usage: cli.py BIN_DIR    needs weir, hello-source, source-files and destination-sqlite there
"""
import contextlib
import json
import os
import pathlib
import resource
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
import unittest

BIN = pathlib.Path(sys.argv[1]).resolve()
SECRET = "canary-7f3a91"


class Sync(unittest.TestCase):
    def setUp(self):
        self.folder_object = tempfile.TemporaryDirectory(prefix="weir-e2e-")
        self.folder = pathlib.Path(self.folder_object.name)
        self.processes = []
        self.source_config({"api_key": SECRET, "rows": "1000"})
        self.write("destination.json", {"path": str(self.folder / "warehouse.db")})

    def tearDown(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.folder_object.cleanup()

    # --- helpers ---

    def write(self, name, value):
        text = value if isinstance(value, str) else json.dumps(value)
        (self.folder / name).write_text(text)

    def source_config(self, value):
        self.write("source.json", value)

    def script(self, body):
        path = self.folder / "connector"
        path.write_text("#!/bin/sh\n" + body)
        path.chmod(0o755)
        return path

    def arguments(self, *more, source=BIN / "hello-source", destination=BIN / "destination-sqlite", state="state"):
        return [BIN / "weir", "sync", "--source", source, "--source-config", self.folder / "source.json",
                "--destination", destination, "--destination-config", self.folder / "destination.json",
                "--schema", "demo", "--state", self.folder / state, "--retry-delay", "0", *more]

    def children(self, parent):
        """pid -> program, cut to 15 letters, of the children of a process."""
        found = {}
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                text = path.read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if text.rsplit(")", 1)[1].split()[1] == str(parent):
                found[int(path.parent.name)] = text.split("(", 1)[1].rsplit(")", 1)[0]
        return found

    def run_weir(self, arguments, **options):
        return subprocess.run(arguments, capture_output=True, text=True, timeout=120, **options)

    def sync(self, *more, code=0, options=None, **where):
        done = self.run_weir(self.arguments(*more, **where), **(options or {}))
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertNotIn(SECRET, done.stdout + done.stderr)
        return done

    def one_error(self, done, *parts):
        """Exactly one error line, and it names all of `parts`."""
        lines = [line for line in done.stderr.splitlines() if line.startswith("weir: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        for part in parts:
            self.assertIn(part, lines[0])

    def rows(self):
        with sqlite3.connect(self.folder / "warehouse.db") as db:
            return db.execute('SELECT count(*), count(DISTINCT id) FROM "demo.greetings"').fetchone()

    def listen(self, program, name):
        """Starts a connector of ours on a socket and waits until it listens."""
        path = self.folder / f"{name}.sock"
        self.processes.append(subprocess.Popen([BIN / program, "--socket", path], stdout=subprocess.DEVNULL))
        for _ in range(500):
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(path)) == 0:
                    return f"unix:{path}"
            time.sleep(0.02)
        self.fail(f"{program} does not listen")

    # --- arguments ---

    def test_wrong_usage_is_exit_code_2_and_one_line(self):
        good = self.arguments()
        cases = [[BIN / "weir"], [BIN / "weir", "snyc"], good[:-4], good + ["--colour"], good + ["--json=yes"],
                 good + ["--attempts", "0"], good + ["--attempts", "many"], good + ["--parallel", "17"],
                 good + ["--schema", "twice"], good + ["--transport", "pigeon"], good + ["--attempts"],
                 [BIN / "weir", "completion", "tcsh"], [BIN / "weir", "help", "snyc"]]
        for arguments in cases:
            done = self.run_weir(arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertEqual(done.stdout, "")
            self.one_error(done)

    def test_help_version_and_completion(self):
        help_text = self.run_weir([BIN / "weir", "--help"])
        self.assertEqual(help_text.returncode, 0)
        self.assertIn("weir sync", help_text.stdout)
        sync_help = self.run_weir([BIN / "weir", "sync", "--help"]).stdout
        for part in ["--source-config", "--state", "examples:", "Exit status"]:
            self.assertIn(part, sync_help)
        self.assertIn("|postgresql|mariadb\n", self.run_weir([BIN / "weir", "test", "--help"]).stdout)  # the longest head
        self.assertRegex(self.run_weir([BIN / "weir", "version"]).stdout, r"^weir \d+\.\d+\.\d+\n$")
        script = self.run_weir([BIN / "weir", "completion", "bash"]).stdout
        shell = subprocess.run(["bash", "-c", script + "\nCOMP_WORDS=(weir sync --des); COMP_CWORD=2; _weir\n"
                                "echo ${COMPREPLY[@]}"], capture_output=True, text=True)
        self.assertEqual(shell.stdout.split(), ["--destination", "--destination-config"], shell.stderr)
        shell = subprocess.run(["bash", "-c", script + "\nCOMP_WORDS=(weir sync --transport ''); COMP_CWORD=3; _weir\n"
                                "echo ${COMPREPLY[@]}"], capture_output=True, text=True)
        self.assertEqual(shell.stdout.split(), ["auto", "port", "socket"], shell.stderr)

    # --- configuration ---

    def test_a_bad_configuration_is_named_with_line_and_key(self):
        self.source_config('{\n  "api_key": "' + SECRET + '",\n  "rows": 10\n}')
        self.one_error(self.sync(code=2), "source.json', line 3", "key 'rows'", "put the number in quotes")
        self.source_config('{"api_key": "' + SECRET)
        self.one_error(self.sync(code=2), "source.json', line 1")
        (self.folder / "source.json").unlink()
        self.one_error(self.sync(code=2), "source.json", "no such file")

    def test_what_is_wrong_before_the_start_is_wrong_usage(self):
        """Exit code 2 and, with --json, a summary all the same; nothing has been made."""
        (self.folder / "file").write_text("x")
        cases = [({"source": "127.0.0.1:65536"}, "65535"), ({"destination": "localhost:0"}, "65535"),
                 ({"source": self.folder / "none"}, "No such file"), ({"source": self.folder / "file"}, "denied"),
                 ({"destination": self.folder}, "directory"), ({"state": "file"}, "is no folder")]
        for where, part in cases:
            done = self.sync("--json", code=2, **where)
            self.one_error(done, part)
            summary = json.loads(done.stdout)
            self.assertEqual((summary["status"], summary["task"]), ("usage", None))
            self.assertIn(part, summary["error"])
            self.assertFalse((self.folder / "state").exists())
        self.source_config({"rows": 10})
        self.assertEqual(json.loads(self.sync("--json", code=2).stdout)["status"], "usage")
        self.assertEqual(json.loads(self.sync("--json", "--attempts", "x", code=2).stdout)["status"], "usage")

    def test_configurations_are_links_and_pipes_too(self):
        """As secrets are mounted, and as shells hand them in."""
        self.sync()
        (self.folder / "source.json").rename(self.folder / "real.json")
        (self.folder / "source.json").symlink_to("real.json")
        self.sync()
        arguments = self.arguments()
        arguments[arguments.index(self.folder / "source.json")] = "/dev/stdin"
        done = self.run_weir(arguments, input=(self.folder / "real.json").read_text())
        self.assertEqual(done.returncode, 0, done.stderr)
        arguments[arguments.index("/dev/stdin")] = "/dev/fd/9"
        command = " ".join(str(part) for part in arguments) + f" 9< <(cat {self.folder}/real.json)"
        self.assertEqual(self.run_weir(["bash", "-c", command]).returncode, 0)

    def test_roles_that_were_swapped(self):
        done = self.sync("--attempts", "1", code=1, source=BIN / "destination-sqlite",
                         destination=BIN / "destination-sqlite")
        self.one_error(done, "source 'destination-sqlite' is no source", "--destination")
        done = self.sync("--attempts", "1", "--json", code=1, source=BIN / "destination-sqlite",
                         destination=BIN / "destination-sqlite")
        self.assertIn("is no source", json.loads(done.stdout)["error"])
        done = self.sync("--attempts", "1", code=1, destination=BIN / "hello-source")
        self.one_error(done, "destination 'hello-source' is no destination", "--source")

    def test_a_table_that_has_gone_is_a_task(self):
        """R-ENG-11: another file under the same name has none of the rows that the state speaks of."""
        self.sync()
        (self.folder / "warehouse.db").unlink()
        self.source_config({"api_key": SECRET, "rows": "1200"})
        self.one_error(self.sync(code=3), "task: destination 'destination-sqlite': table 'greetings' is gone",
                       "--resync")
        self.sync(state="again")
        self.assertEqual(self.rows(), (1200, 1200))

    def test_a_missing_option_is_a_task(self):
        self.source_config({"rows": "10"})
        done = self.sync("--json", code=3)
        self.one_error(done, "task: ", "hello-source", "API key")
        summary = json.loads(done.stdout)
        self.assertEqual(summary["status"], "task")
        self.assertIn("API key", summary["task"])

    # --- connectors that are not there, or go ---

    def test_unreachable_and_missing_connectors(self):
        done = self.sync("--connect-timeout", "1", code=1, source="127.0.0.1:1")
        self.one_error(done, "source '127.0.0.1:1'", "Connection refused")
        self.assertIn("source: waiting for '127.0.0.1:1' to listen, for at most 1 s", done.stderr)
        self.one_error(self.sync("--connect-timeout", "1", code=1, destination=f"unix:{self.folder}/none.sock"),
                       "destination 'unix:", "none.sock")
        self.one_error(self.sync(code=2, source=self.folder / "none"), "source", "none", "No such file")

    def test_a_crash_is_told_with_its_last_words(self):
        self.one_error(self.sync(code=1, source=self.script("echo no licence found; exit 4\n")),
                       "source", "exited with code 4", "no licence found")
        self.one_error(self.sync("--attempts", "1", code=1, destination=self.script("kill -SEGV $$\n")),
                       "destination", "was killed by signal 11", "without a word")
        logged = "echo '{\"level\":\"SEVERE\",\"message\":\"out of paper\",\"message-origin\":\"sdk_connector\"}'\n"
        done = self.sync(code=1, source=self.script(logged + "exit 1\n"))
        self.one_error(done, "out of paper")
        self.assertIn("source: SEVERE out of paper", done.stderr)

    def test_a_connector_that_never_listens(self):
        self.one_error(self.sync("--connect-timeout", "1", "--attempts", "1", code=1,
                                 source=self.script("exec sleep 60\n")), "source", "127.0.0.1:")

    # --- the whole way ---

    def test_rows_arrive_once_and_a_rerun_continues(self):
        done = self.sync("--json")
        self.assertNotIn("listening", done.stderr)
        summary = json.loads(done.stdout)
        self.assertEqual(summary["status"], "success")
        self.assertEqual(summary["rows"], 1000)
        self.assertEqual(summary["tables"][0]["upserted"], 1000)
        self.assertEqual(summary["tables"][0]["table"], "greetings")
        self.assertGreater(summary["peak_rss"], 1000000)
        self.assertLess(summary["peak_rss"], 128 * 1024 * 1024)
        self.assertEqual((summary["task"], summary["error"], summary["warnings"]), (None, None, []))
        self.source_config({"api_key": SECRET, "rows": "1200"})
        done = self.sync()
        self.assertIn("200 upserted", done.stdout)
        self.assertEqual(self.rows(), (1200, 1200))

    def test_memory_stays_bounded_however_many_rows_there_are(self):
        """R-ENG-08: a million rows take little more than a thousand, and far less than the limit of 128 MB."""
        self.source_config({"api_key": SECRET, "rows": "1000000"})
        summary = json.loads(self.sync("--json").stdout)
        self.assertEqual(summary["rows"], 1000000)
        if "san" not in str(BIN):
            self.assertLess(summary["peak_rss"], 64 * 1024 * 1024)

    def test_deadlines_are_kept(self):
        """R-ENG-14: a source that falls silent is given up, and the error says so."""
        self.source_config({"api_key": SECRET, "rows": "1000"})
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            where = f"127.0.0.1:{listener.getsockname()[1]}"
            done = self.sync("--schema-timeout", "1", "--connect-timeout", "2", "--attempts", "1", code=1, source=where)
            self.one_error(done, f"source '{where}'")

    def test_ports_work_like_sockets(self):
        self.sync("--transport", "port")
        self.assertEqual(self.rows(), (1000, 1000))

    def test_connectors_that_run_already(self):
        self.sync(source=self.listen("hello-source", "s"), destination=self.listen("destination-sqlite", "d"))
        self.assertEqual(self.rows(), (1000, 1000))

    def test_secrets_stay_out_of_sight(self):
        """R-BAT-01: what lies in the state folder while and after a sync runs tells nothing."""
        self.source_config({"api_key": SECRET, "rows": "300000"})
        process = subprocess.Popen(self.arguments("--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while process.poll() is None:
            for path in list(pathlib.Path("/proc").glob("[0-9]*")):
                try:
                    if (path / "stat").read_text().rsplit(")", 1)[1].split()[1] == str(process.pid):
                        for name in ("cmdline", "environ"):
                            self.assertNotIn(SECRET.encode(), (path / name).read_bytes())
                except (FileNotFoundError, ProcessLookupError, PermissionError):
                    continue
            for path in (self.folder / "state").rglob("*"):
                try:
                    info = path.stat()
                    if stat.S_ISREG(info.st_mode):
                        self.assertEqual(info.st_mode & 0o077, 0, path)
                        data = path.read_bytes()
                        self.assertNotIn(SECRET.encode(), data)
                        self.assertNotIn(b"_fivetran_deleted", data if "spool" in str(path) else b"")
                except FileNotFoundError:
                    continue
        out, err = process.communicate()
        self.assertEqual(process.returncode, 0, err)
        self.assertNotIn(SECRET.encode(), out + err)

    # --- things that go wrong in the middle ---

    def test_a_full_disk_is_told_and_a_rerun_continues(self):
        self.source_config({"api_key": SECRET, "rows": "400000"})
        destination = self.listen("destination-sqlite", "d")
        limit = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000))}
        done = self.sync(code=1, destination=destination, options=limit)
        self.one_error(done, "spool")
        self.assertEqual(list((self.folder / "state" / "spool").iterdir()), [])
        self.sync(destination=destination)
        self.assertEqual(self.rows(), (400000, 400000))

    def test_a_summary_counts_all_attempts(self):
        rows = 1500000
        (self.folder / "in").mkdir()
        (self.folder / "in" / "t.csv").write_text("id,note\n" + "".join(f"{i},{i * 7919:060}\n" for i in range(rows)))
        self.source_config({"folder": str(self.folder / "in"), "keys": "t=id"})
        process = subprocess.Popen(self.arguments("--json", source=BIN / "source-files"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        committed = 0
        while committed == 0:
            self.assertIsNone(process.poll())
            time.sleep(0.01)
            if (self.folder / "state" / "state.db").exists():
                with contextlib.closing(sqlite3.connect(self.folder / "state" / "state.db")) as db:
                    with contextlib.suppress(sqlite3.OperationalError):  # it is being made
                        committed, = db.execute("SELECT count(*) FROM ledger").fetchone()
        destination, = (pid for pid, name in self.children(process.pid).items() if name.startswith("destination"))
        os.kill(destination, signal.SIGKILL)
        out, err = process.communicate(timeout=100)
        summary = json.loads(out)
        self.assertEqual((process.returncode, summary["attempts"]), (0, 2), err)
        self.assertEqual(summary["rows"], rows)
        self.assertEqual([table["upserted"] for table in summary["tables"]], [rows])

    def test_a_signal_stops_at_a_safe_point(self):
        self.source_config({"api_key": SECRET, "rows": "3000000"})
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen(self.arguments(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            while not list((self.folder / "state").glob("spool/*")):
                self.assertIsNone(process.poll())
                time.sleep(0.01)
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
            self.assertEqual(process.returncode, 1, err)
            self.assertIn("stopped", err)
            self.assertNotIn("success", out)
        self.source_config({"api_key": SECRET, "rows": "2000"})
        self.sync()
        self.assertEqual(self.rows()[0], self.rows()[1])

    def test_a_stop_does_not_wait_for_a_destination_that_hangs(self):
        self.source_config({"api_key": SECRET, "rows": "3000000"})
        process = subprocess.Popen(self.arguments("--stop-timeout", "1"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        while not list((self.folder / "state").glob("spool/*")):
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        hung = [pid for pid, name in self.children(process.pid).items() if name.startswith("destination")]
        self.assertEqual(len(hung), 1)
        os.kill(hung[0], signal.SIGSTOP)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1, err)
        self.assertIn("the sync was stopped", err)
        self.assertLess(time.monotonic() - began, 20)

    def test_two_syncs_do_not_share_a_state(self):
        self.source_config({"api_key": SECRET, "rows": "30000000"})
        first = subprocess.Popen(self.arguments(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not (self.folder / "state" / "state.db").exists():
                time.sleep(0.01)
            done = self.sync(code=1)
            lines = done.stderr.splitlines()  # after ten seconds a line of progress, too, or not
            self.assertEqual(["waiting" in line for line in lines], [True] + [False] * (len(lines) - 1))
            self.assertRegex(lines[-1], "^weir: another sync is using the state folder")
        finally:
            first.kill()
            first.wait()

    def test_a_killed_engine_takes_its_connectors_along(self):
        self.source_config({"api_key": SECRET, "rows": "30000000"})
        process = subprocess.Popen(self.arguments(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not list((self.folder / "state").glob("spool/*")):
            time.sleep(0.01)
        children = self.children(process.pid)
        self.assertEqual(len(children), 2)
        process.kill()
        process.wait()
        deadline = time.monotonic() + 10
        while any(os.path.exists(f"/proc/{child}/exe") for child in children):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.source_config({"api_key": SECRET, "rows": "3000"})
        self.sync()
        self.assertEqual(self.rows(), (3000, 3000))

    def test_a_folder_of_somebody_else_is_left_alone(self):
        for name in ("spool", "run", "mail"):
            (self.folder / "var" / name).mkdir(parents=True)
            (self.folder / "var" / name / "precious").write_text("x")
        self.one_error(self.sync(code=1, state="var"), "is no state folder of weir")
        self.assertEqual(sorted(path.name for path in (self.folder / "var").iterdir()), ["mail", "run", "spool"])
        self.assertTrue((self.folder / "var" / "spool" / "precious").exists())

    def test_a_state_belongs_to_its_schema(self):
        self.sync()
        arguments = self.arguments()
        arguments[arguments.index("demo")] = "other"
        done = self.run_weir(arguments)
        self.assertEqual(done.returncode, 3)
        self.one_error(done, "belongs to schema 'demo'")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
