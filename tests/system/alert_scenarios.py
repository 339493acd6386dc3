"""
What happens in a shop, and mends itself or is mended: a scenario for each alert.
"""

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from conexxus_client import ApiProfile, SalesBatch
from conexxus_sync import SyncConfig
from conexxus_sync.model.alerts import AlertName
from conexxus_sync.sales import OutboxOperator
from shops import LOCATION, items


SCENARIOS = {}


def scenario(name):
    """
    A generator: up to its first `yield` all is well, up to its second
    something happens, and then it is mended.
    """

    def register(story):
        SCENARIOS[name] = story
        return story

    return register


def sell_and_push(shop, name="t1", total="1.50"):
    day = shop.clock.now().date()
    shop.orders.sell(day, name, total)
    shop.service.push_sales(day)


@scenario(AlertName.STORE_UNUSABLE)
def a_disk_goes_bad(shop):
    shop.service.sync_inventory()
    path = shop.service.store.database.path
    good = path.read_bytes()
    yield

    path.write_bytes(b"This is no database, but long enough to be one. " * 100)
    yield

    path.write_bytes(good)


@scenario(AlertName.DATE_OVERDUE)
def nobody_is_there_at_half_past_eleven(shop):
    shop.service.run_due(shop.clock.now())
    shop.orders.sell(shop.clock.now().date(), "t1")
    shop.clock.advance_to(datetime(2026, 1, 3, 0, 29, tzinfo=UTC))
    yield

    shop.clock.advance(minutes=2)
    yield

    shop.service.run_due(shop.clock.now())
    assert shop.office.effective_batches == [{"t1"}]


class HangingTill:
    """
    An order source that returns when it is told so.
    """

    def __init__(self):
        self.asked, self.gate = threading.Event(), threading.Event()

    def transactions(self, location_id, business_date):
        self.asked.set()
        self.gate.wait(60)
        return ()


# As a host would call it.
HangingTill.__module__, HangingTill.__qualname__ = "my_shop.conexxus", "Orders"


@scenario(AlertName.ORDERS_HANG)
def a_table_is_locked(shop):
    till = HangingTill()
    shop.open(orders=till)
    run_id = shop.service.trigger_push(shop.clock.now().date()).run_id
    assert till.asked.wait(30)
    shop.clock.advance(minutes=4)
    yield

    shop.clock.advance(minutes=1)
    yield

    till.gate.set()
    for thread in threading.enumerate():
        if thread.name == f"conexxus-{run_id}":
            thread.join(30)


@scenario(AlertName.SALES_PARKED)
def an_answer_gets_lost_for_good(shop):
    shop.open(client=shop.client(ApiProfile(dedupe="none")))
    yield

    shop.office.faults("sales: after_commit(reset)")
    sell_and_push(shop)
    yield

    operator = OutboxOperator(context=shop.service.context)
    operator.resolve("20260102-", delivered=True)


@scenario(AlertName.DELIVERY_UNKNOWN)
def an_answer_gets_lost(shop):
    yield

    shop.office.faults("sales: after_commit(reset)")
    sell_and_push(shop)
    assert shop.service.test_connection().success  # else the outage is the alert, and its cause
    yield

    shop.service.push_sales(shop.clock.now().date())
    assert shop.office.ledger.doubled() == []


@scenario(AlertName.PUSH_FAILED)
def the_key_is_blocked(shop):
    yield

    shop.office.faults("sales: 401")
    sell_and_push(shop)
    assert shop.service.test_connection().success
    yield

    shop.service.push_sales(shop.clock.now().date())


@scenario(AlertName.CLOCK_DOUBTED)
def a_battery_is_empty(shop):
    shop.service.sync_inventory()
    yield

    shop.clock.set(shop.clock.now() - timedelta(days=1))
    yield

    shop.clock.advance(days=1, minutes=1)


@scenario(AlertName.MISCONFIGURED)
def a_container_knows_only_utc(shop):
    yield

    shop.open(config=SyncConfig(location_id=LOCATION, timezone=None))
    yield

    shop.open()


@scenario(AlertName.API_DOWN)
def the_line_is_cut(shop):
    shop.service.test_connection()
    yield

    shop.office.faults("health: reset")
    shop.service.test_connection()
    yield

    shop.service.test_connection()


@scenario(AlertName.CATALOG_REFUSED)
def an_export_ends_half_way(shop):
    shop.office.catalog = items(40)
    shop.service.sync_inventory()
    yield

    shop.clock.advance(hours=1)
    shop.office.catalog = items(20)
    shop.service.sync_inventory()
    yield

    shop.clock.advance(hours=1)
    shop.office.catalog = items(41)
    shop.service.sync_inventory()


@scenario(AlertName.SYNC_FAILED)
def the_back_office_restarts(shop):
    yield

    shop.office.faults("catalog: 503")
    shop.service.sync_inventory()
    assert shop.service.test_connection().success
    yield

    shop.service.sync_inventory()


@scenario(AlertName.SYNC_STALE)
def nobody_pulls(shop):
    shop.service.sync_inventory()
    shop.clock.advance(hours=2)
    yield

    shop.clock.advance(seconds=1)
    yield

    shop.service.sync_inventory()


@scenario(AlertName.REMOVALS_WAIT)
def an_item_loses_its_sku(shop):
    shop.office.catalog = items(40)
    shop.service.sync_inventory()
    yield

    shop.clock.advance(hours=1)
    shop.office.catalog = [*items(39), {"name": "x", "price": "1.00"}]
    shop.service.sync_inventory()
    yield

    shop.clock.advance(hours=1)
    shop.office.catalog = items(40)
    shop.service.sync_inventory()


@scenario(AlertName.ERROR_RATE)
def a_tenth_of_the_prices_is_gone(shop):
    shop.office.catalog = items(9, bad=1)
    shop.service.sync_inventory()
    yield

    shop.clock.advance(hours=1)
    shop.office.catalog = items(9, bad=2)
    shop.service.sync_inventory()
    yield

    shop.clock.advance(hours=1)
    shop.office.catalog = items(11)
    shop.service.sync_inventory()


@scenario(AlertName.CHANGES_REFUSED)
def an_order_source_yields_nothing(shop):
    shop.open(
        config=SyncConfig(location_id=LOCATION, timezone=ZoneInfo("UTC"), on_changed="resend")
    )
    sell_and_push(shop)
    day = shop.clock.now().date()
    sold = shop.orders.by_date[day]
    yield

    shop.clock.advance(minutes=20)
    shop.orders.by_date[day] = []
    shop.service.push_sales(day)
    yield

    shop.clock.advance(minutes=20)
    shop.orders.by_date[day] = sold
    shop.service.push_sales(day)


@scenario(AlertName.DISCREPANCY)
def a_delivered_sale_is_corrected(shop):
    sell_and_push(shop, total="1.50")
    yield

    shop.clock.advance(minutes=20)
    sell_and_push(shop, total="2.50")
    yield

    shop.clock.advance(minutes=20)
    sell_and_push(shop, total="1.50")


@scenario(AlertName.BOOKS_DIFFER)
def a_back_office_loses_a_sale(shop):
    day = shop.clock.now().date()
    shop.service.run_due(shop.clock.now())
    yield

    shop.office.faults("forget(t1)")
    shop.orders.sell(day, "t1")
    shop.clock.advance_to(datetime(2026, 1, 3, 0, 15, tzinfo=UTC))
    shop.service.run_due(shop.clock.now())
    yield

    lost = SalesBatch(
        date=day, location_id=LOCATION, transactions=shop.orders.transactions(LOCATION, day)
    )
    shop.service.client.push_sales(lost, idempotency_key="by-hand")
    shop.service.reconcile(day)


@scenario(AlertName.SALES_HELD)
def a_store_is_lost(shop):
    yield

    earlier = datetime(2025, 12, 1, tzinfo=UTC).date()
    shop.open(
        config=SyncConfig(location_id=LOCATION, timezone=ZoneInfo("UTC"), sales_since=earlier)
    )
    yield

    shop.service.sales.push(since=earlier, honour_past=True)


@scenario(AlertName.SALES_SILENT)
def a_till_writes_elsewhere(shop):
    for number in range(3):
        shop.clock.advance_to(datetime(2026, 1, 2 + number, 23, 30, tzinfo=UTC))
        shop.orders.sell(shop.clock.now().date(), f"t{number}")
        shop.service.push_sales(shop.clock.now().date())
    yield

    for number in range(5, 9):
        shop.clock.advance_to(datetime(2026, 1, number, 23, 30, tzinfo=UTC))
        shop.service.push_sales()
    yield

    sell_and_push(shop, "t9")


@scenario(AlertName.SALES_SET_ASIDE)
def a_sale_is_refused(shop):
    yield

    shop.office.faults("sales: 422")
    sell_and_push(shop)
    yield

    day = shop.clock.now().date()
    shop.service.replay_sale(day, "t1")
    shop.service.push_sales(day)


@scenario(AlertName.ITEMS_SET_ASIDE)
def an_item_has_no_price(shop):
    yield

    shop.office.catalog = items(20, bad=1)
    shop.service.sync_inventory()
    yield

    shop.clock.advance(hours=1)
    shop.office.catalog = items(21)
    shop.service.sync_inventory()


@scenario(AlertName.CHANGES_PENDING)
def the_tills_are_locked(shop):
    class Tills:
        locked = False

        def apply(self, changes):
            if self.locked:
                raise RuntimeError("the tills are locked")

    tills = Tills()
    shop.open(catalog=tills)
    yield

    tills.locked = True
    shop.service.sync_inventory()
    yield

    tills.locked = False
    shop.service.sync_inventory()


@scenario(AlertName.NOT_CONFIGURED)
def the_settings_are_not_read(shop):
    yield

    shop.open(client=None, missing=["CONEXXUS_API_KEY is not configured"])
    yield

    shop.open()
