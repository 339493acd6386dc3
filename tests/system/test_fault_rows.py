"""
What the engines make of a back office that is mistaken, over real sockets.

After each fault: the catalogue is the old one or the new one, whole; no sale
is lost or effective twice; and the next run, of a sound back office, succeeds.
"""

import csv
import io
import json
import os
from contextlib import closing
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warm_process import WarmProcess

from conexxus_client import ClientConfig, ConexxusClient, decode_transaction
from conexxus_client.testing import SandboxServer
from conexxus_sync import RunStatus
from conexxus_sync.testing import ListOrders
from peeks import peek


DAY = date(2026, 1, 2)
SALE = '{"id":"%s","timestamp":"2026-01-02T10:00:00Z","total":1.50,"items":[]}'


def item(sku, price="1.00", name="x"):
    return {"sku": sku, "name": name, "price": price}


def items(count, price="1.00"):
    return [item(f"S{number:03d}", price) for number in range(count)]


def priced(prices):
    return [item(f"S{number:03d}", price) for number, price in enumerate(prices)]


@pytest.fixture(params=["httpx", "httpx2"])
def client(site, request):
    """
    A client that reaches the site's back office through a port.
    """
    with SandboxServer(site.office) as server:
        config = ClientConfig(
            api_url=server.url,
            api_key=server.api_key,
            retries=0,
            http_backend=request.param,
        )
        with closing(ConexxusClient(config)) as client:
            yield client


@pytest.fixture
def branch(site, client):
    """
    A site that pulls through that port.
    """
    site.client = client
    return site


@pytest.fixture
def service(site, client, new_service):
    """
    A service with a day's sales, whose back office is the site's.
    """
    orders = ListOrders(decode_transaction(SALE % f"t{n}") for n in range(1, 6))
    return new_service(client=client, orders=orders)


def effective(site):
    return [sale.id for sale in site.office.ledger.sales("loc-001")]


@pytest.mark.fault("H16", "Three of five sales are accepted", "only those are marked")
def test_some_are_accepted(site, service):
    """
    The two that were refused are set aside with their reason; nothing is
    sent twice.
    """
    site.office.reject = {"t4": "No such SKU", "t5": "No such SKU"}

    (run,) = service.push_sales(DAY)
    again = service.push_sales(DAY)

    aside = peek(service.store).sales_quarantine.transactions()
    assert effective(site) == ["t1", "t2", "t3"]
    assert {(one.id, one.reason) for one in aside} == {("t4", "No such SKU"), ("t5", "No such SKU")}
    assert (run.status, run.items_succeeded, run.items_failed) == (RunStatus.PARTIAL, 3, 2)
    assert again == []


@pytest.mark.fault("H17", "The answer is about another batch", "refused: the batch is kept, parked")
@pytest.mark.parametrize(
    "data",
    [
        {"rejected": [{"id": "t99", "error": "no"}]},
        {"accepted": 4},
        {"accepted": 6},
    ],
    ids=["a sale that was not sent", "too few", "too many"],
)
def test_answer_about_another_batch(site, service, data):
    """
    An answer that doesn't fit what was sent marks nothing, and is not
    repeated blindly.
    """
    said = json.dumps(json.dumps({"success": True, "data": data}))
    site.office.faults(f"sales: 200(body={said})")

    (run,) = service.push_sales(DAY)

    (batch,) = peek(service.store).outbox.batches()
    assert (run.status, run.delivery_unknown) == (RunStatus.FAILED, True)
    assert (batch.state, bool(batch.parked)) == ("unknown", True)
    assert service.push_sales(DAY) == []
    assert site.office.requests["sales"] == 1


@pytest.mark.fault("H18", "A weak ETag", "serves as well as a strong one")
@pytest.mark.fault("H18", "No ETag", "the catalogue is read each time, and nothing is written")
@pytest.mark.parametrize(("etag", "not_modified"), [("weak", True), ("off", False)])
def test_weak_and_missing_tags(branch, etag, not_modified):
    """
    A catalogue that did not change changes nothing, with or without a tag.
    """
    branch.office.etag = etag
    branch.pull(items(30))

    run = branch.pull()

    assert run.not_modified is not_modified
    assert (run.status, run.created, run.updated, run.removed) == (RunStatus.SUCCESS, 0, 0, 0)
    assert len(branch.shelf) == 30


@pytest.mark.fault(
    "H18",
    "The catalogue changes between two pages",
    "the pull fails, the catalogue stays, and the next pull reads all of it",
)
@pytest.mark.parametrize("price", ["3.00", "2.00"], ids=["for good", "and back again"])
def test_change_between_pages(branch, price):
    """
    What is no catalogue that the back office had is not applied; the next
    pull ends at what it then has.
    """
    branch.office.etag, branch.office.page_size = "strong", 5
    branch.pull(items(10))
    before = branch.dump("items", "quarantine", "checkpoints")
    changes = iter([items(10, "3.00"), items(10, price)])

    def change(step):
        if step == "page":
            branch.office.catalog = next(changes, branch.office.catalog)

    run = branch.pull(items(10, "2.00"), failpoint=change)

    assert run.status is RunStatus.FAILED
    assert "the catalogue changed while it was read" in run.last_error
    assert branch.dump("items", "quarantine", "checkpoints") == before
    assert not branch.pull().not_modified
    assert {str(it.price) for it in branch.shelf.values()} == {price}
    assert branch.pull().not_modified


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it only makes sites
@given(
    changes=st.lists(st.none() | st.sets(st.integers(0, 9), min_size=1), max_size=12),
    page_size=st.integers(1, 10),
)
def test_never_a_mixed_catalogue(new_site, changes, page_size):
    """
    Whenever prices change during a pull, the mirror holds what the back
    office had at one moment, before that pull or in it.
    """
    site = new_site()
    site.office.etag, site.office.page_size = "strong", page_size
    versions = [["1.00"] * 10]
    schedule = iter(changes)

    def change(step):
        if step == "page" and (indexes := next(schedule, None)):
            fresh = f"{len(versions) + 1}.00"
            versions.append([fresh if n in indexes else it for n, it in enumerate(versions[-1])])
            site.office.catalog = priced(versions[-1])

    for _ in range(3):
        site.pull(priced(versions[-1]), failpoint=change)
        held = [str(site.shelf[sku].price) for sku in sorted(site.shelf)]
        assert held in [[], *versions]

    settled = site.pull()

    assert settled.status is RunStatus.SUCCESS
    assert [str(site.shelf[sku].price) for sku in sorted(site.shelf)] == versions[-1]


@pytest.mark.fault("H18", "304, but the mirror is empty", "the catalogue is asked for in full")
def test_empty_mirror(branch):
    """
    What was known before the mirror was lost is not asked about.
    """
    branch.office.etag = "strong"
    branch.pull(items(30))
    with branch.store.write() as state:
        state.session.execute("DELETE FROM items")

    run = branch.pull()

    assert (run.not_modified, run.created, len(branch.shelf)) == (False, 30, 30)


@pytest.mark.fault("H18", "304 without If-None-Match", "the pull fails; the catalogue stays")
def test_unasked_304(branch):
    """
    It is never taken for an empty catalogue.
    """
    branch.office.etag = "off"
    branch.pull(items(30))
    branch.office.faults("catalog: 304")

    run = branch.pull()

    assert (run.status, run.not_modified, len(branch.shelf)) == (RunStatus.FAILED, False, 30)
    assert branch.pull().status is RunStatus.SUCCESS


@pytest.mark.fault("P12", "The same SKU twice, equal", "one item")
@pytest.mark.fault("P12", "The same SKU twice, different", "neither: both are set aside")
@pytest.mark.fault("P12", "SKUs that differ in case or space", "different items")
def test_same_sku(branch):
    """
    Equal ones collapse, contradictory ones are set aside, and SKUs are taken
    literally.
    """
    run = branch.pull([item("A"), item("A"), item("B"), item("B", "2.00"), item("a"), item("a ")])

    entries = peek(branch.store).mirror.quarantined()
    assert set(branch.shelf) == {"A", "a", "a "}
    assert [it.reason for it in entries] == ["Duplicate SKU with different data"] * 2
    assert (run.status, run.items_failed) == (RunStatus.PARTIAL, 2)


OLD = items(100)
SUSPICIOUS = {
    "empty": ([], "no valid item among 0 received"),
    "21 % gone": (items(79), "21 of 100 known items are gone (21.0%)"),
    "51 % invalid": (items(51, "free") + items(100)[51:], "51 of 100 received items are invalid"),
}


@pytest.mark.fault("P13", "More than half of the items are bad", "refused; the catalogue stays")
@pytest.mark.fault("P14", "An empty catalogue, or one of which 21 % are gone", "refused; it stays")
@pytest.mark.parametrize(("catalog", "reason"), SUSPICIOUS.values(), ids=SUSPICIOUS)
def test_suspicious_catalogue(branch, catalog, reason):
    """
    It is refused as a whole, and the run says what was seen.
    """
    branch.pull(OLD)
    before = branch.dump("items", "quarantine", "checkpoints", "changes")

    run = branch.pull(catalog)

    assert run.refused.startswith(reason)
    assert branch.dump("items", "quarantine", "checkpoints", "changes") == before
    assert branch.pull(OLD).status is RunStatus.SUCCESS


@pytest.mark.fault("P15", "A price below zero, of a trillion, or with 5 decimals", "set aside")
@pytest.mark.fault("P15", "A price of zero", "is a price")
@pytest.mark.parametrize("price", ["-0.01", "1000000000000", "1.00001"])
def test_prices_that_are_none(branch, price):
    """
    The item keeps its last good price, and others get theirs.
    """
    branch.pull([item("A"), item("B")])

    run = branch.pull([item("A", price), item("B", "0")])

    assert branch.quarantine == {"A": "Item has invalid price"}
    assert {sku: str(it.price) for sku, it in branch.shelf.items()} == {"A": "1.00", "B": "0"}
    assert (run.status, run.updated, run.items_failed) == (RunStatus.PARTIAL, 1, 1)


NAMES = {
    "markup": "<script>alert(1)</script>",
    "formula": "=cmd|'/c calc'!A0",
    "lines": "a\r\nb",
    "escapes": "\x1b[2J\x07",
    "override": "\u202egnp.exe",
}


@pytest.mark.fault("P16", "Names that are markup, formulas, commands", "kept as they are")
def test_names_are_kept(branch):
    """
    The mirror holds a name as it came, whatever a page or a table would make
    of it.
    """
    branch.pull([item(sku, name=name) for sku, name in NAMES.items()])

    assert {sku: it.name for sku, it in branch.shelf.items()} == NAMES


@pytest.fixture
def conexxus(tmp_path):
    """
    Runs commands as processes of their own: what one writes, and what it logs.
    """
    warm = WarmProcess()

    def run(server, *arguments):
        environ = {"PATH": os.environ["PATH"], "TZ": "UTC", **server.env}
        return warm.run(arguments, folder=tmp_path, environ=environ)[1:]

    with closing(warm):
        yield run


@pytest.mark.fault(
    "P16", "The same names, printed", "escaped on screen and in logs; no formula in CSV"
)
def test_names_are_harmless(site, conexxus):
    """
    Nothing that is printed steers a terminal, and no table starts a program.
    """
    site.office.catalog = [
        *(item(sku, name=name) for sku, name in NAMES.items()),
        *(item(name, "free") for name in NAMES.values()),
    ]
    refusal = json.dumps(json.dumps({"error": f"no: {NAMES['escapes']}{NAMES['override']}"}))

    with SandboxServer(site.office) as server:
        said = conexxus(server, "pull")
        said += conexxus(server, "items")
        said += conexxus(server, "quarantine", "list")
        table, _ = conexxus(server, "items", "--csv")
        site.office.faults(f"catalog: 422(body={refusal})*forever")
        once = "--store sqlite:///{0}.db run --once --log-format {0}"
        _, text = conexxus(server, *once.format("text").split())
        _, log = conexxus(server, *once.format("json").split())

    printed = "".join([*said, text, log])
    assert not {"\x1b", "\x07", "\u202e"} & set(printed)
    assert r"\x1b[2J\x07" in printed
    assert "gnp.exe" in text
    assert "gnp.exe" in log
    names = {row["sku"]: row["name"] for row in csv.DictReader(io.StringIO(table, newline=""))}
    assert names == NAMES | {"formula": "'" + NAMES["formula"]}
