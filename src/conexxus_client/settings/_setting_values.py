"""
Reads the texts of settings: each function returns the value, or raises a `ValueError`
whose text goes behind the name of the setting.
"""

import importlib
import re
import sys
from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from conexxus_client._config_validation import address_flaw, is_loopback, normalized_url
from conexxus_client._secrets import Secret


# The longest number that any setting takes: int() takes its time on some.
_MAX_DIGITS = 8
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def milliseconds(text: str) -> int:
    """
    Read a whole number of milliseconds.
    """
    return _whole(text, "must be a whole number of milliseconds")


def count(text: str) -> int:
    """
    Read a whole number.
    """
    return _whole(text, "must be a whole number from 0 to 100")


def whole(text: str) -> int:
    """
    Read a whole number from 0.
    """
    return _whole(text, "must be a whole number")


def _whole(text: str, expected: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        msg = f"{expected}, got {text[:40]!r}"
        raise ValueError(msg)

    return int(text)


def limit(text: str) -> int:
    """
    Read a whole number from 1.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,12}", text, re.ASCII):
        msg = f"must be a whole number from 1, got {text[:40]!r}"
        raise ValueError(msg)

    return int(text)


def flag(text: str) -> bool:
    """
    Read `1` or `0`.
    """
    if text not in ("0", "1"):
        msg = f"must be 1 or 0, got {text[:40]!r}"
        raise ValueError(msg)

    return text == "1"


def share(text: str) -> float:
    """
    Read a fraction.
    """
    if not re.fullmatch(r"0?\.[0-9]{1,9}|[01](\.0{1,9})?", text, re.ASCII):
        msg = f"must be a fraction from 0 to 1, like 0.2, got {text[:40]!r}"
        raise ValueError(msg)

    return float(text)


def amount(text: str) -> Decimal:
    """
    Read an amount of money above 0.
    """
    if not re.fullmatch(r"[0-9]{1,20}(\.[0-9]{1,18})?", text, re.ASCII) or not Decimal(text):
        msg = f"must be an amount above 0, like 100000, got {text[:40]!r}"
        raise ValueError(msg)

    return Decimal(text)


def choice(*words: str) -> Callable[[str], str]:
    """
    What reads one of *words*.
    """

    def read(text: str) -> str:
        if text not in words:
            msg = f"must be {', '.join(words[:-1])} or {words[-1]}, got {text[:40]!r}"
            raise ValueError(msg)
        return text

    return read


def path_or_none(text: str) -> str:
    """
    Read a path, or `none`, which is an empty one: what is None is not set.
    """
    return "" if text == "none" else text


def words(text: str) -> frozenset[str]:
    """
    Read words, separated by commas.
    """
    return frozenset(word.strip() for word in text.split(","))


def names(text: str) -> tuple[str, ...]:
    """
    Read words, separated by commas, in their order.
    """
    return tuple(word.strip() for word in text.split(","))


def statuses(text: str) -> tuple[int, ...]:
    """
    Read HTTP statuses, separated by commas.
    """
    if not re.fullmatch(r"[1-5][0-9]{2}( *, *[1-5][0-9]{2})*", text.strip(), re.ASCII):
        msg = f"must be HTTP statuses like 200,202, got {text[:40]!r}"
        raise ValueError(msg)

    return tuple(int(word) for word in text.split(","))


def query(text: str) -> Mapping[str, str]:
    """
    Read the parameters of a query, like `location=7&kind=wine`.
    """
    try:
        return dict(parse_qsl(text, strict_parsing=True, keep_blank_values=True))
    except ValueError:
        msg = f"must be a query like location=7&kind=wine, got {text[:40]!r}"
        raise ValueError(msg) from None


def interval(text: str) -> timedelta:
    """
    Read an interval, like `30m` or `1h`.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,6}[smhd]", text, re.ASCII):
        msg = f"must be an interval like 30m or 1h, got {text[:40]!r}"
        raise ValueError(msg)

    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


def interval_or_off(text: str) -> timedelta | None:
    """
    Read an interval, or `off`.
    """
    return None if text == "off" else interval(text)


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
            near = get_close_matches(text, sorted(available_timezones()), 1, cutoff=0.8)
            hint = f": did you mean {near[0]}?" if near else ""
            msg = f"must be an IANA time zone like America/New_York, got {text[:40]!r}{hint}"
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
    found = names(text)

    if not all(re.fullmatch(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]", name) for name in found):
        msg = f"must be host names like till-1,shop.example, got {text[:40]!r}"
        raise ValueError(msg)

    return found


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


def authorization(text: str) -> Any:
    """
    Import an `Auth`, `module:object`.
    """
    module, _, name = text.partition(":")
    search_current_folder()

    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as exc:
        msg = f"{text[:80]} can't be used: {type(exc).__name__}: {exc}"
        raise ValueError(msg) from exc

    if not callable(getattr(found, "flow", None)):
        msg = f"{text[:80]} can't be used: it has no method flow()"
        raise ValueError(msg)

    return found


def search_current_folder() -> None:
    """
    Let modules of the current folder be found, after all others.

    Before them, a file there that is called like a module, `json.py`, would be
    run in its place, and another user may have written it; `python -P` prevents
    the same.
    """
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
