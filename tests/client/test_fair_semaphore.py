"""
Threads that share connections get them in turn.
"""

import threading

import pytest

from conexxus_client.transports._fair_semaphore import FairSemaphore


@pytest.fixture
def queue():
    """
    Turns that are all taken, and threads that wait for one, in a known order.
    """
    semaphore = FairSemaphore(1)
    assert semaphore.acquire(timeout_s=0)
    served = []

    def wait(number):
        assert semaphore.acquire(timeout_s=60)
        served.append(number)
        semaphore.release()

    threads = []
    for number in range(8):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(semaphore._waiters) <= number:
            pass

    return semaphore, served, threads


def test_whoever_waits_longest_is_next(queue):
    """
    Those who wait are served in the order in which they came.
    """
    semaphore, served, threads = queue

    semaphore.release()
    for thread in threads:
        thread.join()

    assert served == list(range(8))


def test_nobody_takes_it_from_those_who_wait(queue):
    """
    Whoever gives a turn back does not have it again before the others.
    """
    semaphore, served, threads = queue

    semaphore.release()
    assert semaphore.acquire(timeout_s=60)

    assert served == list(range(8))
    semaphore.release()
    for thread in threads:
        thread.join()


def test_who_gives_up_costs_no_turn():
    """
    A wait that ended takes no turn with it.
    """
    semaphore = FairSemaphore(2)
    assert semaphore.acquire(timeout_s=0)
    assert semaphore.acquire(timeout_s=0)
    assert not semaphore.acquire(timeout_s=0.01)

    semaphore.release()
    semaphore.release()

    assert semaphore.acquire(timeout_s=0)
    assert semaphore.acquire(timeout_s=0)
    assert not semaphore.acquire(timeout_s=0)


def test_turn_that_comes_in_the_last_moment():
    """
    A turn that was handed over while its taker gave up is his all the same.
    """
    semaphore = FairSemaphore(1)
    assert semaphore.acquire(timeout_s=0)
    lock = semaphore._lock
    given_back = threading.Event()

    class Late:
        """
        Lets the turn be handed over between the end of the wait and the look.
        """

        def __enter__(self):
            if threading.current_thread() is taker and semaphore._waiters:
                with lock:
                    semaphore._waiters.popleft().release()
                given_back.set()
            return lock.__enter__()

        def __exit__(self, *exc):
            return lock.__exit__(*exc)

    results = []
    taker = threading.Thread(target=lambda: results.append(semaphore.acquire(timeout_s=0.01)))
    semaphore._lock = Late()
    taker.start()
    taker.join()

    assert given_back.is_set()
    assert results == [True]


def test_interrupted_wait(monkeypatch):
    """
    Whoever is interrupted while he waits leaves the queue, and no turn is lost.
    """
    semaphore = FairSemaphore(1)
    assert semaphore.acquire(timeout_s=0)
    real = threading.Lock

    class Interrupted:
        def __init__(self):
            self.lock, self.calls = real(), 0

        def acquire(self, timeout=-1):
            self.calls += 1
            if self.calls == 2:
                raise KeyboardInterrupt
            return self.lock.acquire(timeout=timeout)

        def release(self):
            self.lock.release()

    monkeypatch.setattr(threading, "Lock", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        semaphore.acquire(timeout_s=60)
    monkeypatch.undo()

    semaphore.release()
    assert semaphore.acquire(timeout_s=0)
