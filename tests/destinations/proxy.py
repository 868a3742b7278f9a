"""A proxy before a database server that counts what a client asks, and strikes before or after one of the questions.

After a question the client waits for an answer, so between two of them lie all the moments at which a transaction can be cut
off. What is one is the wire's matter: PostgresWire, MariadbWire. The connection must be without TLS.
"""
import contextlib
import socket
import threading


def take(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


class PostgresWire:
    """A question is a simple statement, the Sync of an extended one, or the end of a COPY."""

    def __init__(self):
        self.begun = False

    def message(self, client):
        """The next message, and whether it is a question."""
        head = take(client, 5 if self.begun else 4)  # the first message has no type
        body = take(client, int.from_bytes(head[-4:], "big") - 4)
        self.begun = True
        return head + body, len(head) == 5 and head[:1] in (b"Q", b"S", b"c")


class MariadbWire:
    """A question is a statement, a ping, or the end of what LOAD DATA LOCAL reads."""

    def message(self, client):
        head = take(client, 4)
        body = take(client, int.from_bytes(head[:3], "little"))
        first = head[3] == 0  # of an exchange; what follows has higher numbers, and its end is empty
        return head + body, body[:1] in (b"\x03", b"\x0e") if first else not body


class Proxy:
    """`strike` is called once, before question number `at` (from 1) is passed on, or after `at` was answered when `after`."""

    def __init__(self, port, wire):
        self.wire = wire
        self.server = ("127.0.0.1", int(port))
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.plan(None)
        threading.Thread(target=self.accept, daemon=True).start()

    def plan(self, at, after=False, strike=None):
        """Begins to count anew. Without `strike` the connection is cut."""
        with self.lock:
            self.count, self.at, self.after, self.strike, self.struck = 0, at, after, strike, False

    def stop(self):
        self.listener.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.server)
                for sock in (client, server):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                mute = threading.Event()
                threading.Thread(target=self.forward, args=(client, server, mute), daemon=True).start()
                threading.Thread(target=self.answer, args=(client, server, mute), daemon=True).start()

    def forward(self, client, server, mute):
        """Client to server, message by message."""
        try:
            wire = self.wire()
            while True:
                message, question = wire.message(client)
                if question and self.is_it():
                    self.hit(client, server, message, mute)
                else:
                    server.sendall(message)
        except OSError:
            pass
        finally:
            self.close(client, server)

    def is_it(self):
        with self.lock:
            self.count += 1
            if self.struck or self.count != self.at:
                return False
            self.struck = True
            return True

    def hit(self, client, server, message, mute):
        if self.after:
            self.silent = threading.Event()
            mute.set()
            server.sendall(message)
            self.silent.wait(10)  # the answer has come and is kept
        if self.strike:
            self.strike()
        raise ConnectionError

    def answer(self, client, server, mute):
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                if mute.is_set():
                    self.silent.set()
                else:
                    client.sendall(data)
        self.close(client, server)

    @staticmethod
    def close(*sockets):
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
