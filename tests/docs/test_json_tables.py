"""
The documented keys of what programs read are those that the code writes.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from conexxus_sync.cli._fleet_commands import StoreDocument
from conexxus_sync.cli._why_command import SaleHistory
from conexxus_sync.model.catalogue import QuarantinedItem
from conexxus_sync.model.sales import (
    Batch,
    BatchState,
    QuarantinedTransaction,
)
from conexxus_sync.views.json import Status, batch_document, item_document, sale_document
from conexxus_sync.views.run_document import Run


PAGE = Path(__file__).parents[2] / "docs/reference/cli.md"

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
DAY = NOON.date()


def documented(heading):
    """
    The keys in the table below *heading*.
    """
    _, _, rest = PAGE.read_text().partition(f"\n## {heading}\n")
    section, _, _ = rest.partition("\n## ")
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]

    return {key for row in rows for key in re.findall(r"`(\w+)`", row)}


def batch():
    return Batch(
        location_id="loc-001",
        business_date=DAY,
        key="k",
        freeze=0,
        first=0,
        state=BatchState.PENDING,
        transactions=1,
        total=Decimal(1),
        attempts=0,
        frozen_at=NOON,
    )


def aside():
    """
    The keys of an item and of a sale that were set aside.
    """
    item = QuarantinedItem(
        key="A",
        part=0,
        path="$",
        reason="…",
        raw=b"{}",
        first_seen=NOON,
        last_seen=NOON,
        times_seen=1,
        run_id="r",
        page=1,
    )
    sale = QuarantinedTransaction(
        location_id="loc-001",
        business_date=date(2026, 1, 2),
        id="t1",
        raw=b"{}",
        reason="…",
        quarantined_at=NOON,
    )

    return {*item_document(item).as_json(), *sale_document(sale).as_json()}


@pytest.mark.parametrize(
    ("heading", "written"),
    [
        ("A run in JSON", {field.encode_name for field in msgspec.structs.fields(Run)}),
        ("The status in JSON", {field.encode_name for field in msgspec.structs.fields(Status)}),
        (
            "A fleet in JSON",
            {field.encode_name for field in msgspec.structs.fields(StoreDocument)},
        ),
        ("A batch in JSON", set(batch_document(batch()).as_json())),
        (
            "A story in JSON",
            {field.encode_name for field in msgspec.structs.fields(SaleHistory)},
        ),
        ("What was set aside in JSON", aside()),
    ],
)
def test_keys_are_documented(heading, written):
    """
    A table names every key, and no other.
    """
    assert documented(heading) == written
