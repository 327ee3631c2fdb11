"""The web that the guests ask: a server on a free port of 127.0.0.1, and a port that nobody listens at."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind, _, rest = self.path.strip("/").partition("/")
        match kind:
            case "facts":
                self.answer({"asked": self.headers.get("x-asked"), "text": "ü – 🎉"}, {"X-Kind": "Answer"})
            case "broken":  # JSON was promised
                self.answer(b"<html>")
            case "bytes":
                self.answer(b"x" * int(rest))
            case "never":
                self.server.stopping.wait()
            case _:
                self.answer(b"not here", status=404)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.answer({"type": self.headers.get("content-type"), "path": self.path, "body": body})

    def answer(self, body: object, headers: dict[str, str] | None = None, status: int = 200) -> None:
        text = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        for name, value in ({"content-length": str(len(text))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


class Web:
    def __init__(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.server.daemon_threads = True
        self.server.stopping = threading.Event()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        # Bound, so that nobody else gets it, and never listening: whoever connects is refused.
        self.closed = socket.socket()
        self.closed.bind(("127.0.0.1", 0))
        self.origins = {
            "$web": f"http://127.0.0.1:{self.server.server_port}",
            "$tls": f"https://127.0.0.1:{self.server.server_port}",  # which it does not speak
            "$closed": f"http://127.0.0.1:{self.closed.getsockname()[1]}",
        }

    def named(self, text: str) -> str:
        """The text with the origins put in."""
        for name, origin in self.origins.items():
            text = text.replace(name, origin)
        return text

    def right(self) -> str:
        """The right to ask it, in the words of the manifest."""
        return ", ".join(f'{{ origin = "{origin}", private = true }}' for origin in self.origins.values())

    def stop(self) -> None:
        self.server.stopping.set()
        self.server.shutdown()
        self.closed.close()
