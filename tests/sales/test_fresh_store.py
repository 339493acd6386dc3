"""
Facts about where a fresh store begins, and what it holds back.
"""

from datetime import UTC, date, datetime

import attrs
import pytest


DAY = date(2026, 1, 2)


@pytest.mark.fault("S12", "The store is lost", "sales of the past are held until a person asks")
def test_fresh_store(till):
    """
    A fresh store begins with today, or with tomorrow once today's push time
    has passed; past sales are held until a person asks for them.
    """
    till.config = attrs.evolve(till.config, sales_since=date(2026, 1, 1))
    till.orders.add(till.sale("t0"), day=date(2026, 1, 1))
    till.clock.set(datetime(2026, 1, 2, 12, tzinfo=UTC))
    assert "sales from 2026-01-01 to before 2026-01-02" in str(till.engine().held(till.clock.now()))

    assert till.engine().push() == []
    till.wait(days=30)
    assert till.engine().push() == []
    assert till.orders.asked[0] == DAY

    (run,) = till.engine().push(honour_past=True)

    assert run.business_date == date(2026, 1, 1)
    assert till.engine().held(till.clock.now()) is None


def test_held_dates_are_warned_of_once(till, caplog):
    """
    The log warns of past sales when they begin to be held, and not again with
    each push, until others are.
    """
    caplog.set_level("DEBUG", "conexxus_sync.sales")
    till.config = attrs.evolve(till.config, sales_since=date(2026, 1, 1))
    till.clock.set(datetime(2026, 1, 2, 12, tzinfo=UTC))
    engine = till.engine()

    def levels():
        held = [one for one in caplog.records if "held back" in one.message]
        told = [one.levelname for one in held]
        assert all(one.message.startswith("Conexxus sales from 202") for one in held)
        caplog.clear()
        return told

    engine.push()
    engine.push()
    before = levels()
    engine.push(since=date(2025, 12, 31))

    assert before == ["WARNING", "DEBUG"]
    assert levels() == ["WARNING"]


def test_fresh_store_in_the_evening(till):
    """
    After today's push time, a fresh store begins with tomorrow.
    """
    till.orders.add(till.sale("t1"))

    till.engine().push()
    till.wait(minutes=45)
    till.engine().push()

    assert till.orders.asked == []
    assert till.engine().next_due(till.clock.now()) == datetime(2026, 1, 3, 23, 30, tzinfo=UTC)
