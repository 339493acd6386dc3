"""
What is in the bodies.
"""

import gzip

from bombs import bomb

from .row import ENVELOPE, GOOD, GZIP, ZIPPED, Row, answer, items


BOMB = bomb(256, b" ")


def bad_item(identity: str, title: str, raw: bytes) -> Row:
    """
    A bad item costs itself, and the others arrive.
    """
    return Row(
        id=identity,
        title=title,
        raw=items(GOOD, raw, GOOD.replace(b'"G"', b'"H"')),
        call="items around one bad",
        outcome="success",
        requests=1,
    )


PAYLOAD = [
    *(
        Row(
            id=f"P01{letter}",
            title=title,
            raw=answer(body, GZIP),
            call="items",
            outcome="DecodeError",
            requests=1,
        )
        for letter, title, body in (
            ("", "Says gzip, but is none", ENVELOPE),
            ("b", "Gzip with a bad checksum", ZIPPED[:-8] + bytes(8)),
            ("c", "Gzip cut off, with the right length", ZIPPED[:-4]),
            ("d", "Something after the gzip", ZIPPED + b"junk"),
        )
    ),
    Row(
        id="P02",
        title="A gzip bomb",
        raw=answer(BOMB, GZIP),
        outcome="ResponseTooLargeError",
        requests=1,
    ),
    Row(
        id="P02b",
        title="A gzip bomb in a gzip",
        raw=answer(gzip.compress(BOMB), "Content-Encoding: gzip, gzip"),
        call="items",
        outcome="DecodeError",
        requests=1,
    ),
    Row(
        id="P03",
        title="Says a gigabyte, and hangs up after a few bytes",
        raw=answer(ENVELOPE, f"Content-Length: {10**9}", length=False),
        call="items",
        outcome="ConnectionLostError",
        delivery="unknown",
        requests=3,
    ),
    Row(
        id="P03b",
        title="Five megabytes where a receipt was expected",
        raw=answer(b" " * 5_000_000 + b'{"success":true}'),
        outcome="ResponseTooLargeError",
        delivery="unknown",
        requests=1,
    ),
    bad_item("P04", "Nested 100,000 deep", b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    bad_item("P05", "A price of NaN", b'{"sku":"A","name":"a","price":NaN}'),
    bad_item("P05b", "A price of -Infinity", b'{"sku":"A","name":"a","price":-Infinity}'),
    bad_item("P06", "A price of 1e999", b'{"sku":"A","name":"a","price":1e999}'),
    bad_item("P07", 'A price of "NaN"', b'{"sku":"A","name":"a","price":"NaN"}'),
    bad_item("P07b", 'A price of "1e999999999"', b'{"sku":"A","name":"a","price":"1e999999999"}'),
    bad_item(
        "P09", "A number of 5,000 digits", b'{"sku":"A","name":"a","price":' + b"9" * 5000 + b"}"
    ),
    Row(
        id="P10",
        title="12345678901234567.89 stays exact",
        raw=items(b'{"sku":"A","name":"a","price":12345678901234567.89}'),
        call="exact price",
        outcome="success",
        requests=1,
    ),
    bad_item("P11", "A lone surrogate", b'{"sku":"A","name":"\\ud800","price":1}'),
    bad_item("P11b", "Bad UTF-8", b'{"sku":"A","name":"\xff","price":1}'),
    bad_item("P11c", "NUL in a name", b'{"sku":"A","name":"a\\u0000","price":1}'),
    bad_item("P11f", "NUL in a category", b'{"sku":"A","name":"a","price":1,"category":"\\u0000"}'),
    Row(
        id="P11d",
        title="UTF-16",
        raw=answer(ENVELOPE.decode().encode("utf-16")),
        call="items",
        outcome="DecodeError",
        requests=1,
    ),
    Row(
        id="P11e",
        title="A byte order mark",
        raw=answer(b"\xef\xbb\xbf" + ENVELOPE),
        call="items",
        outcome="success",
        requests=1,
    ),
    bad_item("P13", "A null element", b"null"),
    bad_item("P13b", "A list for an object", b"[1,2]"),
    bad_item("P13c", "A missing field", b'{"sku":"A"}'),
    Row(
        id="P13d",
        title="A null for the list",
        raw=answer(b'{"success":true,"data":null}'),
        call="items",
        outcome="EnvelopeError",
        requests=1,
    ),
    Row(
        id="P13e",
        title="An object for the list",
        raw=answer(b'{"success":true,"data":{}}'),
        call="items",
        outcome="EnvelopeError",
        requests=1,
    ),
    Row(
        id="P16",
        title="Names with markup, formulas, line ends, escape codes: kept as they are",
        raw=items(rb'{"sku":"A","name":"<script>=cmd|x</script>\r\n\u001b[31m\u202e","price":1}'),
        call="items",
        outcome="success",
        requests=1,
    ),
    Row(
        id="P13f",
        title="An unknown field",
        raw=items(GOOD[:-1] + b',"aisle":7}'),
        call="items",
        outcome="success",
        requests=1,
    ),
]
