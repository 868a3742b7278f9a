"""Batch files as a platform writes them (R-BAT): CSV, plain or gzip, with the request's own sentinels."""
import csv
import gzip
import io
import os
import random
import tempfile

FOLDER = tempfile.TemporaryDirectory(prefix="weir-batch-")  # of all files; removed at exit
NULL, UNMODIFIED = "null-m8yilkvPsN", "unmod-NcK9NIjPUu"


class Unmodified:
    def __repr__(self):
        return "UNMODIFIED"


KEEP = Unmodified()


def cell(value):
    return NULL if value is None else UNMODIFIED if value is KEEP else value


def csv_text(columns, rows):
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(row[c]) for c in columns])
    return out.getvalue().encode()


class Batch:
    """Collects files and sends them as one WriteBatch, or WriteHistoryBatch. Rows are dicts of text; a column order per file is drawn."""

    def __init__(self, connector, config, schema, table, seed=0):
        self.connector, self.config, self.schema, self.table = connector, config, schema, table
        self.rng = random.Random(seed)
        self.folder = tempfile.mkdtemp(dir=FOLDER.name)
        self.files = {"replace_files": [], "update_files": [], "delete_files": []}
        self.method = "WriteBatch"

    def add(self, kind, columns, rows):
        columns = list(columns)
        self.rng.shuffle(columns)  # R-BAT-05: any order
        path = os.path.join(self.folder, f"{kind}{sum(map(len, self.files.values()))}.csv.gz")
        with open(path, "wb") as file:
            file.write(gzip.compress(csv_text(columns, rows), 1))
        if kind == "earliest_start":
            self.method = "WriteHistoryBatch"
        self.files.setdefault(f"{kind}_files", []).append(path)
        return self

    def send(self, timeout=120):
        return self.connector.call(self.method, timeout, configuration=self.config, schema_name=self.schema,
                                   table=self.table, **self.files,
                                   file_params={"compression": 2, "null_string": NULL, "unmodified_string": UNMODIFIED})
