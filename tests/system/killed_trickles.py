"""
Kills pushes during the day at every named step; see `killed_pushes`.

The look that is killed is the second one, which sends what the first one saw.
After a restart there are two looks more, the daily push and its tail.
"""

from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from killed_pushes import BAD, Case

from kill_steps import Killer


DAY = date(2026, 1, 2)
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


class TrickleCase(Case):
    """
    One day of one location.
    """

    shop: ClassVar = {DAY: ["b1", "b2", BAD, "b3", "b4"]}
    began = NOON - timedelta(days=1)
    # What is started again looks at later moments, one after the other.
    kills_again = 0

    def look(self, now, killer=None, *, restarted):
        """
        Do what the scheduler does at *now*.
        """
        engine = self.engine(
            killer or Killer(),
            restarted=restarted,
            now=now,
            push_every=QUARTER,
            push_settle=QUARTER,
        )
        engine.push(automatic=True)

    def push(self, killer):
        self.look(self.began, restarted=False)
        self.look(NOON, restarted=False)
        self.look(NOON + QUARTER, killer, restarted=False)

    def push_again(self):
        for quarters in (2, 3):
            self.look(NOON + quarters * QUARTER, restarted=True)
        for hours in (11.5, 12.25):
            self.look(NOON + timedelta(hours=hours), restarted=True)
        # What is late there is settled by name.
        self.engine(Killer(), restarted=True, now=NOON + timedelta(hours=12.5)).push(DAY)
