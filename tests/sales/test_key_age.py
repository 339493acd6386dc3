"""
Facts about the age of a key where the local clock can't be believed.
"""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import attrs
import pytest
from databases import store_at
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import ApiProfile, ConexxusClient, Headers, ServerError
from conexxus_client.testing import BackOffice, SandboxTransport
from conexxus_sync.model.sales import Batch, BatchState, OutboxError, SendMoment
from conexxus_sync.runtime.processes import LinuxProcesses
from conexxus_sync.sales import OutboxOperator
from conexxus_sync.sales._key_age import key_age
from conexxus_sync.testing import FakeClock
from tills import Till


SENT = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)
DAY = SENT.date()
TTL = timedelta(hours=24)


@attrs.define
class World:
    """
    A till whose clock is its own, and a back office whose clock is right.
    """

    till: Till
    now: datetime = SENT
    dated: bool = False
    boots: int = 1
    extra: tuple = ()

    def __attrs_post_init__(self):
        self.till.office = BackOffice(key_ttl=TTL, clock=lambda: self.now)

    def client(self):
        return ConexxusClient(
            self.till.client().config,
            transport=DatedTransport(self) if self.dated else SandboxTransport(self.till.office),
        )

    @property
    def store(self):
        path = self.till.folder / "store.db"
        return store_at(path, processes=Booted(self.boots)).at("loc-001")

    def engine(self, **changes):
        return self.till.engine(**{"client": self.client(), "store": self.store, **changes})

    def push(self, client=None):
        return self.engine(client=client or self.client()).push(DAY)

    def sell_and_lose_the_answer(self, client=None):
        self.till.orders.add(self.till.sale("t1"))
        self.till.office.faults("sales: after_commit(reset)")
        self.push(client)
        assert self.till.states() == ["unknown"]

    def boot(self, offset, *, after=timedelta(days=2)):
        """
        The till is off for a while, and starts with the time at which it ended.
        """
        self.now += after
        self.boots += 1
        self.till.clock = FakeClock(SENT + offset)


class Booted(LinuxProcesses):
    """
    The processes of a computer that was started so many times.
    """

    def __init__(self, boots):
        self.boots = boots

    def current(self):
        return attrs.evolve(super().current(), boot=f"boot-{self.boots}")


class DatedTransport(SandboxTransport):
    """
    Answers with the `Date` of the back office.
    """

    def __init__(self, world):
        super().__init__(world.till.office)
        self.world = world

    @contextmanager
    def open(self, request, limits):
        with super().open(request, limits) as reply:
            fields = (("Date", format_datetime(self.world.now, usegmt=True)), *self.world.extra)
            reply.headers = Headers([*reply.headers, *fields])
            yield reply


@pytest.mark.case(
    "E1",
    "An answer is lost, the till is off for two days and starts with its saved clock",
    "the batch is parked: its key may be forgotten, and the sale is not booked twice",
)
@pytest.mark.parametrize(
    "offset",
    [
        timedelta(minutes=-4),
        timedelta(),
        timedelta(minutes=3),
        timedelta(hours=5),
        timedelta(hours=23, minutes=50),
    ],
    ids=str,
)
@pytest.mark.parametrize("dated", [False, True])
def test_a_saved_clock(new_till, offset, dated):
    """
    A boot in between leaves the age of a key open, unless the server's own
    date says that it is young.
    """
    world = World(new_till(), dated=dated)
    client = world.client()
    client.health()
    world.sell_and_lose_the_answer(client)
    world.boot(offset)

    (run,) = world.push()

    assert world.till.effective() == ["t1"]
    assert world.till.office.requests["sales"] == 1
    (batch,) = world.till.open_batches()
    assert batch.parked is not None
    assert "conexxus outbox resolve" in run.last_error


@pytest.mark.case(
    "E1",
    "The till is started anew within the time for which a key is remembered",
    "the batch is sent again if the back office's own date shows that",
)
@pytest.mark.parametrize("offset", [timedelta(minutes=-4), timedelta(minutes=1)], ids=str)
def test_a_short_power_cut(new_till, offset):
    """
    Where the server's date is known before and after, it decides.
    """
    world = World(new_till(), dated=True)
    client = world.client()
    client.health()
    world.sell_and_lose_the_answer(client)
    world.boot(offset, after=timedelta(hours=20))

    world.push()

    assert world.till.states() == ["delivered"]
    assert world.till.effective() == ["t1"]


@pytest.mark.case(
    "E1",
    "The clock is set while the fate of a batch is unknown",
    "the uptime decides with it; where both disagree, the batch is parked",
)
@pytest.mark.parametrize("step", [timedelta(days=-2), timedelta(hours=-30), timedelta(minutes=-6)])
def test_a_step_of_the_clock(new_till, step):
    """
    A clock that was put back makes no key younger.
    """
    world = World(new_till())
    world.sell_and_lose_the_answer()
    world.now += timedelta(days=2)
    world.till.wait(days=2)
    world.till.clock.set(world.till.clock.now() + step)

    world.push()

    assert world.till.office.requests["sales"] == 1
    assert world.till.open_batches()[0].parked is not None


def test_a_cached_date_counts_with_its_age(new_till):
    """
    An answer out of a cache is as old as it says.
    """
    world = World(new_till(), dated=True)
    client = world.client()
    client.health()
    world.sell_and_lose_the_answer(client)
    world.boot(timedelta(), after=timedelta(hours=2))
    world.extra = (("Age", str(2 * 86_400)),)

    world.push()

    assert world.till.office.requests["sales"] == 1


def test_the_date_of_a_proxy(new_till):
    """
    Who answers in place of a back office that is away has a clock of its own: it
    does not say when a batch was sent.
    """
    world = World(new_till(), dated=True)
    client = world.client()
    client.health()
    world.till.office.faults("health: 503")
    world.now += timedelta(hours=30)
    with pytest.raises(ServerError):
        client.health()
    world.now -= timedelta(hours=30)
    world.sell_and_lose_the_answer(client)
    world.boot(timedelta())

    world.push()

    assert world.till.effective() == ["t1"]
    assert world.till.office.requests["sales"] == 1


@pytest.mark.case(
    "E1",
    "After a boot, the back office does not answer the question for its date",
    "an old date is not taken for it, and the batch is parked",
)
def test_an_old_date_is_no_date(new_till):
    """
    Only an answer of now tells the time of now.
    """
    world = World(new_till(), dated=True)
    client = world.client()
    client.health()
    world.sell_and_lose_the_answer(client)
    world.boot(timedelta())
    world.till.office.faults("health: reset*forever")

    world.push(client)

    assert world.till.office.requests["sales"] == 1
    assert world.till.open_batches()[0].parked is not None


def test_a_client_of_the_host_that_knows_no_time(new_till):
    """
    A client that can't ask the back office for its time leaves the age open.
    """
    world = World(new_till())
    world.sell_and_lose_the_answer()
    world.boot(timedelta())
    real = world.client()

    class Plain:
        profile, push_sales = real.profile, staticmethod(real.push_sales)

    (run,) = world.push(Plain())

    assert world.till.office.requests["sales"] == 1
    assert "this computer was started anew" in run.last_error


def test_a_process_that_died_before_the_boot(new_till):
    """
    A power cut in the middle of a request leaves a batch whose key is in
    doubt as well.
    """
    world = World(new_till())
    world.till.orders.add(world.till.sale("t1"))

    def die(at):
        if at == "sent":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.engine(failpoint=die).push(DAY)
    world.boot(timedelta(minutes=2))

    world.push()

    assert world.till.effective() == ["t1"]
    assert world.till.office.requests["sales"] == 1


@pytest.mark.case(
    "E1",
    "After a boot, an operator asks to send a batch of unknown fate again",
    "it is refused without --force",
)
def test_an_operator_after_a_boot(new_till):
    """
    To resend is as dangerous as to repeat.
    """
    world = World(new_till())
    world.sell_and_lose_the_answer()
    world.boot(timedelta(hours=1))
    (batch,) = world.till.open_batches()
    operator = OutboxOperator(context=world.till.context(store=world.store))

    with pytest.raises(OutboxError, match="started anew"):
        operator.resend(batch.key)


@pytest.mark.case(
    "E1",
    "The computer gives no boot id, and its uptime is shorter than the key is old",
    "that is a boot, and the batch is parked",
)
def test_a_boot_without_an_id(new_till):
    """
    An uptime that is shorter than the age of the key says that there was a boot.
    """
    sent = batch(sent_boot="", sent_uptime=600.0)
    later = SENT + timedelta(hours=5)

    assert key_age(sent, SendMoment(at=later, boot="", uptime=590.0)).age is None
    assert key_age(sent, SendMoment(at=later, boot="", uptime=1200.0)).age is None
    same_boot = SendMoment(at=later, boot="", uptime=600.0 + 5 * 3600)
    assert key_age(sent, same_boot).age == timedelta(hours=5)


def test_ids_need_no_clock(new_till):
    """
    Where ids are recognised, no key has an age.
    """
    kind = {"dedupe": "transaction_id"}
    till = new_till(profile=ApiProfile(**kind), office=BackOffice(**kind))
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: after_commit(reset)")
    till.push(DAY)
    till.clock.set(SENT + timedelta(days=30))

    till.push(DAY)

    assert (till.effective(), till.states()) == (["t1"], ["delivered"])


def batch(**sent):
    return Batch(
        location_id="loc-001",
        business_date=DAY,
        key="k",
        freeze=1,
        first=0,
        state=BatchState.UNKNOWN,
        transactions=1,
        total=1,
        attempts=1,
        **{"frozen_at": SENT, "unknown_since": SENT, **sent},
    )


hours = st.integers(-72, 72)


@given(
    passed=st.integers(0, 96),
    clock=hours,
    same_boot=st.booleans(),
    booted=st.integers(0, 96),
    server=st.none() | st.integers(0, 5),
)
def test_never_younger_than_it_is(passed, clock, same_boot, booted, server):
    """
    Whatever the clock shows: an age that is given is never below the truth,
    by more than clocks differ in a boot.
    """
    before = None if server is None else SENT - timedelta(hours=server)
    sent = batch(sent_boot="a", sent_uptime=3600.0, sent_server=before)
    here = SendMoment(
        at=SENT + timedelta(hours=clock),
        boot="a" if same_boot else "b",
        uptime=3600.0 * (1 + passed if same_boot else min(booted, passed)),
        server=None if server is None else SENT + timedelta(hours=passed),
    )

    found = key_age(sent, here)

    assert (found.age is None) is (found.doubt is not None)
    assert found.age is None or found.age >= timedelta(hours=passed)
