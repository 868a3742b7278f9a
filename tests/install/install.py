#!/usr/bin/env python3
"""libweir and weir as somebody finds them who has only the installation.

usage: install.py SOURCE_DIR BUILD_DIR    installs the build into a temporary folder and uses it from outside the tree
"""
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(sys.argv[1]).resolve()
BUILD = pathlib.Path(sys.argv[2]).resolve()
COMPILERS = {"c": ["gcc", "clang"], "c++": ["g++", "clang++"]}


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Installation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-install-"))
        # Installed to one place and moved to another: nothing in it may know where it was put.
        run("cmake", "--install", BUILD, "--prefix", cls.folder / "made")
        cls.prefix = cls.folder / "used"
        (cls.folder / "made").rename(cls.prefix)
        cls.library = cls.prefix / "lib"
        # The source of the consumer is the example of the manual page.
        page = (SOURCE / "docs/man/libweir.3").read_text()
        cls.main = cls.folder / "main.c"
        cls.main.write_text(re.search(r"\.Bd [^\n]*\n(.*?)\n\.Ed", page, re.S).group(1).replace("\\e", "\\") + "\n")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    # --- libraries ---

    def test_headers_are_clean_in_every_language_and_compiler(self):
        headers = sorted(path.name for path in (self.prefix / "include/weir").iterdir())
        self.assertEqual(headers, sorted(path.name for path in (SOURCE / "include/weir").glob("*.h")))
        for header in headers:
            for language, standards in {"c": ["c11", "c17"], "c++": ["c++17"]}.items():
                for compiler in COMPILERS[language]:
                    for standard in standards:
                        run(compiler, f"-std={standard}", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                            "-I", self.prefix / "include", "-x", language, "-", input=f"#include <weir/{header}>\n")

    def test_global_names_of_the_static_library_are_ours(self):
        lines = run("nm", "--extern-only", "--defined-only", "--format=posix", self.library / "libweir.a").splitlines()
        names = [line.split()[0] for line in lines if line.strip() and not line.endswith(":")]
        self.assertGreater(len(names), 100)
        self.assertEqual([name for name in names if not name.startswith("weir_")], [])

    def test_the_shared_library_exports_the_committed_list(self):
        library = self.library / "libweir.so"
        run(sys.executable, SOURCE / "tools/check-exports", library)
        dynamic = run("readelf", "--dynamic", "--wide", library)
        self.assertRegex(dynamic, r"SONAME.*\[libweir\.so\.\d+\]")
        self.assertNotIn("TEXTREL", dynamic)

    # --- consumers ---

    def check_connector(self, program, static):
        """It says what it is, and a real engine gets its row; a static one asks for no library at all."""
        self.assertIn("the source 'ticks'", run(program, "--help"))
        needed = re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "--dynamic", "--wide", program))
        self.assertEqual(needed == [], static, needed)
        self.assertEqual(any(name.startswith("libweir.so") for name in needed), not static)
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        (folder / "source.json").write_text("{}")
        (folder / "destination.json").write_text(f'{{"path": "{folder}/warehouse.db"}}')
        for expected in (1, 2):
            run(self.prefix / "bin/weir", "sync", "--source", program, "--source-config", folder / "source.json",
                "--destination", self.prefix / "lib/weir/destination-sqlite", "--destination-config",
                folder / "destination.json", "--schema", "demo", "--state", folder / "state")
            with sqlite3.connect(folder / "warehouse.db") as db:
                rows = db.execute('SELECT id FROM "demo.ticks" ORDER BY id').fetchall()
            self.assertEqual(rows, [(number,) for number in range(1, expected + 1)])

    def pkg_config(self, *arguments):
        return run("pkg-config", *arguments, "weir", env={"PKG_CONFIG_PATH": str(self.library / "pkgconfig"),
                                                          "PATH": "/usr/bin:/bin"}).split()

    def test_pkg_config_links_a_static_connector(self):
        for compiler in COMPILERS["c"]:
            program = self.folder / f"pkg-config-static-{compiler}"
            run(compiler, "-Wall", "-Wextra", "-Werror", "-fPIE", "-static-pie", self.main,
                *self.pkg_config("--static", "--cflags", "--libs"), "-o", program)
            self.check_connector(program, static=True)

    def test_pkg_config_links_a_dynamic_connector(self):
        program = self.folder / "pkg-config-shared"
        run("gcc", "-Wall", "-Wextra", "-Werror", self.main, *self.pkg_config("--cflags", "--libs"),
            f"-Wl,-rpath,{self.library}", "-o", program)
        self.check_connector(program, static=False)

    def test_find_package_offers_both_libraries(self):
        folder = self.folder / "consumer"
        folder.mkdir()
        (folder / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.23)\nproject(consumer LANGUAGES C)\nfind_package(weir 0.1 REQUIRED)\n"
            "weir_connector(static-connector SOURCES ../main.c)\n"
            "weir_connector(shared-connector SHARED SOURCES ../main.c)\n"
            "add_executable(plain ../main.c)\ntarget_link_libraries(plain PRIVATE weir::weir_static)\n")
        run("cmake", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}",
            "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror")
        run("cmake", "--build", folder / "build")
        self.check_connector(folder / "build/static-connector", static=True)
        self.check_connector(folder / "build/shared-connector", static=False)
        self.assertIn("the source 'ticks'", run(folder / "build/plain", "--help"))

    # --- manual pages and completion ---

    def test_manual_pages_are_clean_and_complete(self):
        pages = sorted((self.prefix / "share/man").glob("man*/*"))
        names = {page.name for page in pages}
        usage = run(self.prefix / "bin/weir", "help")
        commands = set(re.findall(r"^  ([a-z]+) ", usage, re.M)) - {"completion", "version", "help", "weir"}
        self.assertEqual(names, {"weir.1", "libweir.3"} | {f"weir-{command}.1" for command in commands})
        for page in pages:
            self.assertEqual(run("mandoc", "-Tlint", "-Wwarning", page), "", page)
        for command in commands:
            text = run("mandoc", "-Tascii", "-Owidth=200", self.prefix / f"share/man/man1/weir-{command}.1")
            text = re.sub(".\b", "", text)
            for option in re.findall(r"^  (--[a-z-]+)", run(self.prefix / "bin/weir", command, "--help"), re.M):
                self.assertIn(option, text)

    def test_completion_scripts_are_valid(self):
        share = self.prefix / "share"
        run("bash", "-n", share / "bash-completion/completions/weir")
        run("zsh", "-n", share / "zsh/site-functions/_weir")
        run("fish", "-n", share / "fish/vendor_completions.d/weir.fish")
        done = run("fish", "-c", f"source {share}/fish/vendor_completions.d/weir.fish; complete -C 'weir sy'")
        self.assertTrue(done.startswith("sync"), done)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
