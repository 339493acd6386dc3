"""
Each alert in a real shop, as the webhook tells it.
"""

import json
import os
import re
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import attrs
import pytest

from conexxus_client import Secret
from conexxus_sync.errors import StoreError
from conexxus_sync.model.alerts import SEVERITIES, AlertName, Severity
from conexxus_sync.notifications import Answer, NoticeMonitor, Sender

from .alert_scenarios import SCENARIOS


ADDRESS = Secret("https://hooks.example/services/canary")
PAGE = Path(__file__).parents[2] / "docs/how-to/send-alerts.md"


@attrs.define
class Reader:
    """
    Somebody who reads what comes.
    """

    notices: list = attrs.field(factory=list)
    _watch: NoticeMonitor | None = None

    def post(self, body, *, name):
        self.notices.append(json.loads(body))
        return Answer(accepted=True, detail="")

    def check(self, shop):
        """
        Look at the shop's present service, and read what there is to tell.
        """
        service = shop.service
        if self._watch is None or self._watch.service is not service:
            # The shops of these scenarios have no webhook of their own.
            engines = service._engines
            engines.config = attrs.evolve(engines.config, alert_webhook=ADDRESS)
            self._watch = NoticeMonitor(service=service, clock=shop.clock)
        sender = Sender(
            store=service.store,
            clock=shop.clock,
            webhook=self,
            urgent=self._watch.urgent,
        )
        self._watch.check(min_duration=timedelta())
        with suppress(StoreError):
            sender.send_due()

    def read(self, name):
        """
        What came of one alert: event and text.
        """
        return [(n["event"], n["text"]) for n in self.notices if n["alert"] == name]


def sentences():
    """
    Of the page, by alert: how it begins, and how it ends.
    """
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", PAGE.read_text(), re.MULTILINE)
    return {name: tuple(texts) for name, *texts in rows if name in set(AlertName)}


@pytest.mark.parametrize("name", AlertName)
def test_alert_is_told(name, shop):
    """
    What is a warning or worse is told when it begins and when it ends, once
    each, in the words of the page; what is only worth knowing is not.
    """
    reader = Reader()
    story = SCENARIOS[name](shop)

    next(story)
    reader.check(shop)
    assert reader.read(name) == []

    next(story)
    for _ in range(3):
        reader.check(shop)
    shop.clock.advance(minutes=25)
    next(story, None)
    for _ in range(3):
        reader.check(shop)

    if SEVERITIES[name] is Severity.INFO:
        assert reader.read(name) == []
        return

    (began, begun), (ended, over) = reader.read(name)
    assert (began, ended) == ("alert_began", "alert_ended")
    # The end of a run's id is chance.
    shown = re.sub(r"(\dZ-)[0-9a-f]{8}", r"\g<1>9f3a1c7d", begun)
    shown = shown.replace(str(shop.folder) + "/", "")
    if os.environ.get("CONEXXUS_WRITE_DOCS"):
        row = rf"(?m)^\| `{name}` \| .+ \|$"
        PAGE.write_text(re.sub(row, lambda _: f"| `{name}` | {shown} | {over} |", PAGE.read_text()))

    assert (shown, over) == sentences()[name]
