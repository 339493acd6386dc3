"""
In which order notices arrive, whatever fails in between.
"""

from collections import defaultdict
from contextlib import suppress
from datetime import timedelta
from itertools import count

import attrs
from databases import in_sqlite
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from conexxus_sync.model.alerts import AlertName
from conexxus_sync.model.notices import Event, Notice
from conexxus_sync.model.runs import RunKind, SyncRun, new_run_id
from conexxus_sync.notifications import Answer, Sender
from sites import hasty_store


LOCATIONS = ("loc-001", "loc-002")
ALERTS = (AlertName.API_DOWN, AlertName.SYNC_FAILED)


class Dead(BaseException):
    """
    The process dies.
    """


@attrs.define
class Line:
    """
    A webhook that does to each post what is planned for it.

    Attributes:
        received: Ids by location, each with whether the sender got to know.
        meanwhile: What goes on elsewhere while a post is on its way.
    """

    plan: list = attrs.field(factory=list)
    received: dict = attrs.field(factory=lambda: defaultdict(list))
    meanwhile: list = attrs.field(factory=list)
    location: str = ""

    def post(self, body, *, name):
        fate, location = (self.plan.pop(0) if self.plan else "taken"), self.location

        if self.meanwhile:
            self.meanwhile.pop()()
            self.location = location
        if fate in {"taken", "lost", "death"}:
            self.received[location].append((name, fate == "taken"))
        if fate == "death":
            raise Dead

        return Answer(accepted=fate == "taken", final=fate == "refused", detail=fate)


class OrderOfNotices(RuleBasedStateMachine):
    """
    Two processes and two locations on one store, and two alerts in each.
    """

    def __init__(self, clock, store):
        super().__init__()
        self.clock = clock
        self.store = store
        self.line = Line()
        self.queued = []
        self.subjects = {}

    @rule(location=st.sampled_from(LOCATIONS), alerts=st.lists(st.sampled_from(ALERTS)))
    def queue(self, location, alerts):
        for alert in alerts:
            notice = Notice(
                event=Event.ALERT_BEGAN,
                text="x",
                location_id=location,
                at=self.clock.now() + timedelta(seconds=len(self.queued)),
                alert=alert,
            )
            self.queued.append(notice.id)
            self.subjects[notice.id] = (location, alert)
            with self.store.at(location).write() as state:
                state.notices.queue(notice, self.clock.now())

    @rule(duration=st.sampled_from([30, 60, 120, 3600, 86400]))
    def wait(self, duration):
        self.clock.advance(seconds=duration)

    @rule(location=st.sampled_from(LOCATIONS))
    def run(self, location):
        """
        By its runs the clock proves itself, and may then make notices old.
        """
        now = self.clock.now()
        run = SyncRun(id=new_run_id(now), kind=RunKind.SALES, location_id=location, start_time=now)
        with self.store.at(location).write() as state:
            state.runs.save(run)

    @rule(
        location=st.sampled_from(LOCATIONS),
        plan=st.lists(st.sampled_from(["taken", "down", "lost", "death", "refused"]), max_size=4),
        other=st.sampled_from([None, *LOCATIONS]),
    )
    def send(self, location, plan, other):
        self.line.plan = plan
        self.line.meanwhile = [lambda: self._send(other)] if other else []
        self._send(location)

    def _send(self, location):
        self.line.location = location
        sender = Sender(
            store=hasty_store(self.store.path).at(location),
            clock=self.clock,
            webhook=self.line,
        )

        with suppress(Dead):
            sender.send_due()

    @invariant()
    def in_order_and_once(self):
        heard = defaultdict(list)
        for received in self.line.received.values():
            for name, known in received:
                heard[self.subjects[name]].append((name, known))

        for received in heard.values():
            places = [self.queued.index(name) for name, _ in received]

            for (_, known), place, following in zip(received, places, places[1:], strict=False):
                assert place < following or (place == following and not known)


@in_sqlite
def test_notices_arrive_in_order(clock, tmp_path):
    """
    Whatever fails, the notices about each alert of a location arrive in the
    order in which they were queued, and none twice unless its answer was lost.
    """
    numbers = count()

    run_state_machine_as_test(
        lambda: OrderOfNotices(clock, hasty_store(tmp_path / f"{next(numbers)}.db")),
        settings=settings(stateful_step_count=25),
    )
