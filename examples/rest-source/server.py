#!/usr/bin/env python3
"""A small REST API to try rest-source on: orders, their changes numbered, pages, a token, a rate limit, faults.

    server.py [--port N] [--orders N] [--rate N] [--faults]

GET /orders?after=CHANGE&limit=N   {"changes": [{"change": 7, "id": 3, "customer": …}, …], "last": 912}
POST /orders/ID                    the body's members change the order; {"deleted": true} removes it

--rate N: after N requests in a second the answer is 429 with Retry-After: 1. --faults: every third request fails, by 503, by
a connection that is cut, or by half an answer. Prints "listening on N" when it is ready; the token is "secret".
"""
import argparse
import http.server
import json
import threading
import time
import urllib.parse


class Store:
    """Orders and the change that each was last touched by; a deleted one keeps its number."""

    def __init__(self, count):
        self.lock = threading.Lock()
        self.orders, self.last = {}, 0
        for number in range(1, count + 1):
            self.change(number, {
                "customer": f"customer {number % 97} \u2013 \U0001F600",
                "total": f"{number % 1000}.{number % 100:02d}",
                "paid": number % 3 == 0,
                "placed_at": f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}T10:{number % 60:02d}:00.{number % 1000:03d}Z",
            })

    def change(self, number, members):
        with self.lock:
            self.last += 1
            order = self.orders.get(number, {"id": number})
            order = {"id": number, "deleted": True} if members.get("deleted") else {**order, **members, "deleted": False}
            self.orders[number] = {**order, "change": self.last}

    def page(self, after, limit):
        with self.lock:
            later = sorted((o for o in self.orders.values() if o["change"] > after), key=lambda o: o["change"])
            return {"changes": later[:limit], "last": self.last}


class Limits:
    """Counts requests: for the rate limit by second, for faults in all."""

    def __init__(self, rate, faults):
        self.rate, self.faults = rate, faults
        self.second, self.in_second, self.count, self.refused, self.broken = 0, 0, 0, 0, 0
        self.lock = threading.Lock()

    def verdict(self):
        with self.lock:
            now = int(time.monotonic())
            if now != self.second:
                self.second, self.in_second = now, 0
            self.in_second += 1
            self.count += 1
            if self.rate and self.in_second > self.rate:
                self.refused += 1
                return "slow down"
            if self.faults and self.count % 3 == 0:
                self.broken += 1
                return ("unavailable", "cut", "half")[self.count // 3 % 3]
            return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, code, body, **headers):
        data = json.dumps(body).encode()
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        server = self.server
        if self.headers.get("Authorization") != "Bearer secret":
            return self.answer(401, {"error": "wrong token"})
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/statistics":
            return self.answer(200, {"requests": server.limits.count, "refused": server.limits.refused,
                                     "broken": server.limits.broken})
        fault = server.limits.verdict()
        if fault == "slow down":
            return self.answer(429, {"error": "slow down"}, Retry_After="1")
        if fault == "unavailable":
            return self.answer(503, {"error": "come back later"})
        if fault in ("cut", "half"):
            if fault == "half":
                self.send_response(200)
                self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(b'{"changes": [{"id"')
            self.close_connection = True
            return None
        if url.path != "/orders":
            return self.answer(404, {"error": "there is only /orders"})
        query = dict(urllib.parse.parse_qsl(url.query))
        return self.answer(200, server.store.page(int(query.get("after", 0)), int(query.get("limit", 100))))

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.server.store.change(int(self.path.rsplit("/", 1)[1]), body)
        self.answer(200, {})


def serve(port=0, orders=1000, rate=0, faults=False):
    """A server that is listening; call serve_forever in a thread of its own."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.store, server.limits = Store(orders), Limits(rate, faults)
    return server


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--faults", action="store_true")
    arguments = parser.parse_args()
    server = serve(arguments.port, arguments.orders, arguments.rate, arguments.faults)
    print(f"listening on {server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
