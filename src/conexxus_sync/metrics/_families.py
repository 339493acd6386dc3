"""
Every metric: name, meaning, labels.

`docs/reference/metrics.md` is written from this table.  Each label has a small,
fixed set of values, and each metric also has `location`, except for those of
the process.
"""

from typing import Literal

import attrs


@attrs.frozen
class Family:
    """
    One metric.

    Attributes:
        labels: Beside `location`.
    """

    name: str
    type: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


# Counted by this process, from its start.
RUNS = Family("conexxus_runs_total", "counter", "Runs that ended.", ("kind", "status"))
PROCESSED = Family(
    "conexxus_items_processed_total",
    "counter",
    "Items (for sales: transactions) that runs looked at.",
    ("kind",),
)
SUCCEEDED = Family(
    "conexxus_items_succeeded_total",
    "counter",
    "Items that went through; for sales: transactions that the back office took.",
    ("kind",),
)
FAILED = Family(
    "conexxus_items_failed_total",
    "counter",
    "Items that were set aside; for sales: or that have to wait for another push.",
    ("kind",),
)
CHANGES = Family(
    "conexxus_catalogue_changes_total",
    "counter",
    "Items that pulls created, updated or found gone.",
    ("change",),
)
BATCHES_SENT = Family("conexxus_sales_batches_total", "counter", "Batches of sales sent.")
RUN_DURATION = Family(
    "conexxus_run_duration_seconds", "histogram", "How long runs took.", ("kind",)
)
ATTEMPTS = Family(
    "conexxus_api_attempts_total",
    "counter",
    "Requests to the back office, by how they ended.",
    ("call", "outcome"),
)
RETRIES = Family(
    "conexxus_api_retries_total", "counter", "Requests that repeated a failed one.", ("call",)
)
ATTEMPT_DURATION = Family(
    "conexxus_api_attempt_duration_seconds",
    "histogram",
    "How long requests took; for the catalogue, until its first items.",
    ("call",),
)

# As it is when it is read, whichever process changed it.
ALERT = Family("conexxus_alert_active", "gauge", "1 while the alert holds.", ("alert", "severity"))
ALERT_CAUSE = Family(
    "conexxus_alert_caused_by",
    "gauge",
    "1 while the alert holds as a consequence of another.",
    ("alert", "caused_by"),
)
STATE = Family("conexxus_state", "gauge", "1 for the state that the service is in.", ("state",))
API_UP = Family(
    "conexxus_api_up",
    "gauge",
    "Whether the last call reached the back office; absent before the first.",
)
API_CHECKED = Family(
    "conexxus_api_last_check_timestamp_seconds",
    "gauge",
    "When the last call of the back office ended.",
)
OVERDUE = Family(
    "conexxus_business_dates_overdue",
    "gauge",
    "Business dates whose sales should be at the back office by now, and are not.",
)
OLDEST_OVERDUE = Family(
    "conexxus_business_date_oldest_overdue_timestamp_seconds",
    "gauge",
    "Midnight UTC of the oldest business date that is overdue; absent if none is.",
)
STORE_READABLE = Family(
    "conexxus_store_readable",
    "gauge",
    "Whether the SDK's own state can be read; if not, what is known from it is absent.",
)
BUILD = Family("conexxus_build_info", "gauge", "Always 1.", ("version",))
IN_PROGRESS = Family(
    "conexxus_run_in_progress", "gauge", "Whether a run is at work, in any process.", ("kind",)
)
LAST_RUN = Family(
    "conexxus_last_run_timestamp_seconds", "gauge", "When the last run ended.", ("kind",)
)
LAST_SUCCESS = Family(
    "conexxus_last_success_timestamp_seconds",
    "gauge",
    "When the last run ended that did not fail; one that set something aside counts.",
    ("kind",),
)
LAST_DURATION = Family(
    "conexxus_last_run_duration_seconds", "gauge", "How long the last run took.", ("kind",)
)
LAST_ITEMS = Family(
    "conexxus_last_run_items",
    "gauge",
    "Items (for sales: transactions) of the last run.",
    ("kind", "outcome"),
)
ITEMS = Family("conexxus_catalogue_items", "gauge", "Items in the catalogue, without those gone.")
SHADOW_DIFFERENCES = Family(
    "conexxus_shadow_differences",
    "gauge",
    "What files and back office differ in, in shadow mode; absent if they could not be compared.",
)
HOST_PENDING = Family(
    "conexxus_host_changes_pending",
    "gauge",
    "Sets of changes that the host's catalogue storage has not taken yet.",
)
QUARANTINED = Family(
    "conexxus_quarantined",
    "gauge",
    "Items and sales that are set aside; kind is that of the run.",
    ("kind",),
)
OUTBOX = Family("conexxus_outbox_batches", "gauge", "Batches of sales, by state.", ("state",))
DISCREPANCIES = Family(
    "conexxus_discrepancies",
    "gauge",
    "Delivered sales that now differ at the till.",
)
MISMATCHED = Family(
    "conexxus_sales_mismatched",
    "gauge",
    "Sales whose lines do not add up to their total; a tax-free sum of lines is normal.",
)
DELIVERED = Family(
    "conexxus_sales_delivered_transactions",
    "gauge",
    "Transactions that the back office has, by the ledger, of business dates since a week ago.",
)
DELIVERED_AMOUNT = Family(
    "conexxus_sales_delivered_amount",
    "gauge",
    "Sum of the totals of those transactions, in the store's currency.",
)
DATE = Family(
    "conexxus_sales_date_timestamp_seconds",
    "gauge",
    "Midnight UTC of the latest business date with sales at the back office.",
)
DATE_TRANSACTIONS = Family(
    "conexxus_sales_date_transactions",
    "gauge",
    "Transactions of the latest business date with sales that the back office has.",
)
DATE_AMOUNT = Family(
    "conexxus_sales_date_amount",
    "gauge",
    "Sum of the totals of that business date's transactions, in the store's currency.",
)

FAMILIES = tuple(value for value in dict(globals()).values() if isinstance(value, Family))
