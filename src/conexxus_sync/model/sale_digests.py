"""
Digests of sales: which fields of a delivered sale have changed, under which version.

A digest has one part for each field, so that the fields that count can be
chosen after the delivery, too.  Its version says how it was made, and which
keys of `extra`, and which fields of a receipt, the sale had: one that came
later is no change.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Context, Decimal
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring_ascii
from typing import Any

import attrs

from conexxus_client import (
    Discount,
    Tax,
    Tender,
    Transaction,
    TransactionLine,
    decode_transaction,
    encode_transaction,
)


# Of the bytes as a whole, and so were all digests once.
WHOLE = "1"
_NUMBER = 2

# Of a sale with a field that a plain one has not.
_RECEIPT = 3

# What can count, in the order of the parts of a digest; the timestamp is
# compared by itself.  A plain sale has no parts of a receipt.
_PARTS = ("total", "items", "tax", "discount", "extra")
_RECEIPT_PARTS = ("currency", "discounts", "kind", "register", "rounding", "taxes", "tenders")
_LINE_PARTS = ("category", "discounts", "kind", "name", "taxes", "unit")
_ALL_PARTS = (*_PARTS, *_RECEIPT_PARTS)
COMPARABLE = frozenset(("timestamp", *_ALL_PARTS))
_SIZE = 12

# Enough for a product of two amounts, in a context of our own.
_EXACT = Context(prec=100)

# JSON has no such bytes (RFC 8259, section 7).
_BACKSLASH, _QUOTE = b"\x00\x01", b"\x00\x02"

_FRACTION = re.compile(rb"\.\d++(?![Ee])")

# Rare: minus zero, and numbers with an exponent.
_ODD = re.compile(rb"-0(?![\d.Ee])|(?<!\d)-?\d++(?:\.\d++)?[Ee][-+]?\d++")

# Of a number with more zeros than that, its exponent says how many.
_MOST_ZEROS = 50


@attrs.frozen
class _Said:
    """
    What the sale had of which a digest was made.

    Attributes:
        keys: Of its `extra`.
        line_keys: Of the `extra` of its lines.
        receipt: Fields that a plain sale has not; None if it is one.
        line: Fields that a plain line has not.
    """

    keys: Collection[str] = ()
    line_keys: Collection[str] = ()
    receipt: Collection[str] | None = None
    line: Collection[str] = ()

    @classmethod
    def by(cls, transaction: Transaction) -> "_Said":
        lines = transaction.items
        keys = sorted(transaction.extra)
        line_keys = sorted({key for line in lines for key in line.extra})
        if transaction.is_plain:
            return cls(keys, line_keys) if keys or line_keys else _NOTHING

        return cls(
            keys,
            line_keys,
            [name for name in _RECEIPT_PARTS if getattr(transaction, name)],
            [name for name in _LINE_PARTS if any(getattr(line, name) for line in lines)],
        )

    @classmethod
    def read(cls, version: str) -> "_Said":
        _, *said = json.loads(version)
        return cls(*said)

    @property
    def version(self) -> str:
        said = [self.keys, self.line_keys]
        if self.receipt is None:
            return json.dumps([_NUMBER, *said], separators=(",", ":"))

        return json.dumps([_RECEIPT, *said, self.receipt, self.line], separators=(",", ":"))


_NOTHING = _Said()


@attrs.frozen(kw_only=True)
class SaleDigest:
    """
    What a sale is compared by later.

    Attributes:
        version: How the digest was made.
        value: A part for each field.
    """

    version: str
    value: bytes

    @classmethod
    def of(cls, transaction: Transaction) -> "SaleDigest":
        """
        Digest a transaction that can be written as JSON.
        """
        said = _Said.by(transaction)
        version = _WITHOUT_EXTRA if said is _NOTHING else said.version

        return cls(version=version, value=_digest(transaction, said))

    @classmethod
    def of_unwritable(cls, rest: bytes) -> "SaleDigest":
        """
        Of what is left of a transaction that can't be written: like no other.
        """
        value = sha256(b"not all: " + rest).digest()
        return cls(version=_WITHOUT_EXTRA, value=value)


def fields_to_compare(names: Iterable[str]) -> frozenset[str]:
    """
    Read the names of fields, in whatever collection.
    """
    return frozenset(names)


def compared_part(digest: bytes, fields: Collection[str]) -> bytes:
    """
    What *digest* says of *fields*.
    """
    parts = {_SIZE * len(some): some for some in (_PARTS, _ALL_PARTS)}.get(len(digest))
    if parts is None or COMPARABLE.issubset(fields):
        return digest

    return b"".join(
        digest[_SIZE * place : _SIZE * (place + 1)]
        for place, field in enumerate(parts)
        if field in fields
    )


def is_unchanged(raw: bytes, version: str, digest: bytes, fields: Collection[str]) -> bool:
    """
    Is the sale of the bytes *raw* the one that *digest* was made of, as far
    as *fields* go?

    Args:
        version: The one of *digest*.
    """
    if digest in (sha256(canonical(raw)).digest(), sha256(raw).digest()):
        return True
    if version == WHOLE:
        return False

    value = _digest(decode_transaction(raw), _Said.read(version))

    return compared_part(value, fields) == compared_part(digest, fields)


def _digest(transaction: Transaction, said: _Said) -> bytes:
    keys, line_keys = said.keys, said.line_keys
    plain = (
        _part(_number(transaction.total)),
        _receipt_lines(transaction.items, said.line)
        if said.line
        else _digest_of(_lines(transaction.items)),
        _part(_number(transaction.tax or 0)),
        _part(_number(transaction.discount or 0)),
        _extras(transaction, keys, line_keys) if keys or line_keys else _NO_EXTRAS,
    )
    if said.receipt is None:
        return b"".join(plain)

    return b"".join((*plain, *_receipt_parts(transaction, said.receipt)))


def _receipt_parts(transaction: Transaction, names: Collection[str]) -> Iterator[bytes]:
    """
    A part for each field of a receipt; of those not among *names*, nothing.
    """
    for name in _RECEIPT_PARTS:
        yield _hashed(_plainly(getattr(transaction, name)) if name in names else None)


def _receipt_lines(lines: Iterable[TransactionLine], names: Collection[str]) -> bytes:
    texts = sorted(
        json.dumps([_line(line), *(_plainly(getattr(line, name)) for name in names)])
        for line in lines
    )

    return _hashed(texts)


def _plainly(value: Any) -> Any:
    """
    *value* as JSON in which order, and zeros that are not there, are no difference.
    """
    if isinstance(value, tuple):
        return sorted(map(_plainly, value))
    if isinstance(value, Tender | Tax | Discount):
        return json.dumps([_plainly(part) for part in attrs.astuple(value)])

    return (_number(value) if isinstance(value, Decimal) else value) if value else None


def _extras(transaction: Transaction, keys: Iterable[str], line_keys: Iterable[str]) -> bytes:
    # With their lines: the same words on another line are a change.
    extras = sorted(
        (_line(line), said)
        for line in transaction.items
        if (said := _extra(line.extra, line_keys)) is not None
    )

    return _hashed([_extra(transaction.extra, keys), extras])


def _lines(lines: Iterable[TransactionLine]) -> str:
    """
    What `json.dumps` makes of them, in order; it takes twice as long.
    """
    texts = [
        f'[{encode_basestring_ascii(sku)}, "{quantity}", "{price}", "{amount}"]'
        for sku, quantity, price, amount in sorted(map(_line, lines))
    ]

    return f"[{', '.join(texts)}]"


def _hashed(part: Any) -> bytes:
    return _digest_of(json.dumps(part))


def _digest_of(text: str) -> bytes:
    return sha256(text.encode()).digest()[:_SIZE]


# Most sales have no discount, and many have one of a few totals.
_part = lru_cache(maxsize=4_096)(_hashed)


def _line(line: TransactionLine) -> tuple[str, str, str, str]:
    amount = line.amount
    is_usual = not amount or amount == _EXACT.multiply(line.quantity, line.price)

    return (
        line.sku or line.sent_sku,
        _number(line.quantity),
        _number(line.price),
        "" if amount is None or is_usual else _number(amount),
    )


def _number(number: int | Decimal) -> str:
    text = str(number)

    if type(number) is int:
        return text
    if "E" in text or text.startswith("-0"):
        return canonical(text.encode()).decode()

    return text.rstrip("0").rstrip(".") if "." in text else text


def _extra(extra: Mapping[str, Any], keys: Iterable[str]) -> str | None:
    """
    These *keys* of *extra*; None if they hold nothing, or nothing but zeros.
    """
    said = {key: extra[key] for key in keys if key in extra and not _is_nothing(extra[key])}

    if not said:
        return None

    return canonical(encode_transaction(attrs.evolve(_BLANK, extra=said))).decode()


def _is_nothing(value: object) -> bool:
    return value is None or (
        isinstance(value, int | Decimal) and not isinstance(value, bool) and value == 0
    )


_WITHOUT_EXTRA = _NOTHING.version
_NO_EXTRAS = _hashed([None, []])
_BLANK = decode_transaction(b'{"id":"-","timestamp":"2026-01-01T00:00:00Z","total":0,"items":[]}')


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
