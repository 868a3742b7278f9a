#!/usr/bin/env python3
"""A private MariaDB server for tests, benches and by hand; and a client that returns bytes as the server sent them.

    server.py start DIR [OPTION=VALUE...]   makes a server in DIR (new or empty) and starts it; prints DIR/env
    server.py stop DIR                      stops it at once; the files stay
    server.py env DIR                       prints DIR/env again

DIR/env holds shell assignments: MARIADB_HOST (127.0.0.1), MARIADB_PORT (free), MARIADB_SOCKET, MARIADB_USER (weir, with
all rights), MARIADB_PASSWORD (random), MARIADB_DATABASE (weir) and MARIADB_CA (the certificate that signed the server's,
which is good for 127.0.0.1 and localhost). The server listens on 127.0.0.1 only and thinks itself in India, so that
mistaken time zones show. From Python:

    with Server() as server:
        server.sql("CREATE TABLE t (a INT)")
        server.rows("SELECT * FROM t")       # tuples of bytes or None
        server.config(tls="disable")         # a connector's configuration
"""
import contextlib
import ctypes
import ctypes.util
import getpass
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

START_SECONDS = 60
ATTEMPTS = 5
# Small, and without waiting for the disk: nothing here outlives a crash of the machine.
OPTIONS = {"innodb-buffer-pool-size": "64M", "innodb-log-file-size": "32M", "innodb-flush-log-at-trx-commit": "2",
           "innodb-flush-method": "nosync", "skip-name-resolve": "1", "default-time-zone": "+05:30",
           "character-set-server": "utf8mb4", "collation-server": "utf8mb4_general_ci", "max-connections": "100",
           "innodb-fast-shutdown": "1", "performance-schema": "0", "max-allowed-packet": "256M"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*command, **more):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def make_certificates(folder):
    """ca.pem, and server.pem with server.key that it signed."""
    make = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30")
    run(*make, "-subj", "/CN=weir test authority", "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    run(*make, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext",
        "basicConstraints=CA:FALSE", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-keyout",
        folder / "server.key", "-out", folder / "server.pem")


class Error(Exception):
    """What the server answered."""

    def __init__(self, number, text):
        super().__init__(f"{number}: {text}")
        self.number = number


def load_library():
    library = ctypes.CDLL(ctypes.util.find_library("mariadb"))
    for name in ("mysql_init", "mysql_real_connect", "mysql_store_result", "mysql_fetch_row", "mysql_fetch_lengths"):
        getattr(library, name).restype = ctypes.c_void_p
    library.mysql_error.restype = ctypes.c_char_p
    return library


class Client:
    """One connection."""

    library = None

    def __init__(self, path, user, password, database):
        Client.library = Client.library or load_library()
        self.handle = ctypes.c_void_p(self.library.mysql_init(None))
        self.library.mysql_options(self.handle, 7, b"utf8mb4")  # MYSQL_SET_CHARSET_NAME
        client_multi_statements = ctypes.c_ulong(1 << 16)
        self.check(self.library.mysql_real_connect(
            self.handle, None, user.encode(), password.encode(), database.encode() if database else None, 0,
            os.fspath(path).encode(), client_multi_statements) is None)

    def check(self, failed):
        if failed:
            raise Error(self.library.mysql_errno(self.handle), self.library.mysql_error(self.handle).decode())

    def rows(self, sql):
        """The rows of the last result of the statements, as tuples of bytes or None; [] where there is none."""
        text = sql.encode() if isinstance(sql, str) else sql
        self.check(self.library.mysql_real_query(self.handle, text, ctypes.c_ulong(len(text))))
        rows = []
        while True:
            result = self.library.mysql_store_result(self.handle)
            if result is not None:
                rows = self.take(ctypes.c_void_p(result))
            else:
                self.check(self.library.mysql_errno(self.handle))
            more = self.library.mysql_next_result(self.handle)
            self.check(more > 0)
            if more < 0:
                return rows

    def take(self, result):
        rows = []
        width = self.library.mysql_num_fields(result)
        while (row := self.library.mysql_fetch_row(result)) is not None:
            cells = ctypes.cast(row, ctypes.POINTER(ctypes.c_void_p))
            sizes = ctypes.cast(self.library.mysql_fetch_lengths(result), ctypes.POINTER(ctypes.c_ulong))
            rows.append(tuple(None if cells[i] is None else ctypes.string_at(cells[i], sizes[i]) for i in range(width)))
        self.library.mysql_free_result(result)
        return rows

    def close(self):
        if self.handle:
            self.library.mysql_close(self.handle)
        self.handle = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Server:
    """A server in a folder of its own, gone with it."""

    def __init__(self, *settings, folder=None):
        """settings: "option=value" for the server."""
        self.own = folder is None
        # Short: the path of a socket has 107 bytes at most.
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="weir-my-")).resolve()
        self.folder.mkdir(exist_ok=True, parents=True)
        self.options = {**OPTIONS, **dict(setting.split("=", 1) for setting in settings)}
        self.data, self.socket = self.folder / "data", self.folder / "s"
        # Of its own: a server that starts removes the temporary tables that it finds, those of another one, too.
        self.scratch = self.folder / "tmp"
        self.password, self.process, self.port, self.client = secrets.token_hex(12), None, None, None
        if self.data.exists():
            raise RuntimeError(f"{self.data} exists: choose an empty directory")
        self.scratch.mkdir()
        try:
            make_certificates(self.folder)
            run("mariadb-install-db", "--no-defaults", f"--datadir={self.data}", f"--user={getpass.getuser()}",
                "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=32M",
                "--innodb-flush-method=nosync")
            self.start()
            self.greet()
        except BaseException:
            self.stop()
            raise

    def start(self):
        """Starts the server, again with the same port after stop_process(); another one may have taken a free port."""
        for attempt in range(ATTEMPTS):
            self.port = self.port or free_port()
            log = open(self.folder / "log", "ab")
            self.process = subprocess.Popen(
                ["mariadbd", "--no-defaults", f"--datadir={self.data}", f"--user={getpass.getuser()}",
                 f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1",
                 f"--tmpdir={self.scratch}", f"--pid-file={self.folder / 'pid'}", f"--ssl-ca={self.folder / 'ca.pem'}",
                 f"--ssl-cert={self.folder / 'server.pem'}", f"--ssl-key={self.folder / 'server.key'}",
                 *(f"--{name}={value}" for name, value in self.options.items())],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            log.close()
            if self.answers():
                return
            if attempt == 0 and self.client is not None:
                break
            self.port = None
        raise RuntimeError(f"mariadbd did not start: {(self.folder / 'log').read_text(errors='replace')[-3000:]}")

    def answers(self):
        """Waits until the server listens; False when it ended instead."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.socket() as port, socket.socket(socket.AF_UNIX) as local:
                port.connect(("127.0.0.1", self.port))
                local.connect(str(self.socket))
                return True
            time.sleep(0.05)
        self.kill_process()
        return False

    def greet(self):
        with Client(self.socket, "root", "", None) as root:
            root.rows(f"CREATE USER weir@'%' IDENTIFIED BY '{self.password}';"
                      "GRANT ALL ON *.* TO weir@'%' WITH GRANT OPTION; DROP USER root@localhost; CREATE DATABASE weir")
        self.client = self.connect()
        names = {"HOST": "127.0.0.1", "PORT": self.port, "SOCKET": self.socket, "USER": "weir",
                 "PASSWORD": self.password, "DATABASE": "weir", "CA": self.folder / "ca.pem"}
        path = self.folder / "env"
        path.touch(mode=0o600)
        path.write_text("".join(f"export MARIADB_{name}={value}\n" for name, value in names.items()))

    def connect(self, database="weir"):
        """A connection of its own, in UTC."""
        client = Client(self.socket, "weir", self.password, database)
        client.rows("SET time_zone = '+00:00'")
        return client

    def rows(self, sql):
        return self.client.rows(sql)

    def sql(self, sql):
        self.client.rows(sql)

    def config(self, **more):
        """A connector's configuration for the user with all rights, over TCP."""
        return {"host": "127.0.0.1", "port": str(self.port), "user": "weir", "password": self.password, **more}

    def kill_process(self):
        """As a crash would; the files stay, start() goes on with them."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait(60)

    def restart(self):
        """Kills and starts it; connections are lost."""
        self.client.close()
        self.kill_process()
        self.start()
        self.client = self.connect()

    def stop(self):
        if self.client is not None:
            self.client.close()
        self.kill_process()
        if self.own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def main():
    action, folder, *settings = sys.argv[1:] if len(sys.argv) > 2 else ("", "")
    if action == "start":
        Server(*settings, folder=folder)
    elif action == "stop":
        os.kill(int((pathlib.Path(folder) / "pid").read_text()), signal.SIGKILL)
        return
    elif action != "env":
        sys.exit("usage: server.py start|stop|env DIR [OPTION=VALUE...]")
    print((pathlib.Path(folder) / "env").read_text(), end="")


if __name__ == "__main__":
    main()
