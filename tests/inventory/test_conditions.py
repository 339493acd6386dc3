"""
Facts about the ETag under which a pull asks, and when it asks without one.
"""

from datetime import timedelta

import attrs
import pytest
from paged_offices import PagedOffice
from paged_offices import client_of as paged_client

from conexxus_client import ApiProfile
from peeks import peek


DAY = timedelta(hours=24)


def items(count, price="1.00"):
    return [{"sku": f"S{n:03}", "name": "x", "price": price} for n in range(count)]


def repriced():
    return [*items(40, "1.10"), *items(100)[40:]]


@pytest.fixture
def paged(site):
    """
    A site whose back office has pages with tags of their own.
    """
    site.office = PagedOffice(items(100))
    site.client = paged_client(site.office)
    return site


@pytest.fixture
def stuck(site):
    """
    A site whose back office has one ETag for ever.
    """
    site.office = PagedOffice(items(100), page_size=1_000)
    site.office.tag = '"ever"'
    site.client = paged_client(site.office)
    return site


def later(site, hours):
    site.clock.advance(hours=hours - 1)
    return site.pull()


@pytest.mark.case(
    "A1",
    "bare array, `Link` paging, a tag on each page; the 101st item is added, on page 2",
    "the next pull has it, though page 1 is not modified",
)
def test_second_page_that_is_new(paged):
    """
    The 304 of page 1 has its `Link`: it is no answer for the whole.
    """
    paged.pull()
    paged.pull(items(101))

    assert len(paged.shelf) == 101
    assert paged.office.asked == [
        (0, False),
        (0, True),
        (0, False),
        (1, False),
        (0, True),
        (1, True),
    ]
    assert peek(paged.store).mirror.checkpoint().etag is None


@pytest.mark.case(
    "A1",
    "the same, and the 304 of page 1 does not repeat its `Link`",
    "the item is there once the last complete read is a day old",
)
def test_second_page_without_a_link(paged):
    """
    What a 304 does not say is found out once a day.
    """
    paged.office.names_next = False
    paged.pull()
    paged.office.catalog = items(101)

    runs = [paged.pull() for _ in range(23)]
    assert [run.not_modified for run in runs] == [True] * 23
    assert len(paged.shelf) == 100

    assert paged.pull().created == 1
    assert len(paged.shelf) == 101


@pytest.mark.case(
    "A1",
    'the same, and the profile says `etag_covers="page"`',
    "the next pull has the item",
)
def test_tags_of_pages(paged):
    """
    No tag is trusted, not even that of a store which kept it.
    """
    paged.office.names_next = False
    paged.pull()
    profile = ApiProfile(etag_covers="page")
    paged.client = paged_client(paged.office, profile=profile)

    assert paged.pull(items(101)).created == 1
    assert not any(condition for _, condition in paged.office.asked[:2])


@pytest.mark.case(
    "A1",
    "the same, with `total` in the envelope",
    "the tag of page 1 changes with the total: the next pull has the item",
)
def test_second_page_with_a_total(paged):
    """
    A tag over a body that has the total speaks for the whole.
    """
    paged.office.names_next = False
    paged.office.total = True
    paged.pull()

    assert paged.pull(items(101)).created == 1


@pytest.mark.case(
    "A3",
    "the ETag never changes while prices do",
    "one pull a day asks without a condition, and has the prices",
)
def test_once_a_day(stuck):
    """
    A 304 is believed for a day after the last complete read.
    """
    stuck.pull()
    stuck.office.catalog = repriced()

    assert later(stuck, 23).not_modified
    assert later(stuck, 1).updated == 40
    assert later(stuck, 23).not_modified
    # The same items again are a complete read, too.
    assert later(stuck, 1).unchanged == 100
    assert later(stuck, 23).not_modified
    assert [condition for _, condition in stuck.office.asked] == [False, True] * 2 + [False, True]


@pytest.mark.case(
    "A3",
    "the same, and `--force` or `--reapply` is given",
    "the pull asks without a condition",
)
@pytest.mark.parametrize("option", ["force", "reapply"])
def test_options(stuck, option):
    """
    What a person asks for is what the back office has now.
    """
    stuck.pull()
    stuck.office.catalog = repriced()

    assert stuck.pull(**{option: True}).updated == 40
    assert stuck.pull().not_modified


@pytest.mark.case(
    "A3",
    "the same, and `pull --plan --force` shows what the back office has",
    "`pull --accept` applies it",
)
def test_accepted_plan(stuck):
    """
    What was planned without a condition is read without one again.
    """
    stuck.pull()
    stuck.office.catalog = repriced()

    plan = stuck.pull(plan=True, force=True)

    assert plan.updated == 40
    assert stuck.pull(accept=plan.id).updated == 40


def test_refused_after_a_day(stuck):
    """
    What the daily read refused is refused again each hour, and can be accepted.
    """
    stuck.pull()
    stuck.office.catalog = items(10)

    assert later(stuck, 24).refused
    again = stuck.pull()
    assert again.refused
    assert stuck.pull(accept=again.id).removed == 90


@pytest.mark.parametrize("offset", [-timedelta(hours=2), 10 * DAY])
def test_clock_that_was_set(stuck, offset):
    """
    A read of a later clock, or of long ago, is not trusted.
    """
    stuck.pull()
    stuck.clock.set(stuck.clock.now() + offset)
    stuck.pull()

    assert [condition for _, condition in stuck.office.asked] == [False, False]


def test_failed_read_is_no_read(stuck):
    """
    A day after the last complete read, the pull asks without a condition
    until one succeeds.
    """
    stuck.pull()
    answer = stuck.office.answer
    stuck.office.answer = lambda url, condition: answer(url, condition)._replace(body=b"[")
    assert later(stuck, 24).status.value == "failed"
    stuck.office.answer = answer

    stuck.pull()

    assert [condition for _, condition in stuck.office.asked] == [False] * 3


@pytest.mark.case(
    "E6",
    "a store of an earlier version kept `*` or an ETag of 9,000 characters",
    "it is not sent: each pull reads the catalogue",
)
@pytest.mark.parametrize("tag", ["*", f'"{"x" * 9_000}"'])
def test_useless_tag_in_the_store(stuck, tag):
    """
    `*` matches whatever the back office has.
    """
    stuck.pull()
    with stuck.store.write() as state:
        checkpoint = state.mirror.checkpoint()
        state.mirror.save_checkpoint(attrs.evolve(checkpoint, etag=tag))

    assert stuck.pull(items(101)).created == 1
    assert [condition for _, condition in stuck.office.asked] == [False, False]
