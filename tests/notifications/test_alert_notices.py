"""
Word of alerts: when they begin, when they end, and what is not worth a word.
"""

import json
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from databases import in_sqlite
from hypothesis import given
from hypothesis import strategies as st

from conexxus_sync.model.alerts import Alert, AlertGroup, AlertName
from conexxus_sync.model.notices import ActiveAlert
from conexxus_sync.notifications._alert_changes import AlertDiff
from conexxus_sync.notifications._notice_text import _ENDED, alert_resolved, alert_started
from conexxus_sync.sales import OutboxOperator
from locks import locked
from peeks import peek


NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


class Life:
    """
    Looks once a minute.
    """

    def __init__(self):
        self.minutes = 0
        self.standing = []
        self.notified = []

    def see(self, *names, looks=1):
        for _ in range(looks):
            now = NOON + timedelta(minutes=self.minutes)
            alerts = tuple(Alert(name=name, message=f"{name} holds.") for name in names)
            look = AlertDiff(location_id="loc-001", now=now, zone=UTC, alerts=alerts)
            self.standing, notices = look.compare(self.standing)
            self.notified += [(self.minutes, n.event.value, n.alert) for n in notices]
            self.minutes += 1
        return self


def test_a_grave_alert_is_told_at_once():
    """
    What puts sales at stake is told at the first look.
    """
    life = Life().see(AlertName.DELIVERY_UNKNOWN)

    assert life.notified == [(0, "alert_began", AlertName.DELIVERY_UNKNOWN)]


@pytest.mark.parametrize("name", [AlertName.API_DOWN, AlertName.SYNC_FAILED, AlertName.DISCREPANCY])
def test_another_must_last(name):
    """
    The others are told after two minutes.
    """
    life = Life().see(name, looks=5)

    assert life.notified == [(2, "alert_began", name)]


def test_what_is_soon_over_is_not_told():
    """
    An alert of one minute is not worth a notice, nor is its end.
    """
    life = Life().see(AlertName.API_DOWN).see(looks=10)

    assert life.notified == []
    assert life.standing == []


def test_a_pause_ends_nothing():
    """
    What is gone for a minute, and back, is the same alert.
    """
    life = Life().see(AlertName.PUSH_FAILED).see().see(AlertName.PUSH_FAILED, looks=3)

    assert life.notified == [(0, "alert_began", AlertName.PUSH_FAILED)]


def test_what_comes_and_goes_is_told_once():
    """
    An alert that flaps each minute begins once, and ends once it stays away.
    """
    life = Life()

    for _ in range(10):
        life.see(AlertName.API_DOWN).see()
    life.see(looks=5)

    assert [event for _, event, _ in life.notified] == ["alert_began", "alert_ended"]


def test_information_is_not_told():
    """
    What is no trouble is on the page, and wakes nobody.
    """
    life = Life().see(AlertName.ITEMS_SET_ASIDE, AlertName.NOT_CONFIGURED, looks=5)

    assert life.notified == []


@pytest.mark.case(
    "D11",
    "the back office is dead, and pull and push fail for it",
    "there is one notice, which names the consequences; none of them begins or ends by itself",
)
def test_consequences_have_no_notice_of_their_own():
    """
    The notice of the cause says what follows from it.
    """
    down = Alert(name=AlertName.API_DOWN, message="No good answer from the back office: refused.")
    failed = Alert(
        name=AlertName.PUSH_FAILED, message="The last push failed.", caused_by=AlertName.API_DOWN
    )
    standing, texts = [], []

    for minute, alerts in enumerate([(down, failed)] * 5 + [()] * 5):
        now = NOON + timedelta(minutes=minute)
        look = AlertDiff(location_id="loc-001", now=now, zone=UTC, alerts=alerts)
        standing, notices = look.compare(standing)
        texts += [notice.text for notice in notices]

    began, ended = texts
    assert began.startswith("loc-001: no good answer from the back office since 12:00: refused. ")
    assert began.endswith(" Therefore: The last push failed.")
    assert ended == "loc-001: the back office answers again, after 5 minutes."


def test_consequence_that_was_sent_before_its_cause():
    """
    An alert of which there was a notice has one of its end, and no second one.
    """
    failed = Alert(name=AlertName.PUSH_FAILED, message="")
    down = Alert(name=AlertName.API_DOWN, message="")
    caused = attrs.evolve(failed, caused_by=AlertName.API_DOWN)
    standing, seen = [], []

    for minute, alerts in enumerate(
        [(failed,), (caused, down), (caused, down), (failed,), *[()] * 3]
    ):
        now = NOON + timedelta(minutes=minute)
        look = AlertDiff(location_id="loc-001", now=now, zone=UTC, alerts=alerts)
        standing, notices = look.compare(standing)
        seen += [(notice.event.value, notice.alert) for notice in notices]

    assert seen == [
        ("alert_began", AlertName.PUSH_FAILED),
        ("alert_ended", AlertName.PUSH_FAILED),
    ]


def test_a_clock_that_was_set_back():
    """
    What began in the future began now: it is told after its two minutes.
    """
    ahead = ActiveAlert(name=AlertName.SYNC_FAILED, since=NOON + timedelta(days=1))
    life = Life()
    life.standing = [ahead]

    life.see(AlertName.SYNC_FAILED, looks=4)

    assert life.notified == [(2, "alert_began", AlertName.SYNC_FAILED)]


NAMES = [AlertName.API_DOWN, AlertName.PUSH_FAILED, AlertName.SYNC_FAILED, AlertName.DISCREPANCY]


@given(st.lists(st.sets(st.sampled_from(NAMES)), max_size=40))
def test_whatever_comes_and_goes(seen):
    """
    Beginnings and ends alternate; what has lasted is known to have begun, and
    what is long gone to have ended.
    """
    life = Life()

    for names in seen:
        life.see(*names)

    for name in NAMES:
        told = [event for _, event, alert in life.notified if alert == name]
        assert told == [["alert_began", "alert_ended"][i % 2] for i in range(len(told))]
        last = [name in names for names in seen[-3:]]
        if last == [True] * 3:
            assert told[-1] == "alert_began"
        if last == [False] * 3:
            assert told[-1:] != ["alert_began"]


@pytest.mark.parametrize("name", AlertName)
def test_each_end_has_its_sentence(name):
    """
    Every alert has a sentence of its own for its end.
    """
    ended = ActiveAlert(name=name, since=NOON)
    text = alert_resolved(ended, "loc-001", timedelta(minutes=25))

    assert text == f"loc-001: {_ENDED[name]}, after 25 minutes."
    assert list(_ENDED.values()).count(_ENDED[name]) == 1


def test_down_and_up_again(desk, office):
    """
    The back office goes down and comes back; each is told in one sentence,
    once, with all that the message needs.
    """
    desk.check()
    office.faults("401*30")
    for _ in range(30):
        desk.check(minutes=1)
    office.faults("")
    for _ in range(30):
        desk.check(minutes=1)

    down, up = desk.hook.notices
    assert down["text"].startswith("loc-001: no good answer from the back office since 12:05: ")
    assert up["text"] == "loc-001: the back office answers again, after 26 minutes."
    assert down | {"text": ""} == {
        "id": down["id"],
        "text": "",
        "event": "alert_began",
        "alert": "ConexxusApiDown",
        "severity": "critical",
        "locationId": "loc-001",
        "at": "2026-01-02T17:05:00Z",
    }
    assert (up["event"], up["alert"]) == ("alert_ended", "ConexxusApiDown")
    path, headers, body = desk.hook.posts[0]
    assert headers["Idempotency-Key"] == json.loads(body)["id"]
    assert headers["Content-Type"] == "application/json"
    assert "X-API-Key" not in headers
    assert path == "/services/canary-4711?sig=canary-0815"


def test_a_restart_neither_repeats_nor_forgets(new_desk, office):
    """
    Another process goes on where the first was: what was told is not told
    again, and its end is.
    """
    office.faults("401*30")
    first = new_desk()
    first.check()
    first.check(minutes=3)

    second = new_desk()
    second.check(minutes=3)
    second.check(minutes=3)
    office.faults("")
    third = new_desk()
    for _ in range(5):
        third.check(minutes=1)

    assert [notice["event"] for notice in third.hook.notices] == ["alert_began", "alert_ended"]


def test_two_processes_tell_once(new_desk, office):
    """
    Of two that look at one store, one tells.
    """
    office.faults("401*30")
    desks = [new_desk(), new_desk()]

    for _ in range(5):
        for desk in desks:
            desk.check(minutes=1)

    assert len(desks[0].hook.posts) == 1


@in_sqlite
def test_the_store_itself(desk):
    """
    That the store can't be used is told at once, though it can't be kept
    there, and so is its recovery.
    """
    desk.check()
    path = desk.service.store.database.path
    kept = path.read_bytes()
    for file in path.parent.glob("conexxus.db*"):
        file.unlink()
    path.write_bytes(b"no database at all" * 1000)

    desk.check(minutes=1)
    desk.check(minutes=1)
    path.write_bytes(kept)
    for _ in range(4):
        desk.check(minutes=1)

    lost, back = desk.texts
    assert lost.startswith(f"loc-001: the store {path} failed: file is not a database.")
    assert back == "loc-001: the SDK's own store can be used again, after 2 minutes."


def test_a_locked_store_is_no_news(desk, monkeypatch):
    """
    Who holds the store for a while, like a large pull, is not told of; what
    is to be told is, afterwards.
    """
    monkeypatch.setattr("conexxus_sync.stores.sqlite._sqlite_database.BUSY_TIMEOUT_S", 0.05)

    with locked(desk.service.store):
        desk.check()
        desk.check(minutes=1)
    desk.check(minutes=1)

    assert desk.texts == []
    assert peek(desk.service.store).notices.waiting() == (0, None)


def test_hostile_words():
    """
    What the back office says can't mention everybody, add a line or turn the
    direction of writing in a chat, and is cut where it is too long.
    """
    said = (
        "The last pull failed: <!channel> @all\n\u202e [x](http://e) </script>\x1b[2J"
        + "y" * 10_000
    )

    alert = Alert(name=AlertName.SYNC_FAILED, message=said)
    text = alert_started(AlertGroup(alert), "loc-001", NOON, UTC)

    assert text.startswith("loc-001: the last pull failed: ")
    assert "[x] (http://e)" in text
    assert text.isprintable()
    assert not set("<>@") & set(text)
    assert len(text) == 600


def test_parked_sales_stay_told(new_desk, till, office, clock):
    """
    Sales that are not sent again, because their key is too old by now, are
    told as waiting for a word; nobody is told that nothing is overdue until
    that word was said.
    """
    desk = new_desk(orders=till)
    desk.service.run_due(clock.now())
    office.faults("sales: 503*forever")
    run(desk, hours=40)
    office.faults("")
    run(desk, hours=48)

    told = [(notice["event"], notice["alert"]) for notice in desk.hook.notices]
    assert ("alert_began", "ConexxusSalesParked") in told
    assert ("alert_began", "ConexxusBusinessDateOverdue") in told
    assert not {"ConexxusSalesParked", "ConexxusBusinessDateOverdue"} & {
        name for event, name in told if event == "alert_ended"
    }

    operator = OutboxOperator(context=desk.service.context)
    operator.resolve("20260102-", delivered=True)
    run(desk, hours=2)

    assert [text.rpartition(", after")[0] for text in desk.texts[-2:]] == [
        "loc-001: no business date is overdue any more",
        "loc-001: no batch of sales is parked any more",
    ]


def run(desk, *, hours):
    """
    Let the service run for so long, and the desk look as it goes.
    """
    for _ in range(hours):
        desk.service.run_due(desk.clock.now())
        desk.check(hours=1)


@pytest.mark.case(
    "B3", "A notice of an alert goes on after what the back office said", "with a stop"
)
def test_end_of_what_was_said():
    """
    Advice begins a sentence of its own.
    """
    alert = Alert(
        name=AlertName.SYNC_FAILED, message="The pull failed: closed", advice="Try again."
    )

    text = alert_started(AlertGroup(alert), "loc-001", NOON, UTC)

    assert text == "loc-001: the pull failed: closed. Try again."
    assert str(alert) == "The pull failed: closed. Try again."
