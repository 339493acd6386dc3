"""
When the next pull is due, and who does what is due.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

import attrs

from conexxus_client import ConexxusError

from .errors import RunInProgressError
from .protocols import Clock
from .runs import RunKind, SyncRun


if TYPE_CHECKING:
    from .sales import SalesPush
    from .service import ConexxusService

# We look at least this often: a laptop that slept, or a clock that was set,
# tells nobody.
LONGEST_WAIT_S = 60.0

_log = logging.getLogger(__name__)

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@attrs.frozen
class PullSchedule:
    """
    Once an hour, at a minute and second that the location's name decides: a
    thousand stores do not call at the same moment.
    """

    location_id: str
    interval: timedelta = timedelta(hours=1)

    def is_due(self, latest: SyncRun | None, now: datetime) -> bool:
        """
        Has nothing been pulled since the current slot began?
        """
        # A run in the future is a clock that was set back: it counts for nothing.
        return latest is None or not self.slot(now) <= latest.start_time <= now

    def slot(self, now: datetime) -> datetime:
        """
        The last moment at which a pull fell due.
        """
        return now - (now - _EPOCH - self._offset) % self.interval

    def next_slot(self, now: datetime) -> datetime:
        """
        The next moment at which a pull falls due.
        """
        return self.slot(now) + self.interval

    @property
    def _offset(self) -> timedelta:
        digest = blake2b(self.location_id.encode(), digest_size=8).digest()
        return self.interval * (int.from_bytes(digest) / 2**64)


@attrs.define
class Scheduler:
    """
    Runs what is due.

    Attributes:
        began: Whether the sales were looked at since this process started.
    """

    service: "ConexxusService"
    clock: Clock
    began: bool = False

    def run_due(self, now: datetime) -> list[SyncRun]:
        """
        Do whatever is due at *now*, once; what runs elsewhere is left alone.
        """
        service = self.service

        if service.missing:
            _log.warning("Conexxus is disabled, runs are skipped: %s", "; ".join(service.missing))
            return []

        runs: list[SyncRun] = []

        with _unless_in_progress():
            location_id = service.config.location_id
            latest = service.store.runs.latest(location_id, RunKind.INVENTORY)
            if PullSchedule(location_id).is_due(latest, now):
                runs.append(service.sync_inventory())

        with _unless_in_progress():
            if service.sales is not None and self._sales_are_due(service.sales, now):
                runs += service.sales.push()
                self.began = True

        return runs

    def run_forever(self, stop: threading.Event) -> None:
        """
        Do what is due until *stop* is set; nothing that goes wrong ends it.
        """
        schedule = PullSchedule(self.service.config.location_id)

        if self.service.missing:
            self.run_due(self.clock.now())
            stop.wait()

        while not stop.is_set():
            now = self.clock.now()
            try:
                self.run_due(now)
            except ConexxusError as exc:
                _log.error("Conexxus runs failed, and are tried again: %s", exc)
            except Exception:  # noqa: BLE001  # whatever it is, the next round may go well
                _log.exception("Conexxus runs failed, and are tried again")

            left = (schedule.next_slot(now) - self.clock.now()).total_seconds()
            stop.wait(min(max(left, 1.0), LONGEST_WAIT_S))

    def _sales_are_due(self, sales: "SalesPush", now: datetime) -> bool:
        # The first round decides with which date this store begins.
        return not self.began or sales.next_due(now) <= now


@contextmanager
def _unless_in_progress() -> Iterator[None]:
    try:
        yield
    except RunInProgressError as exc:
        _log.info("%s", exc)
