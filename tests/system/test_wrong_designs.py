"""
Designs that were wrong in the field, planted one by one: the hostile till finds
each of them.
"""

from collections.abc import Callable, Sequence

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from conexxus_client._calls._push_verdict import PushVerdict
from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.guards import SalesGuards
from conexxus_sync.model.sales import FreezeNumbers
from conexxus_sync.sales import _adoption, _batch_sender, _corrections
from conexxus_sync.sales._delivery_outcome import Outcome
from conexxus_sync.sales._key_age import KeyAge, unknown_since
from conexxus_sync.sales._profile_check import ProfileCheck
from conexxus_sync.stores._outbox import Outbox

from .hostile_office import DAYS
from .hostile_plots import EXAMPLES, play, plots
from .hostile_shop import Way
from .hostile_truth import ViolationError


# Enough for each of them several times over; the same ones in each run.
FOUND_WITHIN = settings(
    max_examples=200,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)

CORRECTED = Way("append", "key", "resend")


def matched_by_id_alone(patch):
    patch.setattr(FrozenTransaction, "sold_second", property(lambda self: ""))


def voids_with_the_sign_of_the_sale(patch):
    patch.setattr(_corrections, "_negated", lambda amount: amount)


def no_guard(patch):
    patch.setattr(SalesGuards, "refusal", lambda self, **figures: None)


def rejections_read_within_data_only(patch):
    read = PushVerdict.of

    def of(body, data_key):
        return read({data_key: body[data_key]} if data_key in body else {}, data_key)

    patch.setattr(PushVerdict, "of", of)


def age_by_the_local_clock(patch):
    def age(batch, here):
        since = unknown_since(batch)
        return KeyAge(age=here.at - (since or here.at))

    patch.setattr(_batch_sender, "key_age", age)


def adoption_without_what_waits(patch):
    adopt = _adoption._adopt_date

    def without(context, business_date):
        with pytest.MonkeyPatch.context() as here:
            here.setattr(Outbox, "adopt_open", lambda *_, **__: 0)
            return adopt(context, business_date)

    patch.setattr(_adoption, "_adopt_date", without)


def backups_not_noticed(patch):
    patch.setattr(FreezeNumbers, "is_behind", False)


def any_profile_accepted(patch):
    patch.setattr(ProfileCheck, "problem", lambda self, state: None)


def unknown_batches_halved(patch):
    def is_divisible(self, state, batch, result):
        return result.outcome is Outcome.UNKNOWN and batch.transactions > 1

    patch.setattr(_batch_sender.BatchSender, "_is_divisible", is_divisible)


@attrs.frozen
class Design:
    """
    Attributes:
        row: Of the field cases, from which it is.
        plant: Puts it in the place of ours.
        says: What is found to be wrong.
        themes: Events without which it can't be found; often or once.
        start: What happens first.
    """

    row: str
    plant: Callable[[pytest.MonkeyPatch], None]
    says: str
    themes: Sequence[str] = ()
    start: Sequence[tuple] = ()
    way: Way = CORRECTED


UNANSWERED = [("push", DAYS[1], ["after_commit(reset)"])]

DESIGNS = [
    Design(
        "C1",
        any_profile_accepted,
        "another profile sends nothing",
        ["foreign"],
        way=Way("replace_day", "key", "report"),
    ),
    Design(
        "C2",
        rejections_read_within_data_only,
        "is reported",
        ["refuse"],
        [("refuse", DAYS[1], 0, "listed")],
    ),
    Design("C3", no_guard, "an empty answer takes nothing back", ["blank"]),
    Design("C4", matched_by_id_alone, "is booked as it is", ["register"]),
    Design("C5", voids_with_the_sign_of_the_sale, "is booked once", ["edit"]),
    Design("C10", unknown_batches_halved, "is booked once", start=UNANSWERED),
    Design(
        "C13",
        backups_not_noticed,
        "a restored store sends nothing",
        ["restore"] * 3,
        [("back_up",), ("push", DAYS[1], [])],
        Way("append", "none", "resend"),
    ),
    Design("E1", age_by_the_local_clock, "is booked once", ["off"] * 3, UNANSWERED),
    Design("E2", adoption_without_what_waits, "is booked once", ["adopt"]),
]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("design", DESIGNS, ids=lambda each: f"{each.row}-{each.plant.__name__}")
def test_wrong_designs_are_found(hostile_shops, monkeypatch, design):
    """
    Each breaks a statement of what is right, and nothing else.
    """
    examples = {**EXAMPLES, "events": plots(*design.themes)}

    @FOUND_WITHIN
    @given(**examples)
    def till(events, **settings):
        with hostile_shops.open(design.way, **settings) as shop:
            play(shop, [*design.start, *events])

    hostile_shops.prepare(design.way)
    design.plant(monkeypatch)

    with pytest.raises(ViolationError, match=design.says):
        till()
