"""
Which alerts began and ended since the last look.  Pure.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, tzinfo

import attrs

from conexxus_sync.model.alerts import SEVERITIES, Alert, AlertName, Severity
from conexxus_sync.model.notices import Event, Notice, StandingAlert

from ._messages import began, ended


# What is over before that is not worth a word, nor is a pause shorter than that.
HOLD = timedelta(minutes=2)

# A single call that fails is soon over, more often than not.
_WAITS = {AlertName.API_DOWN}


@attrs.frozen(kw_only=True)
class Look:
    """
    What is seen at one moment.

    Attributes:
        alerts: Those that hold.
        hold: How long an alert must last before it is told.
    """

    location_id: str
    now: datetime
    zone: tzinfo
    alerts: tuple[Alert, ...]
    hold: timedelta = HOLD

    def compare(self, before: Iterable[StandingAlert]) -> tuple[list[StandingAlert], list[Notice]]:
        """
        What stands now, after *before*, and what is to be told of it.
        """
        known = {alert.name: self._not_ahead(alert) for alert in before}
        seen: dict[AlertName, Alert] = {}
        for alert in self.alerts:
            if alert.severity is not Severity.INFO:
                seen.setdefault(alert.name, alert)

        standing: list[StandingAlert] = []
        notices: list[Notice] = []

        for name, alert in seen.items():
            now_standing = self._holding(known.get(name), alert)
            standing.append(now_standing)
            notices.extend(self._beginning(known.get(name), now_standing, alert))

        for name in (name for name in AlertName if name in known and name not in seen):
            gone = attrs.evolve(known[name], gone_at=known[name].gone_at or self.now)
            if self.now - (gone.gone_at or self.now) < self.hold:
                standing.append(gone)
            elif gone.told:
                notices.append(self._ending(gone))

        return standing, notices

    def _holding(self, known: StandingAlert | None, alert: Alert) -> StandingAlert:
        known = known or StandingAlert(name=alert.name, since=self.now)
        lasted = self.now - known.since >= self.hold
        at_once = alert.severity is Severity.CRITICAL and alert.name not in _WAITS

        return attrs.evolve(known, gone_at=None, told=known.told or lasted or at_once)

    def _beginning(
        self, known: StandingAlert | None, standing: StandingAlert, alert: Alert
    ) -> Iterator[Notice]:
        if standing.told and not (known and known.told):
            yield Notice(
                event=Event.ALERT_BEGAN,
                text=began(alert, self.location_id, standing.since, self.zone),
                location_id=self.location_id,
                at=standing.since,
                alert=alert.name,
                severity=alert.severity,
            )

    def _ending(self, gone: StandingAlert) -> Notice:
        at = gone.gone_at or self.now

        return Notice(
            event=Event.ALERT_ENDED,
            text=ended(gone.name, self.location_id, at - gone.since),
            location_id=self.location_id,
            at=at,
            alert=gone.name,
            severity=SEVERITIES[gone.name],
        )

    def _not_ahead(self, alert: StandingAlert) -> StandingAlert:
        """
        What began in the future, by a clock that was ahead, begins now.
        """
        gone_at = alert.gone_at and min(alert.gone_at, self.now)

        return attrs.evolve(alert, since=min(alert.since, self.now), gone_at=gone_at)
