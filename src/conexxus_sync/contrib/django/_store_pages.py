"""
What the pages of the admin show of the store, and what can be done there; no HTML.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date

import attrs

from conexxus_sync.model.catalogue import QuarantinedItem
from conexxus_sync.model.formatting import counted, shortened
from conexxus_sync.model.runs import RunKind, SyncRun
from conexxus_sync.model.sales import OPEN_STATES, Batch, QuarantinedTransaction
from conexxus_sync.scheduling._background_runs import Trigger
from conexxus_sync.service import ConexxusService
from conexxus_sync.views.phrases import moment, run_duration, summary


# Of each kind: far more than are looked through.
LISTED = 200


@attrs.frozen
class Action:
    """
    What an operator can do.

    Attributes:
        name: In the address.
        label: On the button.
        question: What it does, for the page that asks first.
        perform: Does it, for a key and a reason, and returns what became of it.
    """

    name: str
    label: str
    question: str
    perform: Callable[[ConexxusService, str, str], str]


@attrs.frozen
class Row:
    """
    A row of a list.
    """

    key: str
    cells: tuple[str, ...]


@attrs.frozen
class Details:
    """
    All that is known of a row.

    Attributes:
        fields: Names and values.
        text: What is long, line by line, under its heading.
    """

    title: str
    fields: tuple[tuple[str, str], ...]
    text: str = ""
    heading: str = "As it came"
    actions: tuple[Action, ...] = ()


@attrs.frozen
class Runs:
    """
    Pulls and pushes.
    """

    columns: tuple[str, ...] = ("Start", "Kind", "Status", "What it did", "Duration")
    starts: tuple[Action, ...] = (
        Action(
            "pull",
            "Pull the catalogue",
            "The catalogue of the back office is read now, and what changed is in the shop.",
            lambda service, _, __: _started("The pull", service.trigger_sync()),
        ),
        Action(
            "push",
            "Push the sales",
            "The sales of all business dates that are due are sent now.",
            lambda service, _, __: _started("The push", service.trigger_push()),
        ),
    )

    def rows(self, service: ConexxusService) -> Iterable[Row]:
        """
        Both kinds together.
        """
        runs = [run for kind in RunKind for run in service.metrics(LISTED, kind=kind).history]

        for run in sorted(runs, key=lambda run: run.start_time, reverse=True)[:LISTED]:
            cells = (*_named(run, service), summary(run), run_duration(run))
            yield Row(run.id, cells)

    def details(self, service: ConexxusService, key: str) -> Details | None:
        """
        A refused catalogue can be accepted, if it is still the last one.
        """
        run = service.run(key)

        if run is None:
            return None

        start, kind, status = _named(run, service)
        waiting = service.overview().refused
        accept = waiting is not None and waiting.run.id == run.id
        errors = "\n".join(f"{it.item or 'run'}: {it.text}" for it in run.errors)
        planned = waiting.summary.lines() if waiting is not None and accept else []

        return Details(
            f"Run {run.id}",
            (
                ("Start", start),
                ("Kind", kind),
                ("Status", status),
                ("Duration", run_duration(run)),
                ("Processed", f"{run.items_processed:,}"),
                ("Set aside", f"{run.items_failed:,}"),
                ("What it did", summary(run)),
                *(("Note", it) for it in (run.note, run.last_error) if it and it != summary(run)),
                *(("If applied", it) for it in planned),
            ),
            errors,
            "Errors",
            (_ACCEPT,) if accept else (),
        )


def _named(run: SyncRun, service: ConexxusService) -> tuple[str, str, str]:
    kind = "pull" if run.kind is RunKind.INVENTORY else f"push of {run.business_date}"
    status = "running" if run.status is None else run.status.value

    return moment(run.start_time, service.config.timezone), kind, status


def _accept(service: ConexxusService, key: str, _: str) -> str:
    return _started("The pull of exactly this catalogue", service.trigger_sync(accept=key))


_ACCEPT = Action(
    "accept",
    "Apply this catalogue",
    "A guard refused this catalogue. It is applied, prices and removals included, if the back "
    "office still has this very one.",
    _accept,
)


def _started(what: str, trigger: Trigger) -> str:
    if trigger.skipped is not None:
        return f"{what} was not started: {trigger.skipped}"
    if trigger.already_running:
        return f"{what} was not started: another is at work already."

    return f"{what} has started: see the list in a moment."


@attrs.frozen
class Outbox:
    """
    Batches of sales.
    """

    columns: tuple[str, ...] = ("Business date", "Batch", "State", "Sales", "Why it waits")
    starts: tuple[Action, ...] = ()

    def rows(self, service: ConexxusService) -> Iterable[Row]:
        """
        Those that are settled come after the others.
        """
        batches = service.outbox(LISTED, settled=True)

        for batch in sorted(batches, key=lambda it: it.state not in OPEN_STATES):
            yield Row(
                batch.key,
                (
                    str(batch.business_date),
                    batch.short_key,
                    "parked" if _is_parked(batch) else batch.state.value,
                    f"{batch.transactions:,}",
                    shortened((_is_parked(batch) and batch.parked) or batch.answer or ""),
                ),
            )

    def details(self, service: ConexxusService, key: str) -> Details:
        """
        A parked batch can be sent again or settled.
        """
        batch = service.outbox_operator().find(key)
        zone = service.config.timezone

        return Details(
            f"Batch {batch.short_key}",
            (
                ("Business date", str(batch.business_date)),
                ("Key", batch.key),
                ("State", batch.state.value),
                ("Sales", f"{batch.transactions:,}"),
                ("Unknown since", moment(batch.unknown_since, zone)),
                ("Settled", moment(batch.settled_at, zone)),
                *(("Parked", it) for it in (batch.parked,) if it),
                *(("Answer", it) for it in (batch.answer,) if it),
            ),
            actions=_OF_A_PARKED_BATCH if _is_parked(batch) else (),
        )


def _is_parked(batch: Batch) -> bool:
    return batch.parked is not None and batch.state in OPEN_STATES


def _retry(service: ConexxusService, key: str, reason: str) -> str:
    batch = service.outbox_operator().resend(key, reason=reason)

    return f"{counted(batch.transactions, 'sale')} will be sent again with the next push."


def _delivered(service: ConexxusService, key: str, reason: str) -> str:
    batch = service.outbox_operator().resolve(key, delivered=True, reason=reason)

    return f"{counted(batch.transactions, 'sale')} marked as delivered."


def _not_delivered(service: ConexxusService, key: str, reason: str) -> str:
    batch = service.outbox_operator().resolve(key, delivered=False, reason=reason)

    return f"{counted(batch.transactions, 'sale')} will be sent in a new batch."


_OF_A_PARKED_BATCH = (
    Action(
        "delivered",
        "The back office has it",
        "Ask the back office first. The sales are marked as delivered, and not sent any more.",
        _delivered,
    ),
    Action(
        "not-delivered",
        "The back office does not have it",
        "Ask the back office first. The sales are sent again, under other keys: if it has them "
        "after all, they are there twice.",
        _not_delivered,
    ),
    Action(
        "retry",
        "Send it again",
        "The same bytes are sent again under the same key. Where the back office may not recognise "
        "the key any more, this is refused.",
        _retry,
    ),
)


@attrs.frozen
class QuarantinePages:
    """
    Items and sales that were set aside.
    """

    columns: tuple[str, ...] = ("Since", "What", "SKU or id", "Reason")
    starts: tuple[Action, ...] = ()

    def rows(self, service: ConexxusService) -> Iterator[Row]:
        """
        Sales, then items; what is under one SKU is one row.
        """
        zone, found = service.config.timezone, service.quarantine(LISTED)

        for sale in found.sales:
            what = f"sale of {sale.business_date}"
            cells = (moment(sale.quarantined_at, zone), what, shortened(sale.id), sale.reason)
            yield Row(f"sale:{sale.business_date}:{sale.id}", cells)
        for item in {it.key: it for it in found.items}.values():
            cells = (moment(item.first_seen, zone), "item", shortened(item.key), item.reason)
            yield Row(f"item:{item.key}", cells)

    def details(self, service: ConexxusService, key: str) -> Details | None:
        """
        An item or a sale can be replayed, and a sale dismissed.
        """
        kind, _, rest = key.partition(":")
        zone = service.config.timezone

        if kind == "item":
            with service.store.read() as state:
                items: list[QuarantinedItem] = list(state.mirror.quarantined(rest))
            return _item_details(items, moment(items[0].last_seen, zone)) if items else None

        found = [it for it in service.outbox_operator().quarantined() if _key(it) == key]
        return _sale_details(found[0], moment(found[0].quarantined_at, zone)) if found else None


def _key(sale: QuarantinedTransaction) -> str:
    return f"sale:{sale.business_date}:{sale.id}"


def _item_details(items: list[QuarantinedItem], seen: str) -> Details:
    first = items[0]
    reason = first.reason if first.detail is None else f"{first.reason}: {first.detail}"

    return Details(
        f"Item {shortened(first.key)}",
        (("Reason", reason), ("Where", first.path), ("Last seen", seen)),
        "\n".join(it.raw.decode(errors="replace") for it in items),
        actions=(_REPLAY_ITEM,),
    )


def _sale_details(sale: QuarantinedTransaction, since: str) -> Details:
    return Details(
        f"Sale {shortened(sale.id)}",
        (("Business date", str(sale.business_date)), ("Reason", sale.reason), ("Since", since)),
        sale.raw.decode(errors="replace"),
        actions=(_REPLAY_SALE, _DISMISS),
    )


def _replay_item(service: ConexxusService, key: str, _: str) -> str:
    sku = key.partition(":")[2]
    run = service.replay_item(sku)

    return f"{shortened(sku)} is in the catalogue" + (
        f", but {run.last_error}" if run.last_error else "."
    )


def _sale(key: str) -> tuple[date, str]:
    day, _, name = key.partition(":")[2].partition(":")

    return date.fromisoformat(day), name


def _replay_sale(service: ConexxusService, key: str, reason: str) -> str:
    day, name = _sale(key)
    service.outbox_operator().replay(day, name, reason=reason)

    return f"{shortened(name)} of {day} goes with the next push."


def _dismiss(service: ConexxusService, key: str, reason: str) -> str:
    day, name = _sale(key)
    service.outbox_operator().dismiss(day, name, reason=reason)

    return f"{shortened(name)} of {day} is dismissed: not sent."


_REPLAY_ITEM = Action(
    "replay",
    "Replay",
    "The item is looked at again, by the rules of now, and taken into the catalogue if it is good.",
    _replay_item,
)
_REPLAY_SALE = Action(
    "replay",
    "Replay",
    "The sale is read again and sent with the next push of its date.",
    _replay_sale,
)
_DISMISS = Action(
    "dismiss",
    "Dismiss",
    "The sale is not sent, and asks for nothing any more. To replay it takes that back.",
    _dismiss,
)


Pages = Runs | Outbox | QuarantinePages
