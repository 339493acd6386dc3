"""
Facts about when each business date is looked at next.
"""


def test_moments_are_those_of_the_calendar(till):
    """
    Each date up to today has its next look, oldest first.
    """
    till.orders.add(till.sale("t1"))
    till.push()
    ledger, now = till.engine().ledger, till.clock.now()
    dates = ledger.dates(ledger.start_date(now), now)

    found = dates.moments(now)

    assert list(found) == sorted(found)
    assert dates.due(now) == [day for day, at in found.items() if at <= now]
    assert min(found.values()) == dates.next_due(now)
