"""
Shadow mode: the catalogue of files beside that of the back office.
"""

from datetime import timedelta
from decimal import Decimal
from random import Random

import attrs
import pytest
from databases import IS_SMALL, store_at

from conexxus_client import ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.model.runs import RunKind, RunStatus
from conexxus_sync.model.shadow import (
    ShadowDifference,
    ShadowLook,
    agreed_since,
    cutover_obstacles,
)
from conexxus_sync.service._shadow_catalogue import ShadowCatalogue
from conexxus_sync.stores import SyncStore
from maintenance_files import Inbox, detail, document, good
from peeks import peek
from sites import MORNING


PLANTED = ("price", "name", "only_in_file", "only_in_catalogue", "code", "unusable")


@attrs.define
class Shop:
    """
    A store in shadow mode: what it sells comes from the back office, and as files.

    Attributes:
        items: Name and price by SKU, as both should have them.
        planted: By SKU, in what the two differ.
    """

    site: object
    inbox: Inbox
    sync_store: SyncStore
    items: dict = attrs.field(factory=dict)
    planted: dict = attrs.field(factory=dict)
    files: int = 0

    def write(self, content):
        self.files += 1
        self.inbox.write(f"ITT{self.files:06}.xml", content)

    def office(self):
        """
        What the back office has: all items, but for what is planted.
        """
        found = []

        for sku, (name, price) in self.items.items():
            match self.planted.get(sku):
                case "only_in_file":
                    continue
                case "price":
                    price += 1
                case "name":
                    name += "!"
                case "code":
                    sku = sku.lstrip("0")
            found.append({"sku": sku, "name": name, "price": price})

        others = [sku for sku, kind in self.planted.items() if kind == "only_in_catalogue"]

        return found + [{"sku": sku, "name": "Wine", "price": Decimal(9)} for sku in others]

    def pull(self):
        context = self.site.context()
        shadow = ShadowCatalogue.of(context, self.sync_store)
        self.site.office.catalog = self.office()
        self.site.clock.advance(minutes=60)

        return attrs.evolve(self.site.engine(), after=shadow.look).pull()

    @property
    def look(self):
        return peek(self.site.store).shadow_looks.latest()

    @property
    def looks(self):
        return peek(self.site.store).shadow_looks.all()


@pytest.fixture
def shop(site, tmp_path):
    (tmp_path / "inbox").mkdir()
    address = f"naxml:{tmp_path / 'inbox'}?dialect=generic"
    site.config = attrs.evolve(site.config, shadow=address)

    return Shop(site, Inbox(tmp_path / "inbox", site.clock), store_at(tmp_path / "conexxus.db"))


def code_of(number):
    """
    A UPC-A that begins with zeros.
    """
    digits = f"00{number:09}"
    total = 3 * sum(map(int, digits[::2])) + sum(map(int, digits[1::2]))

    return f"{digits}{-total % 10}"


def snapshot_of(items):
    details = [good(code=sku, name=name, price=price) for sku, (name, price) in items.items()]

    return document(*details, table="initialize")


def day_of_changes(shop, random):
    """
    The files of a day: prices alone, new items, items that go, now and then all of it.
    """
    changed = random.sample(sorted(shop.items), 3)
    new = code_of(1_000 + shop.files)
    gone = random.choice(sorted(shop.items.keys() - {*changed, *shop.planted}))
    details = []

    for sku in changed:
        price = Decimal(random.randrange(100, 999)) / 100
        shop.items[sku] = (shop.items[sku][0], price)
        details.append(detail(f"<RegularSellPrice>{price}</RegularSellPrice>", code=sku))

    shop.items[new] = ("New", Decimal("2.50"))
    del shop.items[gone]
    deletion = '<RecordAction type="delete"/>'
    shop.write(document(*details, detail(action=deletion, code=gone)))
    shop.write(document(good(code=new, name="New", price="2.50")))
    if random.random() < 0.3:
        shop.write(snapshot_of(shop.items))
        # What can't be used is not in it.
        for sku in [sku for sku, kind in shop.planted.items() if kind == "unusable"]:
            del shop.planted[sku]


def plant(shop, random, number):
    """
    Let the two differ in one more item.
    """
    kind = PLANTED[number % len(PLANTED)]

    if kind == "only_in_catalogue":
        shop.planted[f"WINE{number}"] = kind
    elif kind == "unusable":
        sku = code_of(5_000 + number)
        shop.planted[sku] = kind
        shop.write(document(good(code=sku, price="free")))
    else:
        shop.planted[random.choice(sorted(shop.items.keys() - shop.planted.keys()))] = kind


def heal(shop):
    """
    The two say the same again.
    """
    bad = [sku for sku, kind in shop.planted.items() if kind == "unusable"]
    shop.planted.clear()

    for sku in bad:
        shop.items[sku] = ("Mended", Decimal(3))
        shop.write(document(good(code=sku, name="Mended", price="3")))


def a_week(shop, seed, *, pulls_a_day):
    """
    What each pull of a simulated week should find, and what it found.
    """
    random = Random(seed)
    shop.items = {code_of(n): (f"Item {n}", Decimal("1.50") + n) for n in range(1, 41)}
    shop.write(snapshot_of(shop.items))

    for number in range(7 * pulls_a_day):
        if number and number % pulls_a_day == 0:
            day_of_changes(shop, random)
        if number % 11 == 10:
            heal(shop)
        if number % 3 == 1:
            plant(shop, random, number // 3)
        run = shop.pull()
        assert run.status is RunStatus.SUCCESS
        found = shop.look
        named = {(it.kind, it.sku) for it in found.examples}
        yield {(kind, sku) for sku, kind in shop.planted.items()}, named, found


@pytest.mark.parametrize("seed", range(1))
def test_planted_differences(shop, seed):
    """
    Over a simulated week, each pull finds exactly what was planted.
    """
    weeks = list(a_week(shop, seed, pulls_a_day=3))

    for planted, named, found in weeks:
        assert named == planted
        assert found.differences == len(planted)
    assert {kind for planted, _, _ in weeks for kind, _ in planted} == set(PLANTED)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 11 if IS_SMALL else 30))
def test_planted_differences_of_hourly_pulls(shop, seed):
    for planted, named, found in a_week(shop, seed, pulls_a_day=6 if IS_SMALL else 24):
        assert named == planted
        assert found.differences == len(planted)


def test_files_change_nothing_of_the_location(shop):
    """
    Catalogue, history and quarantine are those of the back office alone.
    """
    shop.items = {code_of(1): ("One", Decimal(1))}
    shop.write(document(good(code=code_of(2)), good(code=code_of(3), price="free")))

    shop.pull()

    assert set(shop.site.shelf) == {code_of(1)}
    assert shop.site.quarantine == {}
    assert len(peek(shop.site.store).runs.history(RunKind.INVENTORY, 10)) == 1
    # Changes alone do not say that an item is missing.
    assert {it.kind for it in shop.look.examples} == {"only_in_file", "unusable"}


def test_file_that_fails(shop):
    """
    A pull does not depend on the files.
    """
    shop.items = {code_of(1): ("One", Decimal(1))}
    shop.write(b"<NAXML-MaintenanceRequest")

    run = shop.pull()

    assert run.status is RunStatus.SUCCESS
    assert shop.look.problem.startswith("ITT000001.xml: ")
    assert not shop.look.agrees
    shop.files = 0
    shop.write(snapshot_of(shop.items))
    shop.pull()
    assert shop.look.agrees


def test_pull_that_fails_is_not_compared(shop):
    shop.items = {code_of(1): ("One", Decimal(1))}
    shop.write(snapshot_of(shop.items))
    shop.site.office.faults("500*9")

    shop.pull()

    assert shop.look is None


def test_nothing_changes(shop):
    """
    Where nothing is new, the last comparison holds; a replay is new.
    """
    shop.items = {code_of(1): ("One", Decimal(1)), code_of(2): ("Two", Decimal(2))}
    shop.planted[code_of(1)] = "price"
    shop.write(snapshot_of(shop.items))

    shop.pull()
    shop.pull()

    first, second = shop.looks
    assert second == attrs.evolve(first, at=shop.site.clock.now())


def test_files_alone_have_no_shadow(shop):
    shop.site.config = attrs.evolve(shop.site.config, catalog_source=shop.site.config.shadow)

    with pytest.raises(ConfigurationError, match="CONEXXUS_SHADOW goes with a catalogue"):
        ShadowCatalogue.of(shop.site.context(), shop.sync_store)


def test_location_of_the_files_is_taken():
    with pytest.raises(ConfigurationError, match="LOCATION_ID must not end with #shadow"):
        SyncConfig(location_id="loc-001#shadow")


NOW = MORNING + timedelta(days=30)


def looks(*hours, **options):
    return [ShadowLook(at=NOW - timedelta(hours=hour), **options) for hour in hours]


AGREED = looks(*range(180, 0, -12))
ONE = (ShadowDifference(kind="price", sku="036000291452"),)


def test_cutover_after_a_week():
    assert cutover_obstacles(AGREED, NOW) == []


@pytest.mark.parametrize(
    ("known", "obstacle"),
    [
        ([], "files and back office were never compared"),
        (AGREED[2:], "they are compared since "),
        (AGREED[:-3], "nothing was compared from "),
        ([*AGREED[:5], *AGREED[8:]], "nothing was compared from "),
        ([*AGREED[:3], *looks(143, differences=1, examples=ONE), *AGREED[3:]], "they differed in"),
        ([AGREED[0], *looks(170, 167, differences=1, examples=ONE), *AGREED[1:]], "they differed"),
        ([*AGREED[:5], *looks(110, 98, problem="it broke"), *AGREED[8:]], "nothing was compared"),
        ([*AGREED, *looks(0, problem="it broke")], "they could not be compared: it broke"),
        (looks(9, 1, problem="it broke"), "they could not be compared: it broke"),
        ([*looks(200, problem="it broke"), *AGREED[2:]], "they are compared since "),
    ],
)
def test_cutover_waits(known, obstacle):
    (found,) = cutover_obstacles(known, NOW)

    assert found.startswith(obstacle)


def test_file_that_was_mended_in_time():
    """
    Files that could not be compared are no difference: the next comparison has them all.
    """
    broken = looks(143, 140, problem="it broke")

    assert cutover_obstacles([*AGREED[:3], *broken, *AGREED[4:]], NOW) == []


def test_comparisons_that_agreed():
    """
    They are counted from the last difference on, without what could not be compared.
    """
    different = looks(200, differences=1, examples=ONE)
    broken = looks(190, problem="it broke")

    assert agreed_since([*looks(210), *different, *broken, *AGREED]) == AGREED
    assert agreed_since(AGREED) == AGREED
