"""
`conexxus profile show` and `change`: with which profile a location's sales are pushed.
"""

import sys
from collections.abc import Iterator

from conexxus_client import ConfigurationError
from conexxus_sync.model.delivery_profile import DeliveryProfile
from conexxus_sync.model.sales import OutboxError
from conexxus_sync.model.text_folding import table
from conexxus_sync.views.run_document import Document

from ._console import asked, screen_width, write_json, write_lines
from ._exit_codes import ExitCode
from ._operator import outbox_operator
from ._run_text import counted
from ._session import Session
from ._store_file import changeable, opened


def profile_show(*, session: Session) -> ExitCode:
    """
    Show the profile that the store keeps, and the one that is given.

    The first push keeps the profile with which it sends. Another one is
    refused by everything that sends: sales could be doubled or replaced.

    ```
    conexxus profile show
    conexxus profile show --profile my_shop.conexxus:profile --json
    ```
    """
    config, store = opened(session)
    operator = outbox_operator(session, config)

    with store.read() as state:
        kept = state.sales_profiles.kept()

    given = operator.profile_check.given

    if session.json:
        write_json(_document(store.location, kept, given))
    else:
        write_lines(_shown(store.location, kept, given))

    return ExitCode.SUCCESS


def profile_change(*, yes: bool = False, session: Session) -> ExitCode:
    """
    Keep another profile, because the back office changed.

    Name it with --profile, and its address in CONEXXUS_API_URL. Refused while
    it is unknown whether a batch arrived. What waits and was never sent is
    frozen anew if the new profile replaces days and the old one did not, or
    the other way round, and if ids are recognised from now on.

    ```
    conexxus profile change --profile my_shop.conexxus:profile
    conexxus profile change --profile default --yes
    ```

    Args:
        yes: Do not ask.
    """
    if not session.names_profile:
        problem = "profile change needs the new profile: --profile module:object, or default"
        raise ConfigurationError([problem])
    if session.client_config() is None:
        problem = "profile change needs CONEXXUS_API_URL and CONEXXUS_API_KEY of the back office"
        raise ConfigurationError([problem])

    config, store = changeable(session)
    operator = outbox_operator(session, config)

    with store.read() as state:
        kept = state.sales_profiles.kept()

    given = operator.profile_check.given
    # The rows go to stderr: stdout is for what was done.
    _confirm(_shown(store.location, kept, given), yes=yes)
    try:
        again = operator.change_profile()
    except OutboxError as exc:
        raise ConfigurationError([str(exc)]) from exc

    if session.json:
        write_json(_document(store.location, given, given))
    else:
        write_lines([f"Location {store.location} is pushed with this profile from now on."])
        if again:
            write_lines([f"{counted(again, 'batch', 'batches')} not sent yet is frozen anew."])

    return ExitCode.SUCCESS


def _confirm(shown: Iterator[str], *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        problem = "profile change asks at a terminal: say --yes where there is none"
        raise ConfigurationError([problem])
    if not asked([*shown, "Push with the given profile from now on?"]):
        raise ConfigurationError(["profile change was not confirmed: nothing was changed"])


def _shown(location_id: str, kept: DeliveryProfile | None, given: DeliveryProfile) -> Iterator[str]:
    if kept is None:
        yield f"No profile is kept for location {location_id}: the first push keeps its own."

    parts = {**(kept.parts if kept else {}), **given.parts}
    differing = {one.part for one in kept.differences(given)} if kept else set()
    rows = [
        (
            name,
            kept.parts.get(name, "-") if kept else "-",
            given.parts.get(name, "-"),
            "differs" if name in differing else "",
        )
        for name in parts
    ]
    yield from table(("part", "kept", "given", ""), rows, width=screen_width())


class Profiles(Document, frozen=True):
    """
    Which profile a location keeps, which one is given, and where they differ.
    """

    location_id: str
    kept: dict[str, str] | None
    given: dict[str, str]
    differs: list[str]


def _document(location_id: str, kept: DeliveryProfile | None, given: DeliveryProfile) -> Profiles:
    return Profiles(
        location_id=location_id,
        kept=None if kept is None else dict(kept.parts),
        given=dict(given.parts),
        differs=[one.part for one in kept.differences(given)] if kept else [],
    )
