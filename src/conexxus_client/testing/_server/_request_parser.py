"""
Reads requests from a socket, by h11, and their bodies.
"""

import socket
import zlib

import attrs
import h11

from conexxus_client.testing._answer import RefusalError, problem


MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024 * 1024


@attrs.frozen(kw_only=True)
class RequestHead:
    """
    Request line and header fields.
    """

    method: str
    path: str
    query: str
    version: str
    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """
        The last value of *name*, which is in lower case; empty if absent.
        """
        return next((value for field, value in reversed(self.fields) if field == name), "")

    @property
    def http11(self) -> bool:
        return self.version != "1.0"

    @property
    def keep_alive(self) -> bool:
        """
        Does the other side want to go on with this connection?
        """
        return self.http11 and "close" not in self.get("connection").lower()


class RequestReader:
    """
    The receiving side of one connection.

    h11 reads, and does not write: faults send what no HTTP library would. So
    each request has an `h11.Connection` of its own, which takes over what the
    one before has received and not used.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._parser = _new_parser()

    def head(self) -> RequestHead | None:
        """
        The next request's head; None if the other side has hung up.

        Raises:
            RefusalError: 400 or 431, it is not one.
        """
        if self._parser.their_state is not h11.IDLE:
            received, _ = self._parser.trailing_data
            self._parser = _new_parser()
            # No bytes at all would be the end.
            if received:
                self._parser.receive_data(received)

        try:
            event = self._next_event()
        except ConnectionError:
            return None

        assert isinstance(event, h11.Request)
        return _head_of(event)

    def body(self, head: RequestHead, limit: int | None = None) -> bytes:
        """
        The body that belongs to *head*, at most the first *limit* bytes.

        Raises:
            RefusalError: It is too large, or its framing or coding is broken.
            ConnectionError: The other side hung up in the middle.
        """
        if self._parser.they_are_waiting_for_100_continue:
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if limit is None and int(head.get("content-length") or 0) > MAX_BODY:
            raise RefusalError(problem(413, "The body is too large."))

        body = bytearray()
        while limit is None or len(body) < limit:
            event = self._next_event()
            if not isinstance(event, h11.Data):
                break
            body += event.data
            if len(body) > MAX_BODY:
                raise RefusalError(problem(413, "The body is too large."))

        return bytes(body) if limit is not None else _decode_body(bytes(body), head)

    def wait_for_end(self) -> None:
        """
        Swallow whatever comes until the other side hangs up.
        """
        while self._sock.recv(64 * 1024):
            pass

    def _next_event(self) -> object:
        try:
            while (event := self._parser.next_event()) is h11.NEED_DATA:
                received = self._sock.recv(64 * 1024)
                if not received:
                    raise ConnectionError
                self._parser.receive_data(received)
        except h11.RemoteProtocolError as exc:
            text = f"This is not an HTTP/1.1 request: {exc}."
            raise RefusalError(problem(exc.error_status_hint, text)) from exc

        return event


def _new_parser() -> h11.Connection:
    return h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)


def _head_of(request: h11.Request) -> RequestHead:
    target, _, query = request.target.decode("latin-1").partition("?")
    if not target.startswith("/"):
        # The absolute form, as a proxy would send it.
        target = "/" + target.partition("://")[2].partition("/")[2]

    return RequestHead(
        method=request.method.decode("latin-1"),
        path=target,
        query=query,
        version=request.http_version.decode("latin-1"),
        fields=tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers
        ),
    )


def _decode_body(body: bytes, head: RequestHead) -> bytes:
    coding = head.get("content-encoding").lower()

    if coding in ("", "identity"):
        return body
    if coding != "gzip":
        raise RefusalError(problem(415, "The only content coding known here is gzip."))
    try:
        decoder = zlib.decompressobj(wbits=31)
        decoded = decoder.decompress(body, MAX_BODY)
    except zlib.error as exc:
        raise RefusalError(problem(400, "The body is broken gzip.")) from exc
    if not decoder.eof:
        raise RefusalError(problem(400, "The body is broken or too large gzip."))

    return decoded
