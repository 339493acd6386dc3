"""
Between a client and a PostgreSQL: loses a connection at a COMMIT.
"""

import socket
import threading
from contextlib import suppress

from psycopg.conninfo import conninfo_to_dict


class Proxy:
    """
    Listens at a port, for the server at *url*.

    Attributes:
        lose: "request" before the server has it, "answer" after that, "both" if
            the server notices nothing; None for none of them.
        passed: So many COMMITs pass before that.
        then: Called before the client notices that the connection is lost.
    """

    def __init__(self, url):
        settings = conninfo_to_dict(url)
        self.server = f"{settings['host']}/.s.PGSQL.{settings.get('port') or 5432}"
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.lose, self.passed = None, 0
        self.then = lambda: None
        self.sockets = [self.listener]
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, schema):
        port = self.listener.getsockname()[1]
        return f"postgresql://postgres@127.0.0.1:{port}/postgres?schema={schema}&sslmode=disable"

    def accept(self):
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server, muted = socket.socket(socket.AF_UNIX), threading.Event()
                self.sockets += [client, server]
                try:
                    server.connect(self.server)
                except OSError:
                    end(client)
                    continue
                for pump in (self.requests, self.answers):
                    arguments = client, server, muted
                    threading.Thread(target=pump, args=arguments, daemon=True).start()

    def requests(self, client, server, muted):
        with suppress(OSError):
            while data := client.recv(65_536):
                if b"COMMIT\0" in data and self.is_fatal():
                    muted.set()
                    lose, self.lose = self.lose, None
                    if lose == "both":
                        end(client)
                        return
                    if lose == "request":
                        end(server)
                        self.then()
                        end(client)
                        return
                server.sendall(data)
            end(server)

    def is_fatal(self):
        self.passed -= 1
        return self.lose is not None and self.passed < 0

    def answers(self, client, server, muted):
        with suppress(OSError):
            while data := server.recv(65_536):
                if muted.is_set():
                    self.then()
                    break
                client.sendall(data)
            if muted.is_set() and not data:
                return
        end(client, server)

    def close(self):
        for each in self.sockets:
            end(each)
            each.close()


def end(*sockets):
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
