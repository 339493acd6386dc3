"""
`FleetOptions`: how much of the machine, and of each back office, a fleet uses.
"""

import re
from datetime import timedelta
from typing import Any

import attrs

from conexxus_client import ConfigurationError
from conexxus_client.settings import Document
from conexxus_sync.stores import scheme_of


EXECUTORS = ("local", "dbos")

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


@attrs.frozen(kw_only=True)
class FleetOptions:
    """
    The table `[fleet]`.

    Attributes:
        workers: How many runs go on at a time in this process.
        per_back_office: How many of them at one back office; three quarters of
            the workers, unless it is given.
        budget: How long one run may take; then it is stopped.  A pull that is
            stopped changes nothing, a push goes on with the next.
        rate: How many runs begin in a second with one credential.
        burst: How many of them may begin at once.
        metric_locations: How many stores have a value of their own in the label
            `location` of metrics; 0 counts all stores as one.
        executor: What runs them: `local`, threads of this process; or `dbos`,
            whichever process of the fleet is free.
        name: That of the fleet in notices: processes with other stores in one database
            need another.

    Raises:
        ConfigurationError: Naming all problems at once.
    """

    workers: int = 16
    per_back_office: int = attrs.field()
    budget: timedelta = timedelta(minutes=5)
    rate: float = 10.0
    burst: float = 20.0
    metric_locations: int = 0
    executor: str = "local"
    name: str = "fleet"

    @per_back_office.default
    def _most_workers(self) -> int:
        return max(3 * self.workers // 4, 1)

    def __attrs_post_init__(self) -> None:
        least = {
            "workers": 1,
            "per_back_office": 1,
            "budget": timedelta(seconds=1),
            "rate": 0.01,
            "burst": 1,
            "metric_locations": 0,
        }
        problems = [
            f"fleet.{name} must be at least {it}"
            for name, it in least.items()
            if getattr(self, name) < it
        ]
        if not self.name.strip():
            problems.append("fleet.name must not be empty")
        if self.executor not in EXECUTORS:
            problems.append(f"fleet.executor must be {' or '.join(EXECUTORS)}")

        if problems:
            raise ConfigurationError(problems)


def read_options(document: Document, problems: list[str]) -> FleetOptions:
    """
    The options that *document* gives; what can't be read is added to *problems*.
    """
    readers = {
        "workers": int,
        "per_back_office": int,
        "budget": interval,
        "rate": float,
        "burst": float,
        "metric_locations": int,
        "executor": str,
        "name": str,
    }
    values = dict[str, Any]()

    for key, value in document.values.items():
        try:
            values[key] = readers[key](str(value))  # type: ignore[operator]  # all take a text
        except KeyError:
            names = ", ".join(readers)
            problems.append(f"{document.place(key)} is no option of a fleet: {names} are")
        except ValueError:
            problems.append(f"{document.place(key)} can't be read: {str(value)[:40]!r}")

    try:
        return FleetOptions(**values)
    except ConfigurationError as exc:
        problems.extend(exc.problems)
        return FleetOptions()


def interval(text: str) -> timedelta:
    """
    A time like `90s`, `5m` or `4h`.

    Raises:
        ValueError: It is none.
    """
    found = re.fullmatch(r"([1-9][0-9]{0,6})([smh])", text)
    if found is None:
        raise ValueError(text)

    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def with_connections(url: str, options: FleetOptions) -> str:
    """
    *url*, with as many connections as the workers may need at a time.
    """
    if scheme_of(url) != "postgresql" or "connections=" in url:
        return url

    return f"{url}{'&' if '?' in url else '?'}connections={2 * options.workers + 2}"
