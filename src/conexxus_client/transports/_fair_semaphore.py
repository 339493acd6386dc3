"""
Who may go next.
"""

import threading
from collections import deque


class Turns:
    """
    So many at a time, and whoever waits longest is next.

    A semaphore lets whoever gives one back take it again before a waiter is
    awake: among 32 threads on one connection, some then wait for as long as
    the others have something to send.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def take(self, *, within_s: float) -> bool:
        """
        Wait for a turn, at most so many seconds.

        Returns:
            Whether there was one; then it is to be given back.
        """
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)

        try:
            if mine.acquire(timeout=within_s):
                return True
        except BaseException:
            if not self._gives_up(mine):
                self.give_back()
            raise

        return not self._gives_up(mine)

    def give_back(self) -> None:
        """
        Hand the turn on to whoever waits longest.
        """
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

    def _gives_up(self, mine: threading.Lock) -> bool:
        """
        Leave the queue; False if a turn came in the last moment.
        """
        with self._lock:
            if mine not in self._waiting:
                return False
            self._waiting.remove(mine)
            return True
