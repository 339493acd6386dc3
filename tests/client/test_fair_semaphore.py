"""
Threads that share connections get them in the order in which they wait.
"""

import threading

import pytest

from conexxus_client.transports._fair_semaphore import FairSemaphore


@pytest.fixture
def queue():
    """
    A semaphore without a free place, and threads that wait in a known order.
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


def test_longest_waiter_is_next(queue):
    """
    Waiting threads are admitted in the order in which they came.
    """
    semaphore, served, threads = queue

    semaphore.release()
    for thread in threads:
        thread.join()

    assert served == list(range(8))


def test_releasing_thread_does_not_overtake_waiters(queue):
    """
    A thread that releases does not acquire again before those that wait.
    """
    semaphore, served, threads = queue

    semaphore.release()
    assert semaphore.acquire(timeout_s=60)

    assert served == list(range(8))
    semaphore.release()
    for thread in threads:
        thread.join()


def test_timed_out_wait_costs_no_place():
    """
    A wait that timed out takes no place with it.
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


def test_admission_at_the_moment_of_the_time_out():
    """
    A thread that is admitted just as its wait times out has acquired.
    """
    semaphore = FairSemaphore(1)
    assert semaphore.acquire(timeout_s=0)
    lock = semaphore._lock
    given_back = threading.Event()

    class Late:
        """
        Admits the waiter between the end of its wait and its withdrawal.
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
    An interrupted wait leaves the queue, and no place is lost.
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
