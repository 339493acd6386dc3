"""
What is wrong with many stores of a fleet is sent to the webhook once.
"""

import threading

import pytest

from conexxus_client import ConfigurationError
from conexxus_sync.fleet import FleetOptions, WrongStore
from webhooks import hook

from .conftest import KEYS


__all__ = ["hook"]

DATABASES = ("sqlite",)
NAMES = [f"loc-{number}" for number in range(6)]
QUICK = FleetOptions(workers=3, rate=1000, burst=1000, name="north")


@pytest.fixture
def new_chain(new_fleet, hook, monkeypatch):
    """
    Makes processes of one fleet with a webhook; its first stores have one back office.
    """
    monkeypatch.setitem(KEYS, "CONEXXUS_ALERT_WEBHOOK", hook.url)

    def make(url, other=None, **more):
        rows = [{"location": name, "api.url": url} for name in NAMES]
        rows[-1]["api.url"] = other or url
        return new_fleet(rows, options=QUICK, **more)

    return make


def test_back_office_that_is_down(new_chain, new_front, hook, clock):
    """
    It is one notice for all of its stores, whichever process looks, and so is its
    end; another back office has its own.
    """
    (office, url), (_, other) = new_front(faults="503*1000"), new_front(faults="503*1000")
    fleets = [new_chain(url, other) for _ in range(2)]
    fleets[0].run_once()
    for fleet in (*fleets, *fleets):
        fleet.notices.send_once()

    assert [text.partition(": Conexxus API")[0] for text in hook.texts] == [
        f"north: back office {url} is down for 5 stores",
        f"north: back office {other} is down for 1 store",
    ]
    assert {it["locationId"] for it in hook.notices} == {"north"}
    assert len({it["id"] for it in hook.notices}) == 2

    office.faults("")
    clock.advance(hours=1)
    fleets[1].run_once()
    for fleet in (*fleets, *fleets):
        fleet.notices.send_once()

    assert hook.texts[2:] == [
        f"north: resolved after 60 minutes: back office {url} is down for some stores."
    ]
    assert hook.notices[2]["event"] == "alert_ended"


def test_a_webhook_that_fails(new_chain, new_front, hook, clock, caplog):
    """
    The notice is sent again under its id; its address is in no message.
    """
    fleet = new_chain(new_front(faults="503*1000")[1])
    hook.answers.append(503)
    fleet.run_once()
    fleet.notices.send_once()
    clock.advance(minutes=1)
    fleet.notices.send_once()

    assert [it["id"] for it in hook.notices] == [hook.notices[0]["id"]] * 2
    assert "is sent again" in caplog.text
    assert "canary" not in caplog.text


def test_beside_the_runs(new_chain, new_front, hook):
    """
    A fleet that runs looks by itself, and sends what is grave at once.
    """
    wrong = WrongStore(name="0007", problems=("timezone in fleet.toml, line 9, is wrong",))
    fleet, stop = new_chain(new_front()[1], wrong=[wrong]), threading.Event()
    runner = threading.Thread(target=fleet.run_forever, args=(stop,))
    runner.start()
    has_come = hook.arrived.acquire(timeout=60)
    stop.set()
    runner.join()

    assert has_come
    assert hook.texts == [
        "north: the settings of 1 store are wrong: timezone in fleet.toml, line 9, is wrong"
    ]


def test_names(new_fleet, new_front):
    """
    The notices of the fleet are not those of a store.
    """
    row = {"location": "north", "api.url": new_front()[1]}

    with pytest.raises(ConfigurationError, match="north is a location and the fleet itself"):
        new_fleet([row], options=QUICK)
    with pytest.raises(ConfigurationError, match=r"alert_webhook_env in .* is one for the whole"):
        new_fleet([{**row, "location": "x", "alert_webhook_env": "KEY"}])
