"""
Explains how an item came into its present state, for `conexxus why`.
"""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from conexxus_sync.model.catalogue import MirrorItem, QuarantinedItem
from conexxus_sync.model.formatting import money
from conexxus_sync.model.runs import RunKind, SyncRun
from conexxus_sync.stores import LocationStore, State


def explain_item(store: LocationStore, sku: str, *, zone: ZoneInfo | None = None) -> list[str]:
    """
    Which run, page and decision brought an item into its present state.

    Args:
        sku: As the back office has it; or a key of quarantine.
        zone: For moments; None for the system's.

    Returns:
        Sentences for people; none at all if nothing is known of such an item.

    Raises:
        StoreError: The store can't be read.
    """
    with store.read() as state:
        entry = state.mirror.item(sku)
        quarantined = list(state.mirror.quarantined(sku))

        if entry is None and not quarantined:
            return []

        history = ItemHistory(state, zone)
        lines = [
            *(() if entry is None else history.item(entry)),
            *history.quarantine(quarantined, entry),
        ]

        if waiting := state.host_queue.waiting(sku):
            numbers = ", ".join(map(str, waiting))
            lines.append(
                f"The host's storage has not taken it yet: it waits in sequence {numbers}."
            )
        latest = state.runs.latest(RunKind.INVENTORY)
        lines += history.absence(sku, latest)
        if latest is not None:
            lines.append(history.latest(latest))

    return lines


class ItemHistory:
    """
    Sentences about one item, from the mirror, the quarantine and the runs.
    """

    def __init__(self, state: State, zone: ZoneInfo | None) -> None:
        self.state = state
        self.zone = zone

    def item(self, entry: MirrorItem) -> Iterator[str]:
        item = entry.item
        state = "in force"

        if entry.missing_since is not None:
            state = f"gone since {self._moment(entry.missing_since)}"

        yield f"{item.sku}: {item.name}, {money(item.price)}; {state}."
        yield f"It first came with {self._run(entry.created_run)}."

        if entry.decision != "created" or entry.updated_run != entry.created_run:
            yield f"{_said(entry)} {self._run(entry.updated_run)}{_where(entry)}."
        elif entry.page is not None:
            yield f"It came on page {entry.page}, and has not changed since."

    def quarantine(self, entries: list[QuarantinedItem], entry: MirrorItem | None) -> Iterator[str]:
        for it in entries:
            page = "" if it.page is None else f", on page {it.page}"
            times = "once" if it.times_seen == 1 else f"{it.times_seen:,} times"
            yield (
                f"Set aside: {it.reason} (at {it.path}). Seen {times} since "
                f"{self._moment(it.first_seen)}, at last by {self._run(it.run_id)}{page}."
            )
            if it.detail is not None:
                yield f"The rule that it breaks: {it.detail}."

        if entries and entry is not None:
            yield "Its last good version stays in force until the back office corrects it."

    def absence(self, sku: str, latest: SyncRun | None) -> Iterator[str]:
        run_id = self.state.plans.last_without(sku)
        run = None if run_id is None else self.state.runs.get(run_id)

        # What was applied since says more.
        if run is None or (latest is not None and run.id < latest.id):
            return

        said = "was refused" if run.refused is not None else "was only planned"
        yield f"It is absent from the catalogue of {self._named(run)}, which {said}."

    def latest(self, run: SyncRun) -> str:
        if run.refused is not None:
            said = f"refused: {run.refused}"
        elif run.not_modified:
            said = "the back office had nothing newer"
        else:
            said = str(run.status)

        # It may be this item that is absent, and stays.
        note = "" if run.note is None else f". In it, {run.note}"

        return f"The last pull was {self._named(run)}: {said}{note}"

    def _run(self, run_id: str) -> str:
        run = self.state.runs.get(run_id)

        return f"run {run_id}" if run is None else self._named(run)

    def _named(self, run: SyncRun) -> str:
        return f"run {run.id} of {self._moment(run.start_time)}"

    def _moment(self, at: datetime) -> str:
        return at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")


def _said(entry: MirrorItem) -> str:
    return {
        "created": "It was new to",
        "updated": "It was changed by",
        "returned": "It was gone, and returned with",
        "removed": "It was missing from the complete catalogue of",
        "deleted": "It was deleted by the file of",
        "replayed": "It was taken out of quarantine by",
        None: "It was last changed by",
    }[entry.decision]


def _where(entry: MirrorItem) -> str:
    old, new = entry.old_price, entry.item.price
    price = "" if old is None else f": price {money(old)} → {money(new)}"
    page = entry.page if entry.decision in ("created", "updated", "returned") else None

    return ("" if page is None else f", on page {page}") + price
