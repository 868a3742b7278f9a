#!/usr/bin/env python3
"""The crash matrix: every fault point × every victim, in real processes; afterwards the rows must be the right ones.

One run: a sync from `source-everything` to `destination-sqlite`, in CSV or in Parquet files, in which one process, on
reaching one fault point (src/sys/points.def) for the n-th time, kills the victim: the engine, the source, the destination, or
all three; or, where the place can fail, gets an error there. Then the sync runs again, undisturbed, until it succeeds. A double
run is disturbed twice, the second time at any point while it recovers from the first. Checked (R-ENG-01 to R-ENG-03):

  - after every run the saved state is a checkpoint that the source has sent, and never an
    earlier one than before;
  - in the end every column of every row equals those of a run that nobody disturbed, but for the time of receipt; in history
    mode every version, in their order, but for their times, which must not overlap;
  - no file is left in the spool, no process of the sync is left.

A point is hit the first time it is reached and the last time, as counted in the undisturbed run. Points of the way that a
source takes which asks for a person are counted, and hit, in a sync in which it does. Undisturbed, both formats must give the
same rows; the destination for Parquet is destination-sqlite with parquet_reads.c.

usage: matrix.py BIN_DIR [--sample N] [--doubles N] [--parquet N] [--files FORMAT] [--seed N] [--jobs N] [--only POINT]
                 [--table FILE]

BIN_DIR is the `bin` of a build with fault points (preset `fault`). With --sample only so many runs, drawn by the seed;
--doubles are so many double runs more. --parquet gives numbers of their own to Parquet, whose runs take longer: so many, and
a quarter of that in double runs. --files takes one of the formats, CSV or Parquet. With --only the runs of one point, as the
line of a failure says. --table writes the counts.
"""
import argparse
import ast
import collections
import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

from kill import Bench, quoted, wanted_columns

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VICTIMS = {"engine": "kill-weir", "source": "kill-source", "destination": "kill-destination", "all": "kill-all"}
ERRORS = {"EIO": "eio", "ENOSPC": "enospc"}
SOURCE = {"rows": "60", "changes": "80", "checkpoint_every": "20", "turns": "true"}
TASK_AT = "97"
MODES = {"soft delete": "SOFT_DELETE", "history": "HISTORY"}
KEYS = {"everything": ["id"], "pairs": ["code", "number"], "events": ["_fivetran_id"]}
FORMATS = {"CSV": "destination-sqlite", "Parquet": "destination-sqlite-parquet"}
NOT_IN_PARQUET = "naive_datetime"  # R-BAT-11
TRIES = 6
RUN_TIMEOUT_S = 120


def environment(**more):
    known = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_POINT")}
    return {**known, **more}


Way = collections.namedtuple("Way", "mode files")


class Sync(Bench):
    """One destination, one state folder, and syncs between them."""

    def __init__(self, bin_dir, folder, way):
        super().__init__(bin_dir, "sqlite", folder)
        self.ask(False)
        self.way = way
        self.more = []
        if way.mode != "soft delete" or way.files == "Parquet":
            tables = {table: {"sync_mode": MODES[way.mode]} for table in KEYS}
            if way.files == "Parquet":
                tables["everything"]["columns"] = {NOT_IN_PARQUET: {"enabled": False}}
            (self.folder / "plan.json").write_text(json.dumps({"tables": tables}))
            self.more = ["--schema-config", self.folder / "plan.json"]

    def ask(self, asks):
        """Whether the source asks for a person in the syncs to come."""
        more = {"task_at": TASK_AT} if asks else {}
        (self.folder / "source.json").write_text(json.dumps({**SOURCE, **more}))

    def run(self, **variables):
        """(exit code, what was printed) of one sync."""
        done = subprocess.run(
            [self.bin / "weir", "sync", "--source", self.bin / "source-everything", "--source-config",
             self.folder / "source.json", "--destination", self.bin / FORMATS[self.way.files], "--destination-config",
             self.folder / "destination.json", "--schema", "crash", "--state", self.folder / "state", "--retry-delay",
             "0", "--transport", "socket", "--attempts", "2", *self.more], env=environment(**variables), capture_output=True,
            text=True, start_new_session=True, timeout=RUN_TIMEOUT_S)
        return done.returncode, done.stdout + done.stderr

    def rows(self):
        """table -> rows, sorted, without the time of receipt; {} when there is no destination yet."""
        if not self.warehouse.is_file():
            return {}
        return self.read_versions() if self.way.mode == "history" else self.read_sqlite()

    def read_versions(self):
        """The same of history tables: each row with its number among the versions of its key."""
        found = {}
        with contextlib.closing(sqlite3.connect(f"file:{self.warehouse}?mode=ro", uri=True)) as db:
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'crash%'"):
                names = [row[1] for row in db.execute(f'PRAGMA table_info("{table}")')]
                columns = wanted_columns(set(names) - {"_fivetran_start", "_fivetran_end"})
                key = quoted(KEYS[table.split(".")[-1]])
                over = f"OVER (PARTITION BY {key} ORDER BY _fivetran_start)"
                rows = db.execute(f'SELECT {quoted(columns)}, ROW_NUMBER() {over}, '
                                  f'coalesce(LEAD(_fivetran_start) {over} <= _fivetran_end, 0) FROM "{table}"').fetchall()
                found[table] = (columns, sorted(repr([(type(v).__name__, v) for v in row]) for row in rows))
        return found

    def next_step(self):
        """The saved state's `next`; 0 without a state."""
        path = self.folder / "state" / "state.db"
        if not path.is_file():
            return 0
        with contextlib.closing(sqlite3.connect(path)) as db:
            try:
                found = db.execute("SELECT value FROM connection WHERE name = 'state'").fetchone()
            except sqlite3.OperationalError:  # killed before the tables were there
                return 0
        return json.loads(found[0])["next"] if found and found[0] else 0


def checkpoints():
    last = int(SOURCE["rows"]) + int(SOURCE["changes"])
    every = int(SOURCE["checkpoint_every"])
    return {0, *(step + 1 for step in range(1, last + 1) if step % every == 0 or step == last)}


def orphans(folder):
    """Processes of this sync that still run: they have the folder in their command line."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(folder) in line and "matrix.py" not in line:
                found.append(f"{entry.name}: {line}")
    return found


def read_points():
    """name -> whether the place can fail."""
    listed = subprocess.run([ROOT / "tools/check-points", "--list"], capture_output=True, text=True, check=True)
    return {line.split()[0]: line.endswith("fails") for line in listed.stdout.splitlines()}


# One run: `hits` are (point, number, action), one after the other; `what` is for the table.
Run = collections.namedtuple("Run", "way hits what asks")


def one_run(bin_dir, parent, calm, run):
    """None when all was well, else what was wrong; and whether a disturbed sync failed."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    sync = Sync(bin_dir, folder, run.way)
    failed = False
    before = 0
    for number, (point, times, action) in enumerate(run.hits):
        sync.ask(run.asks and number == 0)
        code, said = sync.run(WEIR_POINT=f"{point}:{times}:{action}")
        failed = failed or code != 0
        if number + 1 < len(run.hits):
            before = max(before, sync.next_step())
    sync.ask(False)
    for attempt in range(TRIES):
        step = sync.next_step()
        if step not in checkpoints():
            return f"the saved state {step} is no checkpoint of the source", failed
        if step < before:
            return f"the saved state went from {before} back to {step}", failed
        before = step
        if code == 0 and attempt > 0:
            break
        code, said = sync.run()
    if code != 0:
        return f"the sync never recovered: exit {code}\n{said}", failed
    got = sync.rows()
    if got != calm:
        lines = ["rows differ"]
        for table in sorted(set(calm) | set(got)):
            lost = sorted(set(calm.get(table, ([], []))[1]) - set(got.get(table, ([], []))[1]))
            extra = sorted(set(got.get(table, ([], []))[1]) - set(calm.get(table, ([], []))[1]))
            lines += [f"{table}: {len(lost)} lost or other, {len(extra)} extra", *lost[:2], "---", *extra[:2]]
        return "\n".join(lines), failed
    if sync.leftovers():
        return f"files left in the spool: {sync.leftovers()}", failed
    if orphans(folder):
        return f"processes left: {orphans(folder)}", failed
    shutil.rmtree(folder)
    return None, failed


def plan(way, points, counts, asked):
    """All single runs of a mode and a format."""
    for point, fails in points.items():
        asks = counts[point] == 0
        reached = asked[point] if asks else counts[point]
        actions = {**VICTIMS, **(ERRORS if fails else {})}
        for number in sorted({1, reached} if reached else set()):
            yield from (Run(way, [(point, number, action)], what, asks) for what, action in actions.items())


def plan_doubles(singles, count, draw):
    """Pairs of them."""
    for _ in range(count):
        first = draw.choice(singles)
        second = draw.choice([run for run in singles if run.way == first.way])
        yield Run(first.way, [*first.hits, *second.hits], "twice", first.asks)


def draw_runs(only, singles, sample, doubles, draw):
    """Single runs, all or a sample, then double ones."""
    runs = [run for run in singles if only in (None, run.hits[0][0])]
    if sample is not None:
        runs = draw.sample(runs, min(sample, len(runs)))
    return runs + list(plan_doubles(singles, doubles if singles else 0, draw))


def count_points(trace):
    """How often each point is reached; of points that several processes reach, in the one that does most."""
    per_process = collections.Counter(trace.read_text().splitlines())
    counts = collections.Counter()
    for line, number in per_process.items():
        counts[line.split()[1]] = max(counts[line.split()[1]], number)
    return counts


def write_table(path, points, reached, done):
    """CSV: what was run, against whom, how it went."""
    lines = [f"# made by: ./do crash; fault points: {len(points)}, reached by these syncs: {len(reached)}",
             "mode,files,what,points,runs,failed at first,violations"]
    for way in sorted({one[0].way for one in done}, key=lambda way: (way.files, way.mode == "history")):
        of_way = [one for one in done if one[0].way == way]
        for what in [*VICTIMS, *ERRORS, "twice"]:
            told = what if what in ERRORS else "two faults" if what == "twice" else f"{what} killed"
            lines.append(table_line(
                f"{way.mode},{way.files},{told}", [one for one in of_way if one[0].what == what]))
    lines += [table_line("total,,", done), "# not reached:"]
    lines += [f"#   {point}" for point in points if point not in reached]
    pathlib.Path(path).write_text("\n".join(lines) + "\n")


def table_line(what, done):
    return (f"{what},{len({hit[0] for one in done for hit in one[0].hits})},{len(done)},"
            f"{sum(one[2] for one in done)},{sum(one[1] is not None for one in done)}")


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin_dir")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--doubles", type=int, default=0)
    parser.add_argument("--parquet", type=int)
    parser.add_argument("--files", choices=FORMATS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only")
    parser.add_argument("--table")
    return parser.parse_args()


def trace(bin_dir, folder, way, asks):
    """The rows of an undisturbed sync, and how often it reached each point."""
    sync = Sync(bin_dir, folder, way)
    sync.ask(asks)
    code, said = sync.run(WEIR_POINT_TRACE=str(folder / "trace"))
    if code != (3 if asks else 0):
        sys.exit(f"the undisturbed sync failed: exit {code}\n{said}")
    return sync.rows(), count_points(folder / "trace")


def ways(bin_dir, only):
    """Those that this engine can be told, and that there is a destination for; of one format if `only` names it."""
    told = subprocess.run([pathlib.Path(bin_dir) / "weir", "sync", "--help"], capture_output=True, text=True, check=True)
    modes = [mode for mode in MODES if mode == "soft delete" or "--schema-config" in told.stdout]
    return [Way(mode, files) for files, program in FORMATS.items() for mode in modes
            if only in (None, files) and (pathlib.Path(bin_dir) / program).is_file()]


def check_formats(calm):
    """Both formats carry the same rows."""
    for way, rows in calm.items():
        if way.files == "CSV" and Way(way.mode, "Parquet") in calm and leave_out(rows) != calm[Way(way.mode, "Parquet")]:
            sys.exit(f"undisturbed syncs in {way.mode} mode differ between CSV and Parquet")


def leave_out(rows):
    """The rows without the column that Parquet cannot hold."""
    made = {}
    for table, (columns, found) in rows.items():
        left = [at for at, name in enumerate(columns) if name != NOT_IN_PARQUET]
        cells = [ast.literal_eval(row) for row in found]
        more = range(len(columns), len(cells[0]) if cells else 0)
        made[table] = ([columns[at] for at in left], sorted(repr([row[at] for at in (*left, *more)]) for row in cells))
    return made


def run_all(options, runs, folder, calm):
    """(run, what was wrong, whether it failed at first) of every run."""
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [(run, pool.submit(one_run, options.bin_dir, folder, calm[run.way], run)) for run in runs]
        for run, job in jobs:
            try:
                wrong, failed = job.result()
            except subprocess.TimeoutExpired:
                wrong, failed = f"a sync was not over after {RUN_TIMEOUT_S} s", True
            if wrong is not None:
                print(f"VIOLATION in {run.way.mode} mode with {run.way.files} files after {run.hits}: {wrong}\n"
                      f"  again: tests/crash/matrix.py {options.bin_dir} --only {run.hits[0][0]}", flush=True)
            yield run, wrong, failed


def main():
    options = parse()
    points = read_points()
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="weir-matrix-", dir=shared) as folder:
        calm = {}
        reached = set()
        singles = []
        for way in ways(options.bin_dir, options.files):
            calm[way], counts = trace(options.bin_dir, pathlib.Path(folder) / f"calm {way.mode} {way.files}", way, False)
            _, asked = trace(options.bin_dir, pathlib.Path(folder) / f"asks {way.mode} {way.files}", way, True)
            reached |= set(counts) | set(asked)
            singles += plan(way, points, counts, asked)
        check_formats(calm)
        if reached - set(points):
            sys.exit(f"points that are not listed: {reached - set(points)}")
        if options.parquet is None:
            runs = draw_runs(options.only, singles, options.sample, options.doubles, draw)
        else:
            csv, parquet = ([run for run in singles if run.way.files == files] for files in FORMATS)
            runs = draw_runs(options.only, csv, options.sample, options.doubles, draw)
            runs += draw_runs(options.only, parquet, options.parquet, options.parquet // 4, draw)
        done = list(run_all(options, runs, folder, calm))
    if options.table:
        write_table(options.table, points, reached, done)
    wrong = sum(one[1] is not None for one in done)
    print(f"{len(points)} points, {len(reached)} reached; {len(done)} runs, {sum(one[2] for one in done)} of them "
          f"failed at first, {wrong} violations")
    sys.exit(1 if wrong else 0)


main()
