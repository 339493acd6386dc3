"""
Completes the commands in what is printed, so that each works as it is printed.
"""

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from shlex import quote

import attrs

from conexxus_client import ConfigurationError
from conexxus_client.settings import CONFIG, Document, Settings
from conexxus_sync.model.formatting import PLACEHOLDERS, without_placeholder

from ._arguments import settings_of
from ._command_table import COMMANDS


PROGRAM = "conexxus"


@attrs.frozen
class _CommandAtWork:
    """
    What its options say of settings, what the host's framework says, and how it is called.
    """

    given: Mapping[str, str] = attrs.field(factory=dict)
    framework: Document | None = None
    program: str = PROGRAM
    pattern: re.Pattern[str] = attrs.field(init=False)

    @pattern.default
    def _pattern(self) -> re.Pattern[str]:
        before = re.escape(self.program.removesuffix(PROGRAM))
        return re.compile(
            rf"(?<![\w/.-])(?:{before})?{PROGRAM} ([a-z][a-z-]*(?: [a-z-]+)?)([^`\n]*)"
        )


_at_work = _CommandAtWork()


def complete_with(
    given: Mapping[str, str], *, framework: Document | None = None, program: str = PROGRAM
) -> None:
    """
    From now on, printed commands are those of *program*, and have the options that
    were *given*, as far as they take them, by variable.
    """
    global _at_work
    _at_work = _CommandAtWork(dict(given), framework, program)
    _is_set.cache_clear()


def completed(text: str) -> str:
    """
    *text*, whose commands have the options that they need here, and none that a
    setting makes unnecessary.
    """
    return _at_work.pattern.sub(_complete, text) if f"{PROGRAM} " in text else text


def _complete(found: re.Match[str]) -> str:
    words, rest = found.groups()
    name = words if words in COMMANDS else words.partition(" ")[0]

    if name not in COMMANDS:
        return found[0]

    rest = words.removeprefix(name) + rest
    for variable in PLACEHOLDERS:
        if variable in _at_work.given or _is_set(variable):
            rest = without_placeholder(rest, variable)

    return f"{_at_work.program} {name}{''.join(_options(name, rest))}{rest}"


def _options(command: str, rest: str) -> Iterator[str]:
    options = {it.variable: it.option for it in settings_of(command).values()} | {
        CONFIG: "--config"
    }

    for variable, text in _at_work.given.items():
        option = options.get(variable)
        if option is not None and f"{option} " not in rest:
            yield f" {option} {quote(text)}"


@cache
def _is_set(variable: str) -> bool:
    try:
        return bool(Settings.of(os.environ, _at_work.given, _at_work.framework).get(variable))
    except ConfigurationError:
        # The command says so.
        return False
