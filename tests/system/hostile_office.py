"""
The computer of a hostile till and its back office, each with its clock.
"""

import json
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

import attrs

from conexxus_client.testing import BackOffice
from conexxus_client.testing._answer import json_answer
from conexxus_sync.runtime.processes import ProcessIdentity


DAYS = (date(2026, 1, 2), date(2026, 1, 3))
START = datetime(2026, 1, 3, 23, 30, tzinfo=UTC)
# For so long the back office remembers a key, and says so in the profile.
KEY_TTL = timedelta(hours=24)


@attrs.define
class Computer:
    """
    The computer of the till; `boot` changes when it is started anew.
    """

    boot: int = 1

    def current(self):
        return ProcessIdentity(
            boot=str(self.boot), namespace="", pid=1, started=str(self.boot), host="till"
        )

    def is_gone(self, identity):
        return identity.boot != str(self.boot)


class Office(BackOffice):
    """
    A back office with a clock that is right, that forgets keys.

    Attributes:
        now: What its clock shows.
        dated: Whether its answers have a `Date`.
        beside: Whether it says what it rejects beside `data`, not in it.
    """

    def __init__(self, *, now, dated, beside, **settings):
        super().__init__(clock=lambda: self.now, key_ttl=KEY_TTL, **settings)
        self.now, self.dated, self.beside = now, dated, beside

    def handle(self, method, path, query="", headers=(), body=b"", **how):
        answer = super().handle(method, path, query, headers, body, **how)

        if self.beside and path.endswith("/sales/push") and answer.status == 200:
            answer = attrs.evolve(answer, body=_beside(answer.body))

        return (
            answer.having(("Date", format_datetime(self.now, usegmt=True)))
            if self.dated
            else answer
        )


def _beside(body):
    said = json.loads(body)
    said.update(said.pop("data"))

    return json_answer(200, said).body
