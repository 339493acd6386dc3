"""
Facts about how transactions are divided into batches.
"""

from datetime import date

import attrs
from hypothesis import given
from hypothesis import strategies as st

from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.sales import BatchLimits
from conexxus_sync.sales._batching import split_into_batches
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
