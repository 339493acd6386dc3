"""
What may happen in a simulated world: a table of events, and how each is drawn.

A new feature gets a line here, and a method of that name in `Incidents`.
"""

import random
from datetime import UTC, date, datetime, time

from conexxus_sync.testing import AnswerKind

from .parts import Setup


SALES_FAULTS = [
    "reset", "refuse", "close", "hang", "garbage", "503", "500", "429(retry_after=30)", "401",
    "403", "422", "truncate", "slow(3s)", "after_commit(reset)", "after_commit(503)",
    "after_commit(hang)", "ok", "ok",
    "503(body=<html>busy</html>, type=text/html)",
]  # fmt: skip
CATALOG_FAULTS = ["reset", "503", "429(retry_after=60)", "truncate", "garbage", "hang", "ok", "204"]
# Days of change, and the night in which a day has 25 hours.
STARTS = [date(2026, 3, 5), date(2026, 3, 26), date(2026, 10, 22), date(2026, 10, 29)]
STARTS += [date(2026, 6, 1), date(2026, 12, 28)]
# What an office does with sales, after another: how it takes a push, and what it recognises.
PROFILES = [*(("append", dedupe) for dedupe in ("key", "transaction_id", "none"))]
PROFILES += [("replace_day", "key")] * 2
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"]


def draw_setup(rng):
    sales_mode = rng.choice(["append", "append", "append", "replace_day"])
    zone = rng.choice(ZONES)

    return Setup(
        start=datetime.combine(rng.choice(STARTS), time(rng.choice([9, 14])), UTC),
        zone=zone,
        locations=rng.choice([1, 1, 2]),
        dedupe=rng.choice(["key", "transaction_id", "none"]) if sales_mode == "append" else "key",
        sales_mode=sales_mode,
        on_changed=rng.choice(["report", "resend"]),
        trickle=sales_mode == "append" and rng.random() < 0.3,
        push_at=rng.choice([time(23, 30), time(2, 30), time(1, 15), time(21)]),
        day_closes_at=rng.choice([time(), time(2), time(4)]),
        pull_hours=rng.choice([6, 12, 24]),
        batch=rng.choice([1, 3, 50]),
        items=rng.choice([5, 24]),
        removals=rng.choice(["keep", "deactivate"]),
        dated=rng.random() < 0.6,
        retries=rng.choice([0, 0, 2]),
        lookback=rng.choice([3, 3, 7]),
    )


def _place(rng):
    return rng.randrange(2)


def _back(rng):
    return rng.choice([0, 0, 0, 1, 1, 2, 3])


def _number(rng):
    return rng.randrange(8)


def _wait(rng):
    return (rng.choice([5, 31, 61, 300, 720, 1440, 1440, 1440, 2880]),)


def _script(rng):
    parts = []
    if rng.random() < 0.8:
        parts.append("sales: " + ", ".join(rng.choices(SALES_FAULTS, k=rng.randint(1, 4))))
    if rng.random() < 0.3 or not parts:
        parts.append("catalog: " + ", ".join(rng.choices(CATALOG_FAULTS, k=rng.randint(1, 3))))

    return ("; ".join(parts),)


def _catalog(rng):
    kind = rng.choice(
        ["add", "drop", "price", "price", "bad", "good", "nameless", "repeat", "reverse", "empty"]
    )
    many = rng.choice([0, 1, 2]) if kind == "nameless" else rng.choice([1, 1, 2, 4, 5, 12, 13])

    return kind, rng.randrange(30), many


# How often each comes, and what it is drawn with.
EVENTS = {
    "next": (30, lambda rng: ()),
    "wait": (12, _wait),
    "sell": (20, lambda rng: (_place(rng), rng.randint(1, 5))),
    "late": (4, lambda rng: (_place(rng), rng.randint(1, 2), rng.randint(1, 2))),
    "edit": (3, lambda rng: (_place(rng), _back(rng), _number(rng), rng.randint(1, 9_999))),
    "delete": (2, lambda rng: (_place(rng), _back(rng), _number(rng))),
    "move": (1, lambda rng: (_place(rng), rng.randint(1, 2), _number(rng))),
    "register": (2, lambda rng: (_place(rng), _back(rng), _number(rng))),
    "answer": (2, lambda rng: (_place(rng), *map(str, rng.choices(list(AnswerKind), k=2)))),
    "line": (12, _script),
    "quirk": (3, lambda rng: tuple(rng.choices(["delay", "twice"], k=rng.randint(1, 2)))),
    "refuse": (
        1,
        lambda rng: (_place(rng), _back(rng), _number(rng), rng.choice(["listed", "batch"])),
    ),
    "kill": (10, lambda rng: (rng.randint(1, 40),)),
    "suspend": (4, lambda rng: (rng.randint(1, 40), rng.choice([1, 11, 30, 600, 1600]))),
    "doze": (3, lambda rng: (rng.randint(1, 40), rng.choice([1, 23, 25, 60]))),
    "disk": (2, lambda rng: (rng.randint(0, 12), rng.randint(1, 3))),
    "beside": (3, lambda rng: (rng.choice([0, 1, 30]),)),
    "clock": (2, lambda rng: (rng.choice([-1500, -90, -10, 10, 90, 1500, 4400, 60_000]),)),
    "clock_right": (3, lambda rng: ()),
    "off": (4, lambda rng: (rng.choice([1, 9, 23, 30, 60]), rng.choice([0, 1, 60, 1380]))),
    "asleep": (4, lambda rng: (rng.choice([1, 9, 23, 30, 60]),)),
    "push_date": (2, lambda rng: (_place(rng), _back(rng))),
    "pull": (2, lambda rng: (_place(rng), rng.choice(["force", "reapply", "plan"]))),
    "accept": (2, lambda rng: (_place(rng),)),
    "resend": (1, lambda rng: (_place(rng),)),
    "resolve": (3, lambda rng: (_place(rng),)),
    "replay": (1, lambda rng: (_place(rng),)),
    "reconcile": (1, lambda rng: (_place(rng), _back(rng))),
    "foreign": (1, lambda rng: (_place(rng), _back(rng))),
    "backup": (1, lambda rng: ()),
    "restore": (1, lambda rng: ()),
    "adopt": (1, lambda rng: (_place(rng),)),
    "catalog": (8, _catalog),
    "flip": (2, lambda rng: (rng.randint(0, 4), *_catalog(rng))),
    "paging": (2, lambda rng: (rng.choice([None, 3, 7]), rng.choice(["strong", "weak", "off"]))),
    "host": (2, lambda rng: (_place(rng), rng.random() < 0.5)),
}


# In so many lives once.
SELDOM = {
    "upgrade": (0.3, lambda rng: (rng.randint(1, 40),)),
    "correct": (0.3, lambda rng: (_place(rng), _number(rng), rng.randint(1, 9))),
    "older": (0.2, lambda rng: (rng.randint(17, 25), rng.randint(1, 40))),
    "change_profile": (0.3, lambda rng: (*rng.choice(PROFILES), rng.randint(1, 12))),
}


def draw(seed, length=40):
    """
    A world and what happens in it; all of it is decided by *seed*.
    """
    rng = random.Random(seed)
    setup = draw_setup(rng)
    # In each world, some kinds come in heaps, and others never.
    names = [*EVENTS]
    weights = [
        weight if name in ("next", "wait", "sell") else weight * rng.choice([0, 1, 1, 3])
        for name, (weight, _) in EVENTS.items()
    ]
    events = []
    for _ in range(length):
        (name,) = rng.choices(names, weights)
        events.append((name, *EVENTS[name][1](rng)))
    for name, (share, arguments) in SELDOM.items():
        if rng.random() < share:
            events.insert(rng.randrange(length), (name, *arguments(rng)))

    return setup, events
