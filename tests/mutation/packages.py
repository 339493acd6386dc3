"""
What is mutated, and the tests that have to notice.
"""

from collections.abc import Iterator, Mapping
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
        about: Of a module, files whose tests are tried first, and all of them.
        most: So many of the other tests at most.
    """

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    without: str = "postgres"
    about: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    most: int = 10_000

    def paths(self, source: Path) -> Iterator[Path]:
        """
        The modules below *source*.
        """
        for pattern in self.modules:
            yield from sorted(source.glob(pattern))


# A mutant that survives would cost all tests of sales, of which most are about others.
ABOUT_SALES = {
    "_adoption": ("outbox_operator", "adoption_over_a_backup", "copied_store"),
    "_backlog": ("sales_push", "push_steps", "backlog", "refused_pushes"),
    "_batch_sender": (
        *("batch_outcomes", "push_steps", "sales_push", "answers", "key_age", "kept_profile"),
        *("mixed_answers", "outbox_operator", "refused_pushes", "replace_day"),
        "unknown_deliveries",
    ),
    "_change_guard": ("change_guard", "corrections", "replace_day"),
    "_corrections": ("corrections", "correction_ids", "voids"),
    "_date_push": (
        *("batch_outcomes", "push_steps", "sales_push", "change_guard", "closed_dates"),
        *("correction_ids", "corrections", "day_fingerprint", "equal_sales", "moved_sales"),
        *("operator_actions", "push", "push_cost", "replace_day", "shared_ids", "voids"),
    ),
    "_date_reconciler": ("date_reconciliation", "receipts_of_trades"),
    "_engine": (
        *("sales_push", "push_steps", "push", "due_dates", "clock_check", "closed_dates"),
        "fresh_store",
    ),
    "_ledger": ("ledger", "watermark", "due_dates", "fresh_store", "clock_check", "trickle"),
    "_nightly_reconciliation": ("nightly_reconciliation", "date_reconciliation"),
    "_order_reader": (
        *("order_reader", "hanging_source", "host_exceptions", "remarks", "unusable_sales"),
        *("unusual_days", "zone_check"),
    ),
    "_outbox_operator": ("operator_actions", "outbox_operator", "forgotten_bytes"),
    "_profile_check": ("kept_profile",),
    "_push_context": (
        *("sales_push", "key_age", "backlog", "batch_outcomes", "outbox_operator", "push_cost"),
        *("push", "refused_pushes", "replace_day"),
    ),
    "_push_warnings": ("sales_push", "fresh_store", "clock_check", "restored_store"),
    "_reconciliation": ("outbox_dates", "date_reconciliation", "receipts_of_trades"),
    "_replace_day": ("replace_day",),
    "_source_watch": ("source_watch", "hanging_source", "host_exceptions", "order_reader"),
    "_status": ("sales_status", "sales_alerts", "restored_store", "unusual_days"),
    "_store_age": ("restored_store", "copied_store", "fresh_store"),
    "_trickle_push": ("trickle", "trickle_properties"),
}

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
    # Those that write to it.
    "sales-store": Package(
        modules=tuple(f"conexxus_sync/sales/{name}.py" for name in ABOUT_SALES),
        tests=(
            *("sales", "cli/test_reconcile.py", "cli/test_outbox_dates.py"),
            *("health/test_sales_alerts.py", "scheduling/test_hanging_source.py"),
            "system/test_nightly_reconciliation.py",
        ),
        about=ABOUT_SALES,
        most=40,
    ),
}
