"""Builds the foreign programs from the package registries into a directory outside the tree's sources, once.

Each kind (go, python, node, java) has a fetch step, which needs the network and whose failure means SKIP, and a build
step, whose failure is a failure. A stamp holds the hash of what the kind was built from; an unchanged one is reused.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SOURCES = HERE / "peers"
GO_PROGRAMS = {
    "client": "google.golang.org/grpc/interop/client",
    "grpcurl": "github.com/fullstorydev/grpcurl/cmd/grpcurl",
    "h2spec": "github.com/summerwind/h2spec/cmd/h2spec",
    "server": "./server",
    "compressed": "./compressed",
}
KINDS = ("go", "python", "node", "java")
JAVA_CLASSES = "io.grpc.testing.integration."
SKIP_CODE = 77


class Skip(Exception):
    """What the test needs is not to be had on this machine; the text says what."""


class Peers:
    def __init__(self, directory, built_only=False):
        self.directory = Path(directory).resolve()
        self.built_only = built_only

    def go(self, program):
        return [str(self.directory / "go" / program)]

    def python(self, script):
        return [str(self.directory / "python" / "bin" / "python"), str(SOURCES / "python" / script)]

    def node(self, script):
        return [tool("node"), str(SOURCES / "node" / script)]

    def java(self, name):
        jars = str(self.directory / "java" / "*")
        # A short life each: the first compiler only, and a heap that fits beside the other tests.
        return [tool("java"), "-XX:TieredStopAtLevel=1", "-Xmx256m", "-cp", jars, JAVA_CLASSES + name]

    def environment(self):
        """For the Python and Node peers: where their packages, generated code and schemas are."""
        return dict(
            os.environ,
            PYTHONPATH=str(self.directory / "generated"),
            PYTHONDONTWRITEBYTECODE="1",
            NODE_PATH=str(self.directory / "node" / "node_modules"),
            WEIR_PROTOCOL=str(ROOT / "protocol"),
            WEIR_TESTING_PROTO=str(HERE / "proto"),
        )

    def versions(self):
        found = {}
        for kind in KINDS:
            stamp = self.directory / f"{kind}.json"
            if stamp.exists():
                found.update(json.loads(stamp.read_text())["versions"])
        return found

    def require(self, *kinds):
        """Makes sure that the kinds are there, building them unless told otherwise; raises Skip."""
        for kind in kinds:
            self.directory.mkdir(parents=True, exist_ok=True)
            with self.lock(kind):
                self.require_one(kind)

    def require_one(self, kind):
        stamp = self.directory / f"{kind}.json"
        missing = self.directory / f"{kind}.missing"
        source = source_hash(kind)
        if stamp.exists() and json.loads(stamp.read_text())["source"] == source:
            return
        if self.built_only:
            reason = missing.read_text() if missing.exists() else "run 'tests/interop/run.py peers' first"
            raise Skip(f"the {kind} peers are not built: {reason}")
        missing.unlink(missing_ok=True)
        try:
            versions = getattr(self, "build_" + kind)()
        except Skip as reason:
            missing.write_text(str(reason))
            raise
        stamp.write_text(json.dumps({"source": source, "versions": versions}, indent=1))

    @contextlib.contextmanager
    def lock(self, kind):
        with open(self.directory / f"{kind}.lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def build_go(self):
        go = tool("go")
        out = self.directory / "go"
        out.mkdir(exist_ok=True)
        module = SOURCES / "go"
        environment = dict(
            os.environ,
            GOFLAGS="-mod=readonly -trimpath -buildvcs=false",
            GOTOOLCHAIN="local",
            CGO_ENABLED="0",
        )
        fetch([go, "mod", "download"], "the Go modules", cwd=module, env=environment)
        for name, package in GO_PROGRAMS.items():
            say(f"building {package}")
            build(
                [go, "build", "-ldflags=-s -w", "-o", str(out / name), package], cwd=module, env=environment
            )
        versions = {"Go": output([go, "env", "GOVERSION"]).removeprefix("go")}
        text = (module / "go.mod").read_text()
        for name, path in (
            ("grpc-go", "google.golang.org/grpc"),
            ("h2spec", "github.com/summerwind/h2spec"),
            ("grpcurl", "github.com/fullstorydev/grpcurl"),
        ):
            versions[name] = re.search(rf"^\s*{re.escape(path)} (\S+)", text, re.M).group(1)
        return versions

    def build_python(self):
        out = self.directory / "python"
        shutil.rmtree(out, ignore_errors=True)
        python = tool("python3") if not sys.executable else sys.executable
        fetch([python, "-m", "venv", str(out)], "a Python environment (package python3-venv)")
        pip = [str(out / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--retries", "1"]
        fetch(
            pip + ["install", "-q", "-r", str(SOURCES / "python" / "requirements.txt")], "the Python packages"
        )
        self.generate_python(str(out / "bin" / "python"))
        grpcio = output([str(out / "bin" / "python"), "-c", "import grpc; print(grpc.__version__)"])
        return {"grpcio (Python)": grpcio, "Python": output([python, "-V"]).split()[-1]}

    def generate_python(self, python):
        out = self.directory / "generated"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        for folder in (HERE / "proto", ROOT / "protocol"):
            files = sorted(str(path) for path in folder.glob("*.proto"))
            build(
                [
                    python,
                    "-m",
                    "grpc_tools.protoc",
                    f"-I{folder}",
                    f"--python_out={out}",
                    f"--grpc_python_out={out}",
                    *files,
                ]
            )

    def build_node(self):
        out = self.directory / "node"
        npm, node = tool("npm"), tool("node")
        out.mkdir(exist_ok=True)
        shutil.copy(SOURCES / "node" / "package.json", out)
        fetch(
            [
                npm,
                "install",
                "--no-audit",
                "--no-fund",
                "--no-package-lock",
                "--ignore-scripts",
                "--loglevel=error",
                "--fetch-retries=0",
                "--fetch-timeout=60000",
            ],
            "the npm packages",
            cwd=out,
        )
        package = json.loads((out / "node_modules" / "@grpc" / "grpc-js" / "package.json").read_text())
        return {"grpc-js (Node)": package["version"], "Node": output([node, "--version"])}

    def build_java(self):
        out = self.directory / "java"
        shutil.rmtree(out, ignore_errors=True)
        java, maven = tool("java"), tool("mvn")
        pom = SOURCES / "java" / "pom.xml"
        fetch(
            [
                maven,
                "-q",
                "-B",
                "-f",
                str(pom),
                "dependency:copy-dependencies",
                f"-DoutputDirectory={out}",
                "-DincludeScope=runtime",
            ],
            "the Java packages",
        )
        version = re.search(r"<version>([\d.]+)</version>\s*</dependency>", pom.read_text()).group(1)
        return {"grpc-java": version, "Java": re.search(r'"(.*?)"', run([java, "-version"], 60)[1]).group(1)}


def source_hash(kind):
    files = sorted(
        path for path in (SOURCES / kind).rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    # The scripts run from the tree; only packages and, for Python, generated code depend on these.
    if kind == "node":
        files = [SOURCES / kind / "package.json"]
    if kind == "python":
        files = [
            SOURCES / kind / "requirements.txt",
            *sorted((HERE / "proto").glob("*.proto")),
            *sorted((ROOT / "protocol").glob("*.proto")),
        ]
    digest = hashlib.sha256()
    for path in files:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def say(text):
    print(text, flush=True)


def tool(name):
    """The path of an installed program; raises Skip where it is missing."""
    path = shutil.which(name)
    if path is None:
        raise Skip(f"'{name}' is not installed")
    return path


def output(command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def run(command, timeout, **more):
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            **more,
        )
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        return None, f"no end within {late.timeout:g} s"


def fetch(command, what, **more):
    say(f"fetching {what}")
    code, text = run(command, 300, **more)
    if code != 0:
        lines = text.strip().splitlines() or [f"exit code {code}"]
        reason = next((line for line in lines if re.search(r"\berror\b", line, re.I)), lines[-1])
        raise Skip(f"{what} could not be fetched: {reason.strip()[:300]}")


def build(command, **more):
    code, text = run(command, 900, **more)
    if code != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{text[-4000:]}")
