"""`weir sync` from PostgreSQL to PostgreSQL: every type, changes by cursor, deletions, killed connectors; compared by SQL."""
import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import kit
import source_types_test as types

BIN = MESSAGES = None


def setUpModule():
    global cluster
    cluster = kit.Cluster()


def tearDownModule():
    cluster.stop()


class Sync(unittest.TestCase):
    def setUp(self):
        cluster.psql("DROP SCHEMA IF EXISTS shop CASCADE; DROP SCHEMA IF EXISTS copy_shop CASCADE; CREATE SCHEMA shop;"
                     "DROP TYPE IF EXISTS mood, pair CASCADE; DROP DOMAIN IF EXISTS posint, price, price2 CASCADE")
        self.folder = tempfile.TemporaryDirectory(prefix="weir-sync-")
        self.addCleanup(self.folder.cleanup)

    def command(self, **source):
        folder = Path(self.folder.name)
        (folder / "source.json").write_text(json.dumps(cluster.config(schemas="shop", rows_per_range="2000", **source)))
        (folder / "destination.json").write_text(json.dumps(cluster.config()))
        (folder / "schema.json").write_text('{"naming": "SOURCE_NAMING"}')
        return [f"{BIN}/weir", "sync", "--source", f"{BIN}/source-postgresql", "--source-config", folder / "source.json",
                "--destination", f"{BIN}/destination-postgresql", "--destination-config", folder / "destination.json",
                "--schema", "copy", "--state", folder / "state", "--schema-config", folder / "schema.json", "--json"]

    def sync(self, *more, **source):
        done = subprocess.run([*self.command(**source), *more], text=True, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])
        self.assertNotIn("ahead of the rows", done.stderr)  # the linter of checkpoints
        return json.loads(done.stdout.strip().splitlines()[-1])

    def same(self, table, columns, where="NOT _fivetran_deleted"):
        """The copy holds the source's rows."""
        copied = cluster.rows(f"SELECT {', '.join(columns)} FROM copy_shop.{table} WHERE {where}")
        self.assertEqual(sorted(copied, key=repr), sorted(cluster.rows(f"SELECT {', '.join(columns)} FROM shop.{table}"), key=repr))

    def test_every_type(self):
        cluster.psql("SET search_path = shop, public;" + types.SETUP)
        cluster.psql("SET search_path = shop, public; CREATE TABLE everything (id int PRIMARY KEY, %s)"
                     % ", ".join(f'"{t[0]}" {t[1]}' for t in types.TYPES))
        count = max(len(t) - 3 for t in types.TYPES)
        for i in range(count):
            values = ", ".join(t[3 + i] if i < len(t) - 3 else "NULL" for t in types.TYPES)
            cluster.psql(f"SET search_path = shop, public; INSERT INTO everything VALUES ({i}, {values})")
        self.sync()
        for column, sql_type, *_ in types.TYPES:
            expression = f'array_to_json("{column}")' if sql_type.endswith("[]") else f'"{column}"'
            self.assertEqual(cluster.rows(f'SELECT id, "{column}" FROM copy_shop.everything ORDER BY id'),
                             cluster.rows(f"SELECT id, {expression} FROM shop.everything ORDER BY id"), column)

    def test_changes(self):
        cluster.psql("""CREATE TABLE shop.orders (id int PRIMARY KEY, v text, changed timestamptz DEFAULT now());
            CREATE TABLE shop.small (code text PRIMARY KEY, v int); CREATE TABLE shop.nokey (a int, b text);
            INSERT INTO shop.orders SELECT g, 'v' || g FROM generate_series(1, 20000) g;
            INSERT INTO shop.small SELECT 'c' || g, g FROM generate_series(1, 50) g;
            INSERT INTO shop.nokey VALUES (1, 'x'), (2, NULL)""")
        settings = {"cursor_default": "changed"}
        for change in ("SELECT 1", "UPDATE shop.orders SET v = 'new', changed = now() WHERE id % 100 = 0; DELETE FROM shop.small WHERE v < 10;"
                       "INSERT INTO shop.orders VALUES (30000, 'added'); UPDATE shop.small SET v = 7 WHERE code = 'c20'; DELETE FROM shop.nokey WHERE a = 1",
                       "ALTER TABLE shop.orders ADD more numeric(10,2) DEFAULT 1.5; ALTER TABLE shop.small ALTER v TYPE bigint;"
                       "INSERT INTO shop.small VALUES ('big', 5000000000)"):
            cluster.psql(change)
            self.sync(**settings)
            self.same("small", ["code", "v"])
            self.same("nokey", ["a", "b"])
            self.same("orders", ["id", "v", "changed"] + (["more"] if "more" in change else []))

    def test_one_table_is_read_again(self):
        """R-ENG-12: with a cursor and without; what is gone from the source is marked deleted, the other tables are left alone."""
        cluster.psql("""CREATE TABLE shop.orders (id int PRIMARY KEY, v text, changed timestamptz DEFAULT now());
            CREATE TABLE shop.once (id int PRIMARY KEY, v text);
            INSERT INTO shop.orders SELECT g, 'v' || g, '2024-01-01' FROM generate_series(1, 5000) g;
            INSERT INTO shop.once SELECT g, 'v' || g FROM generate_series(1, 100) g""")
        settings = {"cursor_columns": "orders=changed", "overlap_seconds": "0", "read_again": "false"}
        self.sync(**settings)
        cluster.psql("UPDATE shop.orders SET v = 'unseen' WHERE id < 10; DELETE FROM shop.orders WHERE id > 4990;"
                     "UPDATE shop.once SET v = 'unseen' WHERE id < 10; DELETE FROM shop.once WHERE id > 90")
        self.sync(**settings)
        before = cluster.rows("SELECT id, v, _fivetran_deleted FROM copy_shop.once ORDER BY id")
        self.assertEqual(before[0], ("1", "v1", "f"))
        self.sync("--resync-table", "shop.orders", **settings)
        self.same("orders", ["id", "v", "changed"])
        self.assertEqual(cluster.rows("SELECT id, v, _fivetran_deleted FROM copy_shop.once ORDER BY id"), before)
        self.sync("--resync-table", "shop.once", **settings)
        self.same("once", ["id", "v"])
        self.assertEqual(cluster.rows("SELECT count(*) FROM copy_shop.once WHERE _fivetran_deleted"), [("10",)])

    def test_killed(self):
        """R-ENG-03: source, destination and engine are killed in turn; the rerun ends in the source's rows."""
        cluster.psql("""CREATE TABLE shop.orders (id int PRIMARY KEY, v text);
            INSERT INTO shop.orders SELECT g, repeat('x', 300) || g FROM generate_series(1, 60000) g""")
        for victim, delay in (("source-postgresql", 0.15), ("destination-postgresql", 0.25), ("weir", 0.35), ("weir", 0.5)):
            process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            time.sleep(delay)
            for pid in members(process.pid):
                with contextlib.suppress(OSError):  # it may have ended by itself
                    if Path(os.readlink(f"/proc/{pid}/exe")).name == victim:
                        os.kill(pid, signal.SIGKILL)
            process.wait(60)
            cluster.psql(f"UPDATE shop.orders SET v = v || '!' WHERE id BETWEEN {int(delay * 1000)} AND {int(delay * 1000) + 5000}")
        self.sync()
        self.same("orders", ["id", "v"])

    def test_no_value_of_a_row_in_what_is_told(self):
        """A value that a rule of the destination refuses is in no text of a sync, nor in its state."""
        raising = ("CREATE OR REPLACE FUNCTION copy_shop.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN %s; RETURN NEW; END$$;"
                   "CREATE TRIGGER refuse BEFORE INSERT ON copy_shop.people FOR EACH ROW EXECUTE FUNCTION copy_shop.refuse()")
        refusals = (
            ("CREATE UNIQUE INDEX emails ON copy_shop.people (email)", "emails", "DROP INDEX copy_shop.emails"),
            ("ALTER TABLE copy_shop.people ADD CONSTRAINT short CHECK (length(email) < 3) NOT VALID", "short",
             "ALTER TABLE copy_shop.people DROP CONSTRAINT short"),
            (raising % "RAISE 'not %', NEW.email", "trigger or function", "DROP TRIGGER refuse ON copy_shop.people"),
            (raising % "PERFORM NEW.email::inet", "type inet", "DROP TRIGGER refuse ON copy_shop.people"),
            (raising % "PERFORM (NEW.n || '0000000000')::int", "out of range", "DROP TRIGGER refuse ON copy_shop.people"))
        cluster.psql("CREATE TABLE shop.people (id int PRIMARY KEY, email text, n int);"
                     "INSERT INTO shop.people VALUES (1, 'x', 1), (2, 'y', 1)")
        self.sync()
        cluster.psql("INSERT INTO shop.people SELECT g, 'canary\"x: ''', 87654321 FROM generate_series(3, 4) g")
        for refuse, named, allow in refusals:
            with self.subTest(refuse):
                cluster.psql(refuse)
                done = subprocess.run([*self.command(), "--attempts", "1"], capture_output=True, timeout=120)
                cluster.psql(allow)
                told = [done.stdout, done.stderr, *(path.read_bytes() for path in Path(self.folder.name, "state").rglob("*") if path.is_file())]
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(named, done.stderr.decode())
                for text in told:
                    self.assertNotIn(b"canary", text)
                    self.assertNotIn(b"87654321", text)
        self.sync()
        self.same("people", ["id", "email", "n"])


def members(group):
    """Processes of a process group or session."""
    out = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == group:
                out.append(int(entry.name))
    return out
