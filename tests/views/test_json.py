"""
A run as JSON.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import attrs

from conexxus_sync import RunIssue, RunKind, RunStatus, SyncRun
from conexxus_sync.views.run_document import run_document


MOMENT = datetime(2026, 1, 2, 23, 30, 0, 123000, tzinfo=UTC)
INVENTORY = SyncRun(
    id="r1",
    kind=RunKind.INVENTORY,
    location_id="loc-001",
    status=RunStatus.SUCCESS,
    start_time=MOMENT,
    end_time=MOMENT + timedelta(milliseconds=1500),
    items_processed=3,
)
KEYS = [
    "id",
    "kind",
    "locationId",
    "status",
    "startTime",
    "endTime",
    "duration",
    "itemsProcessed",
    "itemsSucceeded",
    "itemsFailed",
    "created",
    "updated",
    "unchanged",
    "removed",
    "notModified",
    "planned",
    "errors",
]


def test_keys_of_an_inventory_run():
    """
    What has no value is absent, unless it is always there.
    """
    document = run_document(INVENTORY).as_json()

    assert list(document) == KEYS
    assert document["startTime"] == "2026-01-02T23:30:00.123000Z"
    assert document["duration"] == 1500
    assert document["kind"] == "inventory"


def test_keys_of_a_sales_run():
    """
    A sales run adds its figures; the total is an exact text.
    """
    run = attrs.evolve(
        INVENTORY,
        kind=RunKind.SALES,
        business_date=date(2026, 1, 2),
        refused="why",
        errors=[RunIssue(item=None, error="bad")],
        last_error="bad",
        batches=2,
        total=Decimal("1E+3"),
        delivery_unknown=True,
    )

    document = run_document(run).as_json()

    assert set(document) - set(KEYS) == {
        "businessDate",
        "refused",
        "lastError",
        "batches",
        "total",
    }
    assert (document["businessDate"], document["total"]) == ("2026-01-02", "1000")
    assert document["errors"] == [{"item": None, "error": "bad"}]
