"""
Decodes the bodies of answers piece by piece, within limits.
"""

import zlib
from collections.abc import Iterator

from conexxus_client._calls._wire_types import Headers
from conexxus_client.errors import DecodeError, Delivery, ResponseTooLargeError


# JSON shrinks to a tenth or a thirtieth; deflate could do a thousandth.
MAX_RATIO = 200

_RATIO_EXEMPT = 1024 * 1024
_PIECE_SIZE = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class BodyDecoder:
    """
    Undoes the content encoding: none, or one gzip.

    A few bytes of gzip can hold a gigabyte: output is taken in pieces, and
    stops at the bound.
    """

    def __init__(self, headers: Headers, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        is_gzip = _content_encoding(headers) == "gzip"
        self._inflater = zlib.decompressobj(_GZIP) if is_gzip else None
        self._received = self._decoded = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """
        Decode *chunk*.

        Raises:
            DecodeError: It is not what the header says.
            ResponseTooLargeError: The body passes its bound.
        """
        self._received += len(chunk)

        for piece in (chunk,) if self._inflater is None else _inflated(self._inflater, chunk):
            yield self._check_size(piece)

    def finish(self) -> None:
        """
        Check that nothing is missing.

        Raises:
            DecodeError: The gzip stream is cut off.
        """
        if self._inflater is not None and self._received and not self._inflater.eof:
            raise DecodeError("the answer's gzip is cut off", delivery=Delivery.UNKNOWN)

    def _check_size(self, piece: bytes) -> bytes:
        self._decoded += len(piece)

        if self._decoded > self._max_bytes:
            msg = f"the answer passes {self._max_bytes} bytes"
            raise ResponseTooLargeError(msg, delivery=Delivery.UNKNOWN)
        if self._decoded > _RATIO_EXEMPT and self._decoded > MAX_RATIO * self._received:
            msg = f"the answer's gzip is {MAX_RATIO} times smaller than its content: no text is"
            raise ResponseTooLargeError(msg, delivery=Delivery.UNKNOWN)

        return piece


def _inflated(inflater: "zlib._Decompress", chunk: bytes) -> Iterator[bytes]:
    while chunk:
        if inflater.eof:
            raise DecodeError("the answer goes on after its gzip", delivery=Delivery.UNKNOWN)
        try:
            piece = inflater.decompress(chunk, _PIECE_SIZE)
        except zlib.error:
            raise DecodeError("the answer's gzip is broken", delivery=Delivery.UNKNOWN) from None
        if piece:
            yield piece
        chunk = inflater.unconsumed_tail or inflater.unused_data


def _content_encoding(headers: Headers) -> str:
    value = ",".join(headers.all("Content-Encoding")).strip().lower()

    if value not in ("", "identity", "gzip"):
        raise DecodeError(
            f"the answer is encoded as {value[:40]!r}, which was not asked for",
            delivery=Delivery.UNKNOWN,
        )

    return value
