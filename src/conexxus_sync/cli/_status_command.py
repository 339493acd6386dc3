"""
`conexxus status`.
"""

import attrs

from conexxus_sync.health._health import assess_health
from conexxus_sync.health._overview import read_overview
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.stores import open_store
from conexxus_sync.views.json import status_document

from ._console import write_in_colour, write_json
from ._exit_codes import ExitCode
from ._session import Session
from ._status_page import status_page
from ._store_file import readable
from ._wiring import profile_check


def status(*, session: Session) -> ExitCode:
    """
    Say how catalogue and sales are, and what needs attention.

    It says the same as the page of `conexxus run --serve`, with colour where
    there is a terminal. It asks only the SDK's own state: it works without the
    back office, and while a run is in progress. Exit code 1 if that state
    can't be read.

    ```
    conexxus status
    conexxus status --json | jq .sales
    ```
    """
    config = attrs.evolve(session.checked_config(), store=readable(session).store)
    store = open_store(config.store).at(config.location_id)
    now = SystemClock().now()
    health = assess_health(
        store,
        config,
        missing=session.missing_settings(),
        api=None,
        orders=config.orders is not None,
        watched_since=now,
        now=now,
        profile_check=profile_check(session, config),
    )

    if session.json:
        write_json(status_document(config.location_id, health))
    else:
        overview = read_overview(
            store, config, health=health, running=(), expected=None, calls=(), now=now
        )
        write_in_colour(status_page(overview))

    return ExitCode.FAILED if health.counts is None else ExitCode.SUCCESS
