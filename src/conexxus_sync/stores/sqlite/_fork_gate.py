"""
Keeps a fork and the use of SQLite in other threads apart.

SQLite has locks for the whole process, and holds them for moments in each
call.  A child process that is forked in such a moment would wait for ever for
a thread that it does not have.
"""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from conexxus_sync.errors import StoreError


# A fork waits so long for the units of work of other threads.
PATIENCE_S = 2.0


class ForkGate:
    """
    Counts the units of work of each thread; a fork waits for those of others.

    Where they go on for longer, as a pull may, the child can't use a store,
    and an error says so.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._users = Counter[int]()
        self._forking = False
        self._is_spoilt = False

    @contextmanager
    def use(self) -> Iterator[None]:
        """
        While SQLite is used in this thread.

        Raises:
            StoreError: This process was forked while another thread used it.
        """
        me = threading.get_ident()

        if self._is_spoilt:
            msg = (
                "the store can't be used in this process: it was forked while another thread of "
                "its parent used a store. Fork before that, or start processes by spawn"
            )
            raise StoreError(msg)

        with self._changed:
            self._changed.wait_for(lambda: not self._forking or me in self._users)
            self._users[me] += 1
        try:
            yield
        finally:
            with self._changed:
                self._users[me] -= 1
                self._users += Counter[int]()  # without zeros
                self._changed.notify_all()

    def before_fork(self) -> None:
        """
        Wait for other threads, and let none begin; the lock is kept.
        """
        self._changed.acquire()
        self._forking = True
        self._changed.wait_for(lambda: not self._others, PATIENCE_S)

    def after_in_parent(self) -> None:
        self._forking = False
        self._changed.notify_all()
        self._changed.release()

    def after_in_child(self) -> None:
        self._is_spoilt |= bool(self._others)
        self._changed = threading.Condition()
        self._users = Counter({it: self._users[it] for it in self._users if it not in self._others})
        self._forking = False

    @property
    def _others(self) -> set[int]:
        return self._users.keys() - {threading.get_ident()}


GATE = ForkGate()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=GATE.before_fork,
        after_in_parent=GATE.after_in_parent,
        after_in_child=GATE.after_in_child,
    )
