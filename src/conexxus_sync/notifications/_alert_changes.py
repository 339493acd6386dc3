"""
Compares active alerts with those before: which started, which are resolved. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo

import attrs

from conexxus_sync.model.alerts import SEVERITIES, Alert, AlertGroup, AlertName, Severity
from conexxus_sync.model.notices import ActiveAlert, Event, Notice

from ._notice_text import alert_resolved, alert_started


# What is over before that is not worth a notice, nor is a pause shorter than that.
MIN_DURATION = timedelta(minutes=2)

# A single call that fails is soon over, more often than not.
_WAITS = {AlertName.API_DOWN}

_ORDER = list(AlertName)

Key = tuple[AlertName, str]


@attrs.frozen(kw_only=True)
class AlertDiff:
    """
    The alerts at one moment, to be compared with those before.

    Attributes:
        alerts: Those that hold.
        min_duration: How long an alert must last before a notice is queued.
    """

    location_id: str
    now: datetime
    zone: tzinfo
    alerts: tuple[Alert, ...]
    min_duration: timedelta = MIN_DURATION

    def compare(self, before: Iterable[ActiveAlert]) -> tuple[list[ActiveAlert], list[Notice]]:
        """
        What stands now, after *before*, and the notices about it.
        """
        known = {alert.key: self._not_ahead(alert) for alert in before}
        groups: dict[Key, AlertGroup] = {}
        for group in AlertGroup.of(it for it in self.alerts if it.severity is not Severity.INFO):
            groups.setdefault((group.cause.name, group.cause.about), group)

        active_alerts = list(_sent_before_their_cause(groups.values(), known))
        notices: list[Notice] = []

        for key, group in groups.items():
            active = self._active(known.get(key), group.cause)
            active_alerts.append(active)
            notices.extend(self._started(known.get(key), active, group))

        gone = known.keys() - {active.key for active in active_alerts}
        for key in sorted(gone, key=lambda it: (_ORDER.index(it[0]), it[1])):
            cleared = attrs.evolve(known[key], cleared_at=known[key].cleared_at or self.now)
            if self.now - (cleared.cleared_at or self.now) < self.min_duration:
                active_alerts.append(cleared)
            elif cleared.notified:
                notices.append(self._resolved(cleared))

        return active_alerts, notices

    def _active(self, known: ActiveAlert | None, alert: Alert) -> ActiveAlert:
        known = known or ActiveAlert(name=alert.name, about=alert.about, since=self.now)
        lasted = self.now - known.since >= self.min_duration
        at_once = alert.severity is Severity.CRITICAL and alert.name not in _WAITS

        return attrs.evolve(known, cleared_at=None, notified=known.notified or lasted or at_once)

    def _started(
        self, known: ActiveAlert | None, active: ActiveAlert, group: AlertGroup
    ) -> Iterator[Notice]:
        alert = group.cause

        if active.notified and not (known and known.notified):
            yield Notice(
                event=Event.ALERT_BEGAN,
                text=alert_started(group, self.location_id, active.since, self.zone),
                location_id=self.location_id,
                at=active.since,
                alert=alert.name,
                about=alert.about,
                severity=alert.severity,
            )

    def _resolved(self, cleared: ActiveAlert) -> Notice:
        at = cleared.cleared_at or self.now

        return Notice(
            event=Event.ALERT_ENDED,
            text=alert_resolved(cleared, self.location_id, at - cleared.since),
            location_id=self.location_id,
            at=at,
            alert=cleared.name,
            about=cleared.about,
            severity=SEVERITIES[cleared.name],
        )

    def _not_ahead(self, alert: ActiveAlert) -> ActiveAlert:
        """
        What began in the future, by a clock that was ahead, begins now.
        """
        cleared_at = alert.cleared_at and min(alert.cleared_at, self.now)

        return attrs.evolve(alert, since=min(alert.since, self.now), cleared_at=cleared_at)


def _sent_before_their_cause(
    groups: Iterable[AlertGroup], known: Mapping[Key, ActiveAlert]
) -> Iterator[ActiveAlert]:
    """
    Consequences of which there was a notice already, so that there is one of
    their end; of the others, the notice of their cause says enough.
    """
    for group in groups:
        for key in dict.fromkeys((effect.name, effect.about) for effect in group.effects):
            if key in known and known[key].notified:
                yield attrs.evolve(known[key], cleared_at=None)
