"""
The arguments of one invocation; plain ones are read without cyclopts.

cyclopts takes longer to import than most commands take to run. It reads all
arguments that are not plain, and reads plain ones in the same way.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from inspect import signature
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from conexxus_client.settings import CONFIG, Setting

from ._command_table import COMMANDS, Command
from ._setting_options import EVERYWHERE, setting_options


Format = Literal["text", "json"]

# Whether an option of this type is followed by a text; other types are not plain.
_TAKES_TEXT: Mapping[Any, bool] = {bool: False, str: True, str | None: True}


class Options(NamedTuple):
    """
    The options of every command, as given.
    """

    config: str | None = None
    create_store: bool = False
    json: bool = False
    log_format: Format | None = None


class Invocation(NamedTuple):
    """
    A command, and what it is called with.

    Attributes:
        settings: What options say of settings, by variable.
    """

    command: Command
    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    options: Options
    settings: Mapping[str, str]


class UsageError(Exception):
    """
    The arguments are not those of a command.
    """


def function_of(command: Command) -> Callable[..., Any]:
    """
    Import *command*.
    """
    module, _, name = command.place.partition(":")
    function: Callable[..., Any] = getattr(import_module(f"{__package__}.{module}"), name)

    return function


def plain_invocation(arguments: Sequence[str]) -> Invocation | None:
    """
    The invocation that *arguments* describe; None if they are not plain.

    Plain are options that are written in full and once, each text separate
    from its option and without a hyphen in front.
    """
    name = _command_name(arguments)

    if name is None:
        return None

    function = function_of(COMMANDS[name])
    settings = settings_of(name)
    options = _everywhere() | _named(settings) | _options_of(function)
    given = _given(arguments, options)

    if given is None:
        return None

    everywhere = {field: given.pop(field) for field in Options._fields if field in given}
    texts = {it.variable: given.pop(name) for name, it in settings.items() if name in given}
    values = _bound(function, _words(arguments, options)[name.count(" ") + 1 :], given)

    if values is None:
        return None

    return invocation_of(name, values, Options(**everywhere), texts)


def settings_of(command: str) -> Mapping[str, Setting]:
    """
    The settings for which *command* has an option, by argument.
    """
    return {**EVERYWHERE, **setting_options(command)}


def invocation_of(
    command: str, arguments: Mapping[str, Any], options: Options, settings: Mapping[str, str]
) -> Invocation:
    """
    An invocation of *command*.
    """
    file = {} if options.config is None else {CONFIG: options.config}
    found = COMMANDS[command]

    return Invocation(found, function_of(found), arguments, options, {**settings, **file})


def _command_name(arguments: Sequence[str]) -> str | None:
    """
    The command, if no options but those of every command stand before it.
    """
    everywhere = _everywhere()
    words = list[str]()

    for before, word in pairwise(["", *arguments]):
        if word[:1] == "-":
            if word not in everywhere:
                return None
        elif not everywhere.get(before):
            words.append(word)
            if (name := " ".join(words)) in COMMANDS:
                return name

    return None


def _everywhere() -> dict[str, bool]:
    return _options_of(Options) | _named(EVERYWHERE)


def _named(settings: Mapping[str, Setting]) -> dict[str, bool]:
    return {it.option: True for it in settings.values()}


def _options_of(function: Callable[..., Any]) -> dict[str, bool]:
    """
    The plain options, each with whether a text follows.
    """
    return {
        f"--{name.replace('_', '-')}": _TAKES_TEXT[it.annotation]
        for name, it in signature(function).parameters.items()
        if it.annotation in _TAKES_TEXT
    }


def _words(arguments: Sequence[str], options: Mapping[str, bool]) -> list[str]:
    """
    What is neither an option nor its text.
    """
    pairs = pairwise(["", *arguments])

    return [word for before, word in pairs if word[:1] != "-" and not options.get(before)]


def _given(arguments: Sequence[str], options: Mapping[str, bool]) -> dict[str, Any] | None:
    """
    The values of the options, by the names of their parameters.
    """
    given = dict[str, Any]()

    for word, after in pairwise([*arguments, "-"]):
        if word[:1] != "-":
            continue
        name = word[2:].replace("-", "_")
        if word not in options or name in given or (options[word] and after[:1] == "-"):
            return None
        given[name] = after if options[word] else True

    return given


def _bound(
    function: Callable[..., Any], words: Sequence[str], given: Mapping[str, Any]
) -> dict[str, Any] | None:
    """
    The arguments of *function*, if they are complete.
    """
    parameters = signature(function).parameters
    positional = [name for name, it in parameters.items() if it.kind is it.POSITIONAL_OR_KEYWORD]
    values = {**dict(zip(positional, words, strict=False)), **given}
    required = {name for name, it in parameters.items() if it.default is it.empty} - {"session"}
    is_complete = required <= values.keys() and len(words) <= len(positional)

    return values if is_complete and len(values) == len(words) + len(given) else None
