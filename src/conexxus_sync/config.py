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
from zoneinfo import ZoneInfo

import attrs

from conexxus_client import ConfigurationError, Secret
from conexxus_client.config import is_loopback as is_loopback
from conexxus_client.settings import Settings, safe_webhook, webhook
from conexxus_client.settings import day as day
from conexxus_sync.model.guards import Guards, SalesGuards
from conexxus_sync.model.sale_digests import COMPARABLE, fields_to_compare
from conexxus_sync.model.shadow import SHADOW_MARK


NOON = time(12)

NO_TIMEZONE = (
    "CONEXXUS_TIMEZONE is not configured, and this system's zone is UTC or has no name: "
    "set it to the store's zone, like America/New_York"
)

_SHORTEST_INTERVAL = timedelta(minutes=1)
_LONGEST_INTERVALS = {"sync_every": 7, "push_every": 1, "push_settle": 1}
_IN_MEMORY = re.compile(":memory:|mode=memory")
_REMOVALS = ("keep", "deactivate")


def _optional_secret(value: Secret | str | None) -> Secret | None:
    return Secret(value) if isinstance(value, str) else value


@attrs.frozen(kw_only=True)
class SyncConfig:
    """
    What the engines need of the store.

    Attributes:
        location_id: Of the pushed sales, and key of everything stored.
        store: URL of the SDK's own state.
        timezone: The store's; None if it is not set and the system's zone is UTC.
        push_at: Store time of the daily push; before noon means on the
            calendar day after the business date.
        day_closes_at: Store time at which the business day ends, on the
            next calendar day.
        push_every: The interval of pushes during the day, from a minute to a
            day; None if there are none.
        push_settle: For how long a sale must have been returned unchanged
            before it is pushed during the day.
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
        orders: Where sales come from, a file or module:factory, if the
            service is given no order source.
        catalog: The host's storage, module:factory, if the service is given none.
        catalog_source: The folder of files that the catalogue comes from, like
            `naxml:/path?dialect=passport`; None: from the back office.
        shadow: Likewise, the folder whose files are compared with the back office.

    Raises:
        ConfigurationError: Naming all problems at once.
    """

    location_id: str = "default"
    store: str = "sqlite:///conexxus.db"
    timezone: ZoneInfo | None = None
    push_at: time = time(23, 30)
    day_closes_at: time = time(0, 0)
    push_every: timedelta | None = None
    push_settle: timedelta = timedelta(minutes=15)
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
    orders: str | None = None
    catalog: str | None = None
    catalog_source: str | None = None
    shadow: str | None = None

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
        settings = Settings.of(environ)
        address = webhook if settings.get("CONEXXUS_ALLOW_INSECURE") == "1" else safe_webhook
        problems = list[str]()
        values = settings.read("sync", problems, {"alert_webhook": address})
        problems += _problems(values)

        if problems:
            raise settings.named(problems)

        values.setdefault("timezone", system_zone())
        guards = Guards(**_parts(values, "guards."))
        sales_guards = SalesGuards(**_parts(values, "sales_guards."))

        return cls(guards=guards, sales_guards=sales_guards, **values)


def _parts(values: dict[str, Any], of: str) -> dict[str, Any]:
    """
    Take the parts of one group out of *values*.
    """
    return {name.removeprefix(of): values.pop(name) for name in [*values] if name.startswith(of)}


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


def disabling_settings(environ: Mapping[str, str]) -> list[str]:
    """
    Why there is nothing to do without a back office, one sentence each.

    A catalogue from files needs none, where no sales are pushed.
    """
    if environ.get("CONEXXUS_CATALOG_SOURCE") and not environ.get("CONEXXUS_ORDERS"):
        return []

    return missing_settings(environ)


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

    return None if is_utc(found_zone) else found_zone


def is_utc(zone: ZoneInfo) -> bool:
    """
    Is *zone* UTC, by whatever name?
    """
    return zone.key.removeprefix("Etc/") in _UTC


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

    if values.get("location_id", "").endswith(SHADOW_MARK):
        yield f"LOCATION_ID must not end with {SHADOW_MARK}, which shadow mode adds"

    for name in ("batch_transactions", "batch_bytes"):
        if values.get(name, 1) < 1:
            yield f"CONEXXUS_{name.upper()} must be a whole number from 1"

    for name, days in _LONGEST_INTERVALS.items():
        given = values.get(name)
        if given is not None and not _SHORTEST_INTERVAL <= given <= timedelta(days=days):
            yield f"CONEXXUS_{name.upper()} must be from 1m to {days}d"

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
        yield f"CONEXXUS_COMPARE names unknown fields: {', '.join(unknown)}; it takes {fields}"

    if values.get("day_closes_at", time()) >= NOON:
        yield "CONEXXUS_DAY_CLOSES_AT must be at 11:59 or before"
