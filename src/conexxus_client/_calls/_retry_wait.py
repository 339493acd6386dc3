"""
The wait between two attempts of a synchronous call, which a cancellation ends.
"""

import time
from collections.abc import Callable
from typing import Literal

from conexxus_client.errors import CallStoppedError

from ._cancellation import SLICE_SECONDS, countdown, is_cancellable, raise_if_cancelled
from ._retries import Attempts


def retry_hook(attempts: Attempts) -> Callable[[Exception], float | Literal[False]]:
    """
    What stamina calls after a failed attempt of a synchronous call.

    In a cancellation scope the hook waits itself, in slices, because a wait of
    stamina can't be interrupted; an asynchronous call is cancelled by its loop,
    and uses `Attempts.wait_after` as it is.
    """

    def decide_and_wait(exc: Exception) -> float | Literal[False]:
        wait = attempts.wait_after(exc)

        if wait is False or not is_cancellable():
            return wait

        try:
            for left in countdown(wait):
                raise_if_cancelled()
                time.sleep(min(left, SLICE_SECONDS))
        except CallStoppedError:
            attempts.give_up(exc)
            return False

        return 0.0

    return decide_and_wait
