"""
The global options of one invocation, and the settings that follow from them.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import date as Date  # noqa: N812  # an option is called `date`
from typing import TypeVar

import attrs

from conexxus_client import ApiProfile, ClientConfig, ConfigurationError
from conexxus_sync.config import SyncConfig, day, missing_settings
from conexxus_sync.service._named_profile import load_profile

from ._arguments import Format


T = TypeVar("T")

_VARIABLES = {
    "store": "CONEXXUS_STORE",
    "location": "LOCATION_ID",
    "timezone": "CONEXXUS_TIMEZONE",
    "profile": "CONEXXUS_PROFILE",
}


@attrs.frozen(kw_only=True)
class Session:
    """
    One invocation of the command line.

    Attributes:
        store: As given on the command line, else None; likewise `location`,
            `timezone` and `profile`: they go before the environment.
        create_store: Whether a command that changes the store may create it.
        given: What the options of the command say of other settings, by variable.
        json: Stdout is for programs.
        environ: Where the other settings come from.
        cleanup: Closed when the command has ended.
    """

    store: str | None = None
    location: str | None = None
    timezone: str | None = None
    profile: str | None = None
    create_store: bool = False
    given: Mapping[str, str] = attrs.field(factory=dict)
    json: bool = False
    log_format: Format | None = None
    environ: Mapping[str, str] = attrs.field(factory=lambda: dict(os.environ), repr=False)
    cleanup: ExitStack = attrs.field(factory=ExitStack, repr=False, eq=False)

    def having(self, **options: str | None) -> "Session":
        """
        The session of a command with options for settings, by their names
        without `CONEXXUS_`; None if they were not given.
        """
        given = {f"CONEXXUS_{name.upper()}": it for name, it in options.items() if it is not None}

        return attrs.evolve(self, given=given)

    def settings(self) -> Mapping[str, str]:
        """
        The environment with the options laid over it.
        """
        given = {variable: getattr(self, option) for option, variable in _VARIABLES.items()}
        named = {name: text for name, text in given.items() if text is not None}

        return {**self.environ, **named, **self.given}

    def sync_config(self) -> SyncConfig:
        """
        What the engines need; nothing about the back office.

        Raises:
            ConfigurationError: Naming all problems at once.
        """
        return self._read(SyncConfig.from_env)

    def configs(self, also: Iterable[str] = ()) -> tuple[ClientConfig, SyncConfig]:
        """
        Both halves of the configuration.

        Args:
            also: Problems that the caller has found, told with the others.

        Raises:
            ConfigurationError: Naming all problems at once.
        """
        problems = list(also)
        client = collected(problems, lambda: self._read(ClientConfig.from_env))
        sync = collected(problems, lambda: self._read(SyncConfig.from_env))

        if client is None or sync is None or problems:
            raise ConfigurationError(list(dict.fromkeys(problems)))

        return client, sync

    def checked_config(self, also: Iterable[str] = ()) -> SyncConfig:
        """
        What the engines need, once the rest of the settings was looked at as
        well; URL and key may be missing.

        Args:
            also: As for `configs`.

        Raises:
            ConfigurationError: Naming all problems at once.
        """
        problems = list(also)
        collected(problems, self.api_profile)
        collected(problems, self.client_config)
        config = collected(problems, self.sync_config)

        if config is None or problems:
            raise ConfigurationError(list(dict.fromkeys(problems)))

        return config

    def missing_settings(self) -> tuple[str, ...]:
        """
        Why there is no back office, one sentence each.
        """
        return tuple(missing_settings(self.settings()))

    def api_profile(self) -> ApiProfile:
        """
        How the back office speaks.

        Raises:
            ConfigurationError: What was named is no profile.
        """
        return self._read(lambda settings: load_profile(settings.get("CONEXXUS_PROFILE") or None))

    @property
    def names_profile(self) -> bool:
        """
        Was a profile chosen, even if it is the default one?
        """
        return bool(self.settings().get("CONEXXUS_PROFILE"))

    def client_config(self) -> ClientConfig | None:
        """
        Where the back office is; None if that is not configured.

        Raises:
            ConfigurationError: It is configured wrongly.
        """
        return None if self.missing_settings() else self._read(ClientConfig.from_env)

    def _read(self, from_env: Callable[[Mapping[str, str]], T]) -> T:
        try:
            return from_env(self.settings())
        except ConfigurationError as exc:
            raise ConfigurationError([self._in_options(text) for text in exc.problems]) from None

    def _in_options(self, problem: str) -> str:
        """
        Name the option where the value came from one.
        """
        for option, variable in _VARIABLES.items():
            if getattr(self, option) is not None:
                problem = problem.replace(variable, f"--{option}")

        for variable in self.given:
            option = variable.removeprefix("CONEXXUS_").lower().replace("_", "-")
            problem = problem.replace(variable, f"--{option}")

        return problem


def collected(problems: list[str], make: Callable[[], T]) -> T | None:
    """
    What *make* makes; None if it can't, with its problems added to *problems*.
    """
    try:
        return make()
    except ConfigurationError as exc:
        problems.extend(exc.problems)
        return None


def given_day(text: str | None) -> Date | None:
    """
    What `--date` says.

    Raises:
        ConfigurationError: It is no date.
    """
    try:
        return None if text is None else day(text)
    except ValueError as exc:
        raise ConfigurationError([f"--date {exc}"]) from exc
