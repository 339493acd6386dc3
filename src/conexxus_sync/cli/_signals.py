"""
SIGINT and SIGTERM: orderly stop of a command.

A handler interrupts whatever the main thread is at, perhaps while it holds
a lock.  So a handler takes none: it notes the signal and starts a bare
thread, and everything else happens there.
"""

import _thread
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


Handler = Callable[[int, FrameType | None], None]

# A run may finish what it is at; whatever cuts it short, nothing is lost.
SLICE_SECONDS = 0.5
GRACE_SECONDS = 3.0
# One long statement of the database can't be interrupted, only left.
LAST_RESORT_SECONDS = 4.5


class StoppedError(BaseException):
    """
    A signal ends the command here; no handler below the top may catch it.

    Attributes:
        exit_code: The exit code for the shell.
    """

    def __init__(self, signum: int, exit_code: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.exit_code = exit_code


def signal_exit_code(signum: int) -> int:
    """
    What a shell expects of a command that a signal ended.
    """
    return 128 + signum


def service_exit_code(signum: int) -> int:
    """
    What shows that a lasting command ended as requested: for SIGTERM, the
    way in which a service is stopped, that is success.
    """
    return 0 if signum == signal.SIGTERM else signal_exit_code(signum)


class StopEvent(threading.Event):
    """
    An event whose waits are never long.

    A signal that arrives in the instant before the main thread begins to
    wait interrupts nothing, and its handler runs only after the wait.
    """

    def wait(self, timeout: float | None = None) -> bool:
        """
        As any event's, in slices.
        """
        ends_at = None if timeout is None else time.monotonic() + timeout

        while not self.is_set():
            left = SLICE_SECONDS if ends_at is None else ends_at - time.monotonic()
            if left <= 0:
                return False
            super().wait(min(left, SLICE_SECONDS))

        return True


@contextmanager
def stop_at_once() -> Iterator[None]:
    """
    For a command that does one thing: a signal ends it where it is.
    """
    ended = threading.Event()

    def watch(signum: int) -> None:
        if not ended.wait(LAST_RESORT_SECONDS):
            os._exit(signal_exit_code(signum))

    def handle(signum: int, frame: FrameType | None) -> None:
        _thread.start_new_thread(watch, (signum,))
        raise StoppedError(signum, signal_exit_code(signum))

    with _handling(handle, ended):
        yield


@contextmanager
def stop_gracefully(stop: threading.Event) -> Iterator[list[int]]:
    """
    For a command that lasts: the first signal sets *stop*; a second one, or
    the end of the grace time, ends it where it is.

    Yields:
        The signals received.
    """
    received: list[int] = []
    ended = threading.Event()

    def watch(signum: int) -> None:
        stop.set()
        if ended.wait(GRACE_SECONDS):
            return
        os.kill(os.getpid(), signum)
        if not ended.wait(LAST_RESORT_SECONDS - GRACE_SECONDS):
            os._exit(service_exit_code(signum))

    def handle(signum: int, frame: FrameType | None) -> None:
        received.append(signum)
        if len(received) > 1:
            raise StoppedError(received[0], service_exit_code(received[0]))
        _thread.start_new_thread(watch, (signum,))

    with _handling(handle, ended):
        yield received


@contextmanager
def _handling(handler: Handler, ended: threading.Event) -> Iterator[None]:
    before = {signum: signal.signal(signum, handler) for signum in (signal.SIGINT, signal.SIGTERM)}

    try:
        yield
    finally:
        for signum, previous in before.items():
            signal.signal(signum, previous)
        ended.set()
