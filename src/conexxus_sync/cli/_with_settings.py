"""
The functions of commands as cyclopts sees them, with an option for each setting.
"""

import re
from collections.abc import Callable, Iterable
from inspect import Parameter as Argument
from inspect import signature
from typing import Annotated, Any

from cyclopts import Group, Parameter

from conexxus_client.settings import Setting

from ._arguments import function_of
from ._command_table import COMMANDS
from ._setting_options import meaning_of, setting_options


SETTINGS_GROUP = Group("Settings", sort_key=8)


def attribute_of(command: str) -> str:
    """
    The name under which this module has *command*.
    """
    return re.sub("[ -]", "_", command)


_BY_ATTRIBUTE = {attribute_of(name): name for name in COMMANDS}


def arguments_of(settings: Iterable[Setting], group: Group) -> list[Argument]:
    """
    An argument for each of *settings*.
    """
    return [
        Argument(
            it.argument,
            Argument.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None,
                Parameter(group=group, help=_help(it)),
            ],
        )
        for it in settings
    ]


def _help(setting: Setting) -> str:
    return f"{meaning_of(setting)} ({setting.variable})."


def with_arguments(function: Callable[..., Any], added: list[Argument]) -> Callable[..., Any]:
    """
    *function* as one that takes the arguments *added*, too.
    """

    def extended(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    found = signature(function)
    extended.__doc__, extended.__name__ = function.__doc__, function.__name__
    extended.__module__ = function.__module__
    parameters = [it for it in found.parameters.values() if it.kind is not it.VAR_KEYWORD]
    extended.__signature__ = found.replace(parameters=[*parameters, *added])  # type: ignore[attr-defined]  # as `inspect` reads it

    return extended


def __getattr__(name: str) -> Callable[..., Any]:
    try:
        command = _BY_ATTRIBUTE[name]
    except KeyError:
        raise AttributeError(name) from None

    function = function_of(COMMANDS[command])

    return with_arguments(function, arguments_of(setting_options(command).values(), SETTINGS_GROUP))
