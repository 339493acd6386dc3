"""
Looking and sending beside the scheduler: nobody waits for it.
"""

import threading
import time

import attrs
import pytest

from conexxus_client import Secret
from conexxus_sync.model.runs import RunKind
from conexxus_sync.notifications import notify_in_background, notify_once
from conexxus_sync.runtime.cancellation import interruptible
from peeks import peek


@attrs.define
class Watcher:
    """
    Lets a test wait for the end of a run.
    """

    finished: threading.Semaphore = attrs.field(factory=lambda: threading.Semaphore(0))

    def run_started(self, run):
        pass

    def run_finished(self, run):
        self.finished.release()


class Running:
    """
    A scheduler at work.
    """

    def __init__(self, service):
        self.service = service
        self.stop = threading.Event()
        self.thread = threading.Thread(target=service.run_forever, args=(self.stop,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.end()

    def end(self):
        """
        How many seconds it took to stop.
        """
        began = time.monotonic()
        self.stop.set()
        self.thread.join(30)
        assert not self.thread.is_alive()
        return time.monotonic() - began


@pytest.fixture
def complaining(told_config, till):
    """
    Settings and an order source with which an alert holds at once.
    """
    return {"config": attrs.evolve(told_config, timezone=None), "orders": till}


def test_the_scheduler_tells(new_service, complaining, hook):
    """
    What is wrong when the scheduler starts is told after its first round.
    """
    with Running(new_service(**complaining)):
        assert hook.arrived.acquire(timeout=30)

    (notice,) = hook.notices
    assert notice["alert"] == "ConexxusMisconfigured"
    assert notice["text"].startswith("loc-001: CONEXXUS_TIMEZONE is not configured")


@pytest.mark.parametrize("answer", ["hang", "drip"])
def test_a_webhook_that_hangs_delays_nothing(new_service, complaining, hook, answer):
    """
    While a webhook hangs, runs go on, and the scheduler stops when it is told.
    """
    hook.answers.extend([answer] * 10)
    watcher = Watcher()
    service = new_service(**complaining, collectors=[watcher])

    with Running(service) as running:
        assert hook.arrived.acquire(timeout=30)
        assert watcher.finished.acquire(timeout=30)
        service.trigger_sync()
        assert watcher.finished.acquire(timeout=5)
        assert running.end() < 4

    assert len(peek(service.store).runs.history(RunKind.INVENTORY)) == 2
    assert peek(service.store).notices.waiting()[0] == 1


def test_looks_go_on_while_a_webhook_hangs(new_service, complaining, hook, clock, office):
    """
    Who sends waits alone: the back office is asked all the same.
    """
    hook.answers.append("hang")

    with notify_in_background(new_service(**complaining), clock) as look:
        look()
        assert hook.arrived.acquire(timeout=30)
        assert office.requests["health"] == 1
        clock.advance(minutes=6)
        # Sooner than the webhook is given up; as often as the scheduler asks.
        wait_for(lambda: look() or office.requests["health"] == 2, within_s=7)

    assert not hook.released.is_set()


def test_stop_of_the_scheduler_breaks_off_no_post(new_service, complaining, hook, clock):
    """
    What ends the calls of a pull does not end a post: it would be sent again.
    """
    service = new_service(**complaining)

    with notify_in_background(service, clock) as look, interruptible(service.client, lambda: True):
        look()
        assert hook.arrived.acquire(timeout=5)
        wait_for(lambda: peek(service.store).notices.waiting()[0] == 0)


def test_nobody_listens(new_service, complaining, refusing):
    """
    A webhook that is gone keeps its notices in the store.
    """
    complaining["config"] = attrs.evolve(complaining["config"], alert_webhook=Secret(refusing))
    watcher = Watcher()
    service = new_service(**complaining, collectors=[watcher])

    with Running(service) as running:
        assert watcher.finished.acquire(timeout=30)
        wait_for(lambda: peek(service.store).notices.waiting()[0] == 1)
        assert running.end() < 4

    assert peek(service.store).notices.waiting()[0] == 1


def test_a_pull_says_how_the_back_office_is(new_service, office):
    """
    Where somebody spoke to it lately, whichever process, it is not asked.
    """
    with Running(new_service()):
        wait_for(lambda: new_service().health().api is not None)

    second = new_service()
    with Running(second):
        wait_for(lambda: second.health().api is not None)

    assert office.requests["health"] == 0
    assert second.health().api.reached


def test_health_asks_nobody(service, office):
    """
    What is asked often answers from what is known.
    """
    for _ in range(20):
        service.health()

    assert not office.requests


def test_an_old_answer_is_asked_for_again(desk, office):
    """
    After five minutes of silence the back office is asked; where it can't be
    reached, after two.
    """
    asked = []

    for minutes, faults in ((0, ""), (4, ""), (1, "401*9"), (1, "401*9"), (1, "401*9"), (1, "")):
        office.faults(faults)
        desk.check(minutes=minutes)
        asked.append(office.requests["health"])

    assert asked == [1, 1, 2, 2, 3, 3]


def test_a_disabled_service_asks_and_tells_nobody(new_service, told_config, hook, office):
    """
    Without URL or key nothing happens.
    """
    service = new_service(client=None, config=told_config)

    with Running(service):
        pass
    notify_once(service, service._clock)

    assert not office.requests
    assert hook.posts == []


def test_once(new_service, complaining, hook, clock, office):
    """
    Who looks only now and then is told at once, of the end as of the beginning.
    """
    office.faults("401*9")
    for _ in range(2):
        notify_once(new_service(**complaining), clock)
        clock.advance(hours=1)
    office.faults("")
    notify_once(new_service(**complaining), clock)

    assert [(n["event"], n["alert"]) for n in hook.notices] == [
        ("alert_began", "ConexxusMisconfigured"),
        ("alert_began", "ConexxusApiDown"),
        ("alert_ended", "ConexxusApiDown"),
    ]


def test_a_process_without_a_webhook_leaves_alone_what_waits(new_service, complaining, hook, clock):
    """
    Who has no webhook queues nothing and forgets nothing: what another process
    queued is sent by the next that has one.
    """
    hook.answers.append(500)
    notify_once(new_service(**complaining), clock)
    store = new_service().store
    queued = peek(store).notices.waiting()

    silent = attrs.evolve(complaining["config"], alert_webhook=None)
    notify_once(new_service(orders=complaining["orders"], config=silent), clock)
    with notify_in_background(
        new_service(orders=complaining["orders"], config=silent), clock
    ) as look:
        look()

    assert queued[0] == 1
    assert peek(store).notices.waiting() == queued
    clock.advance(minutes=1)
    notify_once(new_service(**complaining), clock)
    assert peek(store).notices.waiting() == (0, None)
    first, second = hook.notices
    assert first == second


def wait_for(fact, *, within_s=30):
    ends_at = time.monotonic() + within_s

    while not fact():
        assert time.monotonic() < ends_at
        threading.Event().wait(0.02)


def test_what_one_process_found_the_others_know(desk, new_service, office, clock):
    """
    A call that failed is known to whoever shares the store, until it is old: a
    failure of an hour ago says nothing of now.
    """
    onlooker = new_service()
    office.faults("health: reset")

    desk.check()

    assert onlooker.health().api.reached is False
    clock.advance(minutes=16)
    assert onlooker.health().api is None


def test_a_run_that_went_well_outdates_a_failed_call(new_service, office, clock):
    """
    Who failed to reach the back office once learns from the runs of another.
    """
    failed, other = new_service(), new_service()
    office.faults("health: reset")
    failed.test_connection()
    assert failed.health().api.reached is False

    clock.advance(minutes=5)
    other.sync_inventory()

    assert failed.health().api.reached
