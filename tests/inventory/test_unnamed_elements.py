"""
Facts about elements without a readable SKU: each may be any item that is absent.
"""

import attrs
import pytest

from conexxus_sync import Guards, RunStatus
from conexxus_sync.testing import MemoryCatalog
from peeks import peek


GARBAGE = {"name": "?", "price": "1"}


def items(count, start=0):
    return [{"sku": f"S{n:03}", "name": "x", "price": "1.00"} for n in range(start, start + count)]


def waiting(site):
    """
    How many elements have no readable SKU, and how many items wait for them.
    """
    unnamed = peek(site.store).mirror.unnamed()
    return None if unnamed is None else (unnamed.count, unnamed.waiting)


@pytest.mark.case(
    "A2",
    "an element has no readable SKU, and the catalogue shrinks from 40 items to 2",
    "the guard sees how many absent items it can't be, and refuses the catalogue",
)
@pytest.mark.parametrize(
    "element",
    [
        {"sku": None, **GARBAGE},
        {"sku": "", **GARBAGE},
        {"sku": 4711, **GARBAGE},
        {"sku": "A\0", **GARBAGE},
        GARBAGE,
        None,
        7,
        "S001",
        [],
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
def test_guard_sees_what_is_absent(site, element, is_new):
    """
    One element may be one of 38 absent items, and no more.
    """
    site.pull([*items(40), *([] if is_new else [element])])

    run = site.pull([*items(2), element])

    assert run.refused.startswith("37 of 40 known items are gone (92.5%); the limit is 20%")
    assert run.note.startswith("removals wait because 1 element has no readable SKU")
    assert (run.removed, len(site.shelf)) == (0, 40)


@pytest.mark.case(
    "A2",
    "the same element was there in every read of 24 hours",
    "it can't be an absent item: all that is absent counts, and is removed",
)
def test_settled_elements(site):
    """
    Whether the guard is passed by few removals, or by a person.
    """
    site.pull([*items(40), GARBAGE])
    for _ in range(23):
        site.pull()

    run = site.pull([*items(2), GARBAGE])
    assert run.refused.startswith("38 of 40 known items are gone")
    assert run.note is None

    run = site.pull(accept=run.id)
    assert (run.removed, run.note) == (38, None)
    assert sorted(site.shelf) == ["S000", "S001"]


@pytest.mark.case(
    "A2",
    "items are absent while elements have no readable SKU",
    "the run says that removals wait, and they resume after a day of the same elements",
)
@pytest.mark.parametrize("etag", ["off", "strong"])
def test_removals_wait_and_resume(site, etag):
    """
    Each run says so, also one that finds nothing new, until they resume.
    """
    site.office.etag = etag
    catalog = [*items(36), {"sku": 1, **GARBAGE}, None]
    said = (
        "removals wait because 2 elements have no readable SKU: 4 known items are absent, and "
        "removed once these elements were the same in every read of 24 hours"
    )
    site.pull(items(40))

    for _ in range(24):
        run = site.pull(catalog)
        assert (run.removed, run.note, run.status) == (0, said, RunStatus.PARTIAL)
        assert waiting(site) == (2, 4)
    run = site.pull()

    assert (run.removed, run.note, run.status) == (4, None, RunStatus.PARTIAL)
    assert len(site.shelf) == 36
    assert waiting(site) == (2, 0)
    assert (site.pull().note, site.pull().removed) == (None, 0)


@pytest.mark.case(
    "A2",
    "the elements without a readable SKU change while removals wait",
    "the day begins anew; their order makes no difference",
)
@pytest.mark.parametrize(
    "other",
    [
        [None, {"sku": "", **GARBAGE}],
        [{"sku": "", **GARBAGE}, None, None],
        [None],
        [{"sku": "", "name": "!", "price": "1"}, None],
    ],
)
def test_elements_that_change(site, other):
    """
    In every read: also in one that a guard refused.
    """
    first = [{"sku": "", **GARBAGE}, None]
    is_same = other == first[::-1]
    site.pull(items(40))
    site.pull([*items(36), *first])

    for _ in range(11):
        site.pull()
    site.pull([*items(36), *other])
    site.pull([*items(36), *first])
    for _ in range(10):
        site.pull()

    assert site.pull().removed == (4 if is_same else 0)
    assert len(site.shelf) == (36 if is_same else 40)


@pytest.mark.parametrize("refused", [items(2), [*items(2), GARBAGE], [GARBAGE]])
def test_refused_read_counts(site, refused):
    """
    A refused read with other elements, or none, begins the day anew, too; what
    waits is as it was.
    """
    site.pull(items(40))
    site.pull([*items(36), None])
    for _ in range(20):
        site.pull()

    assert site.pull(refused).refused
    assert waiting(site) == (1, 4)
    for _ in range(22):
        assert site.pull([*items(36), None]).removed == 0
    assert waiting(site) == (1, 4)


def test_refused_read_of_the_same(site):
    """
    A refused read that has the same elements goes on with the day.
    """
    site.pull([*items(40), None])

    for _ in range(23):
        assert site.pull([*items(2), None]).refused.startswith("37 of 40")
    assert site.pull().refused.startswith("38 of 40")


def test_elements_that_go(site):
    """
    Once all have a readable SKU, what is absent is removed at once.
    """
    site.pull(items(40))
    site.pull([*items(36), GARBAGE])

    run = site.pull(items(36))

    assert (run.removed, run.note, waiting(site)) == (4, None, None)


def test_items_that_return(site):
    """
    Nothing is absent any more: nothing waits.
    """
    site.pull(items(40))
    site.pull([*items(36), GARBAGE])

    run = site.pull([*items(40), GARBAGE])

    assert (run.note, waiting(site)) == (None, (1, 0))


def test_more_elements_than_absent_items(site):
    """
    Where each absent item may be one of the elements, the guard sees none
    gone.
    """
    site.config = attrs.evolve(site.config, guards=Guards(max_gone=0.0))
    site.pull(items(40))

    run = site.pull([*items(36), *[{"name": str(n)} for n in range(4)]])

    assert (run.refused, run.removed, waiting(site)) == (None, 0, (4, 4))
    assert site.pull([*items(36), *[{"name": str(n)} for n in range(3)]]).refused


def test_resumed_removals_pass_the_guard(site):
    """
    Elements that had to be absent items, and then are none: the guard sees it.
    """
    site.pull(items(40))
    site.pull([*items(25), *[{"name": str(n)} for n in range(15)]])
    for _ in range(23):
        site.pull()

    assert site.pull().refused.startswith("15 of 40 known items are gone")
    assert len(site.shelf) == 40


def test_forced(site):
    """
    `--force` passes the guard, and removals wait all the same; the same
    catalogue is not refused again before the day is over.
    """
    site.pull(items(40))

    run = site.pull([*items(2), GARBAGE], force=True)
    assert (run.refused, run.removed, len(site.shelf)) == (None, 0, 40)
    assert run.note.startswith("removals wait because 1 element has")

    assert site.pull().refused is None


def test_plan(site):
    """
    A plan says the same, and changes nothing of what is known.
    """
    site.pull(items(40))

    run = site.pull([*items(36), GARBAGE], plan=True)

    assert (run.removed, run.note[:13], waiting(site)) == (0, "removals wait", None)


def test_host(site):
    """
    The host hears of removals when they take place.
    """
    site.config = attrs.evolve(site.config, removals="deactivate")
    host = MemoryCatalog()
    site.pull(items(40), storage=host)

    site.pull([*items(36), GARBAGE], storage=host)
    assert len(host.items) == 40
    for _ in range(24):
        site.pull(storage=host)
    assert len(host.items) == 36
    assert len(host.received) == 2


def test_resumed_without_a_condition(site):
    """
    Removals resume after a day, though a younger read has an ETag.
    """
    site.office.etag = "strong"
    site.pull(items(40))
    site.pull([*items(36), GARBAGE])
    for _ in range(12):
        site.pull(reapply=True)
    for _ in range(11):
        assert site.pull().not_modified

    assert site.pull().removed == 4


def test_clock_that_is_set_back(site):
    """
    A day that began in the future begins anew.
    """
    site.pull(items(40))
    site.pull([*items(36), GARBAGE])
    site.clock.set(site.clock.now().replace(year=2025))

    assert site.pull().removed == 0
    for _ in range(23):
        site.pull()
    assert site.pull().removed == 4


def test_another_back_office(site):
    """
    What another address said of such elements does not count here.
    """
    site.pull([*items(40), GARBAGE])
    for _ in range(24):
        site.pull()
    site.config = attrs.evolve(site.config, max_price=site.config.max_price - 1)

    assert site.pull([*items(36), GARBAGE]).removed == 0


@pytest.mark.case(
    "A2",
    "an element without a readable SKU is so large that only its beginning is kept, and changes",
    "the day begins anew, wherever it changes",
)
def test_large_elements_that_change(site):
    """
    What looks the same where it is kept may be another item.
    """

    def large(number):
        return {"picture": "a" * 1024 * 1024, "number": number, **GARBAGE}

    site.pull([*items(40), large(0)])
    site.pull([*items(36), large(0)])

    for number in range(30):
        run = site.pull([*items(36), large(number)])

    assert (run.removed, waiting(site)) == (0, (1, 4))
