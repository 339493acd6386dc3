"""
A suspicious catalogue is refused as a whole.
"""

import attrs
import pytest

from conexxus_sync import Guards, RunStatus


MIRROR = ("items", "quarantine", "checkpoints", "changes")


def items(count, price="1.00", start=0):
    return [
        {"sku": f"S{number:03d}", "name": "x", "price": price}
        for number in range(start, start + count)
    ]


SUSPICIOUS = {
    "empty": ([], "no valid item among 0 received, while 100 were known"),
    "all invalid": (items(100, "free"), "no valid item among 100 received"),
    "21 gone": (items(79), "21 of 100 known items are gone (21.0%); the limit is 20%"),
    "51 repriced": (
        items(51, "2.00") + items(49, start=51),
        "51 of 100 known items have another price (51.0%); the limit is 50%",
    ),
    "51 invalid": (
        items(51, "free") + items(49, start=51),
        "51 of 100 received items are invalid (51.0%); the limit is 50%",
    ),
}
FINE = {
    "20 gone": items(80),
    "50 repriced": items(50, "2.00") + items(50, start=50),
    "50 invalid": items(50, "free") + items(50, start=50),
    "all reformatted": items(100, "1.000"),
}


@pytest.mark.parametrize(("catalog", "reason"), SUSPICIOUS.values(), ids=SUSPICIOUS)
def test_suspicious_catalogue_is_refused(site, catalog, reason):
    """
    Nothing is written; the run says what was seen, what the limit is, and
    how to go on.
    """
    site.pull(items(100))
    before = site.dump(*MIRROR)

    run = site.pull(catalog)

    assert site.dump(*MIRROR) == before
    assert run.status is RunStatus.FAILED
    assert run.refused.startswith(reason)
    assert f"`conexxus pull --accept {run.id}`" in run.refused
    assert (run.created, run.updated, run.removed) == (0, 0, 0)


@pytest.mark.parametrize("catalog", [c for c, _ in SUSPICIOUS.values()], ids=SUSPICIOUS)
def test_force_passes_once(site, catalog):
    """
    Forced, the same catalogue is applied.
    """
    site.pull(items(100))

    run = site.pull(catalog, force=True)

    assert run.refused is None
    assert run.updated + run.removed + run.items_failed > 0


def test_force_is_not_remembered(site):
    """
    After a forced pull, the next suspicious catalogue is refused again.
    """
    site.pull(items(100))
    site.pull(items(60), force=True)

    assert site.pull(items(30)).refused


@pytest.mark.parametrize("catalog", FINE.values(), ids=FINE)
def test_limits_are_allowed(site, catalog):
    """
    A share that equals the limit passes.
    """
    site.pull(items(100))

    assert site.pull(catalog).refused is None


def test_few_items_have_no_shares(site):
    """
    Below 20 known items the shares do not apply, but one must be valid.
    """
    site.pull(items(19))

    assert site.pull(items(1)).refused is None
    assert site.pull([]).refused


def test_shares_apply_from_twenty_on(site):
    """
    Of exactly 20 known items, 5 may not go.
    """
    site.pull(items(20))

    assert site.pull(items(15)).refused
    assert site.pull(items(16)).refused is None


def test_thresholds_are_configurable(site):
    """
    Each guard has its own threshold.
    """
    site.config = attrs.evolve(site.config, guards=Guards(max_gone=0.5))
    site.pull(items(100))

    assert site.pull(items(60)).refused is None


def test_plan_is_refused_likewise(site):
    """
    A plan says that the real run would be refused.
    """
    site.pull(items(100))

    run = site.pull([], plan=True)

    assert run.planned
    assert run.refused
