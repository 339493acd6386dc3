"""
A place where somebody hangs until the test lets go.

A folder whose tests use the fixtures imports them in its conftest.
"""

import threading

import pytest


class Gate:
    """
    Where somebody hangs until the test lets go.
    """

    def __init__(self):
        self.reached, self.opened = threading.Event(), threading.Event()

    def hang(self):
        self.reached.set()
        self.opened.wait()


@pytest.fixture
def gate():
    """
    A gate that is open in the end, whatever happens.
    """
    before = set(threading.enumerate())
    gate = Gate()

    yield gate

    gate.opened.set()
    for thread in set(threading.enumerate()) - before:
        thread.join()


@pytest.fixture
def hasty(monkeypatch):
    """
    Nobody waits long for others.
    """
    monkeypatch.setattr("conexxus_sync.collectors._fan_out.PATIENCE_S", 0.05)
    monkeypatch.setattr("conexxus_sync.collectors._fan_out.LEAST_PATIENCE_S", 1.0)
    monkeypatch.setattr("conexxus_sync.scheduling._scheduler.PATIENCE_S", 0.05)
