"""
Facts about the limits of guards, to the item.
"""

import pytest

from conexxus_sync.model.catalogue import CatalogueDiff
from conexxus_sync.model.guards import Guards, SalesGuards


CALM = {
    "known": 100,
    "received": 100,
    "failed": 0,
    "created": 0,
    "updated": 0,
    "unchanged": 100,
    "gone": 0,
    "compared": 100,
    "repriced": 0,
}


def refusal(**figures):
    return Guards().refusal(CatalogueDiff(**CALM | figures))


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({"gone": 20}, None),
        ({"gone": 21}, "21 of 100 known items are gone (21.0%); the limit is 20%"),
        ({"repriced": 50}, None),
        (
            {"repriced": 51},
            "51 of 100 known items have another price (51.0%); the limit is 50%",
        ),
        # Of those that are still there.
        (
            {"repriced": 41, "compared": 80},
            "41 of 80 known items have another price (51.2%); the limit is 50%",
        ),
        ({"failed": 50}, None),
        ({"failed": 51}, "51 of 100 received items are invalid (51.0%); the limit is 50%"),
        # Of few items, many may go.
        ({"known": 19, "gone": 18}, None),
        (
            {"known": 20, "gone": 18},
            "18 of 20 known items are gone (90.0%); the limit is 20%",
        ),
        (
            {"known": 1, "received": 3, "failed": 3},
            "no valid item among 3 received, while 1 were known",
        ),
        ({"known": 0, "received": 3, "failed": 3}, None),
    ],
)
def test_limits_of_a_catalogue(figures, said):
    """
    What lies above a share is refused, what reaches it is not.
    """
    assert refusal(**figures) == said


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({"received": 1, "failed": 1}, None),
        # Of all that are known, not of those that were received.
        ({"received": 60, "compared": 50, "repriced": 50}, None),
        (
            {"received": 60, "compared": 60, "repriced": 51},
            "51 of 100 known items have another price (51.0%); the limit is 50%",
        ),
        ({"gone": 21}, "21 of 100 known items are gone (21.0%); the limit is 20%"),
    ],
)
def test_limits_of_changes(figures, said):
    """
    Any share of them may be invalid, and the others are compared with what is known.
    """
    assert refusal(is_complete=False, **figures) == said


@pytest.mark.parametrize(
    ("known", "gone", "changed", "said"),
    [
        (100, 20, 0, None),
        (
            100,
            21,
            0,
            "21 of 100 delivered sales of the date are gone at the till (21.0%); the limit is 20%",
        ),
        (100, 0, 50, None),
        (
            100,
            0,
            51,
            "51 of 100 delivered sales of the date changed at the till (51.0%); the limit is 50%",
        ),
        # So few may well be gone, or changed.
        (6, 5, 0, None),
        (6, 0, 5, None),
        (
            7,
            6,
            0,
            "6 of 7 delivered sales of the date are gone at the till (85.7%); the limit is 20%",
        ),
        (
            6,
            0,
            6,
            "6 of 6 delivered sales of the date changed at the till (100.0%); the limit is 50%",
        ),
        (1, 1, 0, "1 of 1 delivered sale of the date is gone at the till"),
        (2, 2, 0, "2 of 2 delivered sales of the date are gone at the till"),
        (1_200, 1_200, 0, "1,200 of 1,200 delivered sales of the date are gone at the till"),
        (0, 0, 0, None),
    ],
)
def test_limits_of_a_date(known, gone, changed, said):
    """
    All of a date's sales are never gone, whatever their number.
    """
    assert SalesGuards().refusal(known=known, gone=gone, changed=changed) == said
