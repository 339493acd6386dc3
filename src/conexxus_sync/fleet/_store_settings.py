"""
`StoreSettings`: the settings of one store of a fleet, by the keys of the settings file.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeVar

import attrs

from conexxus_client import ApiProfile, ClientConfig, ConfigurationError
from conexxus_client.settings import CONFIG, SETTINGS, Document, Settings, flat
from conexxus_sync.config import SyncConfig
from conexxus_sync.service._named_profile import named_profile, names_profile


T = TypeVar("T")

GROUP = "group"

_SECRETS = {it.key: it.variable for it in SETTINGS if it.is_secret}
_PLACES = {it.variable: it.key for it in SETTINGS}
_VARIABLE = re.compile(r"\b(CONEXXUS_\w+|LOCATION_ID)\b")


@attrs.frozen(kw_only=True)
class WrongStore:
    """
    A store whose settings are wrong; it does not start, and the others do.

    Attributes:
        name: Its location; or its number in the file, where that is not given.
        problems: One sentence each, with line and key.
    """

    name: str
    problems: tuple[str, ...]


@attrs.frozen(kw_only=True)
class StoreSettings:
    """
    One store of a fleet.

    Attributes:
        client: Its back office, and its key.
        sync: What the engines need.
        profile: How its back office speaks.
        names_profile: Whether that was chosen, even if it is the default one.
        credential: Which key it is, by the name of a file or of a variable: those
            with one key share its rate.
        group: Stores that are handled together, like `canary`.
    """

    client: ClientConfig
    sync: SyncConfig
    profile: ApiProfile = attrs.field(factory=ApiProfile)
    names_profile: bool = True
    credential: str = "api.key"
    group: str | None = None

    @property
    def location_id(self) -> str:
        return self.sync.location_id

    @cached_property
    def origin(self) -> str:
        """
        Its back office, by scheme, host and port.
        """
        return self.client.origin

    @classmethod
    def of(
        cls,
        row: Mapping[str, Any],
        defaults: Mapping[str, Any] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
    ) -> "StoreSettings":
        """
        Make it of a row of a table, or of whatever has the keys of a settings file.

        Args:
            row: The store's own values: `{"location": "0042", "api.key_env": "KEY_0042"}`.
            defaults: What holds for all stores, likewise.
            environ: Where the keys are that are given by name; none by default.

        Raises:
            ConfigurationError: Naming all problems at once, without a key.
        """
        name = f"the row of {row.get('location', 'a store')}"

        return read_store(
            Document(name, row), Document("the defaults", defaults or {}), environ or {}
        )


def read_store(
    row: Document, defaults: Document, environ: Mapping[str, str], header: str | None = None
) -> StoreSettings:
    """
    The settings of one store: its own, then the environment's, then the defaults.

    Args:
        header: How messages name the store, where a key is not given.

    Raises:
        ConfigurationError: Naming all problems at once, without a key.
    """
    header = header or row.name
    problems = [*_misplaced(row, defaults, header)]
    group = flat_values(row).get(GROUP, flat_values(defaults).get(GROUP))
    environ = {name: it for name, it in environ.items() if name not in (CONFIG, "LOCATION_ID")}
    parts = [_with_secrets(it, environ, problems) for it in (defaults, row)]
    settings = _collected(
        problems, lambda: Settings.of(environ, framework=parts[0], location=parts[1])
    )

    if settings is None or problems:
        raise ConfigurationError(problems)

    places = {name: f"{key} of {header}" for name, key in _PLACES.items()}
    profile = _collected(problems, lambda: named_profile(settings))
    client = _collected(problems, lambda: ClientConfig.from_env(settings))
    sync = _collected(problems, lambda: SyncConfig.from_env(settings))
    problems += _without_zone(settings)

    if client is None or sync is None or profile is None or problems:
        named = [_VARIABLE.sub(lambda it: places.get(it[0], it[0]), each) for each in problems]
        raise ConfigurationError(list(dict.fromkeys(named)))

    # The zone of the machine is that of no store.
    zone = sync.timezone if settings.get("CONEXXUS_TIMEZONE") else None

    return StoreSettings(
        client=client,
        sync=attrs.evolve(sync, timezone=zone),
        profile=profile,
        names_profile=names_profile(settings),
        credential=f"{_credential(row) or _credential(defaults) or 'CONEXXUS_API_KEY'}",
        group=None if group is None else str(group),
    )


def fleet_problems(stores: tuple[StoreSettings, ...], name: str) -> Iterator[str]:
    """
    Why *stores* can't be one fleet with this name.
    """
    if not stores:
        yield "a fleet needs a store"

    seen = set[str]()
    for it in stores:
        if it.location_id in seen:
            yield f"location {it.location_id} is that of two stores"
        seen.add(it.location_id)
    if name in seen:
        yield f"{name} is a location and the fleet itself: give it another name with fleet.name"

    if len({it.sync.store for it in stores}) > 1:
        yield "all stores of a fleet need one CONEXXUS_STORE: set it once, for all"

    # It keeps a token for one key, and would send it for another.
    keys = dict[int, set[str]]()
    for it in stores:
        if it.profile.auth is not None:
            keys.setdefault(id(it.profile.auth), set()).add(it.credential)
    if any(len(found) > 1 for found in keys.values()):
        yield "an `Auth` of a profile serves one key: name a profile with its own for each key"


def flat_values(document: Document) -> dict[str, Any]:
    """
    The values of *document*, by key.
    """
    return dict(flat(document.values))


def _misplaced(row: Document, defaults: Document, header: str) -> Iterator[str]:
    if "location" in (general := flat_values(defaults)):
        yield f"{defaults.place('location')} belongs to one store: name it there"
    if not (own := flat_values(row)).get("location"):
        yield f"location of {header} is not given"
    for key in ("store", "alert_webhook_file", "alert_webhook_env"):
        if key in own:
            yield f"{row.place(key)} is one for the whole fleet: set it in the defaults"

    for document, values in ((defaults, general), (row, own)):
        for key in _SECRETS.keys() & values.keys():
            yield (
                f"{document.place(key)} is a secret in the clear: name a file with {key}_file, "
                f"or a variable with {key}_env"
            )


def _with_secrets(document: Document, environ: Mapping[str, str], problems: list[str]) -> Document:
    """
    *document*, with the values of the variables that it names.
    """
    values, lines = flat_values(document), dict(document.lines)
    values.pop(GROUP, None)

    for key in _SECRETS:
        name = values.pop(f"{key}_env", None)
        if name is None:
            continue
        # Not what it says: that may be the secret itself.
        if not isinstance(name, str) or not environ.get(name):
            problems.append(f"{document.place(f'{key}_env')} names no variable that is set")
        else:
            values[key] = environ[name]
            lines |= {key: lines[f"{key}_env"]} if f"{key}_env" in lines else {}

    return Document(document.name, values, lines)


def _credential(document: Document) -> str | None:
    values = flat_values(document)
    found = values.get("api.key_env") or values.get("api.key_file")

    return None if found is None else str(found)


def _without_zone(settings: Settings) -> Iterable[str]:
    if settings.get("CONEXXUS_ORDERS") and not settings.get("CONEXXUS_TIMEZONE"):
        yield "CONEXXUS_TIMEZONE is not given, and sales belong to the days of the store's zone"


def _collected(problems: list[str], make: Callable[[], T]) -> T | None:
    try:
        return make()
    except ConfigurationError as exc:
        problems.extend(exc.problems)
        return None
