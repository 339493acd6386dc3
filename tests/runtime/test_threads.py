"""
A thread that runs one job at a time.
"""

import threading
import time

import pytest

from conexxus_sync.runtime.threads import JobThread
from gates import gate


__all__ = ["gate"]


@pytest.fixture
def thread():
    return JobThread("job")


def refuse(self):
    raise RuntimeError("can't start new thread")


def test_one_job_at_a_time(thread, gate):
    """
    While a job runs, no second one begins; then one does.
    """
    done = []

    began = [thread.start(gate.hang), thread.start(lambda: done.append("too early"))]
    gate.opened.set()
    is_over = thread.join(within_s=30)

    assert (began, is_over, done) == ([True, False], True, [])
    assert thread.start(lambda: done.append("second"))
    assert thread.join(within_s=30)
    assert done == ["second"]


def test_job_that_hangs(thread, gate):
    """
    A wait ends with its time, or once it is told to; the job goes on.
    """
    thread.start(gate.hang)
    began = time.monotonic()

    waits = [thread.join(within_s=0.01), thread.join(within_s=60, stop=lambda: True)]

    assert (waits, thread.is_running) == ([False, False], True)
    assert time.monotonic() - began < 30


def test_nothing_to_wait_for(thread):
    """
    A thread that has had no job is not waited for.
    """
    assert thread.join(within_s=30)
    assert not thread.is_running


def test_no_thread_is_to_be_had(thread, monkeypatch):
    """
    The job is done here then; or it is refused, and the thread is free.
    """
    monkeypatch.setattr(threading.Thread, "start", refuse)
    where = []

    thread.start(lambda: where.append(threading.current_thread()))

    assert where == [threading.current_thread()]
    with pytest.raises(RuntimeError):
        thread.start(where.clear, or_here=False)
    assert (thread.is_running, len(where)) == (False, 1)


def test_job_of_its_own_thread(thread):
    """
    A job can ask whether it would wait for itself.
    """
    asked = []

    thread.start(lambda: asked.append(thread.is_current))
    thread.join(within_s=30)

    assert (asked, thread.is_current) == ([True], False)
