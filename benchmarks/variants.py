"""
The catalogues that are pulled, as prepared bytes, one folder each.

A page is stored up to the end of its array: the server adds the rest, so that
each answer has a timestamp of its own.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path


PAGE = 1_000

SIX_KEYS = (
    ', "aisle": %d, "supplier": "Supplier %d", "taxable": true, "weight": 1.25, "unit": "bottle",'
    ' "tags": ["wine", "red"]'
)

BAD_PRICE = '"free"'


def item(number: int, *, name: str | None = None, price: str | None = None, more: str = "") -> str:
    """
    One item of the contract, about 140 bytes.
    """
    return (
        f'{{"sku": "SKU{number:07d}", "name": "{name or f"Item {number}"} with some more words", '
        f'"price": {price or f"{number % 9000 / 100 + 0.5:.2f}"}, "category": "Cat {number % 50}", '
        f'"description": "A description of item {number}"{more}}}'
    )


def plain(count: int) -> Iterator[str]:
    return (item(number) for number in range(count))


def shuffled(count: int) -> Iterator[str]:
    order = list(range(count))
    random.Random(1).shuffle(order)

    return (item(number) for number in order)


def six_keys(count: int) -> Iterator[str]:
    return (item(number, more=SIX_KEYS % (number % 40, number % 300)) for number in range(count))


def one_changed(count: int) -> Iterator[str]:
    changed = count // 2

    return (item(n, name="Changed" if n == changed else None) for n in range(count))


def one_inserted(count: int) -> Iterator[str]:
    items = plain(count)
    yield from islice(items, count // 2)
    yield item(count + 7, name="Inserted")
    yield from items


def repriced(count: int) -> Iterator[str]:
    """
    Every 20th item has a new price: 5 %, in all parts of the catalogue.
    """
    for number in range(count):
        price = f"{number % 9000 / 100 + 0.75:.2f}" if number % 20 == 0 else None
        yield item(number, price=price)


def bad(count: int) -> Iterator[str]:
    return (item(number, price=BAD_PRICE) for number in range(count))


def scalars(count: int) -> Iterator[str]:
    return (str(10_000_000 + number) for number in range(count))


def as_scalars(count: int) -> Iterator[str]:
    """
    Good items of as many bytes as *count* scalars.
    """
    return _up_to(sum(len(text) + 2 for text in scalars(count)))


def as_bad(count: int) -> Iterator[str]:
    """
    Good items of as many bytes as *count* bad ones.
    """
    return _up_to(sum(len(text) + 2 for text in bad(count)))


def _up_to(size: int) -> Iterator[str]:
    for text in plain(size):
        size -= len(text) + 2
        if size < 0:
            break
        yield text


VARIANTS: dict[str, Callable[[int], Iterator[str]]] = {
    "plain": plain,
    "paged": plain,
    "shuffled": shuffled,
    "six-keys": six_keys,
    "one-changed": one_changed,
    "one-inserted": one_inserted,
    "repriced": repriced,
    "bad": bad,
    "as-bad": as_bad,
    "scalars": scalars,
    "as-scalars": as_scalars,
}


def write(root: Path, variant: str, count: int) -> str:
    """
    Prepare a catalogue, unless it is there; return the name of its folder.
    """
    folder = root / f"{variant}-{count}"

    if not folder.exists():
        folder.mkdir(parents=True)
        size = PAGE if variant == "paged" else count
        for number, page in enumerate(_pages(VARIANTS[variant](count), size)):
            (folder / str(number)).write_bytes(page)

    return folder.name


def _pages(items: Iterator[str], size: int) -> Iterator[bytes]:
    page = list(islice(items, size))

    while page:
        yield _page(page)
        page = list(islice(items, size))


def _page(items: Iterable[str]) -> bytes:
    return ('{"success": true, "data": [' + ", ".join(items) + "]").encode()
