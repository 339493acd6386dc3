"""
The reader against `json.loads`: random bodies, in random pieces and windows.

80,000 bodies with `--long`, 500 without.
"""

import json
import os
import random
import re
from decimal import Decimal

import pytest

from conexxus_client import ApiProfile, ConexxusError, InvalidItem, Item
from conexxus_client._codec import CatalogReader


PARTS = 16 if os.environ.get("CONEXXUS_PROOF_SCALE") == "small" else 160
BODIES = 500

PRICES = [
    *("1", "0", "-0", "2.50", "29.990000", "1e2", "1E+2", "5e-1", "0.00000000", "-1.5", "1e40"),
    *('"8.00000000"', '"7"', '"free"', '"1e2"', '" 1"', '""', "true", "null", "[1]", "{}"),
    *("29.949999999999999", "0.1234567890123456789", "9" * 39, "1" + "0" * 37, "1.20" + "0" * 40),
]
TEXTS = ["a", "", " ", "},{", "]", '{"sku":', "é", "\u2028", "a\0", '"', "\\", "\n", "x" * 300]
VALUES = [
    *("1", "-0.0", "1e5", "1.10", "true", "null", "[]", "{}", '[{"sku":"A"},{"sku":"B"}]'),
    *('"},{"', '{"a":[1,{"b":2}]}', "12345678901234567.89", '[[["]"]]]', '"\\u00e9\\/"'),
]
# No JSON, each in an element whose borders are certain.
FAULTS = [
    *('"a\tb"', '"a\nb"', '"\\x"', '"\\u12G4"', '"\\ud800"', "NaN", "-Infinity", "undefined"),
    *("007", "+1", ".5", "", "[1,]", '{"a":}', "1e99999999999999999999", '{"a":[NaN,"}"]}'),
]
MISFITS = ["null", "5", '"},{"', "[]", '[{"sku":1},{"sku":2}]', "{}", "true", "1.5e3", '"\\\\"']
BLANKS = ["", "", "", " ", "\n  ", "\r\n\t", " " * 300]


class Bodies:
    """
    Random bodies, the same for each seed.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def text(self) -> str:
        return json.dumps(self.random.choice(TEXTS), ensure_ascii=self.random.random() < 0.5)

    def element(self) -> tuple[str, bool]:
        """
        An element, and whether it is JSON.
        """
        draw = self.random
        if draw.random() < 0.15:
            return draw.choice(MISFITS), True

        sku = json.dumps(f"S{draw.randrange(10**6)}") if draw.random() < 0.8 else self.text()
        name = '"n"' if draw.random() < 0.8 else self.text()
        members = [("sku", sku), ("name", name), ("price", draw.choice(PRICES))]
        for key in ("category", "description"):
            if draw.random() < 0.3:
                members.append((key, draw.choice([self.text(), draw.choice(VALUES)])))
        members += [(key, draw.choice(VALUES)) for key in "xyz" if draw.random() < 0.2]
        if draw.random() < 0.1:
            draw.shuffle(members)
        if draw.random() < 0.1:
            del members[draw.randrange(len(members))]
        if draw.random() < 0.1:
            members.append(draw.choice(members))
        is_json = draw.random() > 0.1
        if not is_json:
            members.insert(draw.randrange(len(members) + 1), ("odd", draw.choice(FAULTS)))

        blank, colon = draw.choice(BLANKS), draw.choice([":", ": ", " :"])
        inside = ("," + blank).join(f"{json.dumps(key)}{colon}{value}" for key, value in members)

        return "{" + blank + inside + "}", is_json

    def body(self) -> tuple[bytes, list[tuple[str, bool]]]:
        draw = self.random
        elements = [self.element() for _ in range(draw.randrange(12))]
        comma = draw.choice(BLANKS) + "," + draw.choice(BLANKS)
        array = "[" + draw.choice(BLANKS) + comma.join(text for text, _ in elements) + "]"

        if draw.random() < 0.5:
            fields = ['"success":true', f'"data":{array}', f'"meta":{draw.choice(VALUES)}']
            draw.shuffle(fields)
            array = "{" + ",".join(fields) + "}"

        return array.encode(), elements

    def mutated(self, body: bytes) -> bytes:
        """
        *body* with a byte changed, taken out or put in.
        """
        at = self.random.randrange(len(body))
        sign = self.random.choice(b'{}[]",:\\ 0e.-tn\xff\x00')

        return self.random.choice(
            [
                body[:at] + bytes([sign]) + body[at + 1 :],
                body[:at] + body[at + 1 :],
                body[:at] + bytes([sign]) + body[at:],
                body[:at],
            ]
        )

    def read(self, body: bytes) -> list[Item | InvalidItem]:
        """
        Read *body* in random pieces and windows.
        """
        most = self.random.choice([1, 7, 50, 1000])
        reader = CatalogReader(
            ApiProfile(), known={}, window=self.random.choice([1, 60, 300, 10**5])
        )
        windows, at = [], 0
        while at < len(body):
            size = self.random.randint(1, most)
            windows += reader.feed(body[at : at + size])
            at += size
        windows += reader.close()
        elements = [it for window in windows for it in window.elements]
        assert reader.count == len(elements)

        return elements


def loads(text: bytes | str) -> object:
    """
    Exactly, and no more than RFC 8259 allows.
    """

    def refuse(word: str) -> object:
        raise ValueError(word)

    return json.loads(text, parse_float=Decimal, parse_constant=refuse)


def is_unicode(value: object) -> bool:
    """
    `json` reads half of a surrogate pair, which is no text.
    """
    try:
        json.dumps(value, default=str, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False

    return True


def is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


def price_of(value: object) -> Decimal | None:
    """
    By the rule of the contract: 38 digits, 18 decimals, zeros at the end aside.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
        return None

    price = Decimal(value)
    if price.adjusted() > 50:
        return None
    whole, _, decimals = f"{price.copy_abs():f}".partition(".")
    decimals = decimals if len(decimals) <= 18 else decimals.rstrip("0")

    return price if len(decimals) <= 18 and len(whole.lstrip("0") + decimals) <= 38 else None


def expected(value: object) -> tuple[object, ...] | None:
    """
    What an item says, by the dictionary that `json` makes of it; None if it is none.
    """
    if not isinstance(value, dict) or not is_unicode(value):
        return None

    extra = dict(value)
    sku, name, price = (extra.pop(key, None) for key in ("sku", "name", "price"))
    amount = price_of(price)
    texts = {
        key: extra.pop(key, None)
        for key in ("category", "description")
        if isinstance(extra.get(key), str | None)
    }

    if amount is None or not is_text(sku) or not is_text(name):
        return None
    if any("\0" in (text or "") for text in texts.values()):
        return None

    return sku, name, amount, texts.get("category"), texts.get("description"), extra


def said(item: Item | InvalidItem) -> tuple[object, ...] | None:
    if isinstance(item, InvalidItem):
        return None

    return item.sku, item.name, item.price, item.category, item.description, item.extra


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, PARTS))]
)
@pytest.mark.timeout(600)
def test_reader_and_json(part):
    """
    Each body gives the elements that `json` finds in it; those that are no
    JSON are set aside, one by one; and a byte more, less or other gives what
    `json` finds, or a named error.
    """
    bodies = Bodies(part)

    for _ in range(BODIES):
        body, elements = bodies.body()
        found = bodies.read(body)
        assert [*map(said, found)] == [
            expected(loads(text)) if is_json else None for text, is_json in elements
        ]
        assert [it.raw.decode() for it in found if isinstance(it, InvalidItem)] == [
            text
            for (text, _), it in zip(elements, found, strict=True)
            if isinstance(it, InvalidItem)
        ]
        look_at_mutated(bodies, bodies.mutated(body))


def look_at_mutated(bodies: Bodies, body: bytes) -> None:
    try:
        document = loads(body)
    except (ValueError, ArithmeticError):
        document = None

    try:
        found = bodies.read(body)
    except ConexxusError:
        # Whatever is a catalogue to `json` is one to the reader.
        assert not isinstance(document, list)
        return

    if document is not None:
        array = document if isinstance(document, list) else document["data"]
        assert [*map(said, found)] == [*map(expected, array)]
