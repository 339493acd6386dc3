"""
Codes of items: the canonical GTIN of a POSCode, where exactly one reading is possible.

GTIN-14 is the code filled up with zeros; a UPC-E is expanded first.  Zeros in
front change no check digit, so all forms of a code have one canonical form.
"""

from collections.abc import Mapping
from typing import NamedTuple

from stdnum.ean import calc_check_digit

from ._dialects import CheckDigit
from ._fault import RecordError


class _Form(NamedTuple):
    """
    How codes of one format are written.

    Attributes:
        natural: How many digits one has with its check digit, and without zeros in front.
        complete: How many it may have with a check digit.
        bare: How many it may have without one.
        upce: Whether six to eight digits may be a UPC-E.
    """

    natural: int
    complete: frozenset[int]
    bare: frozenset[int]
    upce: bool = False


_FORMS: Mapping[str, _Form] = {
    "upca": _Form(12, frozenset({12, 14}), frozenset({11, 13, 14})),
    "upc": _Form(12, frozenset({8, 12, 14}), frozenset({6, 7, 11, 14}), upce=True),
    "upce": _Form(0, frozenset({8}), frozenset({6, 7}), upce=True),
    "ean8": _Form(8, frozenset({8}), frozenset({7})),
    "ean13": _Form(13, frozenset({13, 14}), frozenset({12, 14})),
    "gtin": _Form(14, frozenset({8, 12, 13, 14}), frozenset({13, 14})),
    "": _Form(14, frozenset({8, 12, 13, 14}), frozenset({6, 7, 11, 12, 14}), upce=True),
}

LONGEST_PLU = 6
LONGEST_BARE_PLU = 5
LONGEST_CODE = 14
LONGEST_UPCE = 8
_ZEROS = 7 * (3 + 1) * ord("0")
_RANDOM_WEIGHT = ("02", "002")


def canonical_gtin(code: str, kind: str, rule: CheckDigit, *, padded_plu: bool) -> str | None:
    """
    The GTIN-14 of *code*; None if it is a number of the store.

    Args:
        kind: Its POSCodeFormat, in small letters.
        rule: Whether it ends with a check digit.
        padded_plu: As in a dialect.

    Raises:
        RecordError: No reading, or more than one, is possible.
    """
    if not (code.isascii() and code.isdigit()):
        msg = f"the code {code[:40]!r} is not of digits alone"
        raise RecordError(msg)
    if len(code) > LONGEST_CODE:
        msg = f"the code {code[:40]} has {len(code)} digits"
        raise RecordError(msg)
    if kind == "plu":
        if len(code) <= LONGEST_PLU or (padded_plu and len(code.lstrip("0")) <= LONGEST_PLU):
            return None
        if not padded_plu:
            msg = f"the code {code} of format plu has more than {LONGEST_PLU} digits"
            raise RecordError(msg)
        kind = "gtin"
    if kind not in _FORMS:
        msg = f"the format {kind[:40]!r} of a code is not known"
        raise RecordError(msg)
    if not kind and len(code) <= LONGEST_BARE_PLU:
        return None

    gtin = _read(code, kind, rule)

    return None if is_random_weight(gtin) else gtin


def forms_of(code: str) -> set[str]:
    """
    The digits that *code* may stand for, without zeros in front: its own, and
    those of the UPC-A that it may be short for.
    """
    if not (code.isascii() and code.isdigit()):
        return set()

    short = {6: f"0{code}", 7: code, 8: code[:-1]}.get(len(code))
    long = _expanded(short) if short else []
    ends = code[-1] if len(code) == LONGEST_UPCE else ""

    return {code.lstrip("0"), *((it + ends).lstrip("0") for it in long)}


def is_random_weight(gtin: str) -> bool:
    """
    Does it hold a weight or a price, as 02 and 20 to 29 in front say?
    """
    return gtin.startswith(_RANDOM_WEIGHT)


def _read(code: str, kind: str, rule: CheckDigit) -> str:
    form = _FORMS[kind]

    if rule is CheckDigit.AUTO:
        # A code that can have a check digit has to prove it.
        rule = CheckDigit.PRESENT if len(code) in form.complete else CheckDigit.ABSENT
    found = _complete(code, form) if rule is CheckDigit.PRESENT else _bare(code, form)

    if len(found) == 1 and code.strip("0"):
        return found[0]

    named = f"of format {kind}" if kind else "without a format"
    how = "more than one" if len(found) > 1 else "no"
    msg = f"the code {code} {named} has {how} reading where the check digit is {rule}"
    raise RecordError(msg)


def _complete(code: str, form: _Form) -> list[str]:
    """
    The readings in which its last digit is its check digit.
    """
    if len(code) not in form.complete:
        return []

    codes = [code] if len(code.lstrip("0")) <= form.natural else []
    if form.upce and len(code) == LONGEST_UPCE:
        codes += [body + code[-1] for body in _expanded(code[:-1])]

    return [gtin for it in codes if _is_valid(gtin := it.zfill(14))]


def _bare(code: str, form: _Form) -> list[str]:
    """
    The readings in which it has none.
    """
    if len(code) not in form.bare:
        return []

    bodies = []
    if len(code) > LONGEST_PLU and len(code.lstrip("0")) < form.natural:
        bodies.append(code.lstrip("0").zfill(13))
    if form.upce and len(code) < LONGEST_UPCE:
        # Six digits are those of number system 0.
        bodies += [it.zfill(13) for it in _expanded(code.zfill(7))]

    return [it + calc_check_digit(it) for it in bodies]


def _is_valid(gtin: str) -> bool:
    """
    Is the last of its 14 digits its check digit?
    """
    # As bytes, which costs a third of python-stdnum: each code comes by here.
    digits = gtin.encode()

    return (3 * sum(digits[::2]) + sum(digits[1::2]) - _ZEROS) % 10 == 0


def _expanded(digits: str) -> list[str]:
    """
    The eleven digits of a UPC-A for the number system and six digits of a UPC-E.
    """
    system, body, last = digits[0], digits[1:6], digits[6]

    if system not in "01":  # no other one has a short form
        return []
    if last in "012":
        return [f"{system}{body[:2]}{last}0000{body[2:]}"]
    if last == "3":
        return [f"{system}{body[:3]}00000{body[3:]}"]
    if last == "4":
        return [f"{system}{body[:4]}00000{body[4]}"]

    return [f"{system}{body}0000{last}"]
