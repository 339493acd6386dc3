"""
Runs that were triggered, and a host that keeps them at work.
"""

import threading
import time


def refuse(self):
    raise RuntimeError("can't start new thread")


class Host:
    """
    Storage and order source in one, each of which is at work until its run is
    told to stop.
    """

    def __init__(self, patience_s=30):
        self.patience_s = patience_s
        self.begun = {"pull": threading.Event(), "push": threading.Event()}
        self.service = None

    def apply(self, changes):
        self._work("pull")

    def transactions(self, location_id, business_date):
        self._work("push")
        return ()

    def _work(self, name):
        self.begun[name].set()
        ends_at = time.monotonic() + self.patience_s
        while not self.service.is_stopping and time.monotonic() < ends_at:
            time.sleep(0.01)


def took(call):
    began = time.monotonic()
    call()
    return time.monotonic() - began


def thread_of(trigger):
    """
    Of the run that was triggered, if it is at work.
    """
    name = f"conexxus-{trigger.run_id}"
    return next((one for one in threading.enumerate() if one.name == name), None)


def joined(trigger):
    """
    Wait for the run that was triggered.
    """
    if (thread := thread_of(trigger)) is not None:
        thread.join(30)

    return trigger


def held(service, kind):
    return service.store.leases.holder(kind, service._clock.now())
