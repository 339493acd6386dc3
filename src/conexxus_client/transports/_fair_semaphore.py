"""
A fair semaphore: the thread that waits longest is next.
"""

import threading
from collections import deque


class FairSemaphore:
    """
    Admits a limited number of holders, in the order in which they wait.

    `threading.Semaphore` lets the thread that releases it acquire it again
    before a waiter is awake: among 32 threads on one connection, some then
    wait for as long as the others have something to send.
    """

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._waiters: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def acquire(self, *, timeout_s: float) -> bool:
        """
        Wait until admitted, at most so many seconds.

        Returns:
            Whether it was admitted; then it has to `release`.
        """
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            waiter = threading.Lock()
            waiter.acquire()
            self._waiters.append(waiter)

        try:
            if waiter.acquire(timeout=timeout_s):
                return True
        except BaseException:
            if not self._withdraw(waiter):
                self.release()
            raise

        return not self._withdraw(waiter)

    def release(self) -> None:
        """
        Admit the thread that waits longest.
        """
        with self._lock:
            if self._waiters:
                self._waiters.popleft().release()
            else:
                self._free += 1

    def _withdraw(self, waiter: threading.Lock) -> bool:
        """
        Remove *waiter* from the queue; False if it was just admitted.
        """
        with self._lock:
            if waiter not in self._waiters:
                return False
            self._waiters.remove(waiter)
            return True
