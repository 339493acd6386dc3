"""
Where a host failed is in the run, and how it came there in the log.
"""

import json
from datetime import date

import pytest

from conexxus_sync import RunStatus


class Products:
    def apply(self, changes):
        self.store({})

    def store(self, row):
        return row["name"]


class OwnProducts:
    def apply_in(self, connection, changes):
        # What the host calls does not explain it.
        json.loads("{")


class Till:
    def transactions(self, location_id, business_date):
        yield {}["total"]


@pytest.mark.case(
    "D7",
    "a storage or an order source raises",
    "the run names class, file and line, and the traceback is in the log",
)
@pytest.mark.parametrize(
    ("catalog", "said", "place"),
    [
        (Products(), "KeyError: 'name'", "Products.store"),
        (OwnProducts(), "JSONDecodeError: ", "OwnProducts.apply_in"),
    ],
)
def test_storage_that_raises(new_service, caplog, catalog, said, place):
    run = new_service(catalog=catalog).sync_inventory()

    assert said in run.last_error
    assert f"({place}, test_host_failures.py line " in run.last_error
    (record,) = [it for it in caplog.records if it.exc_info]
    assert "Traceback" in caplog.text
    assert record.getMessage() == f"Conexxus inventory: {run.last_error}"


@pytest.mark.case(
    "D7",
    "an order source raises",
    "the run names class, file and line, and the traceback is in the log",
)
def test_source_that_raises(new_service, caplog):
    (run,) = new_service(orders=Till()).push_sales(date(2026, 1, 1))

    assert run.status is RunStatus.FAILED
    assert "KeyError: 'total' (Till.transactions, test_host_failures.py line " in run.last_error
    assert 'yield {}["total"]' in caplog.text


def test_replay_that_the_host_refuses(new_service, caplog, office):
    service = new_service(catalog=Products())
    office.catalog = [{"sku": "A", "price": 1}]
    service.sync_inventory()
    caplog.clear()

    with pytest.raises(Exception, match="stays in quarantine"):
        service.replay_item("A")

    assert "Traceback" not in caplog.text
