"""
The page of metrics and alerts is the code's.
"""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from conexxus_sync import RunKind, RunStatus, SyncRun
from conexxus_sync.health._health import ServiceState
from conexxus_sync.metrics._families import FAMILIES, Family
from conexxus_sync.metrics._fleet_gauges import FLEET_FAMILIES
from conexxus_sync.metrics._gauges import _outcomes
from conexxus_sync.metrics.prometheus import CALLS, CHANGES, OUTCOMES
from conexxus_sync.model.alerts import SEVERITIES
from conexxus_sync.model.sales import BatchState
from conexxus_sync.views.runbooks import DOWN, RUNBOOKS


PAGE = Path(__file__).parents[2] / "docs/reference/metrics.md"


def test_page_is_the_code():
    """
    Its tables are written from the metrics and the alerts; with
    CONEXXUS_WRITE_DOCS=1 they are written anew.
    """
    expected = with_table(PAGE.read_text(), "| Metric |", metrics("Metric", FAMILIES))
    fleet = metrics("Metric of a fleet", FLEET_FAMILIES)
    expected = with_table(expected, "| Metric of a fleet |", fleet)
    expected = with_table(expected, "| Label |", labels())
    expected = with_table(expected, "| Alert |", alerts())

    if os.environ.get("CONEXXUS_WRITE_DOCS"):
        PAGE.write_text(expected)

    assert PAGE.read_text() == expected


def with_table(page: str, heading: str, table: str) -> str:
    before, found, rest = page.partition(heading)
    assert found, heading
    _, _, after = rest.partition("\n\n")

    return f"{before}{table}\n\n{after}"


def metrics(heading: str, families: Iterable[Family]) -> str:
    rows = [f"| {heading} | Type | Labels | Meaning |", "|---|---|---|---|"]

    for family in families:
        labels = ", ".join(f"`{label}`" for label in family.labels)
        rows.append(f"| `{family.name}` | {family.type} | {labels} | {family.help} |")

    return "\n".join(rows)


def labels() -> str:
    states = f"of the service: {words(ServiceState)}; of a batch: {words(BatchState)}"
    pull, push = (
        set(_outcomes(SyncRun(id="", kind=kind, location_id="", start_time=datetime.now(UTC))))
        for kind in RunKind
    )
    values = {
        "`kind`": words(RunKind),
        "`status`": words(RunStatus),
        "`call`": words(CALLS),
        "`change`": words(CHANGES),
        "`state`": states,
        "`outcome` of a request": words(OUTCOMES),
        "`outcome` of items": f"{words(sorted(push))}; of the catalogue also "
        f"{words(sorted(pull - push))}",
    }
    rows = ["| Label | Values |", "|---|---|"]

    return "\n".join([*rows, *(f"| {name} | {known} |" for name, known in values.items())])


def words(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def alerts() -> str:
    rows = ["| Alert | Severity | Runbook |", "|---|---|---|"]

    for name, severity in {**SEVERITIES, DOWN: "critical"}.items():
        rows.append(f"| `{name}` | {severity} | [{RUNBOOKS[name].title}](../runbooks/{name}.md) |")

    return "\n".join(rows)
