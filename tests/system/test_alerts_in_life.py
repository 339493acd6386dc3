"""
Each alert in a real shop: something happens, it holds; somebody mends it, and
it ends.
"""

import pytest

from conexxus_sync.model.alerts import SEVERITIES, AlertName
from shops import items

from .alert_scenarios import SCENARIOS


@pytest.mark.parametrize("name", AlertName)
def test_alert_holds_and_ends(name, shop):
    """
    Health tells the alert from when it begins until it ends, and so do the
    metrics, with its severity.
    """
    story = SCENARIOS[name](shop)

    next(story)
    assert not holds(shop, name)

    next(story)
    assert holds(shop, name)

    next(story, None)
    assert not holds(shop, name)


def holds(shop, name):
    """
    Does the alert hold?  Health and metrics say the same.
    """
    told = name in {alert.name for alert in shop.service.health().alerts}
    counted = shop.scrape()["conexxus_alert_active", name, SEVERITIES[name]]

    assert counted == told
    return told


def test_error_rate_outlives_a_catalogue_that_is_still_the_same(shop):
    """
    That the back office has nothing newer mends nothing.
    """
    shop.office.etag = "strong"
    shop.office.catalog = items(9, bad=3)

    runs = [shop.service.sync_inventory() for _ in range(2)]

    assert [run.not_modified for run in runs] == [False, True]
    (alert,) = [one for one in shop.service.health().alerts if one.name == AlertName.ERROR_RATE]
    assert alert.message == "3 of 12 items of the last pull failed."
