"""
Compares the UTC offsets of the host's sales with those of the store's time zone.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import attrs

from conexxus_sync.runtime.host_exceptions import ends_process


# So many sales of a date are looked at.
LOOKED_AT = 20


@attrs.define
class ZoneCheck:
    """
    Whether the zone that is configured can be the store's.

    A sale in UTC says nothing, as most databases give that; one with another
    offset was made by a clock that has a zone.

    Attributes:
        zone: The one that is configured.
    """

    zone: ZoneInfo
    _agrees: bool = attrs.field(default=False, init=False)
    _other: datetime | None = attrs.field(default=None, init=False)

    def look(self, moment: datetime) -> str | None:
        """
        Look at the time of one sale; returns the doubt that there is by now.
        """
        try:
            offset = moment.utcoffset()
            if offset and offset == moment.astimezone(self.zone).utcoffset():
                self._agrees = True
            elif offset:
                self._other = moment
        except BaseException as exc:
            # A zone of the host's own, or an end of the calendar.
            if ends_process(exc):
                raise

        return self.doubt

    @property
    def doubt(self) -> str | None:
        """
        Why the zone is perhaps another: no sale with an offset has that of the zone.
        """
        if self._agrees or self._other is None:
            return None

        given, ours = self._other.utcoffset(), self._other.astimezone(self.zone).utcoffset()

        return (
            f"the sales have the UTC offset {_shown(given)}, and {self.zone.key} has "
            f"{_shown(ours)} then: if the store is not there, its business dates end at a wrong "
            "hour; correct CONEXXUS_TIMEZONE"
        )


def _shown(offset: timedelta | None) -> str:
    """
    `-05:00`.
    """
    minutes = round((offset or timedelta()) / timedelta(minutes=1))

    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
