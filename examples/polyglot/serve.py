#!/usr/bin/env python3
"""The web that the examples ask, on 127.0.0.1: the feed, a status that changes every few seconds, and somebody to be notified.

usage: serve.py [PORT]       (default: 8931; 0 takes a free one)

Prints the port, then each notification that comes in.
"""

import json
import sys
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Web(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/status.json":
            return super().do_GET()
        now = time.time()
        self.answer({"status": ["open", "busy", "closed"][int(now / 7) % 3], "asked_at": now})

    def do_POST(self) -> None:
        said = self.rfile.read(int(self.headers.get("content-length", 0)))
        print("notified:", said.decode(), flush=True)
        self.answer({})

    def answer(self, value: object) -> None:
        text = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8931
with ThreadingHTTPServer(("127.0.0.1", port), partial(Web, directory=Path(__file__).parent / "data/web")) as server:
    print(server.server_port, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
