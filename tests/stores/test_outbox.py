"""
Facts about batches in the store.
"""

from datetime import UTC, date, datetime
from itertools import count

import pytest
from databases import BOTH, store_at
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import Transaction, TransactionLine, encode_transaction
from conexxus_sync.model.frozen_sales import BatchDraft, FrozenTransaction
from conexxus_sync.model.sales import BatchState
from conexxus_sync.testing import sale
from peeks import peek


DATABASES = BOTH
LOCATION = 'loc "1",transactions:['
DAY = date(2026, 1, 2)
NOW = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)


def frozen(*sales):
    return [
        FrozenTransaction.of(sale, position=position, business_date=DAY)
        for position, sale in enumerate(sales)
    ]


@pytest.fixture
def store(tmp_path):
    return store_at(tmp_path / "store.db").at(LOCATION)


def freeze(store, *members):
    with store.write() as state:
        state.outbox.freeze([BatchDraft.of(store.location, DAY, members)], NOW)


def oldest(store, after=(0, -1)):
    with store.read() as state:
        return state.outbox.next_batch(DAY, after=after)


def test_a_lost_store_makes_the_same_keys(tmp_path):
    """
    Two stores that freeze the same sales use the same key and bytes.
    """
    batches = []

    for name in ("one.db", "two.db"):
        store = store_at(tmp_path / name).at(LOCATION)
        freeze(store, *frozen(sale("t1"), sale("t2")))
        with store.read() as state:
            batches.append((oldest(store).key, state.outbox.body(oldest(store))))

    assert batches[0] == batches[1]


def test_same_content_again(store):
    """
    The same content frozen again is another batch, under another key.
    """
    freeze(store, *frozen(sale("t1")))
    first = oldest(store)
    freeze(store, *frozen(sale("t1")))
    second = oldest(store, after=(first.freeze, first.first))

    assert first.key != second.key
    assert peek(store).outbox.counts() == {BatchState.PENDING: 2}


def test_divided(store):
    """
    What a batch is divided into takes its place in the order.
    """
    members = frozen(*(sale(f"t{n}") for n in range(4)))
    freeze(store, *members)
    freeze(store, *frozen(sale("later")))
    batch = oldest(store)

    with store.write() as state:
        parts = [BatchDraft.of(LOCATION, DAY, part) for part in (members[:1], members[1:])]
        state.outbox.divide(batch, parts, answer="422", now=NOW)

    order, place = [], (0, -1)
    while (found := oldest(store, after=place)) is not None:
        place = (found.freeze, found.first)
        with store.read() as state:
            order.append(state.outbox.ids(found))
    assert order == [["t0"], ["t1", "t2", "t3"], ["later"]]
    assert peek(store).outbox.get(batch.key).state is BatchState.RESOLVED


def test_delivered(store):
    """
    The sum of what was taken leaves out what was refused.
    """
    freeze(store, *frozen(sale("t1", "1.10"), sale("t2", "2.20"), sale("t3", "3.30")))

    with store.write() as state:
        total = state.outbox.mark_delivered(oldest(store), refused={"t2"}, answer="ok", now=NOW)

    assert str(total) == "4.40"
    assert oldest(store) is None
    with store.read() as state:
        assert state.session.execute("SELECT id, total FROM delivered").fetchall() == [
            ("t1", "1.10"),
            ("t3", "3.30"),
        ]


amounts = st.decimals(
    min_value=-(10**9), max_value=10**9, places=4, allow_nan=False, allow_infinity=False
)
texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1
).filter(str.strip)


@st.composite
def transactions(draw):
    price = draw(amounts)
    return Transaction(
        id=draw(texts),
        timestamp=draw(st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC))),
        total=draw(amounts),
        items=[TransactionLine(sku=draw(texts), quantity=draw(amounts), price=price)],
        extra=draw(st.dictionaries(texts, texts | amounts, max_size=2)),
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """
    A store of many locations: to make one takes longer than an example.
    """
    return tmp_path_factory.mktemp("cut") / "store.db"


LOCATIONS = (f"{LOCATION}{number}" for number in count())


@given(sales=st.lists(transactions(), min_size=1, max_size=5))
def test_cut(path, sales):
    """
    Transactions are cut out of a stored body byte for byte, whatever is in
    them, and whatever the location is called.
    """
    store = store_at(path).at(next(LOCATIONS))
    freeze(store, *frozen(*sales))

    with store.read() as state:
        members = state.outbox.members(oldest(store))

    assert [member.raw for member in members] == [encode_transaction(sale) for sale in sales]
    assert members == frozen(*sales)
