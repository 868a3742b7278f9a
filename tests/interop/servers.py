"""Starts a program that serves on a loopback port, waits until it does, and ends it."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import tempfile
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running program. `address` is where it listens, as gRPC writes it; `log()` is what it has printed."""

    def __init__(self, command, env=None):
        self.command = command
        self.file = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self.file,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
        )
        self.port = None
        self.address = None

    def log(self):
        self.file.seek(0)
        return self.file.read().decode(errors="replace")

    def check_alive(self):
        if self.process.poll() is not None:
            raise RuntimeError(
                f"{' '.join(self.command)} ended with {self.process.returncode}: {self.log()[-2000:]}"
            )

    def await_port(self, port, seconds=20):
        """With port 0 the program prints 'listening on N' (or 'on port N') itself; otherwise the port must answer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.check_alive()
            found = port or next((int(n) for n in re.findall(r"listening on (?:port )?(\d+)", self.log())), 0)
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", found), 1):
                self.port = found
                self.address = f"127.0.0.1:{found}"
                return
            time.sleep(0.02)
        raise RuntimeError(
            f"{' '.join(self.command)} does not listen after {seconds} s: {self.log()[-2000:]}"
        )

    def await_socket(self, path, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.check_alive()
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(path)
                self.address = f"unix:{path}"
                return
            time.sleep(0.02)
        raise RuntimeError(
            f"{' '.join(self.command)} does not listen after {seconds} s: {self.log()[-2000:]}"
        )

    def stop(self, seconds):
        """Ends the whole process group: asked first, then killed. Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.wait()


@contextlib.contextmanager
def serving(command, port=0, env=None, ours=False):
    """`command` may hold '{port}', which becomes a free one, or '{socket}', the path of a Unix socket; without them the
    program prints the port it chose. A program of ours must end well when asked (R-RPC-06); so sanitizers are heard.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "socket") if "{socket}" in command else None
        if any("{port}" in word for word in command):
            port = free_port()
        server = Server(
            [word.replace("{port}", str(port)).replace("{socket}", str(path)) for word in command], env
        )
        try:
            server.await_socket(path) if path else server.await_port(port)
            yield server
        except BaseException:
            server.stop(5)
            raise
        code = server.stop(35 if ours else 5)
        if ours and code != 0:
            raise RuntimeError(f"{' '.join(server.command)} ended with {code}: {server.log()[-4000:]}")
