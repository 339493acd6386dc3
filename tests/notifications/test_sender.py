"""
How a notice gets to the webhook, whatever the webhook does.
"""

import json
import logging
import time
from datetime import timedelta

import attrs
import pytest

from conexxus_client import Secret
from conexxus_sync.model.alerts import AlertName
from conexxus_sync.model.notices import Event, Notice
from conexxus_sync.notifications import _webhook as webhook_module
from conexxus_sync.notifications import open_webhook
from conexxus_sync.notifications._sender import wait_after
from peeks import peek


CANARIES = ("canary-4711", "canary-0815")


@pytest.fixture
def impatient(monkeypatch):
    """
    Waits a second for an answer, not ten.
    """
    monkeypatch.setattr(webhook_module, "DEADLINE_S", 1.0)


def waiting(desk):
    return peek(desk.service.store).notices.waiting()[0]


def events(caplog):
    return [(record.getMessage(), record.webhook) for record in caplog.records]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_taken(desk, hook, queue, status):
    """
    Every 2xx takes a notice, which is sent once.
    """
    notice = queue()
    hook.answers.append(status)

    desk.sender.send_due()
    desk.clock.advance(hours=5)
    desk.sender.send_due()

    ((_, headers, body),) = hook.posts
    assert json.loads(body)["id"] == headers["Idempotency-Key"] == notice.id
    assert headers["User-Agent"].startswith("conexxus-sdk/")
    assert waiting(desk) == 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_refused_for_good(desk, hook, queue, caplog, status):
    """
    What would be the same tomorrow is given up, the next notice is sent, and
    the log says so without the address.
    """
    queue(1)
    queue(2)
    hook.answers.append(status)

    desk.sender.send_due()

    assert hook.texts == ["loc-001: number 1", "loc-001: number 2"]
    assert waiting(desk) == 0
    assert events(caplog) == [("A notice was given up", f"it answered {status}")]


@pytest.mark.parametrize("answer", [500, 503, 429, 408, "redirect", "hang", "drip"])
def test_not_taken_now(desk, hook, queue, impatient, caplog, answer):
    """
    What may be better later is tried again: after a minute, and under the
    same id; what was queued later waits for it, and follows at once.
    """
    queue(1)
    queue(2)
    hook.answers.append(answer)

    began = time.monotonic()
    desk.sender.send_due()
    assert time.monotonic() - began < 9
    desk.clock.advance(seconds=59)
    desk.sender.send_due()
    desk.clock.advance(seconds=1)
    desk.sender.send_due()

    first, second, third = (json.loads(body) for _, _, body in hook.posts)
    assert first == second
    assert third["text"] == "loc-001: number 2"
    assert {path for path, _, _ in hook.posts} == {"/services/canary-4711?sig=canary-0815"}
    assert waiting(desk) == 0
    assert [event for event, _ in events(caplog)] == ["A notice was not taken, and is sent again"]


def test_nobody_listens(desk, queue, refusing, caplog, clock):
    """
    A refused connection is tried again, and told without the address.
    """
    caplog.set_level(logging.DEBUG)
    queue()

    with open_webhook(Secret(refusing), None) as webhook:
        attrs.evolve(desk.sender, webhook=webhook).send_due()

    assert waiting(desk) == 1
    assert "it refuses the connection" in [getattr(r, "webhook", None) for r in caplog.records]
    assert not [canary for canary in CANARIES if canary in caplog.text]


def test_patience():
    """
    It waits 1, 2, 4 … minutes, and never more than an hour.
    """
    minutes = [wait_after(attempts) // timedelta(minutes=1) for attempts in (*range(10), 10**9)]

    assert minutes == [1, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_given_up_after_two_days(desk, hook, queue, caplog):
    """
    A notice that nobody takes is given up after two days, and not before.
    """
    queue()
    hook.answers.extend([500] * 1000)

    for _ in range(47):
        desk.clock.advance(hours=1)
        desk.sender.send_due()
    assert waiting(desk) == 1
    for _ in range(2):
        desk.clock.advance(hours=1)
        desk.sender.send_due()

    assert waiting(desk) == 0
    assert events(caplog)[-1][0] == "A notice was given up"
    assert len({body for _, _, body in hook.posts}) == 1


def test_what_is_not_taken_holds_up_nothing_else(desk, hook, queue):
    """
    A webhook that can't take one notice, and says no more than that it failed,
    gets those about everything else; what is about the same waits.
    """
    nights, down = queue(1, AlertName.DATE_OVERDUE), queue(2)
    ended = queue(3, AlertName.DATE_OVERDUE)
    hook.answers.append(500)
    desk.sender.send_due()

    desk.sender.send_due()
    assert [notice["id"] for notice in hook.notices] == [nights.id, down.id]
    desk.clock.advance(minutes=1)
    desk.sender.send_due()

    assert [notice["id"] for notice in hook.notices[2:]] == [nights.id, ended.id]


def test_one_success_makes_all_due(desk, hook, queue):
    """
    Once the webhook takes a notice, one about something else that was put off
    for long does not wait any longer.
    """
    queue(1)
    for minutes in (0, 1, 2, 4):
        desk.clock.advance(minutes=minutes)
        hook.answers.append(500)
        desk.sender.send_due()
    desk.clock.advance(seconds=20)
    queue(2, AlertName.DATE_OVERDUE)
    hook.posts.clear()

    desk.sender.send_due()

    assert hook.texts == ["loc-001: number 2", "loc-001: number 1"]
    assert waiting(desk) == 0


def test_what_another_process_sends_is_left_to_it(desk, hook, queue, new_desk):
    """
    A success does not make due what another process is just sending.
    """
    queue(1)
    queue(2, AlertName.DATE_OVERDUE)

    class Slow:
        def post(self, body, *, name):
            new_desk().sender.send_due()
            return desk.sender.webhook.post(body, name=name)

    attrs.evolve(desk.sender, webhook=Slow()).send_due()

    assert sorted(hook.texts) == ["loc-001: number 1", "loc-001: number 2"]


def test_what_waited_goes_at_once(desk, hook, queue):
    """
    What is queued behind a notice that is put off waits for it; once that is
    taken, all the others go in their order, without another wait.
    """
    queue(1)
    for minutes in (0, 1, 2, 4):
        desk.clock.advance(minutes=minutes)
        hook.answers.append(500)
        desk.sender.send_due()
    queue(2)
    queue(3)
    hook.posts.clear()

    desk.sender.send_due()
    assert hook.posts == []
    desk.clock.advance(minutes=8)
    desk.sender.send_due()

    assert hook.texts == [f"loc-001: number {number}" for number in (1, 2, 3)]
    assert waiting(desk) == 0


def test_a_death_over_the_answer(desk, hook, queue, new_desk):
    """
    A process that dies before it has noted the answer has sent it under the
    same id as the next, which waits its minute.
    """
    queue()

    class Dying:
        def post(self, body, *, name):
            desk.sender.webhook.post(body, name=name)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attrs.evolve(desk.sender, webhook=Dying()).send_due()
    other = new_desk()
    other.sender.send_due()
    assert len(hook.posts) == 1
    other.clock.advance(minutes=1)
    other.sender.send_due()

    assert len({headers["Idempotency-Key"] for _, headers, _ in hook.posts}) == 1
    assert len(hook.posts) == 2


def test_a_clock_that_was_ahead(desk, hook, queue):
    """
    What was put off by a clock that was a year ahead is not put off a year.
    """
    queue()
    hook.answers.append(500)
    desk.clock.advance(days=365)
    desk.sender.send_due()
    desk.clock.set(desk.clock.now() - timedelta(days=365))

    desk.sender.send_due()

    assert len(hook.posts) == 2


def test_a_repeated_notice_is_queued_once(desk, queue):
    """
    The same notice is the same row.
    """
    queue(1)
    queue(1)

    assert waiting(desk) == 1


def test_urgent_notices_are_kept_until_taken(desk, hook):
    """
    What the store can't keep is sent before the rest, again and again.
    """
    notice = Notice(event=Event.TEST, text="x", location_id="loc-001", at=desk.clock.now())
    desk.sender.urgent.append(notice)
    hook.answers.append(500)

    desk.sender.send_due()
    assert list(desk.sender.urgent) == [notice]
    desk.sender.send_due()

    assert not desk.sender.urgent
    assert len(hook.posts) == 2


def test_senders_stop(desk, queue, hook):
    """
    Told to stop, a sender begins nothing new.
    """
    queue()

    desk.sender.send_due(lambda: True)

    assert hook.posts == []
