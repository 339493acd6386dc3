"""
The settings of the engines, and where they come from.
"""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

import attrs

from conexxus_client import ConfigurationError, Environment, Secret
from conexxus_client.config import address_flaw, normalized_url
from conexxus_client.config import is_loopback as is_loopback
from conexxus_sync.model.guards import Guards, SalesGuards
from conexxus_sync.model.sale_digests import COMPARABLE, fields_to_compare


NOON = time(12)

NO_TIMEZONE = (
    "CONEXXUS_TIMEZONE is not configured, and this system's zone is UTC or has no name: "
    "set it to the store's zone, like America/New_York"
)

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SHORTEST_INTERVAL, _LONGEST_INTERVAL = timedelta(minutes=1), timedelta(days=7)
_IN_MEMORY = re.compile(":memory:|mode=memory")
_REMOVALS = ("keep", "deactivate")


def _optional_secret(value: Secret | str | None) -> Secret | None:
    return Secret(value) if isinstance(value, str) else value


@attrs.frozen(kw_only=True)
class SyncConfig:
    """
    What the engines need to know about the store.

    Attributes:
        location_id: Of the pushed sales, and key of everything stored.
        store: URL of the SDK's own state.
        timezone: The store's; None if it is not set and the system's zone is UTC.
        push_at: Store time of the daily push; before noon means on the
            calendar day after the business date.
        day_closes_at: Store time at which the business day ends, on the
            next calendar day.
        sales_since: First business date that is ever pushed.
        shim_token: What callers of the HTTP shim have to show, if anything.
        shim_hosts: Names under which the shim may be addressed, besides its
            own address and those of the loopback.
        alert_webhook: Where alerts and the daily report are sent; a secret,
            because its address is enough to write there.
        guards: When a catalogue is refused.
        sales_guards: When what changed or is gone of a date's sales is not
            taken back.
        max_price: The first price that no item may have.
        sync_every: The interval of scheduled pulls, from a minute to a week.
        removals: Whether the host gets what is gone, to `deactivate` it, or
            to `keep` it.
        on_changed: Whether delivered sales that changed or disappeared at
            the till are only reported, or taken back and sent again.
        compare: The fields of a delivered sale whose change is one.
        summary: Whether each batch of sales says what it comes to.
        lookback_days: For how many days late sales are looked for.
        profile: Which profile of the back office to use, as module:object;
            `default` or None for the default one.
        batch_transactions: At most so many sales are sent together.
        batch_bytes: At most so many bytes, unless a single sale is larger.

    Raises:
        ConfigurationError: Naming all problems at once.
    """

    location_id: str = "default"
    store: str = "sqlite:///conexxus.db"
    timezone: ZoneInfo | None = None
    push_at: time = time(23, 30)
    day_closes_at: time = time(0, 0)
    sales_since: date | None = None
    shim_token: str | Secret | None = attrs.field(default=None, repr=False)
    shim_hosts: tuple[str, ...] = ()
    alert_webhook: Secret | None = attrs.field(default=None, converter=_optional_secret)
    guards: Guards = attrs.field(factory=Guards)
    sales_guards: SalesGuards = attrs.field(factory=SalesGuards)
    max_price: Decimal = Decimal("1e9")
    sync_every: timedelta = timedelta(hours=1)
    removals: Literal["keep", "deactivate"] = "keep"
    on_changed: Literal["report", "resend"] = "report"
    compare: frozenset[str] = attrs.field(default=COMPARABLE, converter=fields_to_compare)
    summary: bool = False
    lookback_days: int = 7
    profile: str | None = None
    batch_transactions: int = 2_000
    batch_bytes: int = 8 * 1024 * 1024

    def __attrs_post_init__(self) -> None:
        problems = list(_problems(attrs.asdict(self, recurse=False)))

        if problems:
            raise ConfigurationError(problems)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "SyncConfig":
        """
        Read the documented variables; an empty one counts as not set.

        Raises:
            ConfigurationError: Naming all problems at once, without secrets.
        """
        variables = os.environ if environ is None else environ
        env = Environment(variables)
        env.read("LOCATION_ID", "location_id")
        env.read("CONEXXUS_STORE", "store")
        env.read("CONEXXUS_TIMEZONE", "timezone", zone)
        env.read("CONEXXUS_PUSH_AT", "push_at", clock_time)
        env.read("CONEXXUS_DAY_CLOSES_AT", "day_closes_at", clock_time)
        env.read("CONEXXUS_SALES_SINCE", "sales_since", day)
        env.read("CONEXXUS_SYNC_EVERY", "sync_every", interval)
        env.read("CONEXXUS_REMOVALS", "removals", removals)
        env.read("CONEXXUS_PROFILE", "profile")
        env.read("CONEXXUS_BATCH_TRANSACTIONS", "batch_transactions", _limit)
        env.read("CONEXXUS_BATCH_BYTES", "batch_bytes", _limit)
        env.read_secret("CONEXXUS_SHIM_TOKEN", "shim_token", str)
        env.read("CONEXXUS_SHIM_HOSTS", "shim_hosts", host_names)
        insecure = variables.get("CONEXXUS_ALLOW_INSECURE") == "1"
        address = webhook if insecure else safe_webhook
        env.read_secret("CONEXXUS_ALERT_WEBHOOK", "alert_webhook", address)
        problems = [*env.problems, *_problems(env.values)]

        if problems:
            raise ConfigurationError(problems)

        env.values.setdefault("timezone", system_zone())

        return cls(**env.values)


def missing_settings(environ: Mapping[str, str]) -> list[str]:
    """
    Why there is no back office, one sentence each.
    """
    given = {"CONEXXUS_API_URL": ("",), "CONEXXUS_API_KEY": ("", "_FILE")}

    return [
        f"{name} is not configured"
        for name, ends in given.items()
        if not any(environ.get(name + end) for end in ends)
    ]


def _limit(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text, re.ASCII):
        msg = f"must be a whole number from 1, got {text[:40]!r}"
        raise ValueError(msg)

    return int(text)


def interval(text: str) -> timedelta:
    """
    Read an interval, like `30m` or `1h`.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,6}[smhd]", text, re.ASCII):
        msg = f"must be an interval like 30m or 1h, got {text[:40]!r}"
        raise ValueError(msg)

    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


def removals(text: str) -> str:
    """
    Read what becomes of items that are gone.
    """
    if text not in _REMOVALS:
        msg = f"must be keep or deactivate, got {text[:40]!r}"
        raise ValueError(msg)

    return text


def zone(text: str) -> ZoneInfo:
    """
    Read the name of an IANA time zone.
    """
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        if not available_timezones():
            msg = "can't be read: there is no time zone database here. Run `pip install tzdata`"
        else:
            msg = f"must be an IANA time zone like America/New_York, got {text[:40]!r}"
        raise ValueError(msg) from None


def clock_time(text: str) -> time:
    """
    Read a time of day, `HH:MM`.
    """
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text, re.ASCII):
        msg = f"must be a time of day like 23:30, got {text[:40]!r}"
        raise ValueError(msg)

    return time.fromisoformat(text)


def day(text: str) -> date:
    """
    Read a date, `YYYY-MM-DD`.
    """
    try:
        if len(text) != len("YYYY-MM-DD"):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        msg = f"must be a date like 2026-01-02, got {text[:40]!r}"
        raise ValueError(msg) from None


def host_names(text: str) -> tuple[str, ...]:
    """
    Read names of hosts, separated by commas.
    """
    names = tuple(name.strip() for name in text.split(","))

    if not all(re.fullmatch(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]", name) for name in names):
        msg = f"must be host names like till-1,shop.example, got {text[:40]!r}"
        raise ValueError(msg)

    return names


def webhook(text: str) -> Secret:
    """
    Read the address of a webhook, which is in no message.
    """
    text = normalized_url(text)
    flaw = address_flaw(text)

    if flaw is None and ("@" in (parts := urlsplit(text)).netloc or parts.fragment):
        flaw = "must not contain a user, a password or a fragment"
    if flaw is not None:
        raise ValueError(flaw.replace("http:// or https://", "https://"))

    return Secret(text)


def safe_webhook(text: str) -> Secret:
    """
    The same, on this machine or encrypted.
    """
    address = webhook(text)
    parts = urlsplit(address.reveal())

    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        msg = "must start with https://, or set CONEXXUS_ALLOW_INSECURE=1"
        raise ValueError(msg)

    return address


def system_zone() -> ZoneInfo | None:
    """
    The zone that the system is set to; None if that is UTC or unknown.

    A container's UTC is no store's time, and counts as not set.
    """
    name = os.environ.get("TZ", "").removeprefix(":")

    try:
        found_zone = ZoneInfo(_zone_name(name) if name else _local_zone_name())
    except (KeyError, ValueError, OSError):
        return None

    return None if found_zone.key.removeprefix("Etc/") in _UTC else found_zone


def _local_zone_name() -> str:
    """
    What `/etc/localtime` leads to; where that is a copy, what stands beside it.
    """
    return _zone_name("/etc/localtime") or Path("/etc/timezone").read_text("ascii").strip()


def _zone_name(text: str) -> str:
    """
    The name of a zone, be it given as that or as a file of the database; empty if
    it is another file.
    """
    if not text.startswith("/"):
        return text.removeprefix("posix/")

    paths = (text, os.path.realpath(text))
    names = (path.partition("zoneinfo/")[2] for path in paths)

    return next(filter(None, names), "").removeprefix("posix/").removeprefix("right/")


_UTC = {"UTC", "UCT", "Universal", "Zulu", "GMT", "GMT0", "GMT+0", "GMT-0", "Greenwich", "Factory"}


def is_encodable(text: str) -> bool:
    """
    Is *text* without bytes that could not be read as UTF-8?
    """
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _problems(values: Mapping[str, Any]) -> Iterator[str]:
    store = values.get("store", "sqlite:///x")
    if not store.startswith(("sqlite:///", "postgresql://")) or store == "sqlite:///":
        yield "CONEXXUS_STORE must start with sqlite:/// or postgresql:// and name a database"
    elif store.startswith("sqlite:///") and _IN_MEMORY.search(store):
        yield (
            f"CONEXXUS_STORE must name a file, got {store[:40]!r}: what is in memory is lost, and "
            "each connection has another"
        )

    if not is_encodable(values.get("location_id", "")):
        yield "LOCATION_ID has bytes that are no UTF-8: type it anew"

    for name in ("batch_transactions", "batch_bytes"):
        if values.get(name, 1) < 1:
            yield f"CONEXXUS_{name.upper()} must be a whole number from 1"

    if not _SHORTEST_INTERVAL <= values.get("sync_every", _SHORTEST_INTERVAL) <= _LONGEST_INTERVAL:
        yield "CONEXXUS_SYNC_EVERY must be from 1m to 7d"

    if (given := values.get("removals", "keep")) not in _REMOVALS:
        yield f"CONEXXUS_REMOVALS must be keep or deactivate, got {str(given)[:40]!r}"

    address = values.get("alert_webhook")
    if address is not None:
        try:
            webhook(address.reveal())
        except ValueError as exc:
            yield f"CONEXXUS_ALERT_WEBHOOK {exc}"

    unknown = sorted(values.get("compare", frozenset()) - COMPARABLE)
    if unknown:
        fields = ", ".join(sorted(COMPARABLE))
        yield f"compare names unknown fields: {', '.join(unknown)}; it takes {fields}"

    if values.get("day_closes_at", time()) >= NOON:
        yield "CONEXXUS_DAY_CLOSES_AT must be at 11:59 or before"
