"""
What becomes of runs that were triggered over HTTP.
"""

import re
import threading

import pytest


@pytest.mark.parametrize("path", ["/sync", "/push"])
def test_run_that_can_not_be_started(busy_browser, monkeypatch, path):
    """
    Where no thread is to be had, a trigger is an error like any other, and
    the next one is not told that a run is in progress.
    """
    start = threading.Thread.start

    def refuse(thread):
        if thread.name.startswith("conexxus-2"):
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        refused = busy_browser.post(path)
    started = busy_browser.post(path)
    joined(started)

    assert refused.status_code == 500
    assert re.fullmatch(r"Internal error, incident [0-9a-f]{8}\.", refused.json()["error"])
    assert (started.status_code, started.json()["message"][-9:]) == (202, "triggered")


def joined(answer):
    """
    Wait for the run that a trigger has started.
    """
    for thread in threading.enumerate():
        if answer.json()["runId"] in thread.name:
            thread.join(30)
