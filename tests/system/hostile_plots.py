"""
What may happen to a `HostileShop`, for hypothesis.
"""

from decimal import Decimal

from hypothesis import strategies as st

from conexxus_sync.testing import AnswerKind, Defect

from .hostile_office import DAYS
from .hostile_truth import check


# Each may strike before or after the office has acted.
FAULTS = ["reset", "503", "500", "after_commit(reset)", "after_commit(503)", "after_commit(hang)"]
FAULTS += ["401", "429(retry_after=1)", "refuse"]

_days = st.sampled_from(DAYS)
_numbers = st.integers(0, 5)
_totals = st.integers(-900, 9_000).map(lambda cents: Decimal(cents).scaleb(-2))
_faults = st.just([]) | st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3)


def _event(name, *arguments):
    return st.tuples(st.just(name), *arguments)


# What happens all the time.
COMMON = {
    "sell": _event("sell", _days, _totals, st.sampled_from([0, 0, 0, -13, 13])),
    "push": _event("push", _days, _faults),
    "tick": _event("tick", _faults),
    "crash": _event("crash", _days, st.integers(0, 12)),
    "wait": _event("wait", st.integers(1, 8 * 60)),
    "answer": _event("answer", st.lists(st.sampled_from(AnswerKind), max_size=3)),
}
# What is rare, and comes in heaps.
RARE = {
    "adopt": _event("adopt"),
    "back_up": _event("back_up"),
    "blank": _event("blank", _days),
    "delete": _event("delete", _days, _numbers),
    "edit": _event("edit", _days, _numbers, _totals),
    "foreign": _event("foreign", _days),
    "lookalike": _event("lookalike", _days, _numbers, st.sampled_from(["void", "rev"])),
    "mend": _event("mend"),
    "mistime": _event("mistime", _days, _numbers, st.sampled_from([-14, -1, 1, 5])),
    "move": _event("move", _days, _numbers),
    "off": _event("off", st.sampled_from([1, 23, 30, 60]), st.integers(-4, 23 * 60)),
    "purge": _event("purge"),
    "refuse": _event("refuse", _days, _numbers, st.sampled_from(["listed", "listed", "batch"])),
    "register": _event("register", _days, _numbers),
    "restore": _event("restore"),
    "spoil": _event("spoil", _days, _numbers, st.sampled_from(Defect)),
    "step": _event("step", st.integers(-24 * 60, 24 * 60)),
}
EVENTS = COMMON | RARE


@st.composite
def plots(draw, *themes):
    """
    A list of events: common ones, and a few kinds of the rare ones.

    Args:
        themes: Rare ones that are among them in any case, however often.
    """
    chosen = st.lists(st.sampled_from(sorted(RARE)), min_size=3, max_size=3, unique=True)
    rare = [*themes, *draw(chosen)]
    names = st.sampled_from([*COMMON, *rare, *rare])
    # Left alone, hypothesis prefers lists of two or three.
    length = draw(st.sampled_from([3, 6, 9, 12]))

    return [draw(EVENTS[draw(names)]) for _ in range(length)]


EXAMPLES = {
    "events": plots(),
    "size": st.sampled_from([1, 3, 50]),
    "dated": st.booleans(),
    "beside": st.booleans(),
}


def play(shop, events):
    """
    Let *events* happen, settle what they left, and check what is right.
    """
    try:
        for name, *arguments in events:
            getattr(shop, name)(*arguments)

        shop.settle()
        check(shop)
    except BaseException as exc:
        exc.add_note(f"{shop}: {events!r}")
        raise
