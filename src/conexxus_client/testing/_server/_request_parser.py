"""
Reads HTTP/1.1 requests from a socket; just enough of RFC 9112.
"""

import socket
import zlib

import attrs

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
        return self.version != "HTTP/1.0"

    @property
    def keep_alive(self) -> bool:
        """
        Does the other side want to go on with this connection?
        """
        return self.http11 and "close" not in self.get("connection").lower()


class RequestReader:
    """
    The receiving side of one connection.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()

    def head(self) -> RequestHead | None:
        """
        The next request's head; None if the other side has hung up.

        Raises:
            RefusalError: 400 or 431, it is not one.
        """
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD:
                raise RefusalError(problem(431, "The header fields are too large."))
            if not self._receive():
                return None
        text = bytes(self._buffer[:end]).decode("latin-1")
        del self._buffer[: end + 4]

        return _parse_head(text.lstrip("\r\n"))

    def body(self, head: RequestHead, limit: int | None = None) -> bytes:
        """
        The body that belongs to *head*, at most the first *limit* bytes.

        Raises:
            RefusalError: It is too large, or its framing or coding is broken.
            ConnectionError: The other side hung up in the middle.
        """
        if head.get("expect").lower() == "100-continue":
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if head.get("transfer-encoding"):
            body = self._read_chunks(limit)
        else:
            length = _parse_length(head.get("content-length") or "0", 10)
            body = self._read_exactly(length if limit is None else min(limit, length))

        return body if limit is not None else _decode_body(body, head.get("content-encoding"))

    def wait_for_end(self) -> None:
        """
        Swallow whatever comes until the other side hangs up.
        """
        while self._receive():
            self._buffer.clear()

    def _read_chunks(self, limit: int | None) -> bytes:
        body = bytearray()

        while size := _parse_length(self._read_line().split(b";")[0].decode("latin-1"), 16):
            if len(body) + size > MAX_BODY:
                raise RefusalError(problem(413, "The body is too large."))
            body += self._read_exactly(size)
            self._read_line()
            if limit is not None and len(body) >= limit:
                return bytes(body)
        while self._read_line():
            pass

        return bytes(body)

    def _read_line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD or not self._receive():
                raise ConnectionError
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]

        return line

    def _read_exactly(self, size: int) -> bytes:
        if size > MAX_BODY:
            raise RefusalError(problem(413, "The body is too large."))
        while len(self._buffer) < size:
            if not self._receive():
                raise ConnectionError
        body = bytes(self._buffer[:size])
        del self._buffer[:size]

        return body

    def _receive(self) -> bool:
        received = self._sock.recv(64 * 1024)
        self._buffer += received

        return bool(received)


def _parse_head(text: str) -> RequestHead:
    first, *lines = text.split("\r\n")
    words = first.split(" ")

    if len(words) != 3 or not words[2].startswith("HTTP/1."):  # method, target, version
        raise RefusalError(problem(400, "This is not an HTTP/1.1 request."))
    path, _, query = words[1].partition("?")
    if not path.startswith("/"):
        # The absolute form, as a proxy would send it.
        path = "/" + path.partition("://")[2].partition("/")[2]
    fields = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise RefusalError(problem(400, "A header field is malformed."))
        fields.append((name.lower(), value.strip()))

    return RequestHead(
        method=words[0], path=path, query=query, version=words[2], fields=tuple(fields)
    )


def _parse_length(text: str, base: int) -> int:
    # `int` alone would take signs, spaces and underscores, too.
    digits = "0123456789abcdef"[:base]

    if not 0 < len(text) <= 16 or not set(text.lower()) <= set(digits):
        raise RefusalError(problem(400, "A length is malformed."))

    return int(text, base)


def _decode_body(body: bytes, coding: str) -> bytes:
    if coding.lower() in ("", "identity"):
        return body
    if coding.lower() != "gzip":
        raise RefusalError(problem(415, "The only content coding known here is gzip."))
    try:
        decoder = zlib.decompressobj(wbits=31)
        decoded = decoder.decompress(body, MAX_BODY)
    except zlib.error as exc:
        raise RefusalError(problem(400, "The body is broken gzip.")) from exc
    if not decoder.eof:
        raise RefusalError(problem(400, "The body is broken or too large gzip."))

    return decoded
