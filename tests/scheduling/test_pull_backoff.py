"""
Facts about pulls that failed: when they are tried again.
"""

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from conexxus_client import ConfigurationError
from conexxus_sync import RunStatus, SyncConfig
from conexxus_sync.model.alerts import AlertName
from conexxus_sync.model.pull_schedule import PullSchedule
from peeks import peek


MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def on_slot(clock):
    """
    It is the moment at which a pull falls due.
    """
    clock.advance_to(PullSchedule("loc-001").next_slot(clock.now()))


def minutes_of_pulls(service, clock, minutes):
    """
    The minutes, from now on, at which a round pulls.
    """
    found = []

    for minute in range(minutes + 1):
        found += [minute for run in service.run_due(clock.now()) if run.kind.value == "inventory"]
        clock.advance(minutes=1)
    return found


@pytest.mark.case(
    "A11",
    "the back office does not answer when the service starts",
    "the pull is tried again after a minute, then after twice as long, up to a quarter of an hour",
)
@pytest.mark.parametrize(
    "fault", ["reset", "503", "500", "429", "truncate", "garbage", "slow(31s)"]
)
@pytest.mark.usefixtures("on_slot")
def test_passing_failures(service, clock, office, fault):
    """
    Until the next turn, and then again.
    """
    office.faults(f"catalog: {fault}*forever")

    assert minutes_of_pulls(service, clock, 59) == [0, 1, 3, 7, 15, 30, 45]
    assert minutes_of_pulls(service, clock, 30) == [0, 15, 30]


@pytest.mark.usefixtures("on_slot")
def test_failures_end(service, clock, office):
    """
    After a pull that went well, the next is at its turn, and the first retry
    after a minute again.
    """
    office.faults("catalog: 503*2")

    assert minutes_of_pulls(service, clock, 59) == [0, 1, 3]
    office.faults("catalog: 503*1")
    assert minutes_of_pulls(service, clock, 59) == [0, 1]


@pytest.mark.case(
    "A11",
    "a pull fails with another 4xx, or a guard refuses the catalogue",
    "the next pull waits for its turn",
)
@pytest.mark.parametrize("fault", ["401", "403", "404", "400", "410", "302"])
@pytest.mark.usefixtures("on_slot")
def test_lasting_failures(service, clock, office, fault):
    """
    What does not pass by itself is not asked for again and again.
    """
    office.faults(f"catalog: {fault}*forever")

    assert minutes_of_pulls(service, clock, 59) == [0]


@pytest.mark.usefixtures("on_slot")
def test_refused_catalogues_wait(service, clock, office):
    """
    So does a catalogue that a guard refuses.
    """
    service.run_due(clock.now())
    office.catalog = []
    clock.advance(HOUR)

    assert minutes_of_pulls(service, clock, 59) == [0]
    assert peek(service.store).runs.latest("inventory").refused


@pytest.mark.case(
    "A11",
    "a pull is answered 429 or 503 with `Retry-After: 21600`",
    "no scheduled pull asks for six hours; a person's pull does",
)
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.usefixtures("on_slot")
def test_retry_after(service, clock, office, status):
    """
    The wait goes past the turns of the schedule, and health says until when.
    """
    office.faults(f"catalog: {status}(retry_after=21600)*2")

    assert minutes_of_pulls(service, clock, 150) == [0]
    assert AlertName.SYNC_STALE not in {it.name for it in service.health().alerts}
    (failed,) = [it for it in service.health().alerts if it.name is AlertName.SYNC_FAILED]
    assert "UTC, as the back office asked" in failed.advice

    assert service.sync_inventory().status is RunStatus.FAILED
    assert minutes_of_pulls(service, clock, 370) == [360]


@pytest.mark.usefixtures("on_slot")
def test_retry_after_of_years(service, clock, office):
    """
    No back office is left alone for more than a day.
    """
    office.faults("catalog: 503(retry_after=999999999)")

    service.run_due(clock.now())
    clock.advance(timedelta(hours=24) - MINUTE)
    assert service.run_due(clock.now()) == []
    clock.advance(MINUTE)
    assert len(service.run_due(clock.now())) == 1


@pytest.mark.usefixtures("on_slot")
def test_short_retry_after(service, clock, office):
    """
    A wait of less than the backoff makes it no shorter.
    """
    office.faults("catalog: 503(retry_after=1)")

    assert minutes_of_pulls(service, clock, 30) == [0, 1]


@pytest.mark.usefixtures("on_slot")
def test_retry_after_across_a_turn(new_service, clock, office):
    """
    A wait that ends after the next turn holds this off.
    """
    clock.advance(minutes=55)
    office.faults("catalog: 503(retry_after=600)")

    assert minutes_of_pulls(new_service(), clock, 30) == [0, 10]


def test_clock_that_was_set_back(service, clock, office):
    """
    A run of the future holds nothing off.
    """
    office.faults("catalog: 503(retry_after=21600)")
    service.run_due(clock.now())
    clock.set(clock.now() - timedelta(days=30))

    assert len(service.run_due(clock.now())) == 1


def test_a_stopped_pull_is_made_up_for(new_service, clock, office):
    """
    A pull that was told to stop is tried again soon, by another process, too.
    """
    service = new_service()
    context = attrs.evolve(service.context, is_stopping=lambda: True)
    attrs.evolve(service._engines.inventory(), context=context).pull()
    clock.advance(MINUTE)

    assert len(new_service().run_due(clock.now())) == 1


@pytest.mark.case(
    "A11",
    "`CONEXXUS_SYNC_EVERY` sets the interval of pulls",
    "pulls keep to it, and the stale alert holds after two hours, or two intervals if longer",
)
@pytest.mark.parametrize(
    ("text", "pulls", "stale"), [("15m", 4, 120), ("1h", 1, 120), ("6h", 0, 720), ("1d", 0, 2880)]
)
def test_interval(new_service, clock, text, pulls, stale):
    """
    The setting decides both.
    """
    config = SyncConfig.from_env(
        {"CONEXXUS_SYNC_EVERY": text, "LOCATION_ID": "loc-001", "CONEXXUS_TIMEZONE": "UTC"}
    )
    service = new_service(config=config)
    schedule = PullSchedule("loc-001", config.sync_every)
    clock.advance_to(schedule.next_slot(clock.now()))

    service.run_due(clock.now())
    clock.advance(MINUTE)
    assert len(minutes_of_pulls(service, clock, 58)) == max(pulls - 1, 0)

    ended = peek(service.store).runs.latest("inventory").end_time
    clock.advance_to(ended + stale * MINUTE)
    assert service.health().state.value != "stale"
    clock.advance(MINUTE)
    assert service.health().state.value == "stale"


@pytest.mark.parametrize(
    "text", ["1", "h", "0m", "59s", "8d", "1.5h", "-1h", "1 h", "\uff11h", "1H"]
)
def test_what_is_no_interval(text):
    """
    It is refused, naming the variable.
    """
    with pytest.raises(ConfigurationError, match="CONEXXUS_SYNC_EVERY must be"):
        SyncConfig.from_env({"CONEXXUS_SYNC_EVERY": text})


def test_interval_in_code():
    """
    So is one that is given in code.
    """
    assert SyncConfig(sync_every=timedelta(minutes=90)).sync_every == timedelta(minutes=90)
    with pytest.raises(ConfigurationError, match="CONEXXUS_SYNC_EVERY must be from 1m to 7d"):
        SyncConfig(sync_every=timedelta(0))


def test_next_round(service, clock, office):
    """
    The scheduler wakes up for the next try.
    """
    office.faults("catalog: 503")
    now = datetime(2026, 1, 2, 10, tzinfo=UTC)
    service.run_due(now)
    again = service._scheduler._next_pull(now)

    assert again - now == MINUTE
    assert service._scheduler._next_pull(again) - again > MINUTE
