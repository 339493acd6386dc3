"""
Windows of the catalogue that are known need not be read again, and nothing
shows whether they were.
"""

import json
from collections import Counter
from decimal import Decimal

import pytest
from example_counts import examples
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from windows import no_known_windows, small_windows

from conexxus_client._codec._catalog_window import WindowDecoder
from conexxus_sync import Guards, RunStatus
from conexxus_sync.inventory._quarantine_replay import QuarantineReplay
from conexxus_sync.testing import MemoryCatalog
from peeks import peek


@pytest.fixture(autouse=True)
def _small():
    with small_windows():
        yield


@pytest.fixture
def decoded(monkeypatch):
    """
    How many windows were decoded since it was last asked; what was no window
    does not count.
    """
    arrays, decode = [], WindowDecoder.decode

    def counting(decoder, array):
        if (found := decode(decoder, array)) is not None:
            arrays.append(array)
        return found

    monkeypatch.setattr(WindowDecoder, "decode", counting)

    def count():
        found = len(arrays)
        arrays.clear()
        return found

    return count


def products(count=200, **changes):
    """
    Items by SKU, some of them changed.
    """
    items = {f"S{n:03}": {"name": f"Product {n}", "price": "1.00"} for n in range(count)}
    return items | changes


def elements(items):
    return [{"sku": sku, **item} for sku, item in items.items()]


def test_only_what_changed_is_decoded(site, decoded):
    """
    The same items cost no window, one changed item costs one or two, and one
    inserted at the beginning, too.
    """
    site.pull(elements(products()))
    assert decoded() >= 10

    changed = products(S100={"name": "Another", "price": "1.00"})
    inserted = {"A": {"name": "First", "price": "1.00"}} | changed
    assert site.pull(elements(products())).unchanged == 200
    assert decoded() == 0
    assert site.pull(elements(changed)).updated == 1
    assert 1 <= decoded() <= 2
    assert site.pull(elements(inserted)).created == 1
    assert 1 <= decoded() <= 2


def test_items_in_items(site, decoded):
    """
    A window ends between two items, not in one, also if these hold what looks
    like items.
    """
    nested = {"parts": [{"sku": "S001"}, {"sku": "S002"}], "note": '},{"sku":"S003"'}

    assert site.pull([{**it, **nested} for it in elements(products())]).created == 200
    decoded()
    assert site.pull().unchanged == 200
    assert decoded() == 0


def test_pages(site, decoded):
    """
    A window ends where a page does: the other pages are known.
    """
    site.office.page_size = 20
    site.pull(elements(products()))
    decoded()

    assert site.pull(elements(products(S190={"name": "x", "price": "2"}))).updated == 1
    assert 1 <= decoded() <= 2


def test_another_question(site, decoded):
    """
    Windows are known in one scope alone: with another limit, all are read.
    """
    site.pull(elements(products()))
    decoded()
    site.config = type(site.config)(max_price=Decimal(5000))

    assert site.pull().unchanged == 200
    assert decoded() >= 10
    assert site.pull().unchanged == 200
    assert decoded() == 0


def test_bad_items_are_read_each_time(site, decoded):
    """
    A window with a bad item is never known: it stays in quarantine, with what
    is wrong.
    """
    bad = products(S050={"name": "x", "price": "free"})

    for _ in range(3):
        decoded()
        run = site.pull(elements(bad))
        assert (run.status, run.items_failed) == (RunStatus.PARTIAL, 1)
        assert set(site.quarantine) == {"S050"}
    assert 1 <= decoded() <= 2


def test_a_window_twice(site):
    """
    The same window twice in one read: its items count twice, and are there once.
    """
    once = elements(products(40))

    for catalog in (once, once + once, once, once + once):
        run = site.pull(catalog)
        assert (run.items_processed, run.items_failed) == (len(catalog), 0)
        assert len(site.shelf) == 40


def test_a_copy_in_a_new_window(site):
    """
    An item of a known window that comes in another, too, with another price:
    both are set aside, and the mirror keeps what it has.
    """
    items = elements(products())
    site.pull(items)
    twice = [*items, {"sku": "S003", "name": "Product 3", "price": "9.00"}]

    run = site.pull(twice)

    assert (run.items_processed, run.items_failed, run.unchanged) == (201, 2, 199)
    assert len(list(peek(site.store).mirror.quarantined("S003"))) == 2
    assert str(site.shelf["S003"].price) == "1.00"
    assert site.pull(items).status is RunStatus.SUCCESS


def test_a_bad_copy_in_a_new_window(site):
    """
    An item that is set aside where another of its SKU is known, and goes
    again: it is as if there had been no window.
    """
    items = elements(products())
    site.pull(items)
    site.pull([*items, {"sku": "S003", "name": "x", "price": "free"}])
    del items[150]

    run = site.pull([*items, {"sku": "S999", "name": "x", "price": "1"}])

    assert (run.created, run.removed, run.unchanged) == (1, 1, 199)
    assert "S003" in site.shelf


def test_removals(site):
    """
    What a vanished window held is gone, unless it stands elsewhere; the guard
    sees how much that is.
    """
    items = products()
    site.pull(elements(items))
    moved = {"S007": items.pop("S007")}
    del items["S150"]

    assert site.pull(elements(items | moved)).removed == 1
    assert "S007" in site.shelf
    assert "S150" not in site.shelf

    run = site.pull(elements(dict(list(items.items())[:100])))
    assert run.refused is not None
    assert len(site.shelf) == 199


def test_nameless_elements(site):
    """
    While an element can't be named, nothing is gone; once it can, what is
    missing is.
    """
    items = products()
    site.pull(elements(items))
    del items["S150"]
    nameless = [*elements(items), {"name": "?", "price": "1"}]

    assert [site.pull(nameless).removed, site.pull([*nameless, None]).removed] == [0, 0]
    assert "S150" in site.shelf
    assert site.pull(elements(items)).removed == 1


def test_a_corrected_item(site):
    """
    A correction lasts until the back office changes something: then the item
    that it has counts, also if its own window is the same.
    """
    bad = [*elements(products()), {"sku": "X", "name": "x", "price": "free"}]
    site.pull([*bad, {"name": "nameless", "price": "1"}])
    (nameless,) = [key for key in site.quarantine if key.startswith("#")]
    corrected = b'{"sku":"S001","name":"Corrected","price":1}'
    QuarantineReplay(context=site.context()).replay(nameless, corrected)
    assert site.shelf["S001"].name == "Corrected"

    site.pull(elements(products(S100={"name": "Another", "price": "1.00"})))

    assert site.shelf["S001"].name == "Product 1"


def test_windows_are_learned_from_the_same_items(site, decoded):
    """
    A store without windows, as after an upgrade, learns them from the first
    pull of the same items.
    """
    catalog = [*elements(products()), {"sku": "X", "name": "x", "price": "free"}]
    site.pull(catalog)
    with site.store.write() as state:
        state.staging.windows.forget()

    decoded()
    assert site.pull(catalog).unchanged == 200
    assert decoded() >= 10
    assert site.pull(catalog).unchanged == 200
    assert decoded() <= 2


def test_no_windows_of_a_corrected_mirror(site, decoded):
    """
    While the mirror has an item that an operator corrected, the same items
    say nothing of it, and no window is known.
    """
    catalog = [*elements(products()), {"name": "nameless", "price": "1"}]
    site.pull(catalog)
    (key,) = site.quarantine
    corrected = b'{"sku":"S001","name":"Corrected","price":1}'
    QuarantineReplay(context=site.context()).replay(key, corrected)

    for _ in range(2):
        decoded()
        site.pull(catalog)
        assert decoded() >= 10
        assert site.shelf["S001"].name == "Corrected"


def test_force_reads_everything(site, decoded):
    """
    With `force`, all windows are read: a damaged mirror is repaired.
    """
    site.pull(elements(products()))
    with site.store.write() as state:
        state.session.execute("DELETE FROM items WHERE sku = 'S005'")
    decoded()

    changed = elements(products(S100={"name": "Another", "price": "1.00"}))
    assert site.pull(changed, force=True).created == 1
    assert decoded() >= 10
    assert "S005" in site.shelf


def test_a_sku_like_a_fingerprint(site):
    """
    An item whose SKU reads like the key of a nameless element is gone when it
    is.
    """
    items = elements(products(60))
    nameless = {"name": "?", "price": 1}
    site.pull([*items, nameless])
    (key,) = site.quarantine
    odd = {"sku": key, "name": "odd", "price": "1"}

    for catalog in ([odd, *items], [*items, nameless]):
        site.pull(catalog)
    run = site.pull(items)

    assert (run.removed, key in site.shelf) == (1, False)


def test_skus_of_any_text(site):
    """
    SKUs with line feeds, quotes and commas are removed and kept like others.
    """
    odd = {f'a\n"{n}", []': {"name": "x", "price": "1"} for n in range(100)}
    site.pull(elements(odd))
    removed = sorted(odd)[50]
    del odd[removed]

    assert site.pull(elements(odd)).removed == 1
    assert removed not in site.shelf


def test_plans_and_guards(site):
    """
    A plan and a refused catalogue keep the windows of the applied one.
    """
    site.pull(elements(products()))
    changed = elements(products(S100={"name": "x", "price": "9.00"}))

    plan = site.pull(changed, plan=True)
    assert (plan.updated, plan.unchanged) == (1, 199)
    assert [str(it.new) for it in prices(site, plan)] == ["9.00"]
    assert site.pull(elements(products(2))).refused is not None
    assert site.pull(changed, accept=plan.id).updated == 1


def prices(site, plan):
    with site.store.read() as state:
        return list(state.plans.prices(plan.id))


def test_a_host_that_wants_all(site):
    """
    `reapply` gives the host the whole mirror, whatever was decoded.
    """
    host = MemoryCatalog()
    site.pull(elements(products()), storage=host)

    run = site.pull(storage=host, reapply=True)

    assert run.unchanged == 200
    assert len(host.items) == 200


words = st.sampled_from(["a", "b", "c" * 60])
prices_ = st.sampled_from(["1.00", "2.00", "free", "3"])
edits = st.one_of(
    st.tuples(st.just("change"), st.integers(0, 60), words, prices_),
    st.tuples(st.just("insert"), st.integers(0, 60), st.integers(0, 80), prices_),
    st.tuples(st.just("delete"), st.integers(0, 60), st.integers(1, 12)),
    st.tuples(st.just("move"), st.integers(0, 60), st.integers(0, 60)),
    st.tuples(st.just("copy"), st.integers(0, 60), st.integers(1, 9), st.integers(0, 60)),
    st.tuples(st.just("nameless"), st.integers(0, 60)),
    st.tuples(
        st.just("replay"),
    ),
    st.tuples(
        st.just("again"),
    ),
)


def edited(catalog, edit):
    """
    *catalog* after one edit.
    """
    result = list(catalog)
    match edit:
        case "change", at, name, price if at < len(result) and result[at]:
            result[at] = {**result[at], "name": name, "price": price}
        case "insert", at, number, price:
            result.insert(at, {"sku": f"S{number:03}", "name": "new", "price": price})
        case "delete", at, count:
            del result[at : at + count]
        case "move", at, to if at < len(result):
            result.insert(to, result.pop(at))
        case "copy", at, count, to:
            result[to:to] = result[at : at + count]
        case "nameless", at:
            result.insert(at, None)
    return result


def contents(site, host, run):
    """
    All that a pull leaves behind, but for ids and digests.
    """
    mirror = peek(site.store).mirror
    return {
        "run": [
            *(run.status, run.items_processed, run.items_succeeded, run.items_failed),
            *(run.created, run.updated, run.unchanged, run.removed, run.refused is None),
            Counter((it.item, it.error) for it in run.errors),
        ],
        "items": [
            (it.item, it.missing_since, it.decision, it.page, it.old_price)
            for it in mirror.items(missing=True)
        ],
        "quarantine": [
            (it.key, it.part, it.raw, it.reason, it.times_seen, it.page)
            for it in mirror.quarantined()
        ],
        "counts": mirror.counts(),
        "host": dict(host.items),
    }


@given(st.lists(st.lists(edits, min_size=1, max_size=3), min_size=1, max_size=6), st.booleans())
@settings(
    max_examples=examples(12, 40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nothing_shows(new_site, rounds, paged):
    """
    With known windows and without, pulls of any catalogues leave the same
    behind, row by row.
    """
    sites = [new_site(removals="deactivate") for _ in range(2)]
    hosts = [MemoryCatalog() for _ in sites]
    catalog = elements(products(40))

    for site in sites:
        site.config = type(site.config)(removals="deactivate", guards=Guards(from_known=10_000))
        site.office.page_size = 15 if paged else None

    for round_ in [[("again",)], *rounds]:
        for edit in round_:
            catalog = edited(catalog, edit)

        known, read_anew = (
            pulled(site, host, catalog, round_, known=site is sites[0])
            for site, host in zip(sites, hosts, strict=True)
        )

        assert known == read_anew


def pulled(site, host, catalog, edits, *, known):
    if any(edit[0] == "replay" for edit in edits) and site.quarantine:
        replay(site)
    if known:
        with site.store.read() as state:
            event(f"known windows: {bool(state.staging.windows.known())}")
        return contents(site, host, site.pull(catalog, storage=host))
    with no_known_windows():
        return contents(site, host, site.pull(catalog, storage=host))


def replay(site):
    key = min(site.quarantine)
    sku = "S001" if key.startswith("#") else key
    corrected = json.dumps({"sku": sku, "name": "corrected", "price": 7}).encode()
    QuarantineReplay(context=site.context()).replay(key, corrected)
