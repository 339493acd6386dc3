"""
What is mutated, and the tests that have to notice.
"""

from collections.abc import Iterator
from pathlib import Path

import attrs


ROOT = Path(__file__).parents[2]


@attrs.frozen(kw_only=True)
class Package:
    """
    Modules that belong together, below `src`, and tests that are about them,
    below `tests`.

    Attributes:
        without: Tests that take too long to run them for each mutant.
        most: So many tests a mutant at most, the quickest.
    """

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    without: str = "postgres"
    most: int = 10_000

    def paths(self, source: Path) -> Iterator[Path]:
        """
        The modules below *source*.
        """
        for pattern in self.modules:
            yield from sorted(source.glob(pattern))


PACKAGES = {
    "guards": Package(
        modules=("conexxus_sync/model/guards.py",),
        tests=("model/test_guards.py",),
    ),
    "calendar": Package(
        modules=("conexxus_sync/model/calendar.py", "conexxus_sync/model/pull_schedule.py"),
        tests=("model/test_business_days.py", "model/test_pull_schedule.py"),
    ),
    "leases": Package(
        modules=("conexxus_sync/model/leases.py", "conexxus_sync/stores/_lease_table.py"),
        tests=("stores/test_lease_rules.py", "stores/test_leases.py"),
    ),
    "retries": Package(
        modules=(
            "conexxus_client/_calls/_retries.py",
            "conexxus_client/_calls/_retry_wait.py",
        ),
        tests=("client/test_retries.py",),
    ),
    "codec": Package(
        modules=("conexxus_client/_codec/*.py",),
        tests=(
            *("client/test_codec_messages.py", "client/test_codec_sales.py"),
            *("client/test_codec_windows.py", "client/test_reader.py"),
            *("client/test_reader_bounds.py", "client/test_item_faults.py"),
            *("client/test_day_totals.py", "client/test_server_message.py"),
            *("client/test_from_mapping.py", "client/test_wire_contract.py"),
            *("client/test_catalog_windows.py", "sales/test_receipts.py"),
        ),
    ),
    # The modules that decide without a store.
    "sales": Package(
        modules=tuple(
            f"conexxus_sync/sales/_{name}.py"
            for name in (
                *("backoff", "batching", "clock_check", "delivery_outcome", "due_dates"),
                *("failure_text", "key_age", "push_evidence", "run_counters", "silence"),
                *("trickle_schedule", "zone_check"),
            )
        ),
        tests=(
            *("sales/test_backoff.py", "sales/test_batching.py", "sales/test_clock_rules.py"),
            *("sales/test_delivery_outcome.py", "sales/test_due_rules.py"),
            "sales/test_push_rules.py",
        ),
    ),
    # Those that write to it: each mutant that survives would cost all of these tests.
    "sales-store": Package(
        modules=tuple(
            f"conexxus_sync/sales/_{name}.py"
            for name in (
                *("batch_sender", "date_push", "ledger", "outbox_operator", "engine"),
                *("backlog", "push_context", "order_reader", "corrections", "replace_day"),
                *("change_guard", "adoption", "profile_check", "trickle_push", "store_age"),
                *("date_reconciler", "reconciliation", "nightly_reconciliation"),
                *("source_watch", "status", "push_warnings"),
            )
        ),
        tests=("sales",),
        most=100,
    ),
}
