"""
Whatever the back office does, the mirror follows a model of a dozen lines.
"""

from decimal import Decimal

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from conexxus_client import Item, encode_item
from conexxus_sync import Guards, RunStatus
from conexxus_sync._validation import row_of


# Without NUL, which the client refuses.
letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
words = st.text(letters, min_size=1, max_size=8).filter(str.strip)
skus = st.sampled_from([f"S{n}" for n in range(12)])
prices = st.decimals(0, 999_999_999, places=4).map(str) | st.integers(0, 999).map(str)
values = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | words
fields = st.fixed_dictionaries(
    {"name": words, "price": prices},
    optional={
        "category": st.none() | words,
        "description": words,
        "colour": values,
        "extra": st.lists(values, max_size=2),
    },
)
goods = st.dictionaries(skus, fields, max_size=12)
bad = st.dictionaries(skus, st.sampled_from(["free", "-1", "1.00001", "NaN"]), max_size=2)


def elements(goods, bad):
    return [{"sku": sku, **item} for sku, item in goods.items()] + [
        {"sku": sku, "name": "x", "price": price} for sku, price in bad.items()
    ]


def as_item(sku, fields):
    known = {"name", "price", "category", "description"}
    return Item(
        sku=sku,
        name=fields["name"],
        price=Decimal(fields["price"]),
        category=fields.get("category"),
        description=fields.get("description"),
        extra={name: value for name, value in fields.items() if name not in known},
    )


class Host:
    """
    Applies what it is told, unless it is down.
    """

    def __init__(self):
        self.shelf, self.sequence, self.down = {}, 0, False

    def apply(self, changes):
        if self.down:
            raise OSError("down")
        assert changes.sequence in (self.sequence, self.sequence + 1)
        self.sequence = changes.sequence
        for item in [*changes.created, *changes.updated]:
            self.shelf[item.sku] = item
        for item in changes.removed:
            self.shelf.pop(item.sku)


class Catalogues(RuleBasedStateMachine):
    """
    A location whose host, back office and operator do what they like.
    """

    new_site = None

    @initialize(paged=st.booleans(), etag=st.sampled_from(["off", "strong"]))
    def start(self, paged, etag):
        self.site = self.new_site()
        self.site.config = attrs.evolve(
            self.site.config, removals="deactivate", guards=Guards(from_known=10**9)
        )
        self.site.office.page_size = 3 if paged else None
        self.site.office.etag = etag
        self.host = Host()
        self.shelf, self.aside = {}, set()

    @rule(goods=goods, bad=bad, force=st.booleans(), with_host=st.booleans())
    def pull(self, goods, bad, force, with_host):
        goods = {sku: item for sku, item in goods.items() if sku not in bad}

        run = self.site.pull(
            elements(goods, bad), force=force, storage=self.host if with_host else None
        )

        if run.refused:
            assert self.shelf
            assert not goods
            assert not force
            return

        new = {sku: as_item(sku, item) for sku, item in goods.items()}
        kept = {sku: item for sku, item in self.shelf.items() if sku in bad}
        self.shelf, self.aside = {**new, **kept}, set(bad)

    @rule(goods=goods)
    def broken_pull(self, goods):
        self.site.office.faults("catalog: truncate")
        before = self.site.office.catalog

        run = self.site.pull(elements(goods, {}))

        assert run.status is RunStatus.FAILED or run.not_modified
        self.site.office.faults("")
        self.site.office.catalog = before

    @rule(down=st.booleans())
    def host_goes(self, down):
        self.host.down = down

    @rule()
    def pull_again(self):
        self.site.pull(storage=self.host)
        before = self.site.dump("items", "quarantine")
        run = self.site.pull(storage=self.host, plan=True)
        if run.refused is None and not run.not_modified:
            assert self.site.dump("items", "quarantine") == before

    @invariant()
    def mirror_is_the_model(self):
        if not hasattr(self, "site"):
            return
        assert self.site.shelf == self.shelf
        assert set(self.site.quarantine) == self.aside

    def teardown(self):
        if not hasattr(self, "site"):
            return
        self.host.down = False
        self.site.office.faults("")
        self.site.pull(elements({"S0": {"name": "x", "price": "1"}}, {}), force=True)
        self.site.pull(storage=self.host)
        assert self.host.shelf == self.site.shelf


def test_model(new_site):
    """
    Mirror, quarantine and host follow the model.
    """
    machine = type("Bound", (Catalogues,), {"new_site": staticmethod(new_site)})
    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=12))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it only makes sites
@given(goods)
def test_items_survive(new_site, goods):
    """
    From the wire to the mirror and back, digit for digit; a second pull
    writes nothing.
    """
    site = new_site()
    site.pull(elements(goods, {}))

    assert site.shelf == {sku: as_item(sku, item) for sku, item in goods.items()}
    for sku, item in goods.items():
        price = Decimal(item["price"])
        assert str(site.shelf[sku].price) == str(price)
        assert format(price, "f").encode() in encode_item(site.shelf[sku])

    before = site.dump("items", "quarantine")
    run = site.pull(elements(dict(reversed(goods.items())), {}))
    assert site.dump("items", "quarantine") == before
    assert (run.created, run.updated, run.removed) == (0, 0, 0)


some_items = st.builds(
    Item,
    sku=st.sampled_from(["1", "12", "a b"]),
    name=st.sampled_from(["1", "2", "21", "b "]),
    price=st.sampled_from([Decimal("1"), Decimal("1.0"), Decimal("2")]),
    category=st.none() | st.sampled_from(["", "None", "1"]),
    description=st.none() | st.sampled_from(["", "None", "1"]),
    extra=st.dictionaries(st.sampled_from("ab"), st.none() | st.integers(0, 2), max_size=2),
)


@given(some_items, some_items)
def test_digest(one, other):
    """
    Two items have the same digest exactly if they are the same in every
    field and digit.
    """
    same = one == other and str(one.price) == str(other.price)
    digests = row_of(one, str(one.price))[1], row_of(other, str(other.price))[1]

    assert (digests[0] == digests[1]) == same


cuts = st.lists(st.integers(1, 11), min_size=3, max_size=3, unique=True).map(sorted)


@given(cuts, cuts)
def test_digest_knows_where_a_field_ends(one, other):
    """
    The same characters, divided otherwise among the fields, are another item.
    """
    digests = [row_of(item, str(item.price))[1] for item in map(_cut, (one, other))]

    assert (digests[0] == digests[1]) == (one == other)


def _cut(places):
    ones, (first, second, third) = "1" * 12, places
    return Item(
        sku=ones[:first],
        name=ones[first:second],
        price=Decimal(ones[second:third]),
        category=ones[third:],
    )
