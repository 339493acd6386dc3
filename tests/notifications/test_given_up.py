"""
What becomes of notices that nobody takes.
"""

from datetime import timedelta

import pytest

from conexxus_sync.errors import StoreError
from conexxus_sync.model.notices import Event, Notice
from conexxus_sync.notifications import LATELY
from conexxus_sync.stores._notice_queue import NoticeQueue
from peeks import peek


@pytest.fixture
def given_up(desk):
    """
    How many were given up lately, and why the last one was.
    """
    notices = peek(desk.service.store).notices

    return lambda: notices.given_up(desk.clock.now() - LATELY, desk.clock.now())


def test_what_was_given_up_is_remembered_for_a_week(desk, hook, queue, given_up):
    """
    How many were given up in the last seven days is known, and why the last
    one was; older ones are forgotten.
    """
    for number, status in enumerate((404, 410)):
        queue(number)
        hook.answers.append(status)
        desk.sender.send_due()
        desk.clock.advance(days=1)

    assert given_up() == (2, "it answered 410")
    desk.clock.advance(days=5)
    assert given_up() == (1, "it answered 410")
    desk.clock.advance(days=1)
    assert given_up() == (0, None)


def test_what_is_forgotten_takes_no_room(desk, hook, queue):
    """
    With each that is given up, those of more than a week ago go.
    """
    for number in range(3):
        queue(number)
        hook.answers.append(404)
        desk.sender.send_due()
        desk.clock.advance(days=8)

    with desk.service.store.read() as state:
        assert state.session.execute("SELECT count(*) FROM given_up_notices").fetchone() == (1,)


def test_the_log_counts(desk, hook, queue, caplog):
    """
    With each that is given up, the log says how many it were in a week.
    """
    for number in range(2):
        queue(number)
        hook.answers.append(404)
    desk.sender.send_due()

    assert [record.given_up for record in caplog.records] == [1, 2]


def test_it_is_given_up_once(desk, hook, queue, given_up, caplog):
    """
    Where two processes have the same notice, because one was suspended, the
    second one to give it up changes nothing.
    """
    queue()
    store, now = desk.service.store, desk.clock.now()
    with store.write() as state:
        held = state.notices.claim(now, lambda attempts: timedelta(minutes=1))

    counts = []
    for _ in range(2):
        with store.write() as state:
            counts.append(state.notices.give_up(held, now, why="it answered 404", keep=LATELY))

    assert counts == [1, 0]
    assert given_up() == (1, "it answered 404")


def test_what_the_store_could_not_keep(desk, hook, caplog):
    """
    That a notice is given up of which the store knows nothing is logged, too.
    """
    desk.sender.urgent.append(
        Notice(event=Event.TEST, text="x", location_id="loc-001", at=desk.clock.now())
    )
    hook.answers.append(404)

    desk.sender.send_due()

    assert [(r.getMessage(), r.webhook) for r in caplog.records] == [
        ("A notice was given up", "it answered 404")
    ]


@pytest.fixture
def proven(desk, clock):
    """
    The clock has gone on, with a run each day.
    """

    def go_on(days):
        for _ in range(days):
            clock.advance(days=1)
            desk.service.sync_inventory()

    return go_on


def test_what_is_old_is_not_sent_any_more(desk, hook, queue, given_up, proven):
    """
    What is a week old when somebody can send it is given up unsent; what is
    younger is sent, though nobody tried for days.
    """
    queue(1)
    queue(2)
    proven(1)
    queue(3)
    proven(6)

    desk.sender.send_due()

    assert hook.texts == ["loc-001: number 3"]
    assert given_up() == (2, "it was not sent within 7 days")


def test_why_what_is_old_was_not_sent(desk, hook, queue, given_up, proven):
    """
    Whoever saw the webhook refuse what is given up says how.
    """
    queue()
    hook.answers.append(503)
    desk.sender.send_due()
    proven(7)

    desk.sender.send_due()

    assert len(hook.posts) == 1
    assert given_up() == (1, "it answered 503")


def test_what_is_old_by_a_clock_that_jumped_is_sent(desk, hook, queue, proven):
    """
    A clock that has just jumped ahead makes nothing old.
    """
    proven(2)
    queue()
    desk.clock.advance(days=365)

    desk.sender.send_due()

    assert hook.texts == ["loc-001: number 1"]


def test_what_can_not_be_given_up_waits(desk, hook, queue, proven, caplog, monkeypatch):
    """
    Where the store fails over it, what is old is neither sent nor lost.
    """

    def fail(*args, **options):
        raise StoreError("the store is locked")

    queue()
    proven(7)
    monkeypatch.setattr(NoticeQueue, "give_up", fail)

    desk.sender.send_due()

    assert hook.posts == []
    assert peek(desk.service.store).notices.waiting()[0] == 1
    assert "Conexxus notices can't be forgotten: the store is locked" in caplog.text
