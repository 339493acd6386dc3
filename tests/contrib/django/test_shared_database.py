"""
A model in the database of the SDK's own store.
"""

from contextlib import nullcontext
from decimal import Decimal

import pytest
from databases import other_database, postgres, store_at
from django.db import transaction

from conexxus_sync import RunStatus
from conexxus_sync.contrib.django import ModelCatalogStorage
from conexxus_sync.errors import HostError
from django_till.models import Product
from sites import Site


FIELDS = {"sku": "code", "name": "title", "price": "price", "extra.tags": "tags"}
OLD = [{"sku": sku, "name": "x", "price": 1, "tags": ["red"]} for sku in ("A", "B", "C")]
NEW = [*OLD[:1], {**OLD[1], "price": 2}, *OLD[2:], {**OLD[0], "sku": "D"}]


@pytest.fixture
def site(request, tmp_path):
    """
    A store in the database of the till: its file is made by the store.
    """
    is_file = request.node.callspec.params["alias"] == "default"
    with nullcontext() if is_file else other_database():
        site = Site(tmp_path / "till.db", store=store_at)
    with site.store.write():
        pass
    yield site
    site.store.database.close()
    if not is_file:
        postgres().give_back()


@pytest.fixture
def storage(site, alias):
    return ModelCatalogStorage(
        Product, fields=FIELDS, constants={"store_id": 7}, delete_removed=True, using=alias
    )


def test_one_transaction(site, storage):
    """
    Mirror and table change together, or neither does.
    """
    assert site.pull(OLD, storage=storage).status is RunStatus.SUCCESS
    assert storage.prices() == dict.fromkeys("ABC", Decimal(1))

    def ends(step):
        if step == "commit":
            msg = "the process ends"
            raise KeyboardInterrupt(msg)

    with pytest.raises(KeyboardInterrupt):
        site.pull(NEW, storage=storage, failpoint=ends)
    assert ({*site.shelf}, {*storage.prices()}) == ({*"ABC"}, {*"ABC"})
    assert storage.last_applied("loc-001") == 1

    assert site.pull(NEW, storage=storage).status is RunStatus.SUCCESS
    assert storage.prices() == {"A": 1, "B": 2, "C": 1, "D": 1}
    assert storage.last_applied("loc-001") == 2
    assert [*Product.objects.using(storage._using).values_list("tags", flat=True)] == [["red"]] * 4


def test_apply_in_is_called(site, storage, monkeypatch):
    """
    It is the SDK's transaction, and an error of the host ends its part alone.
    """
    monkeypatch.setattr(storage, "apply", None)

    def fails(items):
        msg = "no"
        raise HostError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "_upsert", fails)
        run = site.pull(OLD, storage=storage)
    assert "storage failed: no" in str(run.errors)
    assert ({*site.shelf}, storage.prices()) == ({*"ABC"}, {})

    site.pull(storage=storage)
    assert {*storage.prices()} == {*"ABC"}


@pytest.mark.parametrize("alias", ["default"], indirect=True)
def test_in_a_transaction_of_the_host(site, storage):
    """
    Within one, as in a test of the host, it keeps to that.
    """

    with transaction.atomic(using="default"), site.store.read() as state:
        assert not storage.shares(state.session.raw)
