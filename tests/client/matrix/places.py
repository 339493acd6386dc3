"""
Where a call can end up, other than at a plain server.
"""

import datetime as dt
import socket
import ssl
import threading
import warnings
from typing import Any

import attrs
import pytest
import trustme

from conexxus_client.testing import SandboxServer


UNRESOLVED = "slow.example"
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


class SelfSigned:
    """
    A certificate that is its own authority.
    """

    def configure_cert(self, context: ssl.SSLContext) -> None:
        root = trustme.CA()
        with root.cert_pem.tempfile() as cert, root.private_key_pem.tempfile() as key:
            context.load_cert_chain(cert, key)


@attrs.define
class Places:
    """
    Makes a place real: gives its address, its server if calls are counted
    there, and the client's settings.
    """

    server: SandboxServer
    raw_server: Any
    tls_server: Any
    authority: trustme.CA
    ca_file: Any
    monkeypatch: pytest.MonkeyPatch
    held: list[socket.socket] = attrs.field(factory=list)
    given_up: threading.Event = attrs.field(factory=threading.Event)

    def at(self, place: str) -> tuple[str, Any, dict[str, Any]]:
        if place == "proxied":
            return self._proxied(), self.server, {}
        if place in (certificates := self._certificates()):
            return self._secure(*certificates[place]), None, {"ca_file": self.ca_file}
        if place == "unknown authority":
            return self._secure(self.authority.issue_cert("localhost")), None, {}

        urls = {
            "refused": self._refused,
            "silent": self._silent,
            "nowhere": lambda: "https://back-office.invalid",
            "unresolved": self._unresolved,
            "plain": self._plain,
        }
        return urls[place](), None, {}

    def close(self) -> None:
        self.given_up.set()
        for each in self.held:
            each.close()

    def _certificates(self) -> dict[str, tuple[Any, ...]]:
        issue = self.authority.issue_cert

        return {
            "expired": (issue("localhost", not_after=LONG_AGO),),
            "other host": (issue("other.example"),),
            "self-signed": (SelfSigned(),),
            "old TLS": (issue("localhost"), ssl.TLSVersion.TLSv1_1),
        }

    def _secure(self, certificate: Any, highest: ssl.TLSVersion | None = None) -> str:
        with warnings.catch_warnings():
            # Python says itself that TLS 1.1 is too old.
            warnings.simplefilter("ignore", DeprecationWarning)
            return str(self.tls_server(certificate, highest=highest))

    def _refused(self) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return f"http://127.0.0.1:{free.getsockname()[1]}"

    def _silent(self) -> str:
        # A full backlog: further connections are not even refused.
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        self.held.append(listener)
        for _ in range(3):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
            self.held.append(waiting)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def _plain(self) -> str:
        server = self.raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        return str(server.url.replace("http:", "https:"))

    def _unresolved(self) -> str:
        resolve = socket.getaddrinfo

        def hang(host: Any, *args: Any, **options: Any) -> Any:
            if host in (UNRESOLVED, UNRESOLVED.encode()):
                self.given_up.wait(30)
                raise socket.gaierror
            return resolve(host, *args, **options)

        self.monkeypatch.setattr(socket, "getaddrinfo", hang)
        return f"https://{UNRESOLVED}"

    def _proxied(self) -> str:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            self.monkeypatch.setenv(name, "http://127.0.0.1:9")
        return self.server.url
