"""
The global options of one invocation, and the settings that follow from them.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import date as Date  # noqa: N812  # an option is called `date`
from typing import TypeVar
from zoneinfo import ZoneInfo

import attrs

from conexxus_client import ApiProfile, ClientConfig, ConfigurationError
from conexxus_client.settings import Document, Settings
from conexxus_sync.config import SyncConfig, day, disabling_settings, missing_settings
from conexxus_sync.service._host_objects import host_object
from conexxus_sync.service._named_profile import named_profile, names_profile

from ._arguments import Format


T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Session:
    """
    One invocation of the command line.

    Attributes:
        create_store: Whether a command that changes the store may create it.
        given: What options say of settings, by variable.
        json: Stdout is for programs.
        environ: Where the other settings come from.
        framework: Likewise, what the settings of the host's framework say.
        cleanup: Closed when the command has ended.
    """

    create_store: bool = False
    given: Mapping[str, str] = attrs.field(factory=dict)
    json: bool = False
    log_format: Format | None = None
    environ: Mapping[str, str] = attrs.field(factory=lambda: dict(os.environ), repr=False)
    framework: Document | None = attrs.field(default=None, repr=False)
    cleanup: ExitStack = attrs.field(factory=ExitStack, repr=False, eq=False)

    def settings(self) -> Settings:
        """
        The settings of the options, the environment, the file and the framework.

        Raises:
            ConfigurationError: A name is unknown, or the file can't be read.
        """
        return Settings.of(self.environ, self.given, self.framework)

    def sync_config(self) -> SyncConfig:
        """
        What the engines need; nothing about the back office.

        Raises:
            ConfigurationError: Naming all problems at once.
        """
        return SyncConfig.from_env(self.settings())

    def zone(self) -> ZoneInfo | None:
        """
        The store's zone; None, the system's, if the settings are wrong.
        """
        config = collected([], self.sync_config)

        return None if config is None else config.timezone

    def pull_configs(self, also: Iterable[str] = ()) -> tuple[ClientConfig | None, SyncConfig]:
        """
        As `configs`, but without a client where the catalogue comes from files.

        Raises:
            ConfigurationError: Naming all problems at once.
        """
        if self.settings().get("CONEXXUS_CATALOG_SOURCE"):
            return None, self.checked_config(also)

        return self.configs(also)

    def configs(self, also: Iterable[str] = ()) -> tuple[ClientConfig, SyncConfig]:
        """
        Both halves of the configuration.

        Args:
            also: Problems that the caller has found, reported with the others.

        Raises:
            ConfigurationError: Naming all problems at once.
        """
        problems = list(also)
        client = collected(problems, lambda: ClientConfig.from_env(self.settings()))
        sync = collected(problems, lambda: SyncConfig.from_env(self.settings()))

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

    def host_object(self, make: Callable[[SyncConfig], T]) -> T | None:
        """
        What *make* makes of the settings; None if these are wrong, which
        `configs` reports in its order.

        Raises:
            ConfigurationError: It can't be made; options are named as they were given.
        """
        config = collected([], self.sync_config)

        return None if config is None else host_object(self.settings(), config, make)

    def missing_settings(self) -> tuple[str, ...]:
        """
        Why there is nothing to do without a back office, one sentence each.
        """
        return tuple(disabling_settings(self.settings()))

    def api_profile(self) -> ApiProfile:
        """
        How the back office speaks.

        Raises:
            ConfigurationError: What was named is no profile.
        """
        return named_profile(self.settings())

    @property
    def names_profile(self) -> bool:
        """
        Was a profile chosen, even if it is the default one?
        """
        return names_profile(self.settings())

    def client_config(self) -> ClientConfig | None:
        """
        Where the back office is; None if that is not configured.

        Raises:
            ConfigurationError: It is configured wrongly.
        """
        missing = missing_settings(self.settings())

        return None if missing else ClientConfig.from_env(self.settings())


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
