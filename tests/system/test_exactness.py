"""
Digits on their way through the store.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conexxus_client import ClientConfig, ConexxusClient, encode_item, exact_sum
from conexxus_client.testing import BackOffice, SandboxTransport
from conexxus_sync import ConexxusService, SyncConfig, open_store
from conexxus_sync.testing import FakeClock, ListOrders, sale
from peeks import peek


CONFIG = ClientConfig(api_url="http://localhost", api_key="sandbox-key")
DAY = date(2026, 1, 2)

# Every price that the mirror takes, in every way of writing it.
prices = st.builds(
    lambda digits, exponent: Decimal((0, Decimal(digits).as_tuple().digits, exponent)),
    st.integers(0, 99_999),
    st.integers(-4, 3),
)
totals = st.builds(
    lambda sign, digits, exponent: Decimal((sign, Decimal(digits).as_tuple().digits, exponent)),
    st.integers(0, 1),
    st.integers(1, 10**20 - 1),
    st.integers(-18, 18),
)


def service(office, path, **parts):
    return ConexxusService(
        client=ConexxusClient(CONFIG, transport=SandboxTransport(office)),
        store=open_store(f"sqlite:///{path}"),
        config=SyncConfig(location_id="loc", timezone=ZoneInfo("UTC")),
        clock=FakeClock(datetime(2026, 1, 3, 12, tzinfo=UTC)),
        **parts,
    )


def _written_out(price):
    return f"{price:f}" if price else f"{price.copy_abs():f}"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(prices, min_size=1, max_size=20))
def test_prices(tmp_path_factory, prices):
    """
    A price leaves the mirror with the digits with which it came; an exponent
    is written out.
    """
    path = tmp_path_factory.mktemp("prices") / "store.db"
    wire, kept = (
        [b'{"name":"n","price":%s,"sku":"S%04d"}' % (text.encode(), n) for n, text in enumerate(it)]
        for it in (map(str, prices), map(_written_out, prices))
    )
    sync = service(BackOffice(catalog=wire), path)

    run = sync.sync_inventory()

    assert run.items_succeeded == len(prices)
    assert [encode_item(row.item) for row in peek(sync.store).mirror.items()] == kept


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(totals, min_size=1, max_size=8))
def test_totals(tmp_path_factory, totals):
    """
    A total arrives with the digits that the till gave it, and the run's
    total is the exact sum.
    """
    path = tmp_path_factory.mktemp("totals") / "store.db"
    office = BackOffice()
    sales = [sale(f"t{n}", total) for n, total in enumerate(totals)]

    (run,) = service(office, path, orders=ListOrders(sales)).push_sales(DAY)

    arrived = {sale.id: sale.total for sale in office.ledger.sales("loc", DAY)}
    assert {key: str(value) for key, value in arrived.items()} == {
        f"t{n}": str(total) for n, total in enumerate(totals)
    }
    assert run.total == exact_sum(totals)
