"""What the tests of `weir test` share: a data folder, a run of the tester, and what a test expects of it."""
import json
import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
INPUTS = sorted((HERE / "inputs").glob("*.json"))
SAMPLES = sorted((HERE / "samples").glob("*.json"))


class Folder:
    """A data folder with a configuration, and the Python destination (destination.py) beside it."""

    def __init__(self, bench, name, files=(), configuration='{"kind": "file"}'):
        self.weir, self.bin = bench / "weir", bench
        self.path = bench.parent / "tester" / name
        shutil.rmtree(self.path, ignore_errors=True)
        (self.path / "dumps").mkdir(parents=True)
        if configuration is not None:
            (self.path / "configuration.json").write_text(configuration)
        for file in files:
            shutil.copy(file, self.path)

    def write(self, name, text):
        (self.path / name).write_text(text if isinstance(text, str) else json.dumps(text))

    def run(self, *arguments, fault="none", connector=HERE / "destination", stdin="", kind="destination", env=None):
        environment = {k: v for k, v in os.environ.items() if k not in ("GRPC_HOSTNAME", "WORKING_DIR")}
        environment.update(DUMPS=str(self.path / "dumps"), FAULT=fault, WORKING_DIR=str(self.path), **(env or {}))
        command = [self.weir, "test", "--tester-type", kind, "--json", *arguments]
        if connector is not None:
            command += ["--connector", connector]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment, timeout=120)
        return Outcome(done, command)

    @property
    def dump(self):
        return f'cat "{self.path}/dumps/$1.$2.jsonl"'

    def rows(self, table):
        return [json.loads(line) for line in (self.path / "dumps" / f"tester.{table}.jsonl").read_text().splitlines()]


class Outcome:
    def __init__(self, done, command):
        self.code, self.err, self.out, self.command = done.returncode, done.stderr, done.stdout, command
        self.report = json.loads(done.stdout) if done.stdout.startswith("{") else None

    def expect(self, code, *parts, without=()):
        """The exit code, and texts that standard error holds, in this order."""
        assert self.code == code, f"exit code {self.code}, not {code}\n{self.command}\n{self.err}"
        at = 0
        for part in parts:
            found = self.err.find(part, at)
            assert found >= 0, f"'{part}' is not in\n{self.err[at:]}"
            at = found + len(part)
        for part in without:
            assert part not in self.err, f"'{part}' is in\n{self.err}"
        if self.report is not None:
            assert self.report["exit_code"] == code, self.report
        return self
