"""
The digest of an item, by which the mirror compares.
"""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import Item
from conexxus_sync.inventory._validation import row_of


some_items = st.builds(
    Item,
    sku=st.sampled_from(["1", "12", "a b"]),
    name=st.sampled_from(["1", "2", "21", "b "]),
    price=st.sampled_from([Decimal("1"), Decimal("1.0"), Decimal("2")]),
    category=st.none() | st.sampled_from(["", "None", "1"]),
    description=st.none() | st.sampled_from(["", "None", "1"]),
    extra=st.dictionaries(st.sampled_from("ab"), st.none() | st.integers(0, 2), max_size=2),
)


@given(some_items, some_items)
def test_digest(one, other):
    """
    Two items have the same digest exactly if they are the same in every
    field and digit.
    """
    same = one == other and str(one.price) == str(other.price)
    digests = row_of(one, str(one.price))[1], row_of(other, str(other.price))[1]

    assert (digests[0] == digests[1]) == same


cuts = st.lists(st.integers(1, 11), min_size=3, max_size=3, unique=True).map(sorted)


@given(cuts, cuts)
def test_digest_knows_where_a_field_ends(one, other):
    """
    The same characters, divided otherwise among the fields, are another item.
    """
    digests = [row_of(item, str(item.price))[1] for item in map(_cut, (one, other))]

    assert (digests[0] == digests[1]) == (one == other)


def _cut(places):
    ones, (first, second, third) = "1" * 12, places
    return Item(
        sku=ones[:first],
        name=ones[first:second],
        price=Decimal(ones[second:third]),
        category=ones[third:],
    )
