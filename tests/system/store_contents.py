"""
What a store has before and after a pull, and what the pull says.
"""

import pytest

from conexxus_client import encode_item
from conexxus_sync import StoreError
from peeks import peek


def catalog(count, price="1.00", text=200):
    return [{"sku": f"S{n:04d}", "name": "x" * text, "price": price} for n in range(count)]


OLD, NEW = catalog(40), [*catalog(15, "2.00"), *catalog(300)[15:]]


def content(site):
    """
    The mirror, byte for byte, and what was counted of it.
    """
    counts = peek(site.store).mirror.counts()
    items = b"\n".join(encode_item(it) for it in site.shelf.values())

    return items, counts.present, counts.missing


def outcome(site, upstream):
    """
    What a pull says: the error of its run, or the one that it raised.
    """
    try:
        return site.pull(upstream).last_error
    except StoreError as exc:
        return str(exc)


@pytest.fixture
def states(new_site):
    """
    What the mirror holds before and after.
    """
    site = new_site()
    site.pull(OLD)
    old = content(site)
    site.pull(NEW)
    return old, content(site)
