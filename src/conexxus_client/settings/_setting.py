"""
One setting, and its names in code, environment, file and command line.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Literal

import attrs


Owner = Literal["client", "profile", "sync"]
Concern = Literal["every", "call", "pull", "push", "host", "orders", "run"]


@attrs.frozen
class Setting:
    """
    One setting, and its names.

    Attributes:
        key: In the settings file; `guards.gone` is `gone` of the table `guards`.
        owner: `ClientConfig`, `ApiProfile` or `SyncConfig`, whose argument it is.
        field: The name of the argument; `guards.max_gone` is one of `guards`.
        read: Makes the value of a text, or raises a `ValueError`.
        default: As a text; None if there is none.
        meaning: For the reference and for the help of commands.
        concern: The commands that have an option for it: every one, or those
            that call the back office, pull, push, hand over to the host, read
            sales, or serve.
        is_secret: It has no option and is never shown.
        is_required: There is no back office without it.
    """

    key: str
    owner: Owner
    field: str
    read: Callable[[str], Any]
    default: str | None
    meaning: str
    concern: Concern = attrs.field(kw_only=True)
    is_secret: bool = attrs.field(default=False, kw_only=True)
    is_required: bool = attrs.field(default=False, kw_only=True)

    @cached_property
    def variable(self) -> str:
        """
        The environment variable.
        """
        if self.key == "location":
            return "LOCATION_ID"

        return f"CONEXXUS_{self.key.replace('.', '_').upper()}"

    @property
    def argument(self) -> str:
        """
        The option of commands, as a Python name: `guards_gone`.
        """
        return self.key.replace(".", "_")

    @property
    def option(self) -> str:
        """
        The option of commands: `--guards-gone`.
        """
        return f"--{self.argument.replace('_', '-')}"


def client_setting(key: str, field: str, *row: Any, **more: Any) -> Setting:
    """
    A field of `ClientConfig`.
    """
    return Setting(key, "client", field, *row, concern="call", **more)


def profile_setting(key: str, *row: Any, field: str = "") -> Setting:
    """
    A field of `ApiProfile`.
    """
    return Setting(f"api.{key}", "profile", field or key, *row, concern="call")


def sync_setting(concern: Concern, key: str, *row: Any, field: str = "", **more: Any) -> Setting:
    """
    A field of `SyncConfig`.
    """
    return Setting(key, "sync", field or key, *row, concern=concern, **more)
