"""
JSON in one spelling, so that equal data has equal digests: 1.5 and 1.50 are the same.

On the bytes, because to read each sale again would take longer than to
write it.
"""

import re
from decimal import Decimal


# JSON has no such bytes (RFC 8259, section 7).
_BACKSLASH, _QUOTE = b"\x00\x01", b"\x00\x02"

_FRACTION = re.compile(rb"\.\d++(?![Ee])")

# Rare: minus zero, and numbers with an exponent.
_ODD = re.compile(rb"-0(?![\d.Ee])|(?<!\d)-?\d++(?:\.\d++)?[Ee][-+]?\d++")

# Of a number with more zeros than that, its exponent says how many.
_MOST_ZEROS = 50


def canonical(raw: bytes) -> bytes:
    """
    Write the numbers of *raw*, JSON with keys in order, in one way each.

    What is equal gives the same bytes; what is not, different ones.
    """
    escapes = b"\\" in raw

    if escapes:
        raw = raw.replace(b"\\\\", _BACKSLASH).replace(b'\\"', _QUOTE)

    # Every other piece is a text.
    pieces = raw.split(b'"')
    numbers = _FRACTION.sub(_without_zeros, b'"'.join(pieces[::2]))
    pieces[::2] = _ODD.sub(_without_exponent, numbers).split(b'"')
    said = b'"'.join(pieces)

    if escapes:
        said = said.replace(_QUOTE, b'\\"').replace(_BACKSLASH, b"\\\\")

    return said


def _without_zeros(fraction: re.Match[bytes]) -> bytes:
    return fraction[0].rstrip(b"0").rstrip(b".")


def _without_exponent(odd: re.Match[bytes]) -> bytes:
    sign, digits, exponent = Decimal(odd[0].decode()).as_tuple()
    written = "".join(map(str, digits)).lstrip("0")
    significant = written.rstrip("0")
    power = int(exponent) + len(written) - len(significant)
    minus = "-" if sign else ""

    if not significant:
        return b"0"
    if abs(power) > _MOST_ZEROS:
        return f"{minus}{significant}E{power}".encode()
    if power >= 0:
        return f"{minus}{significant}{'0' * power}".encode()

    padded = significant.rjust(1 - power, "0")
    return f"{minus}{padded[:power]}.{padded[power:]}".encode()
