"""
Facts about batches and the bytes they are.
"""

from datetime import UTC, date, datetime
from decimal import Context, Decimal, Inexact, Overflow, Rounded, localcontext

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import Transaction, TransactionLine, encode_transaction
from conexxus_sync.model._transaction_checks import adds_up, shows_card
from conexxus_sync.model.frozen import FrozenDraft, FrozenTransaction, idempotency_key
from conexxus_sync.model.sales import BatchState
from conexxus_sync.sales import BatchLimits
from conexxus_sync.sales._batching import batches_of
from conexxus_sync.stores.sqlite import SqliteStore
from conexxus_sync.testing import sale


LOCATION = 'loc "1",transactions:['
DAY = date(2026, 1, 2)
NOW = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)

amounts = st.decimals(
    min_value=-(10**9), max_value=10**9, places=4, allow_nan=False, allow_infinity=False
)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


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


def frozen(*sales):
    return [
        FrozenTransaction.of(sale, position=position, business_date=DAY)
        for position, sale in enumerate(sales)
    ]


@pytest.fixture
def store(tmp_path):
    return SqliteStore(tmp_path / "store.db")


def freeze(store, *members):
    with store.writing() as connection:
        store.outbox.freeze(connection, [FrozenDraft.of(LOCATION, DAY, members)], NOW)


def oldest(store, after=(0, -1)):
    with store.reading() as connection:
        return store.outbox.next_batch(connection, LOCATION, DAY, after=after)


@given(sales=st.lists(transactions(), min_size=1, max_size=5))
def test_cut(tmp_path_factory, sales):
    """
    Transactions are cut out of a stored body byte for byte, whatever is in
    them, and whatever the location is called.
    """
    store = SqliteStore(tmp_path_factory.mktemp("cut") / "store.db")
    freeze(store, *frozen(*sales))

    with store.reading() as connection:
        members = store.outbox.members(connection, oldest(store))

    assert [member.raw for member in members] == [encode_transaction(sale) for sale in sales]
    assert members == frozen(*sales)


def test_keys():
    """
    A key is derived from location, date and content, and from nothing else.
    """
    about = {"location_id": LOCATION, "business_date": DAY, "digest": b"1", "generation": 0}
    others = [
        {"location_id": "other"},
        {"business_date": date(2026, 1, 3)},
        {"digest": b"2"},
        {"generation": 1},
    ]

    keys = {idempotency_key(**{**about, **other}) for other in others}

    assert idempotency_key(**about) == idempotency_key(**about)
    assert idempotency_key(**about).startswith("20260102-")
    assert len(keys | {idempotency_key(**about)}) == 5


def test_a_lost_store_makes_the_same_keys(tmp_path):
    """
    Two stores that freeze the same sales use the same key and bytes.
    """
    batches = []

    for name in ("one.db", "two.db"):
        store = SqliteStore(tmp_path / name)
        freeze(store, *frozen(sale("t1"), sale("t2")))
        with store.reading() as connection:
            batches.append((oldest(store).key, store.outbox.body(connection, oldest(store))))

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
    assert store.outbox.counts(LOCATION) == {BatchState.PENDING: 2}


def test_divided(store):
    """
    What a batch is divided into takes its place in the order.
    """
    members = frozen(*(sale(f"t{n}") for n in range(4)))
    freeze(store, *members)
    freeze(store, *frozen(sale("later")))
    batch = oldest(store)

    with store.writing() as connection:
        parts = [FrozenDraft.of(LOCATION, DAY, part) for part in (members[:1], members[1:])]
        store.outbox.divide(connection, batch, parts, answer="422", now=NOW)

    order, place = [], (0, -1)
    while (found := oldest(store, after=place)) is not None:
        place = (found.freeze, found.first)
        with store.reading() as connection:
            order.append(store.outbox.ids(connection, found))
    assert order == [["t0"], ["t1", "t2", "t3"], ["later"]]
    assert store.outbox.get(LOCATION, batch.key).state is BatchState.RESOLVED


def test_delivered(store):
    """
    The sum of what was taken leaves out what was refused.
    """
    freeze(store, *frozen(sale("t1", "1.10"), sale("t2", "2.20"), sale("t3", "3.30")))

    with store.writing() as connection:
        total = store.outbox.mark_delivered(
            connection, oldest(store), refused={"t2"}, answer="ok", now=NOW
        )

    assert str(total) == "4.40"
    assert oldest(store) is None
    with store.reading() as connection:
        assert connection.execute("SELECT id, total FROM delivered").fetchall() == [
            ("t1", "1.10"),
            ("t3", "3.30"),
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

    batches = list(batches_of(members, BatchLimits(transactions=count, bytes=1024 + room)))

    assert [member for batch in batches for member in batch] == members
    assert all(1 <= len(batch) <= count for batch in batches)
    assert all(
        len(batch) == 1 or sum(len(member.raw) + 1 for member in batch) <= room for batch in batches
    )


def test_adds_up():
    """
    Lines that don't add up are told: one cent a line is tolerated, discount
    and tax belong to the sum.
    """
    lines = [
        TransactionLine(sku="a", quantity=2, price=Decimal("1.00")),
        TransactionLine(sku="b", quantity=1, price=Decimal("9.99"), amount=Decimal("1.00")),
    ]
    fits = sale("t1", "3.20", items=lines, tax=Decimal("0.30"), discount=Decimal("0.10"))

    assert adds_up(fits)
    assert adds_up(attrs.evolve(fits, total=Decimal("3.22")))
    assert not adds_up(attrs.evolve(fits, total=Decimal("3.23")))
    assert not adds_up(sale("refund", "-1.50", items=[]))


def test_the_hosts_decimal_context():
    """
    A host application's decimal context, however narrow and strict, has no
    say in our sums.
    """
    large = "1" * 38
    line = TransactionLine(sku="a", quantity=Decimal(large), price=Decimal(large))
    strict = Context(prec=3, Emax=9, Emin=-9, traps=[Inexact, Overflow, Rounded])

    with localcontext(strict):
        (member,) = frozen(sale("t1", large, items=[line], tax=Decimal(large)))
        total = FrozenDraft.of(LOCATION, DAY, [member, member]).total

    assert member.mismatched
    assert str(total) == "2" * 38


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("4111111111111111", True),
        ("paid with 4111 1111 1111 1111, thanks", True),
        ("5500-0000-0000-0004", True),
        ("4111111111111112", False),
        ("0000000000000000", False),
        ("411111111111", False),
        ("41111111111111110000", False),
    ],
)
def test_card_numbers(note, expected):
    """
    13 to 19 digits whose check digit is right may be a card's number, however
    deep in the free text; ids, SKUs and amounts are no free text.
    """
    line = TransactionLine(sku="4111111111111111", quantity=1, price=Decimal(1))

    assert shows_card(sale("4111111111111111", extra={"a": [{"note": note}]})) is expected
    noted = attrs.evolve(line, extra={"note": note})
    assert shows_card(sale("t1", items=[noted])) is expected
    assert not shows_card(sale("4111111111111111", items=[line]))
