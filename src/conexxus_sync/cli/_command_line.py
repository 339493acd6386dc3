"""
All commands, the options that they share, and their exit codes.
"""

import sys
from contextlib import nullcontext
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Group, Parameter

from conexxus_client import ConexxusError, __version__

from ._console import use_utf8, write_error, write_json
from ._demo_command import demo
from ._doctor_command import doctor
from ._exit_codes import ExitCode, code_of_error, error_document
from ._listing_commands import items, runs
from ._logs import Format, configure
from ._outbox_commands import (
    outbox_accept_discrepancy,
    outbox_list,
    outbox_resend,
    outbox_resolve,
    outbox_show,
)
from ._outbox_dates_command import outbox_dates
from ._profile_commands import profile_change, profile_show
from ._pull_command import pull
from ._push_command import push
from ._quarantine_commands import (
    quarantine_dismiss,
    quarantine_list,
    quarantine_replay,
    quarantine_show,
)
from ._run_command import run as run_scheduler
from ._sandbox_command import sandbox
from ._session import Session
from ._signals import StoppedError, stop_at_once
from ._status_command import status
from ._why_command import why


HELP = """
Keep a shop's catalogue and sales in step with a Conexxus-style back office.

Start with `conexxus demo`; then `conexxus doctor` checks your own settings.
"""

app = App(
    name="conexxus",
    help=HELP,
    version=f"conexxus-sdk {__version__}",
    help_format="markdown",
)
quarantine = App(name="quarantine", help="What was set aside, and why.")
quarantine.command(quarantine_list, name="list")
quarantine.command(quarantine_show, name="show")
quarantine.command(quarantine_replay, name="replay")
quarantine.command(quarantine_dismiss, name="dismiss")
outbox = App(name="outbox", help="Batches of sales, and what to do about them.")
outbox.command(outbox_dates, name="dates")
outbox.command(outbox_list, name="list")
outbox.command(outbox_show, name="show")
outbox.command(outbox_resend, name="resend")
outbox.command(outbox_resolve, name="resolve")
outbox.command(outbox_accept_discrepancy, name="accept-discrepancy")
profiles = App(name="profile", help="With which profile of the back office sales are pushed.")
profiles.command(profile_show, name="show")
profiles.command(profile_change, name="change")

for command, name in (
    (demo, "demo"),
    (sandbox, "sandbox"),
    (pull, "pull"),
    (push, "push"),
    (run_scheduler, "run"),
    (status, "status"),
    (runs, "runs"),
    (items, "items"),
    (why, "why"),
    (doctor, "doctor"),
):
    app.command(command, name=name)

app.command(quarantine)
app.command(outbox)
app.command(profiles)

# These handle signals themselves: they have something to finish first.
_LASTING = {run_scheduler, sandbox}

_WHEN_STOPPED = {
    pull: "stopped. Nothing is lost: the next pull starts afresh.",
    push: "stopped. Nothing is lost: the next push goes on with what was not acknowledged.",
    run_scheduler: "stopped. Nothing is lost: the next pull starts afresh, the next push goes on.",
}


EVERYWHERE = Group("Options of every command", sort_key=9)


@app.meta.default
def _with_globals(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    store: Annotated[str | None, Parameter(group=EVERYWHERE)] = None,
    location: Annotated[str | None, Parameter(group=EVERYWHERE)] = None,
    timezone: Annotated[str | None, Parameter(group=EVERYWHERE)] = None,
    profile: Annotated[str | None, Parameter(group=EVERYWHERE)] = None,
    create_store: Annotated[
        bool, Parameter(negative="", show_default=False, group=EVERYWHERE)
    ] = False,
    json: Annotated[bool, Parameter(negative="", show_default=False, group=EVERYWHERE)] = False,
    log_format: Annotated[Format | None, Parameter(group=EVERYWHERE)] = None,
) -> int:
    """
    Args:
        store: Where the SDK keeps its own state (CONEXXUS_STORE).
        location: The store's id in the back office (LOCATION_ID).
        timezone: The store's time zone, like America/New_York (CONEXXUS_TIMEZONE).
        profile: How the back office speaks, as module:object, or default (CONEXXUS_PROFILE).
        create_store: Create the store if there is none, where a command changes what is in it.
        json: Write JSON for programs to stdout.
        log_format: Of the log on stderr; json where stderr is no terminal.
    """
    command, bound, ignored = app.parse_args(tokens, exit_on_error=False, print_error=False)
    terminal = sys.stderr.isatty()
    # A command tells its outcome on stdout; on a terminal, twice is too much.
    quiet = terminal and log_format is None and command not in _LASTING
    configure(log_format or ("text" if terminal else "json"), runs=not quiet)
    if json:
        use_utf8()
    session = Session(
        store=store,
        location=location,
        timezone=timezone,
        profile=profile,
        create_store=create_store,
        json=json,
        log_format=log_format,
    )

    return _call(command, bound, session if "session" in ignored else None)


def _call(command: Any, bound: Any, session: Session | None) -> int:
    given = {} if session is None else {"session": session}

    try:
        with (
            nullcontext() if command in _LASTING else stop_at_once(),
            nullcontext() if session is None else session.cleanup,
        ):
            code = command(*bound.args, **bound.kwargs, **given)
    except StoppedError:
        write_error(_WHEN_STOPPED.get(command, "stopped."))
        raise

    return int(code or 0)


def run(arguments: list[str]) -> int:
    """
    Run one command and turn whatever ends it into an exit code.
    """
    try:
        result = app.meta(
            arguments, exit_on_error=False, print_error=False, result_action="return_value"
        )
    except CycloptsError as exc:
        write_error(str(exc), "Try --help.")
        _write_error_document({"error": str(exc), "problems": [str(exc)]}, arguments)
        return ExitCode.USAGE
    except ConexxusError as exc:
        document = error_document(exc)
        write_error(*document.get("problems", [str(exc)]))
        _write_error_document(document, arguments)
        return code_of_error(exc)
    except StoppedError as exc:
        return exc.exit_code

    return int(result or 0)


def _write_error_document(document: dict[str, Any], arguments: list[str]) -> None:
    """
    With `--json`, whoever reads stdout gets a document, also of an error.
    """
    command = next((word for word in arguments if word in app), None)

    # Stdout of `items` is items, one a line, and of an error none.
    if "--json" in arguments and command != "items":
        use_utf8()
        write_json(document)
