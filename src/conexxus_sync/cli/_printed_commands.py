"""
Completes the commands in what is printed, so that each works as it is printed.
"""

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from shlex import quote

from conexxus_client import ConfigurationError
from conexxus_client.settings import CONFIG, Settings
from conexxus_sync.model.formatting import PLACEHOLDERS, without_placeholder

from ._arguments import settings_of
from ._command_table import COMMANDS


_COMMAND = re.compile(r"(?<![\w/.-])conexxus ([a-z]+(?: [a-z-]+)?)([^`\n]*)")
# What the options of the command at work say of settings.
_given: dict[str, str] = {}


def complete_with(given: Mapping[str, str]) -> None:
    """
    From now on, printed commands have the options that were *given*, as far as
    they take them, by variable.
    """
    _given.clear()
    _given.update(given)
    _is_set.cache_clear()


def completed(text: str) -> str:
    """
    *text*, whose commands have the options that they need here, and none that a
    setting makes unnecessary.
    """
    return _COMMAND.sub(_complete, text) if "conexxus " in text else text


def _complete(found: re.Match[str]) -> str:
    words, rest = found.groups()
    name = words if words in COMMANDS else words.partition(" ")[0]

    if name not in COMMANDS:
        return found[0]

    rest = words.removeprefix(name) + rest
    for variable in PLACEHOLDERS:
        if variable in _given or _is_set(variable):
            rest = without_placeholder(rest, variable)

    return f"conexxus {name}{''.join(_options(name, rest))}{rest}"


def _options(command: str, rest: str) -> Iterator[str]:
    options = {it.variable: it.option for it in settings_of(command).values()} | {
        CONFIG: "--config"
    }

    for variable, text in _given.items():
        option = options.get(variable)
        if option is not None and f"{option} " not in rest:
            yield f" {option} {quote(text)}"


@cache
def _is_set(variable: str) -> bool:
    try:
        return bool(Settings.of(os.environ, _given).get(variable))
    except ConfigurationError:
        # The command says so.
        return False
