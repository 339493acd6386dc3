"""
Decodes the bodies of answers piece by piece, within limits.
"""

import zlib
from collections.abc import Iterator

from conexxus_client._calls._wire_types import Headers
from conexxus_client.errors import DecodeError, Delivery, ResponseTooLargeError


_PIECE_SIZE = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS

# Bytes.  A member for each block of a file is usual, and one for each item is
# seen; members of nothing are not.
_SMALL_MEMBER = 32
_MAX_SMALL_MEMBERS = 1000

_IS_GZIP = {"": False, "identity": False, "gzip": True, "x-gzip": True}


class BodyDecoder:
    """
    Undoes the content encoding: none, or one gzip, of one member or several.

    A few bytes of gzip can hold a gigabyte: output is taken in pieces, and
    stops at the bound.  A catalogue's reader has tighter bounds for what is
    not an item.
    """

    def __init__(self, headers: Headers, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._inflater = _new_inflater() if _is_gzip(headers) else None
        self._received = self._decoded = 0
        self._members = 1

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """
        Decode *chunk*.

        Raises:
            DecodeError: It is not what the header says.
            ResponseTooLargeError: The body passes its bound.
        """
        self._received += len(chunk)

        for piece in (chunk,) if self._inflater is None else self._inflated(chunk):
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

        return piece

    def _inflated(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            assert self._inflater is not None, "only a gzip is inflated"
            if self._inflater.eof:
                # Zeros at the end are padding; anything else is the next member.
                if not (chunk := chunk.lstrip(b"\0")):
                    return
                self._begin_member()
            try:
                piece = self._inflater.decompress(chunk, _PIECE_SIZE)
            except zlib.error:
                raise DecodeError(
                    "the answer's gzip is broken", delivery=Delivery.UNKNOWN
                ) from None
            if piece:
                yield piece
            chunk = self._inflater.unconsumed_tail or self._inflater.unused_data

    def _begin_member(self) -> None:
        self._members += 1
        if self._members > _MAX_SMALL_MEMBERS + self._decoded // _SMALL_MEMBER:
            raise DecodeError(
                f"the answer's gzip has {self._members} small members", delivery=Delivery.UNKNOWN
            )
        self._inflater = _new_inflater()


def _new_inflater() -> "zlib._Decompress":
    return zlib.decompressobj(_GZIP)


def _is_gzip(headers: Headers) -> bool:
    value = ",".join(headers.all("Content-Encoding")).strip().lower()

    if value not in _IS_GZIP:
        raise DecodeError(
            f"the answer is encoded as {value[:40]!r}, which was not asked for",
            delivery=Delivery.UNKNOWN,
        )

    return _IS_GZIP[value]
