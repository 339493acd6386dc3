"""
`conexxus conformance`: whether a back office keeps the wire contract.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

import attrs

from conexxus_client import ClientConfig, ConexxusClient, ConexxusError, ConfigurationError, Item
from conexxus_client.config import Secret
from conexxus_client.conformance import RuleOutcome, RuleResult, check_reading, check_writing

from ._console import asked, progress, write_json, write_lines
from ._exit_codes import ExitCode
from ._session import Session


_MARKS = {RuleOutcome.KEPT: "✓", RuleOutcome.BROKEN: "✗", RuleOutcome.NOT_OFFERED: "-"}


def conformance(
    url: str | None = None, *, write: bool = False, yes: bool = False, session: Session
) -> ExitCode:
    """
    Examine whether a back office keeps the wire contract, in sentences for the
    people who run it.

    It only reads. With --write, sales of 0.00 whose ids begin with CONFORMANCE-
    are sent, to a location whose id begins with TEST-.

    ```
    conexxus conformance https://back-office.example
    conexxus conformance --write --location TEST-1 --json > report.json
    ```

    Args:
        url: Of the back office, instead of CONEXXUS_API_URL; the key is that of
            CONEXXUS_API_KEY or CONEXXUS_API_KEY_FILE.
        write: Also send sales, after a question.
        yes: Do not ask.
    """
    config = _config(url, session)
    location = _location(session) if write else ""

    if write and not yes and not asked(_question(config, location)):
        write_lines(["Nothing was sent."])
        return ExitCode.USAGE

    # The report says what is wrong, and a wrong key is refused on purpose.
    logging.getLogger("conexxus_client").setLevel(logging.CRITICAL)
    results = []

    with progress("Examining …") as show:
        for result in _results(config, location, session):
            show(f"Examining: {result.rule} …")
            results.append(result)

    if session.json:
        write_json(_document(config, results))
    else:
        write_lines(rule_lines(results))

    broken = any(it.outcome is RuleOutcome.BROKEN for it in results)
    return ExitCode.FAILED if broken else ExitCode.SUCCESS


def _config(url: str | None, session: Session) -> ClientConfig:
    if url is not None:
        session = attrs.evolve(session, given={**session.given, "CONEXXUS_API_URL": url})

    # A rule is about one answer: nothing is asked again until it is right.
    return attrs.evolve(ClientConfig.from_env(session.settings()), retries=0)


def _location(session: Session) -> str:
    location = session.sync_config().location_id

    if not location.startswith("TEST-"):
        msg = f"--write needs a location whose id begins with TEST-, not {location!r}: --location"
        raise ConfigurationError([msg])

    return location


def _question(config: ClientConfig, location: str) -> list[str]:
    return [
        f"Sales of 0.00, with ids that begin with CONFORMANCE-, will be sent to {config.api_url}",
        f"for location {location}. They stay in its books. Send them?",
    ]


def _results(config: ClientConfig, location: str, session: Session) -> Iterator[RuleResult]:
    profile = session.api_profile()

    def with_key(key: Secret) -> ConexxusClient:
        return ConexxusClient(attrs.evolve(config, api_key=key), profile=profile)

    with ConexxusClient(config, profile=profile) as client:
        yield from check_reading(client, with_key=with_key)
        if location and (sku := _some_sku(client)):
            yield from check_writing(client, location_id=location, sku=sku, profile=profile)


def _some_sku(client: ConexxusClient) -> str | None:
    try:
        with client.open_catalog() as read:
            elements = (it for page in read.pages for it in page)
            return next((it.sku for it in elements if isinstance(it, Item)), None)
    except ConexxusError:
        # A rule above has said so.
        return None


def rule_lines(results: list[RuleResult]) -> list[str]:
    """
    A line for each rule, and how many came out how.
    """
    counts = Counter(it.outcome for it in results)
    total = ", ".join(f"{counts[it]} {it}" for it in RuleOutcome if counts[it])

    return [*(f"{_MARKS[it.outcome]} {it.rule}: {it.message}" for it in results), "", total]


def _document(config: ClientConfig, results: list[RuleResult]) -> dict[str, Any]:
    return {"url": config.api_url, "rules": [attrs.asdict(it) for it in results]}
