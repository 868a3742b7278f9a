"""The oracle in C and the oracle in Python, fed with the same requests; see README.md.

  model_test.py DRIVER [SEED]     all of it, or one random sequence with its requests printed
"""
import itertools
import json
import os
import random
import subprocess
import sys

import oracle
from oracle import MAX, UNMODIFIED, Table

SEQUENCES = int(os.environ.get("WEIR_MODEL_SEQUENCES", "1000"))
CASES_AT_ONCE = 100


class Driver:
    """Asks the C model, many cases at a time: what is asked is checked at the next flush."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.waiting = []

    def ask(self, requests, check):
        self.waiting.append((requests, check))
        if len(self.waiting) >= CASES_AT_ONCE:
            self.flush()

    def flush(self):
        self.process.stdin.write(json.dumps([r for requests, _ in self.waiting for r in requests]).encode() + b"\n")
        self.process.stdin.flush()
        answers = iter(json.loads(self.process.stdout.readline()))
        for requests, check in self.waiting:
            check([next(answers) for _ in requests])
        self.waiting = []

    def close(self):
        self.flush()
        self.process.stdin.close()
        assert self.process.wait() == 0


class Both:
    """Collects requests, applies each to the Python table at once, and asks the C model at the end."""

    def __init__(self, columns):
        self.table = Table(columns)
        self.requests = [{"op": "reset"}, self.request("create", columns)]

    def request(self, op, columns, **more):
        return {"op": op, "schema": "s", "table": "t", **more,
                "columns": [{"name": name, "type": type, "key": key} for name, type, key in columns]}

    def write(self, op, columns, **files):
        names = [name for name, _, _ in columns]
        rows = {kind: [[{} if row[name] is UNMODIFIED else row[name] for name in names] for row in rows]
                for kind, rows in files.items()}
        self.requests.append(self.request(op, columns, **rows))
        getattr(self.table, op)(**files)

    def truncate(self, before, deleted):
        self.requests.append({"op": "truncate", "schema": "s", "table": "t", "synced_column": "_fivetran_synced",
                              "before": before, "deleted_column": deleted})
        self.table.truncate("_fivetran_synced", before, deleted)

    def check(self, driver, where):
        driver.ask(self.requests + [{"op": "dump", "schema": "s", "table": "t"}], lambda answers: self.compare(answers, where))

    def compare(self, answers, where):
        for request, answer in zip(self.requests, answers):
            assert answer["status"] == "ok", (where, request, answer)
        seen = Table(self.table.columns)
        names = [column["name"] for column in answers[-1]["columns"]]
        assert names == [name for name, _, _ in self.table.columns]
        seen.rows = [dict(zip(names, row)) for row in answers[-1]["rows"]]
        if seen.picture() != self.table.picture():
            for request in self.requests:
                print(json.dumps(request))
            print("C:     ", *seen.picture(), sep="\n  ")
            print("Python:", *self.table.picture(), sep="\n  ")
            raise SystemExit(f"model_test: {where}: the models differ")


PLAIN = [("id", "INT", True), ("a", "STRING", False), ("b", "LONG", False)]
HISTORY = PLAIN + [("_fivetran_start", "UTC_DATETIME", True), ("_fivetran_end", "UTC_DATETIME", False),
                   ("_fivetran_active", "BOOLEAN", False)]


def at(second, nano=0):
    return oracle.time_text(second * 10**9 + nano)


def row(columns, **cells):
    """Cells that are not said are unmodified."""
    return {name: cells.get(name, UNMODIFIED) for name, _, _ in columns}


def exhaustive(driver, columns, op, seed, steps, length, together):
    """Every sequence of `steps` up to `length`: as one request, or each step as a request of its own."""
    count = 0
    for size in range(1, length + 1):
        for sequence in itertools.product(steps, repeat=size):
            both = Both(columns)
            both.write(op, columns, replace=seed)
            files = {}
            for number, (kind, make) in enumerate(sequence):
                made = row(columns, **make(f"{kind}{number}", str(number)))
                if together:
                    files.setdefault(kind, []).append(made)
                else:
                    both.write(op, columns, **{kind: [made]})
            if together:
                both.write(op, columns, **files)
                both.write(op, columns, **files)  # R-DST-06: sent again
            both.check(driver, sequence)
            count += 1
    return count


def plain_exhaustive(driver):
    """R-DST-05 over two keys, one of which is there at the beginning."""
    steps = []
    for id in ("1", "2"):
        steps += [("replace", lambda a, b, id=id: {"id": id, "a": a, "b": b}),
                  ("update", lambda a, b, id=id: {"id": id, "a": a}),
                  ("update", lambda a, b, id=id: {"id": id, "b": b}),
                  ("delete", lambda a, b, id=id: {"id": id})]
    seed = [{"id": "1", "a": "seed", "b": "-1"}]
    return sum(exhaustive(driver, PLAIN, "write", seed, steps, 4, together) for together in (False, True))


def history_exhaustive(driver):
    """R-HIS over two keys and times before, at and after what is stored."""
    steps = []
    for id, times in (("1", (2, 5)), ("2", (2,))):
        for time in times:
            version = {"id": id, "_fivetran_start": at(time), "_fivetran_end": MAX, "_fivetran_active": "true"}
            steps += [("earliest", lambda a, b, id=id, time=time: {"id": id, "_fivetran_start": at(time)}),
                      ("replace", lambda a, b, version=version: {**version, "a": a, "b": b}),
                      ("update", lambda a, b, version=version: {**version, "a": a}),
                      ("delete", lambda a, b, id=id, time=time: {"id": id, "_fivetran_end": at(time, 1)})]
    seed = [{"id": "1", "a": "seed", "b": "-1", "_fivetran_start": at(1), "_fivetran_end": at(2, 10**9 - 10**6),
             "_fivetran_active": "false"},
            {"id": "1", "a": "seed", "b": "-2", "_fivetran_start": at(3), "_fivetran_end": MAX, "_fivetran_active": "true"}]
    return (exhaustive(driver, HISTORY, "write_history", seed, steps, 3, False) +
            exhaustive(driver, HISTORY, "write_history", seed, steps, 4, True))


class Random:
    """One random table and a few random requests on it; everything follows from the seed."""

    KEYS = [("DECIMAL", ["1", "1.0", "1.00", "-0.5", "2e0", "20"]), ("INT", ["1", "2", "3"]), ("STRING", ["", "a", "A", "ä"]),
            ("DOUBLE", ["0", "-0.0", "NaN", "1.5", "15e-1"]), ("BOOLEAN", ["true", "false"]),
            ("UTC_DATETIME", ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000Z", "2024-01-01T00:00:00.000000001Z"])]
    CELLS = {"STRING": ["", "x", "y", "NULL"], "LONG": ["-1", "0", "9223372036854775807"], "DECIMAL": ["1.5", "0.00", "-3"],
             "BOOLEAN": ["true", "false"]}

    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        self.history = rng.random() < 0.6
        keys = rng.sample(self.KEYS, rng.choice([1, 1, 2]))
        self.choices = {f"k{number}": texts for number, (_, texts) in enumerate(keys)}
        columns = [(f"k{number}", type, True) for number, (type, _) in enumerate(keys)]
        for number in range(rng.randrange(4)):
            type = rng.choice(list(self.CELLS))
            columns.append((f"c{number}", type, False))
            self.choices[f"c{number}"] = self.CELLS[type]
        columns.append(("_fivetran_synced", "UTC_DATETIME", False))
        if self.history:
            columns += [HISTORY[3], HISTORY[4], HISTORY[5]]
        else:
            columns.append(("_fivetran_deleted", "BOOLEAN", False))
            self.choices["_fivetran_deleted"] = ["true", "false"]
        rng.shuffle(columns)
        self.both = Both(columns)

    def time(self):
        return at(self.rng.randrange(12), self.rng.choice([0, 0, 0, 1, 10**6, 999_999_999]))

    def cell(self, name):
        if name.startswith("_fivetran_s"):
            return self.time()
        if name == "_fivetran_end":
            return self.rng.choice([MAX, self.time()])
        if name == "_fivetran_active":
            return self.rng.choice(["true", "false"])
        if not name.startswith("k") and self.rng.random() < 0.15:
            return None
        return self.rng.choice(self.choices[name])

    def rows(self, kind, columns, most):
        made = []
        for _ in range(self.rng.randrange(most)):
            one = {name: self.cell(name) for name, _, _ in columns}
            for name, _, key in columns:
                needed = key or (kind == "delete" and name == "_fivetran_end")
                if not needed and self.rng.random() < {"replace": 0.1, "update": 0.5}.get(kind, 0.9):
                    one[name] = UNMODIFIED
            if kind == "delete" and self.history and "_fivetran_start" in one and self.rng.random() < 0.7:
                one["_fivetran_start"] = self.rng.choice([None, UNMODIFIED])
            made.append(one)
        return made

    def batch(self):
        columns = [c for c in self.both.table.columns if c[2] or c[0].startswith("_fivetran") or self.rng.random() < 0.85]
        self.rng.shuffle(columns)
        kinds = ["earliest"] * self.history + ["replace", "update", "delete"]
        most = self.rng.choice([2, 4, 8])
        files = {kind: self.rows(kind, columns, most) for kind in kinds}
        for _ in range(self.rng.choice([1, 1, 2])):
            self.both.write("write_history" if self.history else "write", columns, **files)

    def run(self, driver, where):
        for _ in range(self.rng.randrange(1, 6)):
            if self.rng.random() < 0.15:
                soft = None if self.history or self.rng.random() < 0.5 else "_fivetran_deleted"
                self.both.truncate(self.time(), soft)
            else:
                self.batch()
        self.both.check(driver, where)


def main():
    driver = Driver(sys.argv[1])
    if len(sys.argv) > 2:
        one = Random(int(sys.argv[2]))
        one.run(driver, f"seed {sys.argv[2]}")
        driver.close()
        print(*map(json.dumps, one.both.requests), sep="\n")
        return
    print("plain, exhaustive:", plain_exhaustive(driver))
    print("history, exhaustive:", history_exhaustive(driver))
    for seed in range(SEQUENCES):
        Random(seed).run(driver, f"seed {seed}")
    print("random:", SEQUENCES)
    driver.close()


main()
