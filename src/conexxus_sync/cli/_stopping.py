"""
SIGINT and SIGTERM: how a command is told to stop.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


Handler = Callable[[int, FrameType | None], None]

# A run may finish what it is at; whatever cuts it short, nothing is lost.
GRACE_SECONDS = 3.0
# One long statement of the database can't be interrupted, only left.
LAST_RESORT_SECONDS = 4.5


class StoppedError(BaseException):
    """
    A signal ends the command here; no handler below the top may catch it.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum

    @property
    def exit_code(self) -> int:
        """
        What a shell expects of a command that a signal ended.
        """
        return 128 + self.signum


@contextmanager
def stopping_at_once() -> Iterator[None]:
    """
    For a command that does one thing: a signal ends it where it is.
    """
    with _timers() as after:

        def handle(signum: int, frame: FrameType | None) -> None:
            after(LAST_RESORT_SECONDS, lambda: os._exit(128 + signum))
            raise StoppedError(signum)

        with _handling(handle):
            yield


@contextmanager
def stopping_in_turn(stop: threading.Event) -> Iterator[list[int]]:
    """
    For a scheduler: the first signal sets *stop*; a second one, or the end
    of the grace time, ends it where it is.

    Yields:
        The signals received.
    """
    received: list[int] = []

    with _timers() as after:

        def handle(signum: int, frame: FrameType | None) -> None:
            received.append(signum)
            stop.set()
            if len(received) > 1:
                raise StoppedError(received[0])
            after(GRACE_SECONDS, lambda: os.kill(os.getpid(), signum))
            after(LAST_RESORT_SECONDS, lambda: os._exit(128 + signum))

        with _handling(handle):
            yield received


@contextmanager
def _timers() -> Iterator[Callable[[float, Callable[[], None]], None]]:
    running: list[threading.Timer] = []

    def after(seconds: float, action: Callable[[], None]) -> None:
        timer = threading.Timer(seconds, action)
        timer.daemon = True
        timer.start()
        running.append(timer)

    try:
        yield after
    finally:
        for timer in running:
            timer.cancel()


@contextmanager
def _handling(handler: Handler) -> Iterator[None]:
    before = {signum: signal.signal(signum, handler) for signum in (signal.SIGINT, signal.SIGTERM)}

    try:
        yield
    finally:
        for signum, previous in before.items():
            signal.signal(signum, previous)
