"""
Sends queued notices, each until it is accepted or too old.
"""

import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

import attrs

from conexxus_sync.errors import StoreError
from conexxus_sync.model.notices import Event, Notice, QueuedNotice
from conexxus_sync.protocols import Clock
from conexxus_sync.stores import LocationStore

from ._notice_text import trial_text
from ._webhook import Poster


FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
DOUBLINGS = 7

# A notice is out of date by then.  A clock that jumps, or a machine that was
# off, is no reason to give up: it is tried at least so often.
GIVEN_UP_AFTER = timedelta(days=2)
LEAST_ATTEMPTS = 7

# Also without an attempt: a webhook that is switched on again after months
# does not get the past.
STALE_AFTER = timedelta(days=7)

# For so long it is remembered that one was given up.
LATELY = timedelta(days=7)

_NOT_SENT = f"it was not sent within {STALE_AFTER.days} days"

_log = logging.getLogger(__name__)


def wait_after(attempts: int) -> timedelta:
    """
    How long to wait after so many attempts: 1, 2, 4 … 60 minutes.
    """
    if attempts >= DOUBLINGS:
        return LONGEST_WAIT

    return FIRST_WAIT * (1 << max(attempts - 1, 0))


def never() -> bool:
    """
    Default stop signal; never set.
    """
    return False


@attrs.define(kw_only=True)
class Sender:
    """
    Sends the notices of one location, each until it is taken: at least once,
    and as a rule once.

    Attributes:
        urgent: Notices that the store could not keep; forgotten when the
            process ends.
    """

    store: LocationStore = attrs.field(repr=False)
    clock: Clock
    webhook: Poster
    urgent: deque[Notice] = attrs.field(factory=deque)
    _refusal: str = attrs.field(default=_NOT_SENT, init=False)

    def send_due(self, stop: Callable[[], bool] = never) -> None:
        """
        Send what is due, oldest first, until all is taken or one is not.

        Raises:
            StoreError: The store can't be used.
        """
        while self.urgent and not stop():
            notice = self.urgent[0]
            answer = self.webhook.post(notice.body(), name=notice.id)
            if not answer.accepted and not answer.final:
                return
            self.urgent.popleft()
            if answer.final:
                _log.warning(
                    "A notice was given up", extra={"notice": notice.id, "webhook": answer.detail}
                )

        while not stop():
            queued = self._claim()
            if queued is None or not self._send(queued):
                return

    def _claim(self) -> QueuedNotice | None:
        now = self.clock.now()

        with self.store.keep_open():
            with self.store.read() as state:
                if state.notices.due(now, wait_after) is None:
                    return None
            with self.store.write() as state:
                return state.notices.claim(now, wait_after)

    def _send(self, notice: QueuedNotice) -> bool:
        """
        Whether there is any point in sending the next one.
        """
        try:
            if self._is_stale(notice):
                self._give_up(notice, self._refusal)
                return True
        except StoreError as exc:
            _log.warning("Conexxus notices can't be forgotten: %s", exc)
            return False

        answer = self.webhook.post(notice.body, name=notice.id)
        self._refusal = _NOT_SENT if answer.accepted else answer.detail

        if answer.accepted:
            with self.store.write() as state:
                state.notices.mark_sent(notice, self.clock.now(), wait_after)
        elif answer.final or self._is_hopeless(notice):
            self._give_up(notice, answer.detail)
        else:
            _log.warning(
                "A notice was not taken, and is sent again", extra=_facts(notice, answer.detail)
            )

        return answer.accepted or answer.final

    def _give_up(self, notice: QueuedNotice, why: str) -> None:
        with self.store.write() as state:
            number = state.notices.give_up(notice, self.clock.now(), why=why, keep=LATELY)

        if number:
            _log.warning("A notice was given up", extra={**_facts(notice, why), "given_up": number})

    def _is_stale(self, notice: QueuedNotice) -> bool:
        """
        Is it too old to be news, by a clock that may say so?
        """
        if self._age(notice) < STALE_AFTER:
            return False

        with self.store.read() as state:
            return state.runs.is_safe_to_purge(self.clock.now())

    def _is_hopeless(self, notice: QueuedNotice) -> bool:
        return self._age(notice) >= GIVEN_UP_AFTER and notice.attempts >= LEAST_ATTEMPTS

    def _age(self, notice: QueuedNotice) -> timedelta:
        return self.clock.now() - notice.queued_at


def _facts(notice: QueuedNotice, said: str) -> dict[str, object]:
    return {"notice": notice.id, "attempt": notice.attempts, "webhook": said}


def trial_notice(location_id: str, now: datetime) -> Notice:
    """
    A notice that only tries whether one arrives.
    """
    return Notice(event=Event.TEST, text=trial_text(location_id), location_id=location_id, at=now)
