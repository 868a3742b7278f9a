#!/usr/bin/env python3
"""`weir new`, from nothing to rows: every kind is made, built as the build lane does, tested and run in a sync.

usage: scaffold.py SOURCE_DIR BUILD_DIR    works with an installation of the build, outside the tree
"""
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(sys.argv[1]).resolve()
BUILD = pathlib.Path(sys.argv[2]).resolve()
KINDS = ["source", "destination", "sql-destination"]
LANE = {"CC": "clang-16"}  # what the build lane compiles with


def run(*command, code=0, env=None, **options):
    """Standard output and standard error of a command that ends with `code`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("WEIR_", "MAKE"))}
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=300, env=environment | (env or {}), **options)
    if done.returncode != code:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


class Scaffold(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="weir-scaffold-"))
        cls.prefix = cls.root / "prefix"
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        cls.weir = cls.prefix / "bin/weir"
        cls.ours = cls.prefix / "lib/weir"

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.root))

    def new(self, *arguments, code=0):
        return run(self.weir, "new", *arguments, cwd=self.folder, code=code)

    # --- from nothing to rows ---

    def build(self, kind):
        """Makes the project, builds it as the lane does, and runs its own tests; gives the executable."""
        self.new(kind, "acme-crm")
        project = self.folder / "acme-crm"
        output = run("make", "build_connector", cwd=project, env=LANE)
        self.check_warnings(output)
        files = [path for path in (project / "build/Release").rglob("*") if path.is_file()]
        self.assertEqual([path.name for path in files], ["acme-crm"])
        self.assertEqual(re.findall("NEEDED.*", run("readelf", "--dynamic", "--wide", files[0])), [], "it is static")
        # Stores of tests need no disk, and waiting for one is most of the time.
        memory = {"TMPDIR": "/dev/shm"} if os.path.isdir("/dev/shm") else {}
        self.check_warnings(run("make", "test", cwd=project, env=memory))
        if kind == "source" and not (self.ours / "libduckdb.so").exists():
            return project, files[0]  # the source tester's warehouse is a DuckDB file
        output = run("make", "try", f"WEIR={self.weir}", cwd=project)
        self.assertIn("Test run SUCCEEDED", output)
        for rows in {"source": ["3 rows compared"], "sql-destination": ["Rows are as expected: people (3)"]}.get(kind, []):
            self.assertIn(rows, output)
        for path in project.glob("*.db*"):
            path.unlink()
        return project, files[0]

    def check_warnings(self, output):
        """None but the linker's, which knows that a static program still asks the system for the names of hosts."""
        lines = [line for line in output.splitlines() if "warning" in line and "statically linked" not in line]
        self.assertEqual(lines, [])

    def check_compilers(self, project):
        """The sources of a project have no warning in any compiler that Weir is built with."""
        for path in sorted([*(project / "src").glob("*.c"), *(project / "tests").glob("*.c")]):
            for compiler, *made in [("gcc", "-O2", "-c"), ("clang", "-fsyntax-only"), ("clang-16", "-fsyntax-only")]:
                run(compiler, *made, "-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror",
                    "-Wno-missing-field-initializers", "-I", self.prefix / "include", "-I", project / "src", path,
                    "-o", os.devnull)

    def sync(self, source, source_config, destination, destination_config):
        run(self.weir, "sync", "--source", source, "--source-config", source_config, "--destination", destination,
            "--destination-config", destination_config, "--schema", "demo", "--state", self.folder / "state",
            cwd=self.folder)

    def test_source(self):
        project, program = self.build("source")
        self.check_compilers(project)
        lines = (project / "src/source.c").read_text().splitlines()
        self.assertLessEqual(len(lines), 80)
        (self.folder / "warehouse.json").write_text('{"path": "warehouse.db"}')
        for _ in range(2):
            self.sync(program, project / "configuration.json", self.ours / "destination-sqlite", "warehouse.json")
            with sqlite3.connect(self.folder / "warehouse.db") as db:
                rows = db.execute('SELECT id, name, _fivetran_deleted FROM "demo.items" ORDER BY id').fetchall()
            self.assertEqual(rows, [(1, "Ada", 1), (2, "Grace", 0), (3, "Barbara", 0)])

    def write_files(self, text):
        (self.folder / "data").mkdir(exist_ok=True)
        (self.folder / "data/people.csv").write_text(text)
        (self.folder / "files.json").write_text('{"folder": "data"}')

    def sync_files(self, project, program, text):
        self.write_files(text)
        self.sync(self.ours / "source-files", "files.json", program, project / "configuration.json")

    def test_sql_destination(self):
        project, program = self.build("sql-destination")
        self.check_compilers(project)
        self.sync_files(project, program, "id,name\n1,Ada\n2,\n")
        with sqlite3.connect(self.folder / "store.db") as db:
            self.assertEqual(db.execute('SELECT id, name FROM "demo.people" ORDER BY id').fetchall(),
                             [(1, "Ada"), (2, None)])
        self.sync_files(project, program, "id,name,born\n1,Ada,1815-12-10\n2,Grace,\n3,Barbara,\n")
        with sqlite3.connect(self.folder / "store.db") as db:
            self.assertEqual(db.execute('SELECT id, name, born FROM "demo.people" ORDER BY id').fetchall(),
                             [(1, "Ada", "1815-12-10"), (2, "Grace", None), (3, "Barbara", None)])

    def test_destination(self):
        project, program = self.build("destination")
        self.check_compilers(project)
        self.sync_files(project, program, "id,name\n1,Ada\n2,\n")
        with sqlite3.connect(self.folder / "store.db") as db:
            rows = [json.loads(text) for (text,) in
                    db.execute("""SELECT value FROM kv WHERE space = '"demo"."people"' ORDER BY key""")]
        self.assertEqual([(row["id"], row["name"]) for row in rows], [(1, "Ada"), (2, None)])

    # --- where libweir is ---

    def test_libweir_is_found_wherever_it_is(self):
        """Noted at creation, a build folder, pkg-config; and a sentence when it is nowhere."""
        self.new("source", "acme")
        project = self.folder / "acme"
        noted = project / ".weir/path"
        self.assertEqual(noted.read_text(), str(self.prefix))
        noted.unlink()
        nowhere = run("make", "build_connector", cwd=project, code=2)
        for part in ["libweir was not found", "WEIR_SDK=", "WEIR_SDK_URL=", "PKG_CONFIG_PATH="]:
            self.assertIn(part, nowhere)
        wrong = run("make", "build_connector", "WEIR_SDK=/etc", cwd=project, code=2)
        self.assertIn("WEIR_SDK is '/etc'", wrong)
        program = project / "build/Release/acme"
        for arguments, environment in [([f"WEIR_SDK={BUILD}"], {}), ([], {"WEIR_SDK": str(self.prefix)}),
                                       ([], {"PKG_CONFIG_PATH": str(self.only_pkg_config() / "lib/pkgconfig")})]:
            shutil.rmtree(project / "build", ignore_errors=True)
            run("make", "build_connector", *arguments, cwd=project, env=environment)
            self.assertIn("the source 'acme'", run(program, "--help"))

    def only_pkg_config(self):
        prefix = self.folder / "pkg-config-only"
        shutil.copytree(self.prefix, prefix, symlinks=True)
        shutil.rmtree(prefix / "lib/cmake")
        return prefix

    def test_libweir_is_built_from_git(self):
        """make build_dependencies from a repository with a tag; what it installs is what the project is built with."""
        repository = self.folder / "weir"
        repository.mkdir()
        for name in ["CMakeLists.txt", "cmake", "include", "src", "protocol", "tools", "docs", "layers.txt"]:
            copy = shutil.copytree if (SOURCE / name).is_dir() else shutil.copy
            copy(SOURCE / name, repository / name)
        version = run(self.weir, "version").split()[1]
        for command in (["init", "--quiet"], ["add", "."], ["-c", "user.name=w", "-c", "user.email=w@example.com", "commit",
                                                            "--quiet", "-m", "all"], ["tag", f"v{version}"]):
            run("git", *command, cwd=repository)
        self.new("source", "acme")
        project = self.folder / "acme"
        (project / ".weir/path").unlink()
        # Packages are there already: apt-get is told from the tests of Weir itself, not from here.
        empty = self.folder / "bin"
        empty.mkdir()
        (empty / "apt-get").symlink_to("/bin/true")
        (empty / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
        (empty / "sudo").chmod(0o755)
        run("make", "build_dependencies", f"WEIR_SDK_URL=file://{repository}", cwd=project,
            env=LANE | {"PATH": f"{empty}:{os.environ['PATH']}"})
        run("make", "build_connector", cwd=project)
        self.assertTrue((project / ".weir/sdk/lib/libweir.a").is_file())
        self.assertIn("the source 'acme'", run(project / "build/Release/acme", "--help"))

    # --- the command ---

    def test_names_are_checked(self):
        for name in ["Acme", "a", "acme_crm", "acme-", "a--b", "latest", "acme.so", "../acme", "4ever", "a" * 41, "é", "-x"]:
            text = self.new("source", name, code=2)
            self.assertEqual(len(text.splitlines()), 1, text)
            self.assertIn(name, text)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_nothing_is_overwritten(self):
        (self.folder / "acme").mkdir()
        self.new("source", "acme")  # an empty folder is taken
        before = (self.folder / "acme/Makefile").read_text()
        self.assertIn("is there already", self.new("destination", "acme", code=2))
        self.assertEqual((self.folder / "acme/Makefile").read_text(), before)
        (self.folder / "file").write_text("x")
        self.assertIn("is there already", self.new("source", "file", code=2))
        self.assertIn("make it first", self.new("source", "other", "--dir", "nowhere", code=2))
        self.assertIn("neither an installation", self.new("source", "other", "--sdk", "/etc", code=2))
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"acme", "file"})

    def test_nothing_is_left_when_writing_fails(self):
        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

        text = run(self.weir, "new", "source", "acme", cwd=self.folder, code=1, preexec_fn=small_files,
                   env={"LC_ALL": "C"})
        self.assertIn("File too large", text)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_json_lists_what_was_made(self):
        for kind in KINDS:
            result = json.loads(self.new(kind, f"acme-{kind}", "--json"))
            project = self.folder / result["folder"]
            self.assertEqual((result["kind"], result["name"], result["sdk"]), (kind, f"acme-{kind}", str(self.prefix)))
            made = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()}
            self.assertEqual(set(result["files"]), made)
            self.assertEqual((project / "configuration.json").stat().st_mode & 0o777, 0o600)
            for name in made:
                self.assertNotRegex((project / name).read_text(), "@[A-Z]+@", name)
            run("git", "init", "--quiet", cwd=project)
            committed = run("git", "ls-files", "--others", "--exclude-standard", cwd=project).split()
            self.assertEqual(made - set(committed), {"configuration.json", ".weir/path"})

    def test_completion_knows_the_kinds(self):
        script = run(self.weir, "completion", "bash")
        shell = run("bash", "-c", script + "\nCOMP_WORDS=(weir new ''); COMP_CWORD=2; _weir\necho ${COMPREPLY[@]}")
        self.assertEqual(shell.split(), KINDS)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
