"""
Reconciliation of a business date: till, outbox and the back office's own books.
"""

from datetime import date
from decimal import Decimal

import attrs
import pytest
from databases import forget
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from receipts import RECEIPTS, TRANSACTIONS

from conexxus_client import ApiProfile, Tender
from conexxus_sync.model.date_reconciliation import FindingKind, Measure
from conexxus_sync.model.order_records import transaction_of
from conexxus_sync.sales import BatchLimits, DateReconciler
from conexxus_sync.sales._reconciliation import reconcile
from conexxus_sync.sales._source_watch import SourceWatch
from conexxus_sync.testing import sale
from tills import DAY


NEXT_DAY = date(2026, 1, 3)


def reconciled(till, day=DAY, **changes):
    made = {"orders": till.orders, "client": till.client(), **changes}
    watch = SourceWatch(till.clock)

    return DateReconciler(store=till.store, business_date=day, watch=watch, **made).reconcile()


def row(found, measure, name=None):
    (one,) = [it for it in found.rows if (it.measure, it.name) == (measure, name)]
    return one


def receipts(*names, **fields):
    return [
        attrs.evolve(transaction_of(RECEIPTS[name]), id=f"t{n}", **fields)
        for n, name in enumerate(names)
    ]


def paid(name, total, **parts):
    tender = Tender(type="cash", amount=Decimal(total), **parts)
    return attrs.evolve(sale(name, total), tenders=[tender], register="1")


@pytest.fixture
def sold(till):
    """
    A till that has sold three, all of them accepted.
    """
    till.orders.add(paid("t1", "1.00"), paid("t2", "2.00"), sale("t3", "4.00"))
    return till


def test_date_that_agrees(till):
    """
    Till, outbox and books have the same by register, tender and tax; what
    was paid in and out has rows of its own.
    """
    names = ("US, the tax added", "EU, the tax included, two rates")
    till.orders.add(*receipts(*names, "lottery, paid out", "change for the drawer", register="7"))
    till.push()

    found = reconciled(till)

    assert found.agrees
    assert found.remarks == ()
    for one in found.rows:
        assert one.till == one.sent == one.accepted == one.back_office, one
        assert one.difference == 0
    amounts = {(it.measure, it.name): it.till for it in found.rows}
    assert amounts == {
        (Measure.COUNT, None): 2,
        (Measure.TOTAL, None): Decimal("72.36"),
        (Measure.REGISTER, "7"): Decimal("72.36"),
        (Measure.TENDER, "card"): Decimal("18.97"),
        (Measure.TENDER, "cash"): Decimal("53.39"),
        (Measure.TAX, "A"): Decimal("1.90"),
        (Measure.TAX, "B"): Decimal("0.46"),
        (Measure.TAX, "STATE"): Decimal("4.41"),
        (Measure.PAID_IN, None): Decimal("100.00"),
        (Measure.PAID_OUT, None): Decimal("-25.00"),
    }


@pytest.mark.parametrize(
    ("fault", "kind", "total", "sentence"),
    [
        ("forget(t1)", FindingKind.LOST, "1.00", "t1 was accepted, but is not in the books"),
        ("double(t1)", FindingKind.DOUBLED, "-1.00", "is in the books of the back office 2 times"),
        (
            "misdate(t1, date=2026-01-03)",
            FindingKind.MISDATED,
            "1.00",
            "t1 of 2026-01-02 is in the books of the back office on 2026-01-03",
        ),
    ],
)
def test_sale_that_is_booked_wrong(sold, fault, kind, total, sentence):
    """
    It is named, and its money is the difference: in the total, its register
    and its tender.
    """
    sold.office.faults(fault)
    sold.push()

    found = reconciled(sold)

    assert not found.agrees
    (one,) = found.findings
    assert (one.kind, one.id, one.total) == (kind, "t1", Decimal("1.00"))
    assert sentence in str(one)
    for name in ((Measure.TOTAL,), (Measure.REGISTER, "1"), (Measure.TENDER, "cash")):
        assert row(found, *name).difference == Decimal(total)
    assert row(found, Measure.COUNT).difference == Decimal(total)


def test_date_that_has_a_sale_of_another(sold):
    """
    The other date names the sale, too, and the date on which it was sold;
    far away dates are not looked through.
    """
    sold.office.faults("misdate(t1, date=2026-01-20)")
    sold.push()

    assert [one.kind for one in reconciled(sold).findings] == [FindingKind.LOST]
    (one,) = reconciled(sold, date(2026, 1, 20)).findings
    assert (one.kind, one.date, one.booked_on) == (FindingKind.MISDATED, DAY, date(2026, 1, 20))


def test_ids_that_begin_anew_each_day(sold):
    """
    The sale of the next day with the id of one that is lost is not taken for it.
    """
    sold.office.faults("forget(t1)")
    sold.push()
    sold.clock.set(sold.clock.now().replace(day=3))
    sold.orders.add(paid("t1", "9.00"), day=NEXT_DAY)
    sold.push()

    assert [one.kind for one in reconciled(sold).findings] == [FindingKind.LOST]
    assert reconciled(sold, NEXT_DAY).agrees


def test_sale_that_was_not_sent_from_here(sold):
    """
    It is named, as well as one with another total.
    """
    sold.push()
    other = sold.client()
    ledger = sold.office.ledger
    (push,) = ledger.pushes
    changed = [
        attrs.evolve(one, wire=one.wire.replace('"total":1.00', '"total":5.00'))
        for one in push.sales
    ]
    ledger.clear()
    stranger = attrs.evolve(changed[2], id="x", wire=changed[2].wire.replace('"t3"', '"x"'))
    ledger.record(attrs.evolve(push, sales=(*changed, stranger)))
    other.close()

    found = {one.id: one.kind for one in reconciled(sold).findings}

    assert found == {"t1": FindingKind.CHANGED, "x": FindingKind.FOREIGN}


def test_sale_that_is_not_sent_yet(sold):
    """
    What the till has and the back office has not is the difference.
    """
    sold.push()
    sold.orders.add(sale("late", "8.00"))

    total = row(reconciled(sold), Measure.TOTAL)

    assert (total.till, total.accepted, total.difference) == (15, 7, 8)
    assert not total.agrees


def test_delivery_of_unknown_fate(sold):
    """
    It is sent, and not accepted; where it is in the books, that is said.
    """
    sold.office.faults("sales: after_commit(503)*forever")
    sold.push()
    sold.office.faults("")

    found = reconciled(sold)

    total = row(found, Measure.TOTAL)
    assert (total.sent, total.accepted, total.back_office) == (7, 0, 7)
    assert {one.kind for one in found.findings} == {FindingKind.UNCONFIRMED}
    assert not found.agrees


def test_sales_that_are_set_aside(sold):
    """
    What is refused, or parked, is in a column of its own.
    """
    sold.office.reject = {"t1"}
    sold.push()

    found = reconciled(sold)

    total = row(found, Measure.TOTAL)
    assert (total.till, total.accepted, total.set_aside, total.difference) == (7, 6, 1, 1)
    assert row(found, Measure.TENDER, "cash").set_aside == 1
    assert found.findings == ()


def test_sale_that_is_sent_after_a_refusal(sold):
    """
    It is accepted once, whichever batch it was in before.
    """
    sold.office.reject = {"t1"}
    sold.push()
    sold.office.reject = ()
    sold.operator().replay(DAY, "t1")
    sold.push(DAY)

    assert reconciled(sold).agrees


def test_parked_sales(sold):
    """
    They are sent, and set aside.
    """
    sold.profile = ApiProfile(dedupe="none")
    sold.office.faults("sales: reset*forever")
    sold.push()

    total = row(reconciled(sold), Measure.TOTAL)

    assert (total.sent, total.accepted, total.set_aside) == (7, 0, 7)


def test_corrected_sale(sold):
    """
    Sale, void and revision are one sale with what it came to in the end.
    """
    sold.options = {"on_changed": "resend"}
    sold.push()
    for amount in ("3.00", "5.00"):
        sold.orders.replace(paid("t1", amount))
        sold.push(DAY)

    found = reconciled(sold)

    assert found.agrees
    assert row(found, Measure.COUNT).back_office == 3
    assert row(found, Measure.TENDER, "cash").accepted == 7


def test_sale_that_is_gone(sold):
    """
    Taken back, it is no sale; if that is lost, it is named.
    """
    sold.options = {"on_changed": "resend"}
    sold.push()
    sold.office.faults("forget(t1:void:1)")
    sold.orders.remove("t1")
    sold.push(DAY)

    found = reconciled(sold)

    assert [str(one)[:10] for one in found.findings] == ["t1:void:1 "]
    assert row(found, Measure.TOTAL).accepted == 6


def test_day_that_is_replaced(sold):
    """
    The last push of the day counts.
    """
    sold.profile = ApiProfile(sales_mode="replace_day")
    sold.office.sales_mode = "replace_day"
    sold.push()
    sold.orders.add(sale("t4", "8.00"))
    sold.push(DAY)

    found = reconciled(sold)

    assert found.agrees
    assert row(found, Measure.TOTAL).accepted == 15


def test_sales_of_which_only_the_total_is_known(sold):
    """
    Where their bytes are purged, count and total agree, nothing is said of
    tenders, and why.
    """
    sold.orders.add(*receipts("lottery, paid out"))
    sold.push()
    with sold.store.write() as state:
        state.session.execute("UPDATE batches SET body = NULL", ())

    found = reconciled(sold)

    assert [it.measure for it in found.rows] == [Measure.COUNT, Measure.TOTAL]
    assert row(found, Measure.TOTAL).till == row(found, Measure.TOTAL).back_office == -18
    assert found.agrees
    assert found.remarks[0].startswith("Of 4 accepted sales, only the total is known here")


def test_adopted_sales(sold):
    """
    Only the total is known of sales that something else delivered, and nothing
    is said of their ids in the books.
    """
    sold.engine().adopt(DAY)

    found = reconciled(sold, client=None)
    (total,) = [one for one in found.rows if one.measure is Measure.TOTAL]
    assert (total.till, total.accepted) == (7, 7)
    assert found.agrees

    sold.orders.by_date[DAY] = [sale("t4", "8.00")]
    sold.push(DAY)
    forget(sold.store)
    sold.engine().adopt(DAY)
    assert reconciled(sold).agrees
    assert reconciled(sold).findings == ()


def test_back_office_without_a_list(sold):
    """
    Differences are totals only, and the output says so.
    """
    sold.office.summary = "totals"
    sold.office.faults("forget(t1)")
    sold.push()

    found = reconciled(sold)

    assert found.findings == ()
    assert row(found, Measure.TOTAL).difference == 1
    assert found.remarks == (
        "The back office lists no transactions: totals only, no sale is named",
    )


@pytest.mark.parametrize("how", ["404", "profile", "client"])
def test_back_office_without_totals(sold, how):
    """
    Till and outbox are compared.
    """
    sold.push()
    sold.office.summary = "none"
    client = {"404": sold.client(), "client": None}.get(how)
    if how == "profile":
        sold.profile = ApiProfile(summary_path=None)
        client = sold.client()

    found = reconciled(sold, client=client)

    assert found.agrees
    assert {one.back_office for one in found.rows} == {None}
    assert found.remarks == ("The back office offers no totals: its own books are not compared",)


def test_back_office_that_is_down(sold):
    """
    The reason is said; what is known is compared.
    """
    sold.push()
    sold.office.faults("summary: 503")

    (remark,) = reconciled(sold).remarks

    assert remark.startswith("The books of the back office can't be read: Conexxus API server")


def test_list_that_is_not_complete(sold, monkeypatch):
    """
    No sale is called lost because a list ends early.
    """
    sold.push()
    client = sold.client()
    whole = client.day_totals(DAY, location_id="loc-001")
    part = attrs.evolve(whole, transactions=whole.transactions[:1])
    monkeypatch.setattr(client, "day_totals", lambda *_, **__: part)

    found = reconciled(sold, client=client)

    assert found.agrees
    assert found.remarks == (
        "The back office lists 1 of 3 transactions: totals only, no sale is named",
    )


def test_without_a_till(sold):
    """
    Outbox and books are compared.
    """
    sold.office.faults("forget(t1)")
    sold.push()

    found = reconciled(sold, orders=None)

    assert row(found, Measure.TOTAL).till is None
    assert row(found, Measure.TOTAL).difference == 1
    assert found.remarks == ("Without an order source, the till is not compared",)


def test_sale_that_is_returned_twice(sold):
    """
    With equal copies, it is one sale.
    """
    sold.push()
    sold.orders.by_date[DAY].append(sold.orders.by_date[DAY][0])

    assert reconciled(sold).agrees


def test_what_was_compared(sold):
    """
    The date, its location, and whether all sides were asked.
    """
    sold.push()

    found = reconciled(sold)
    assert (found.business_date, found.location_id, found.is_complete) == (DAY, "loc-001", True)
    assert not reconciled(sold, orders=None).is_complete
    assert reconciled(sold, client=None).is_complete
    sold.office.faults("summary: 503")
    assert not reconciled(sold).is_complete


def test_columns_of_a_correction(sold):
    """
    Two sales that were taken back are no sales, also where only totals are known.
    """
    sold.options = {"on_changed": "resend"}
    sold.push()
    sold.orders.replace(paid("t1", "3.00"))
    sold.orders.replace(paid("t2", "5.00"))
    sold.push(DAY)
    assert row(reconciled(sold), Measure.COUNT).accepted == 3

    with sold.store.write() as state:
        state.session.execute("UPDATE batches SET body = NULL", ())

    assert row(reconciled(sold), Measure.COUNT).accepted == 3
    assert row(reconciled(sold), Measure.TOTAL).accepted == 12


def test_some_wait_and_some_are_parked(new_till):
    """
    What waits for an operator is set aside, and what goes by itself is not.
    """
    till = new_till(
        profile=ApiProfile(dedupe="none", unprocessed_statuses=(503,)),
        limits=BatchLimits(transactions=1),
    )
    till.orders.add(sale("t1", "1.00"), sale("t2", "2.00"), sale("t3", "4.00"))
    till.office.faults("sales: reset, 503")
    till.push(DAY)
    total = row(reconciled(till, client=None), Measure.TOTAL)

    assert (total.till, total.sent, total.accepted, total.set_aside) == (7, 3, 0, 1)


def test_what_waits_after_what_was_accepted(new_till):
    """
    Each batch counts, in whatever order they went.
    """
    till = new_till(limits=BatchLimits(transactions=1))
    till.orders.add(sale("t1", "1.00"), sale("t2", "2.00"), sale("t3", "4.00"))
    till.office.faults("sales: ok, reset, ok")
    till.push(DAY)

    total = row(reconciled(till, client=None), Measure.TOTAL)

    assert (total.sent, total.accepted) == (7, 5)


def test_books_are_asked_once(sold):
    """
    The books of other days are asked for where a sale is missing.
    """
    sold.push()

    reconciled(sold)

    assert sold.office.requests["summary"] == 1


def test_all_dates_at_once(till):
    """
    Each date of which the store has anything, with what the till has of it.
    """
    till.orders.add(sale("t1", "1.00"), day=DAY)
    till.orders.add(sale("t2", "2.00"), sale("t3", "4.00", business_date=NEXT_DAY), day=NEXT_DAY)
    till.wait(days=1)
    till.push()
    asked = []

    class Till:
        def transactions(self, location_id, business_date):
            asked.append((location_id, business_date))
            return till.orders.transactions(location_id, business_date)

    bare = list(reconcile(till.store, DAY))
    told = list(reconcile(till.store, DAY, Till()))

    assert [one.sums.business_date for one in bare] == [DAY, NEXT_DAY]
    assert [(one.till_count, one.agrees) for one in bare] == [(None, True)] * 2
    assert [(one.till_count, one.till_total) for one in told] == [(1, 1), (2, 6)]
    assert all(one.agrees for one in told)
    assert asked == [("loc-001", DAY), ("loc-001", NEXT_DAY)]
    assert [one.sums.business_date for one in reconcile(till.store, NEXT_DAY)] == [NEXT_DAY]


def test_some_were_never_sent(new_till):
    """
    What has not left is not sent, and what comes after it is counted.
    """
    till = new_till(limits=BatchLimits(transactions=1))
    till.orders.add(sale("t1", "1.00"), sale("t2", "2.00"), sale("t3", "4.00"))
    till.office.faults("sales: refuse*forever")
    till.push(DAY)
    till.office.faults("")
    with till.store.write() as state:
        last = next(one for one in state.outbox.batches() if one.attempts == 0)
        state.outbox.mark_open(last, unknown_since=till.clock.now(), answer="", parked="asked")

    total = row(reconciled(till, client=None), Measure.TOTAL)

    assert (total.till, total.accepted, total.difference) == (7, 0, 7)


def test_quarantined_bytes_that_can_not_be_read(sold):
    """
    They are in no sum, and how many they are is said.
    """
    sold.office.reject = {"t1", "t2"}
    sold.push()
    with sold.store.write() as state:
        state.session.execute("UPDATE quarantined_transactions SET raw = ?", (b"[",))

    found = reconciled(sold)

    assert row(found, Measure.TOTAL).set_aside == 0
    assert "2 sales in quarantine can't be read, and are in no sum" in found.remarks


@pytest.mark.parametrize("away", [-1, 1])
def test_sale_that_is_booked_a_day_off(sold, away):
    """
    It is found on either side.
    """
    day = date(2026, 1, 2 + away)
    sold.office.faults(f"misdate(t1, date={day})")
    sold.push()

    (one,) = reconciled(sold).findings

    assert (one.kind, one.booked_on) == (FindingKind.MISDATED, day)


def test_sales_that_are_booked_on_both_sides(sold):
    """
    One on the day before and one on the day after are both found, and a day
    whose books can't be read is passed over.
    """
    sold.limits = BatchLimits(transactions=1)
    sold.office.faults("sales: misdate(t1, date=2026-01-01), misdate(t2, date=2026-01-03)")
    sold.push()

    found = {one.id: one.booked_on for one in reconciled(sold).findings}
    assert found == {"t1": date(2026, 1, 1), "t2": date(2026, 1, 3)}

    sold.office.faults("summary: ok, 503, ok")
    found = {one.id: one.booked_on for one in reconciled(sold).findings}
    assert found["t2"] == date(2026, 1, 3)


def test_sales_of_other_dates_are_not_counted(sold):
    """
    What says that it belongs to another date, or can't be read, is no sale of this one.
    """
    sold.push()
    sold.orders.by_date[DAY] += [sale("t4", "8.00", business_date=NEXT_DAY), ("no", "sale")]
    twice = paid("t5", "16.00")
    sold.orders.by_date[DAY] += [twice, attrs.evolve(twice, register="8"), twice]
    sold.orders.by_date[DAY] += [sale("t6", "32.00", business_date=DAY)]

    total = row(reconciled(sold), Measure.TOTAL)

    assert total.till == 71


def test_till_that_hangs_while_it_is_compared(sold):
    """
    It is watched like one that is asked by a push.
    """
    watch, seen = SourceWatch(sold.clock), []

    class Slow:
        def transactions(self, location_id, business_date):
            seen.append((location_id, business_date))
            sold.clock.advance(minutes=6)
            seen.append(watch.hanging())
            yield from ()

    DateReconciler(
        store=sold.store, business_date=DAY, watch=watch, orders=Slow(), client=None
    ).reconcile()

    (asked, hanging) = seen
    assert asked == ("loc-001", DAY)
    assert hanging.business_date == DAY
    assert hanging.source.endswith("Slow")


def test_date_without_sales(till):
    """
    It agrees.
    """
    found = reconciled(till)

    assert found.agrees
    assert [one.till for one in found.rows] == [0, 0]


@given(st.lists(TRANSACTIONS, max_size=6))
@settings(max_examples=examples(8, 25), deadline=None)
def test_any_receipts_agree(many_tills, sold):
    """
    Whatever the till sells, its books and those of the back office are equal.
    """
    till = many_tills()
    till.orders.add(*(attrs.evolve(one, id=f"t{n}") for n, one in enumerate(sold)))
    till.push()

    found = reconciled(till)

    assert found.agrees, [one for one in found.rows if not one.agrees]


@pytest.mark.parametrize("adopted", [False, True])
def test_id_that_two_registers_use(till, adopted):
    """
    In the same second, they are two sales, at the till and in the books.
    """
    first = paid("t1", "1.00")
    till.orders.add(first, attrs.evolve(first, register="2"))
    if adopted:
        till.engine().adopt(DAY)
    else:
        till.push()

    found = reconciled(till, **({"client": None} if adopted else {}))

    assert found.agrees
    assert row(found, Measure.TOTAL).till == 2
