"""
Facts about pushes during the day, whatever the till and the network do between looks.
"""

from collections import Counter, defaultdict
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs
import pytest
from databases import IS_SMALL
from example_counts import examples
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from conexxus_sync.config import SyncConfig
from conexxus_sync.sales import BatchLimits
from conexxus_sync.testing import sale
from tills import LOCATION, Till


DAY = date(2026, 1, 2)
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SETTLE = timedelta(minutes=15)

NETWORK = ["503", "reset", "hang", "after_commit(reset)", "after_commit(503)", "refuse", "429"]
numbers = st.integers(0, 5)
events = st.lists(
    st.one_of(
        st.tuples(st.just("sell"), st.integers(1, 9)),
        st.tuples(st.just("edit"), numbers, st.integers(1, 9)),
        st.tuples(st.just("mistime"), numbers),
        st.tuples(st.just("delete"), numbers),
        st.tuples(st.just("hide"), numbers),
        st.tuples(
            st.just("look"), st.sampled_from([5, 10, 15, 20]), st.sampled_from([None, *NETWORK])
        ),
        st.tuples(st.just("crash"), st.integers(0, 12)),
    ),
    max_size=14,
)
ANY_DAY = {
    "events": events,
    "on_changed": st.sampled_from(["report", "resend"]),
    "size": st.sampled_from([1, 2, 1_000]),
}


@attrs.define
class OpenDay:
    """
    A date in progress.

    Attributes:
        seen: The version of each sale in the looks so far, and since when.
        settled: Versions that may have been sent.
        hidden: The one that the next answer lacks.
    """

    till: Till
    on_changed: str
    sold: int = 0
    seen: dict = attrs.field(factory=dict)
    settled: set = attrs.field(factory=set)
    versions: dict = attrs.field(factory=lambda: defaultdict(set))
    hidden: object = None

    def __attrs_post_init__(self):
        self.till.clock.set(NOON - timedelta(days=1))
        self.till.options["on_changed"] = self.on_changed
        self.till.engine().push(automatic=True)
        self.till.clock.set(NOON)

    @property
    def sales(self):
        return self.till.orders.by_date.get(DAY, [])

    def pick(self, number):
        return self.sales[number % len(self.sales)] if self.sales else None

    def sell(self, total):
        self.sold += 1
        moment = NOON + timedelta(seconds=self.sold)
        made = sale(f"t{self.sold}", total, timestamp=moment)
        self.till.orders.add(made)
        self.versions[made.id].add(made.total)

    def edit(self, number, total):
        if found := self.pick(number):
            made = sale(found.id, total, timestamp=found.timestamp)
            self.till.orders.replace(made)
            self.versions[made.id].add(made.total)

    def mistime(self, number):
        if found := self.pick(number):
            moment = found.timestamp + timedelta(minutes=1)
            self.till.orders.replace(attrs.evolve(found, timestamp=moment))

    def delete(self, number):
        if found := self.pick(number):
            self.till.orders.remove(found.id)

    def hide(self, number):
        self.hidden = self.pick(number)

    def look(self, minutes, fault):
        self.till.office.faults(f"sales: {fault}*3" if fault else "")
        self._look(minutes)
        self.till.office.faults("")

    def crash(self, left):
        steps = iter(range(left))

        def failpoint(_):
            if next(steps, None) is None:
                raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            self._look(15, failpoint=failpoint)

    def _look(self, minutes, **changes):
        self.till.wait(minutes=minutes)
        now, orders = self.till.clock.now(), self.till.orders
        with self._hiding():
            given = {one.id: (one.total, one.timestamp) for one in self.sales}
            before = len(orders.asked)
            try:
                engine = self.till.engine(**changes)
                if engine.next_due(now) <= now:
                    engine.push(automatic=True)
            finally:
                if len(orders.asked) > before:
                    self._saw(given, now)
        sent = {(one.id, one.total) for one in self.ledger.sales(LOCATION)}
        assert sent <= self.settled

    @contextmanager
    def _hiding(self):
        hidden, self.hidden = self.hidden, None
        if hidden is not None and hidden in self.sales:
            self.till.orders.remove(hidden.id)
        else:
            hidden = None
        yield
        if hidden is not None:
            self.till.orders.add(hidden)

    def _saw(self, given, now):
        self.seen = {
            name: (said, self.seen[name][1] if self.seen.get(name, ("",))[0] == said else now)
            for name, said in given.items()
        }
        self.settled |= {
            (name, said[0]) for name, (said, since) in self.seen.items() if now - since >= SETTLE
        }

    @property
    def ledger(self):
        return self.till.office.ledger

    def close(self):
        """
        The daily push and its tail; a person accepts what changed.
        """
        for moment in (NOON + timedelta(hours=11.5), NOON + timedelta(hours=12.25)):
            self.till.clock.advance_to(max(moment, self.till.clock.now()))
            self.till.engine().push(automatic=True)
        accepts = self.on_changed == "resend"
        for _ in range(3):
            self.till.engine().push(DAY, accept_changes=accepts)

    def check(self):
        """
        With `resend`, the books are the till's; else each sale that the till
        has is there once, as it was when it was sent.
        """
        booked = self.ledger.sales(LOCATION)
        assert self.ledger.doubled() == []
        if self.on_changed == "resend":
            net = defaultdict(Decimal)
            for one in booked:
                net[one.id.split(":")[0]] += one.total
            assert {name: total for name, total in net.items() if total} == {
                one.id: one.total for one in self.sales
            }
        else:
            count = Counter(one.id for one in booked)
            assert set(count.values()) <= {1}
            assert {one.id for one in self.sales} <= count.keys()
            assert all(one.total in self.versions[one.id] for one in booked)


def play(many_tills, events, on_changed, size):
    till = many_tills(
        config=SyncConfig(
            location_id=LOCATION,
            timezone=ZoneInfo("UTC"),
            push_every=timedelta(minutes=5),
            push_settle=SETTLE,
        ),
        limits=BatchLimits(transactions=size),
    )
    day = OpenDay(till, on_changed)

    for name, *arguments in events:
        getattr(day, name)(*arguments)
    day.close()

    day.check()


# Read as it is: shrinking one takes longer than a test may.
AS_IT_IS = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
SENT = [("sell", 1), ("look", 5, None), ("look", 15, "after_commit(reset)")]


@settings(AS_IT_IS, max_examples=examples(25, 80))
@given(**ANY_DAY)
@example(events=[*SENT, ("edit", 0, 2)], on_changed="resend", size=1)
@example(events=[*SENT[:2], ("edit", 0, 2), SENT[2]], on_changed="report", size=1)
@example(events=[*SENT[:2], ("hide", 0), SENT[1], SENT[2]], on_changed="report", size=1)
def test_any_day(many_tills, **example):
    """
    Whatever is sold, edited, deleted or not returned between looks, and whatever
    the network does: nothing is sent before it settled, and the day ends with
    the books that it has without pushes during the day.
    """
    play(many_tills, **example)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@settings(AS_IT_IS, max_examples=200 if IS_SMALL else 2_000)
@given(**ANY_DAY)
def test_thousands_of_days(many_tills, **example):
    """
    The same for thousands of examples.
    """
    play(many_tills, **example)
