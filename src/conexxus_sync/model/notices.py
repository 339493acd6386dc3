"""
Notices of alerts and daily reports, and what is stored so that each is sent once.
"""

import json
from datetime import UTC, date, datetime
from enum import StrEnum
from hashlib import blake2b

import attrs

from .alerts import AlertName, Severity


class Event(StrEnum):
    """
    Why a notice is sent.
    """

    ALERT_BEGAN = "alert_began"
    ALERT_ENDED = "alert_ended"
    NIGHT = "night"
    TEST = "test"


@attrs.frozen(kw_only=True)
class Notice:
    """
    One notice to send.

    Attributes:
        text: One plain sentence, which begins with the location.
        at: When it happened; the same as long as it is the same notice.
        alert: The alert that began or ended.
        about: Which of several with this name.
        business_date: The date that a night's line is about.
    """

    event: Event
    text: str
    location_id: str
    at: datetime
    alert: AlertName | None = None
    about: str = ""
    severity: Severity | None = None
    business_date: date | None = None

    @property
    def subject(self) -> str:
        """
        What it is about: of one subject, notices are sent in order.
        """
        return f"{self.alert or self.event} {self.about}".rstrip()

    @property
    def id(self) -> str:
        """
        The same for the same notice, however often it is made.
        """
        parts = [self.location_id, self.event, self.alert, self.business_date, self.at.isoformat()]
        parts += [self.about] if self.about else []

        return blake2b("\n".join(map(str, parts)).encode(), digest_size=16).hexdigest()

    def body(self) -> bytes:
        """
        The JSON that is posted.
        """
        document = {
            "id": self.id,
            "text": self.text,
            "event": self.event.value,
            "alert": self.alert and self.alert.value,
            "severity": self.severity and self.severity.value,
            "locationId": self.location_id,
            "at": self.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        }

        if self.business_date is not None:
            document["businessDate"] = self.business_date.isoformat()

        return json.dumps(document).encode()


@attrs.frozen(kw_only=True)
class ActiveAlert:
    """
    An alert that holds, or held a moment ago.

    Attributes:
        about: Which of several with this name.
        since: When it was first seen.
        cleared_at: When it was first not seen any more; None while it holds.
        notified: Whether its start was queued as a notice.
    """

    name: AlertName
    about: str = ""
    since: datetime
    cleared_at: datetime | None = None
    notified: bool = False

    @property
    def key(self) -> tuple[AlertName, str]:
        """
        What it is recognised by.
        """
        return self.name, self.about


@attrs.frozen(kw_only=True)
class SentReport:
    """
    A business date of which the daily report was sent.

    Attributes:
        complete: Whether there is nothing left to report of it.
    """

    business_date: date
    complete: bool


@attrs.frozen(kw_only=True)
class QueuedNotice:
    """
    A notice that is still to be sent.

    Attributes:
        attempts: How often that was tried, the one being made included.
    """

    number: int
    id: str
    body: bytes = attrs.field(repr=False)
    queued_at: datetime
    attempts: int
