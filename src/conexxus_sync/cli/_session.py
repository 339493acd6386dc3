"""
What every command has at hand: the global options and what follows from them.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, TypeVar

import attrs
from cyclopts import Parameter

from conexxus_client import ClientConfig, ConfigurationError
from conexxus_sync.config import SyncConfig

from ._logs import Format


T = TypeVar("T")

_VARIABLES = {
    "store": "CONEXXUS_STORE",
    "location": "LOCATION_ID",
    "timezone": "CONEXXUS_TIMEZONE",
}


@attrs.frozen(kw_only=True)
class Session:
    """
    One invocation of the command line.

    Attributes:
        store: As given on the command line, else None; likewise `location`
            and `timezone`: they go before the environment.
        json: Stdout is for programs.
        environ: Where the other settings come from.
    """

    store: str | None = None
    location: str | None = None
    timezone: str | None = None
    json: bool = False
    log_format: Format | None = None
    environ: Mapping[str, str] = attrs.field(factory=lambda: dict(os.environ), repr=False)

    def settings(self) -> Mapping[str, str]:
        """
        The environment with the options laid over it.
        """
        given = {variable: getattr(self, option) for option, variable in _VARIABLES.items()}

        return {**self.environ, **{name: text for name, text in given.items() if text is not None}}

    def sync_config(self) -> SyncConfig:
        """
        What the engines need; nothing about the back office.

        Raises:
            ConfigurationError: Naming all problems at once.
        """
        config, problems = self._read(SyncConfig.from_env)

        if config is None:
            raise ConfigurationError(problems)

        return config

    def configs(self, also: Iterable[str] = ()) -> tuple[ClientConfig, SyncConfig]:
        """
        Both halves of the configuration.

        Args:
            also: Problems that the caller has found, told with the others.

        Raises:
            ConfigurationError: Naming all problems at once.
        """
        client, client_problems = self._read(ClientConfig.from_env)
        sync, sync_problems = self._read(SyncConfig.from_env)
        problems = list(dict.fromkeys([*also, *client_problems, *sync_problems]))

        if client is None or sync is None or problems:
            raise ConfigurationError(problems)

        return client, sync

    def _read(self, from_env: Callable[[Mapping[str, str]], T]) -> tuple[T | None, list[str]]:
        try:
            return from_env(self.settings()), []
        except ConfigurationError as exc:
            return None, [self._in_options(problem) for problem in exc.problems]

    def _in_options(self, problem: str) -> str:
        """
        Name the option where the value came from one.
        """
        for option, variable in _VARIABLES.items():
            if getattr(self, option) is not None:
                problem = problem.replace(variable, f"--{option}")

        return problem


Given = Annotated[Session, Parameter(parse=False)]
