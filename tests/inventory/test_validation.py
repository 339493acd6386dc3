"""
When two items are the same, to the store and by the digest of earlier releases.
"""

from decimal import Decimal
from hashlib import blake2b

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conexxus_client import Item, encode_extra
from conexxus_sync.inventory._validation import columns_of, row_of
from conexxus_sync.model.runs import new_run_id
from conexxus_sync.stores._catalogue_staging import position_of
from sites import MORNING


some_items = st.builds(
    Item,
    sku=st.just("A"),
    name=st.sampled_from(["1", "2", "21", "b "]),
    price=st.sampled_from([Decimal("1"), Decimal("1.0"), Decimal("2")]),
    category=st.none() | st.sampled_from(["", "None", "1"]),
    description=st.none() | st.sampled_from(["", "None", "1"]),
    extra=st.dictionaries(
        st.sampled_from("ab"),
        st.none() | st.sampled_from([0, 1, Decimal("1.0"), "", [{"x": 1, "y": 2}]]),
        max_size=2,
    ),
)


def digest_of(item):
    """
    The digest by which releases until 0.1 compared items.
    """
    price = str(item.price)
    texts = item.category, item.description
    extra = encode_extra(item.extra) if item.extra else None
    lengths = [-1 if text is None else len(text) for text in texts]
    framed = (
        f"{len(item.sku)} {len(item.name)} {len(price)} {lengths[0]} {lengths[1]} "
        f"{item.sku}{item.name}{price}{texts[0]}{texts[1]}{extra}"
    )
    return blake2b(framed.encode(), digest_size=16).digest()


@given(some_items, some_items)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_the_same(site, one, other):
    """
    The store compares columns; two items are the same exactly if their
    digests were, in every field and digit.
    """
    with site.store.keep_open():
        stage(site.store, [])
        stage(site.store, [one])

        diff = stage(site.store, [other])

    assert bool(diff.updated) == (digest_of(one) != digest_of(other))


def stage(store, items):
    """
    Make *items* the mirror.
    """
    with store.read() as state:
        state.staging.open()
        rows = [row_of(item, str(item.price)) for item in items]
        state.staging.add(columns_of(rows), position_of(1, 0))
        list(state.staging.duplicates())
        diff = state.staging.compare()
        with store.write() as writing:
            writing.merge.apply(diff, new_run_id(MORNING), MORNING)

    return diff


@given(some_items, some_items)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_copies_that_differ(site, one, other):
    """
    So it is with two copies in one read: those that differ are set aside.
    """
    with site.store.keep_open():
        diff = stage(site.store, [one, other])

    assert (diff.received, diff.failed) == (2, 2 * (digest_of(one) != digest_of(other)))
