"""
Where a push may be killed or stopped, and processes in which that is done.
"""

import os
import signal
import sys
from collections import Counter
from contextlib import contextmanager

from conexxus_sync.errors import LeaseLostError, RunInProgressError
from conexxus_sync.stores._outbox import SqliteOutbox
from conexxus_sync.stores.sqlite import SqliteStore


BUSY, FENCED = 3, 4


class Killer:
    """
    Counts steps, and ends or stops the process at one of them.
    """

    def __init__(self, at=None, what=signal.SIGKILL):
        self.at = at
        self.what = what
        self.seen = Counter()

    def __call__(self, step):
        self.seen[step] += 1
        if self.at == (step, self.seen[step]):
            os.kill(os.getpid(), self.what)


class Wire:
    """
    The network, on which the process may die before a request leaves, and
    once the back office has acted and its answer is on the way.
    """

    def __init__(self, inner, step):
        self.inner = inner
        self.step = step

    @contextmanager
    def open(self, request, limits):
        self.step("requested")
        with self.inner.open(request, limits) as reply:
            self.step("answered")
            yield reply

    def close(self):
        self.inner.close()


class Store(SqliteStore):
    """
    A store in which the process may die just before a commit.
    """

    def __init__(self, path, step, outbox):
        super().__init__(path)
        self.outbox = outbox(self)
        self.step = step
        self.doing = "a commit"

    @contextmanager
    def writing(self, lease=None, *, connection=None):
        with super().writing(lease, connection=connection) as transaction:
            yield transaction
            if connection is not None:
                doing, self.doing = self.doing, "a commit"
                self.step(f"before {doing}")


class Outbox(SqliteOutbox):
    """
    Tells the store what its transaction is about.
    """

    def freeze(self, *args):
        self.store.doing = "frozen"
        return super().freeze(*args)

    def mark_sending(self, *args, **more):
        self.store.doing = "sending"
        super().mark_sending(*args, **more)

    def mark_delivered(self, *args, **more):
        self.store.doing = "settled"
        return super().mark_delivered(*args, **more)

    def mark_open(self, *args, **more):
        self.store.doing = "settled"
        super().mark_open(*args, **more)

    def divide(self, *args, **more):
        self.store.doing = "settled"
        super().divide(*args, **more)


def forked(work):
    """
    Do *work* in a child; returns its pid.
    """
    child = os.fork()

    if child == 0:
        try:
            work()
            os._exit(0)
        except RunInProgressError:
            os._exit(BUSY)
        except LeaseLostError:
            os._exit(FENCED)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)

    return child


def in_child(work):
    """
    Do *work* in a child; returns the signal that ended it, or 0.
    """
    return outcome(os.waitpid(forked(work), 0)[1])


def outcome(status):
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)
