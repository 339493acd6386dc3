"""
A webhook on a real socket.
"""

import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Hook:
    """
    Takes what is posted, or does as it is told: a status, `hang`, `drip`, or
    `redirect`.
    """

    def __init__(self):
        self.posts = []
        self.answers = deque()
        self.released = threading.Event()
        self.arrived = threading.Semaphore(0)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/services/canary-4711?sig=canary-0815"

    @property
    def texts(self):
        return [json.loads(body)["text"] for _, _, body in self.posts]

    @property
    def notices(self):
        return [json.loads(body) for _, _, body in self.posts]

    def close(self):
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(hook):  # noqa: N805  # the handler's own self is another
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posts.append((self.path, dict(self.headers), body))
                hook.arrived.release()
                answer = hook.answers.popleft() if hook.answers else 200
                if answer == "hang":
                    hook.released.wait(60)
                elif answer == "drip":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
                    while not hook.released.wait(0.05):
                        self.wfile.write(b"x")
                        self.wfile.flush()
                elif answer == "redirect":
                    self.send_response(302)
                    self.send_header("Location", "/elsewhere")
                    self.end_headers()
                else:
                    self.send_response(answer)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def do_GET(self):
                hook.posts.append((self.path, dict(self.headers), b"{}"))

            def log_message(self, *args):
                pass

        return Handler


@pytest.fixture
def hook():
    hook = Hook()
    yield hook
    hook.close()
