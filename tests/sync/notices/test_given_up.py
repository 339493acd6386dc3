"""
What becomes of notices that nobody takes.
"""

from datetime import timedelta

import pytest

from conexxus_sync.notices import LATELY, Event, Notice


@pytest.fixture
def given_up(desk):
    """
    How many were given up lately, and why the last one was.
    """
    notices = desk.service.store.notices

    return lambda: notices.given_up("loc-001", desk.clock.now() - LATELY, desk.clock.now())


def test_what_was_given_up_is_remembered_for_a_week(desk, hook, queue, given_up):
    """
    How many were given up in the last seven days is known, and why the last
    one was; older ones are forgotten.
    """
    for number, status in enumerate((404, 410)):
        queue(number)
        hook.answers.append(status)
        desk.sender.send_due()
        desk.clock.move(days=1)

    assert given_up() == (2, "it answered 410")
    desk.clock.move(days=5)
    assert given_up() == (1, "it answered 410")
    desk.clock.move(days=1)
    assert given_up() == (0, None)


def test_what_is_forgotten_takes_no_room(desk, hook, queue):
    """
    With each that is given up, those of more than a week ago go.
    """
    for number in range(3):
        queue(number)
        hook.answers.append(404)
        desk.sender.send_due()
        desk.clock.move(days=8)

    with desk.service.store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM given_up_notices").fetchone() == (1,)


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
    notices, now = desk.service.store.notices, desk.clock.now()
    held = notices.claim("loc-001", now, lambda attempts: timedelta(minutes=1))

    counts = [
        notices.give_up("loc-001", held, now, why="it answered 404", keep=LATELY) for _ in range(2)
    ]

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
