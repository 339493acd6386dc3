"""
A thread that runs one job at a time and can be abandoned when it hangs.
"""

import threading
import time
from collections.abc import Callable
from contextvars import copy_context

import attrs


# How soon a wait notices that it is to end.
SLICE_S = 0.25


@attrs.define(eq=False)
class JobThread:
    """
    Runs one job at a time, and can be abandoned when the job hangs.

    Nothing but a thread can be abandoned, and of the threads of a parent
    process a fork takes none along: each job has a new one, and in between
    there is none.

    Attributes:
        name: What runs here, for people.
    """

    name: str
    _thread: threading.Thread | None = attrs.field(default=None, init=False)

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def is_current(self) -> bool:
        """
        Is it the job that asks?
        """
        return self._thread is threading.current_thread()

    def start(self, job: Callable[[], object], *, or_here: bool = True) -> bool:
        """
        Begin *job* in the context of the caller, unless the one before is
        still running.

        As a daemon, its thread keeps no process that wants to end.

        Args:
            or_here: Where no thread is to be had, do the job here: that it
                might hang is the smaller evil.

        Returns:
            Whether it began.

        Raises:
            RuntimeError: No thread is to be had, and *or_here* is false.
        """
        if self.is_running:
            return False

        self._thread = threading.Thread(
            target=copy_context().run, args=(job,), name=f"conexxus-{self.name}", daemon=True
        )

        try:
            self._thread.start()
        except RuntimeError:
            if not or_here:
                raise
            job()

        return True

    def join(self, *, within_s: float, stop: Callable[[], bool] | None = None) -> bool:
        """
        Wait until the job is over, *stop* is true, or so many seconds passed.

        Returns:
            Whether it is over.
        """
        ends_at = time.monotonic() + within_s

        # A thread that was never started can't be joined.
        while self._thread is not None and self._thread.is_alive():
            remaining = ends_at - time.monotonic()
            if remaining <= 0 or (stop is not None and stop()):
                return False
            self._thread.join(remaining if stop is None else min(remaining, SLICE_S))

        return True
