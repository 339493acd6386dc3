"""
The alerts of a fleet, by their causes: one for a back office that is down for many
stores.  Pure.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import attrs

from conexxus_sync.model.alerts import SEVERITIES, AlertName, Severity
from conexxus_sync.model.formatting import counted

from ._fleet_status import StoreState, StoreStatus


_CALL_FAILED = "Conexxus API "
_DENIED = ("Conexxus API authentication failed", "Conexxus API access forbidden")
_LIMITED = "Conexxus API rate limit exceeded"

_ORDER = list(AlertName)


@attrs.frozen(kw_only=True)
class FleetAlert:
    """
    One thing that somebody should look at, whichever number of stores has it.

    Attributes:
        name: That of the alert which each of these stores has, and of its runbook.
        cause: What these stores have in common, whatever their number.
        message: One sentence, with the number of stores.
        locations: Of which stores it holds, worst first.
    """

    name: AlertName
    cause: str
    message: str
    locations: tuple[str, ...]

    @property
    def severity(self) -> Severity:
        """
        How soon somebody should look.
        """
        return SEVERITIES[self.name]


@attrs.frozen
class _Cause:
    """
    What several stores have in common.

    Attributes:
        sentence: What is wrong, with a place for the number of stores.
    """

    name: AlertName
    sentence: str


def fleet_alerts(statuses: Iterable[StoreStatus]) -> list[FleetAlert]:
    """
    What is wrong with the stores, gravest first, then by their number.

    Args:
        statuses: Worst first.
    """
    found = dict[_Cause, list[StoreStatus]]()
    for status in statuses:
        for cause in _causes(status):
            found.setdefault(cause, []).append(status)

    alerts = [
        FleetAlert(
            name=cause.name,
            cause=_filled(cause.sentence, "some stores"),
            message=_message(cause, having),
            locations=tuple(it.location_id for it in having),
        )
        for cause, having in found.items()
    ]

    return sorted(alerts, key=lambda it: (_ORDER.index(it.name), -len(it.locations)))


def _causes(status: StoreStatus) -> Iterator[_Cause]:
    error, office = _short(status.error), status.back_office

    if status.state is StoreState.WRONG:
        yield _Cause(AlertName.MISCONFIGURED, "the settings of {} are wrong")
    if status.parked:
        yield _Cause(AlertName.SALES_PARKED, "batches of {} need a decision")
    if error.startswith(_DENIED):
        words = f"back office {office} refuses the key {status.credential} for {{}}"
        yield _Cause(AlertName.API_DOWN, words)
    elif error.startswith(_LIMITED):
        words = f"back office {office} is at its limit for {{}}"
        yield _Cause(AlertName.API_DOWN, words)
    elif error.startswith(_CALL_FAILED):
        yield _Cause(AlertName.API_DOWN, f"back office {office} is down for {{}}")
    elif error:
        yield _Cause(AlertName.SYNC_FAILED, "the last run of {} failed")
    elif status.state is StoreState.LATE:
        yield _Cause(AlertName.DATE_OVERDUE, "sales of {} are late")


def _message(cause: _Cause, having: list[StoreStatus]) -> str:
    text = _filled(cause.sentence, counted(len(having), "store"))
    errors = Counter(_short(it.error) for it in having if it.error)

    if errors and cause.name in (AlertName.API_DOWN, AlertName.SYNC_FAILED):
        return f"{text}: {errors.most_common(1)[0][0]}"
    if cause.name is AlertName.MISCONFIGURED:
        return f"{text}: {having[0].reason}"
    if oldest := min(
        (it.oldest_undelivered for it in having if it.oldest_undelivered), default=None
    ):
        return f"{text}, the oldest of {oldest}"

    return text


def _filled(words: str, stores: str) -> str:
    # Braces may be in an address.
    before, _, after = words.rpartition("{}")

    return f"{before}{stores}{after}"


def _short(error: str | None) -> str:
    """
    *error*, without the name of the batch that it is about.
    """
    before, found, after = (error or "").partition(_CALL_FAILED)

    return f"{found}{after}" if found else before
