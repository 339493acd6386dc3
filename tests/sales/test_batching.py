"""
Facts about how transactions are divided into batches.
"""

from datetime import date

import attrs
from hypothesis import given
from hypothesis import strategies as st

from conexxus_sync.config import SyncConfig
from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.sales import BatchLimits
from conexxus_sync.sales._batching import bisect, released_halves, split_into_batches
from conexxus_sync.testing import sale


DAY = date(2026, 1, 2)


def frozen(*sales):
    return [
        FrozenTransaction.of(sale, position=position, business_date=DAY)
        for position, sale in enumerate(sales)
    ]


@given(
    sizes=st.lists(st.integers(1, 40), max_size=30),
    count=st.integers(1, 8),
    room=st.integers(1, 100),
)
def test_batches_of(sizes, count, room):
    """
    Batches hold everything once, in order, within both limits; only a
    single transaction may be larger than a batch.
    """
    members = [
        attrs.evolve(frozen(sale("t"))[0], position=n, raw=b"x" * size)
        for n, size in enumerate(sizes)
    ]

    batches = list(split_into_batches(members, BatchLimits(transactions=count, bytes=1024 + room)))

    assert [member for batch in batches for member in batch] == members
    assert all(1 <= len(batch) <= count for batch in batches)
    assert all(
        len(batch) == 1 or sum(len(member.raw) + 1 for member in batch) <= room for batch in batches
    )


def sizes_of(sizes, *, ids=None, **limits):
    """
    How many transactions are in each batch.
    """
    members = [
        attrs.evolve(frozen(sale(name))[0], position=n, raw=b"x" * size)
        for n, (size, name) in enumerate(zip(sizes, ids or map(str, range(100)), strict=False))
    ]

    return [len(batch) for batch in split_into_batches(members, BatchLimits(**limits))]


def test_limits_are_reached():
    """
    A batch may be as long and as large as its limit, and no more; each
    transaction takes a comma, too.
    """
    assert sizes_of([10] * 5, transactions=2) == [2, 2, 1]
    assert sizes_of([9] * 5, bytes=1024 + 20) == [2, 2, 1]
    assert sizes_of([9] * 5, bytes=1024 + 19) == [1] * 5
    assert sizes_of([9] * 5, bytes=1024 + 30) == [3, 2]
    assert sizes_of([5_000, 9, 9], bytes=1024 + 20) == [1, 2]


def test_equal_ids_are_apart():
    """
    A back office that recognises ids would take the second for the first.
    """
    assert sizes_of([1] * 4, ids="abac") == [2, 2]
    assert sizes_of([1] * 5, ids="abaab") == [2, 1, 2]
    assert sizes_of([1] * 4, ids="abac", repeats_ids=True) == [4]


def test_halves():
    """
    The first is the smaller one; of what was released, each half has the key
    of its batch, and none is empty.
    """
    one, two, three = (attrs.evolve(each, origin=each.id) for each in frozen(*map(sale, "abc")))

    assert bisect([one, two, three]) == [[one], [two, three]]
    assert list(released_halves([one, two, three], {"a": "k1", "b": "k2", "c": "k1"})) == [
        ("k1", [one]),
        ("k1", [three]),
        ("k2", [two]),
    ]
    assert list(released_halves([one, two], {"b": "k2"})) == [("k2", [two])]


def test_limits_of_the_settings():
    config = SyncConfig(location_id="loc-001", batch_transactions=7, batch_bytes=2_000_000)

    assert BatchLimits.of(config) == BatchLimits(transactions=7, bytes=2_000_000)
