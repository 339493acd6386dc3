"""
The back office of the benchmarks, a process of its own.

It streams prepared bytes: which catalogue, `PUT /<variant>` says.
"""

import itertools
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


ANSWERS = itertools.count()
HEALTHY = b'{"success":true,"data":{"status":"ok"},"timestamp":"2026-01-02T10:00:00Z"}'
ACCEPTED = b'{"success":true,"data":{}}'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    root = Path()
    variant = ""

    def do_PUT(self) -> None:
        type(self).variant = self.path.strip("/")
        self._answer(ACCEPTED)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(ACCEPTED)

    def do_GET(self) -> None:
        url = urlsplit(self.path)

        if url.path.endswith("/health"):
            self._answer(HEALTHY)
        else:
            self._catalogue(int(parse_qs(url.query).get("cursor", ["0"])[0]))

    def _catalogue(self, number: int) -> None:
        """
        One page, sent by the kernel, and a tail that no other answer has.
        """
        folder = self.root / self.variant
        tail = f', "timestamp": "answer {next(ANSWERS)}"}}'
        if (folder / str(number + 1)).exists():
            tail = f', "nextCursor": "{number + 1}"{tail}'
        with (folder / str(number)).open("rb") as page:
            self._head(page.seek(0, 2) + len(tail))
            # A client that refuses the catalogue closes the connection early.
            with suppress(ConnectionError):
                self.connection.sendfile(page)
                self.wfile.write(tail.encode())

    def _answer(self, body: bytes) -> None:
        self._head(len(body))
        self.wfile.write(body)

    def _head(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


def main() -> None:
    Handler.root = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
