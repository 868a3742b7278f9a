#!/usr/bin/env python3
"""rest-source against a local API: check.py BIN-DIRECTORY. What landed is read by Python's own sqlite3."""
import contextlib
import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import threading
import urllib.request

import server


class Run:
    def __init__(self, binaries, folder, api, token="secret", page=50):
        self.bin, self.folder = pathlib.Path(binaries), pathlib.Path(folder)
        url = f"http://127.0.0.1:{api.server_address[1]}"
        self.write("source.json", {"url": url, "token": token, "page_size": str(page)})
        self.write("destination.json", {"path": str(self.folder / "warehouse.sqlite")})

    def write(self, name, value):
        (self.folder / name).write_text(json.dumps(value))

    def sync(self):
        return subprocess.run(
            [self.bin / "weir", "sync", "--source", self.bin / "rest-source", "--source-config", self.folder / "source.json",
             "--destination", self.bin / "destination-sqlite", "--destination-config", self.folder / "destination.json",
             "--schema", "shop", "--state", self.folder / "state", "--attempts", "1", "--json"],
            text=True, capture_output=True, timeout=120)

    def rows(self):
        with contextlib.closing(sqlite3.connect(self.folder / "warehouse.sqlite")) as db:
            return {row[0]: row[1:] for row in db.execute(
                'SELECT id, customer, total, paid, placed_at, _fivetran_deleted FROM "shop.orders"')}


def expected(api):
    """What the API holds, as destination-sqlite writes values; deleted orders keep what they had, so are apart."""
    return {o["id"]: (o["customer"], f"{float(o['total']):.2f}", int(o["paid"]), o["placed_at"][:-1].replace("T", " "))
            for o in api.store.orders.values() if not o["deleted"]}


def compare(run, api):
    """Live rows equal by value: totals as numbers, times without a fraction of zeroes."""
    def tidy(row):
        customer, total, paid, at = row
        return customer, f"{float(total):.2f}", paid, at[:-4] if at.endswith(".000") else at

    landed = {key: row for key, row in run.rows().items()}
    live = {key: tidy(row[:4]) for key, row in landed.items() if not row[4]}
    wanted = {key: tidy(row) for key, row in expected(api).items()}
    assert live == wanted, (len(live), len(wanted), next((k, live.get(k), w) for k, w in wanted.items() if live.get(k) != w))
    gone = {key for key, row in landed.items() if row[4]}
    assert gone == {o["id"] for o in api.store.orders.values() if o["deleted"]} & set(landed), gone


@contextlib.contextmanager
def api(**options):
    running = server.serve(**options)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.shutdown()
        running.server_close()


def post(running, number, body):
    request = urllib.request.Request(f"http://127.0.0.1:{running.server_address[1]}/orders/{number}",
                                     data=json.dumps(body).encode(), method="POST")
    urllib.request.urlopen(request).read()


def paging_and_increments(binaries):
    with api(orders=730) as running, tempfile.TemporaryDirectory() as folder:
        run = Run(binaries, folder, running)
        done = run.sync()
        assert done.returncode == 0, done.stderr
        compare(run, running)
        asked = running.limits.count
        assert asked == 15, asked  # 730 orders, 50 a page
        post(running, 7, {"total": "1.00"})
        post(running, 8, {"deleted": True})
        post(running, 1000, {"customer": "new", "total": "2.50", "paid": True, "placed_at": "1969-12-31T23:59:59Z"})
        done = run.sync()
        assert done.returncode == 0, done.stderr
        compare(run, running)
        assert running.limits.count == asked + 1  # three changes are one page: only what is new is asked for


def patience(binaries):
    with api(orders=400, rate=6, faults=True) as running, tempfile.TemporaryDirectory() as folder:
        run = Run(binaries, folder, running, page=40)
        done = run.sync()
        assert done.returncode == 0, done.stderr
        compare(run, running)
        assert running.limits.refused > 0 and running.limits.broken > 2, vars(running.limits)


def wrong_token(binaries):
    with api(orders=3) as running, tempfile.TemporaryDirectory() as folder:
        done = Run(binaries, folder, running, token="kept-to-ourselves").sync()
        assert done.returncode == 3, (done.returncode, done.stderr)  # a task for a person, not a retry
        assert "token" in done.stderr and "kept-to-ourselves" not in done.stderr + done.stdout, done.stderr
        assert running.limits.count == 0


if __name__ == "__main__":
    for case in (paging_and_increments, patience, wrong_token):
        case(sys.argv[1])
        print(f"{case.__name__}: ok")
