"""
Reads all arguments with cyclopts, and shows the help of a command.
"""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Group, Parameter

from conexxus_client import __version__

from ._arguments import Format, Invocation, Options, UsageError, invocation_of, settings_of
from ._command_table import COMMANDS, GROUPS
from ._setting_options import EVERYWHERE
from ._with_settings import arguments_of, attribute_of, with_arguments


HELP = """
Keep a shop's catalogue and sales in step with a Conexxus-style back office.

Start with `conexxus demo`; then `conexxus doctor` checks your own settings.
"""

# The parameter `session` is filled in by the application.  What is off by
# default needs neither a default in the help nor an option that switches it off.
_PARAMETERS = Parameter(
    parse=re.compile("^(?!session$)"),
    negative_bool=(),
    show_default=lambda value: None if value in (None, False) else str(value) or '""',
)

EVERYWHERE_GROUP = Group("Options of every command", sort_key=9)

app = App(
    name="conexxus",
    help=HELP,
    version=f"conexxus-sdk {__version__}",
    help_format="markdown",
    default_parameter=_PARAMETERS,
)
groups = {name: App(name=name, help=summary) for name, summary in GROUPS.items()}

for group in groups.values():
    app.command(group)

for name in COMMANDS:
    of, _, last = name.rpartition(" ")
    groups.get(of, app).command(f"{__package__}._with_settings:{attribute_of(name)}", name=last)


def _with_globals(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    config: Annotated[str | None, Parameter(group=EVERYWHERE_GROUP)] = None,
    create_store: Annotated[bool, Parameter(group=EVERYWHERE_GROUP)] = False,
    json: Annotated[bool, Parameter(group=EVERYWHERE_GROUP)] = False,
    log_format: Annotated[Format | None, Parameter(group=EVERYWHERE_GROUP)] = None,
    **everywhere: str | None,
) -> Invocation | None:
    """
    Args:
        config: A TOML file with settings (CONEXXUS_CONFIG).
        create_store: Create the store if there is none, where a command changes what is in it.
        json: Write JSON for programs to stdout.
        log_format: Of the log on stderr; json where stderr is no terminal.
    """
    function, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
    command = _command_of(function)

    if command is None:
        # It shows help or version.
        function(*bound.args, **bound.kwargs)
        return None

    options = Options(config, create_store, json, log_format)
    given = {**everywhere, **bound.arguments}
    settings = {
        it.variable: text
        for name, it in settings_of(command).items()
        if (text := given.pop(name, None)) is not None
    }

    return invocation_of(command, given, options, settings)


app.meta.default(with_arguments(_with_globals, arguments_of(EVERYWHERE.values(), EVERYWHERE_GROUP)))


def _command_of(function: Callable[..., Any]) -> str | None:
    place = f"{function.__module__.removeprefix(f'{__package__}.')}:{function.__name__}"

    return next((name for name, command in COMMANDS.items() if command.place == place), None)


def invocation(arguments: Sequence[str]) -> Invocation | None:
    """
    The invocation that *arguments* describe; None if they asked for help, which is shown.

    Raises:
        UsageError: They are not those of a command.
    """
    for listed in _listed(arguments):
        # A list of commands shows what each says of itself.
        listed.resolved_commands()

    try:
        found: Invocation | None = app.meta(
            arguments, exit_on_error=False, print_error=False, result_action="return_value"
        )
    except CycloptsError as exc:
        raise UsageError(str(exc)) from exc

    return found


def _listed(arguments: Sequence[str]) -> list[App]:
    """
    The groups of commands whose lists may be asked for.
    """
    named = [groups[word] for word in arguments if word in groups]

    is_command = not COMMANDS.keys().isdisjoint(arguments)

    return named or ([] if is_command else [app])
