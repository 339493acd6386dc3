"""
The canonical form of a code, with another implementation as the oracle.
"""

from random import Random

import pytest
from biip.gtin import Gtin
from biip.upc import Upc

from conexxus_sync.sources.naxml import CheckDigit
from conexxus_sync.sources.naxml._codes import canonical_gtin
from conexxus_sync.sources.naxml._fault import RecordError


PRESENT, ABSENT, AUTO = CheckDigit.PRESENT, CheckDigit.ABSENT, CheckDigit.AUTO
COLA = "00036000291452"


def gtin(code, kind="", rule=AUTO, *, padded_plu=False):
    return canonical_gtin(code, kind, rule, padded_plu=padded_plu)


@pytest.mark.parametrize(
    ("code", "kind", "rule"),
    [
        ("036000291452", "upca", PRESENT),
        ("036000291452", "upca", AUTO),
        ("036000291452", "", AUTO),
        ("03600029145", "upca", ABSENT),
        ("03600029145", "upca", AUTO),
        ("0003600029145", "upca", ABSENT),
        ("00036000291452", "gtin", PRESENT),
        ("00003600029145", "gtin", ABSENT),
        ("0036000291452", "ean13", PRESENT),
        ("003600029145", "ean13", ABSENT),
    ],
)
def test_forms_of_one_code(code, kind, rule):
    """
    Zeros in front and the check digit make no other code.
    """
    assert gtin(code, kind, rule) == COLA


def test_padded_plu():
    """
    In one dialect, 14 digits of format PLU are a bar code; in others never.
    """
    assert gtin("00036000291452", "plu", padded_plu=True) == COLA
    assert gtin("00000000004011", "plu", padded_plu=True) is None
    with pytest.raises(RecordError, match="of format plu has more than 6 digits"):
        gtin("00036000291452", "plu")


@pytest.mark.parametrize(
    ("code", "kind"), [("4011", "plu"), ("4011", ""), ("1", ""), ("94011", "")]
)
def test_plu(code, kind):
    """
    A number of the store has no canonical form.
    """
    assert gtin(code, kind) is None


@pytest.mark.parametrize("code", ["200012345678", "0200012345678", "2112345678900"])
def test_random_weight(code):
    """
    A code that holds a weight or a price is that of no item.
    """
    body = code[:-1]
    body += next(d for d in "0123456789" if is_valid(body + d))

    assert gtin(body) is None


def is_valid(code):
    """
    Is the last digit the check digit?
    """
    digits = [int(it) for it in reversed(code)]
    return (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0


@pytest.mark.parametrize(
    ("code", "kind", "rule", "message"),
    [
        ("036000291453", "upca", AUTO, "has no reading where the check digit is present"),
        ("036000291453", "upca", PRESENT, "has no reading"),
        ("036000291452", "upca", ABSENT, "has no reading"),
        ("03600029145", "upca", PRESENT, "has no reading"),
        ("0123456", "", AUTO, "has more than one reading"),
        ("000000000000", "upca", AUTO, "has no reading"),
        ("1234567890123", "upca", ABSENT, "has no reading"),
        ("03600029145A", "upca", AUTO, "is not of digits alone"),
        ("٣٦٠٠٠", "upca", AUTO, "is not of digits alone"),
        ("123456789012345", "gtin", AUTO, "has 15 digits"),
        ("036000291452", "code39", AUTO, "format 'code39' of a code is not known"),
    ],
)
def test_never_guessed(code, kind, rule, message):
    """
    A code with no reading, or with several, is refused.
    """
    with pytest.raises(RecordError, match=message):
        gtin(code, kind, rule)


def test_oracle():
    """
    Codes of all kinds have the form that another implementation gives them.
    """
    draw = Random(7)

    for _ in range(300):
        for length, kind in ((7, "ean8"), (11, "upca"), (12, "ean13"), (13, "gtin")):
            body = (
                str(draw.randrange(3, 9)) + f"{draw.randrange(10 ** (length - 1)):0{length - 1}d}"
            )
            code = body + next(d for d in "0123456789" if is_valid(body + d))
            expected = Gtin.parse(code).as_gtin_14()
            assert gtin(code, kind) == expected
            assert gtin(body, kind, ABSENT) == expected
            assert gtin(expected, "gtin") == expected


def test_upc_e():
    """
    A UPC-E has the form of its UPC-A, whatever its last digit.
    """
    draw = Random(7)

    for last in range(10):
        for _ in range(20):
            six = f"{draw.randrange(10**5):05d}{last}"
            upc = Upc.parse(f"0{six}")
            expected = f"00{upc.as_upc_a()}"
            assert gtin(f"0{six}{upc.check_digit}", "upce", PRESENT) == expected
            assert gtin(f"0{six}", "upce", ABSENT) == gtin(six, "upce", ABSENT) == expected
