"""
A till that misbehaves, its computer and its back office, and what happens to
them.  What is right in the end is in `hostile_truth`.
"""

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import attrs
import pytest
from databases import postgres

from conexxus_client import ApiProfile, ConfigurationError
from conexxus_client.testing import Push, Sale
from conexxus_sync.collectors import FanOut
from conexxus_sync.model.sales import OPEN_STATES
from conexxus_sync.sales import BatchLimits
from conexxus_sync.testing import AnswerKind, FakeClock, HostileTill, sale
from kept_connections import kept_connections
from tills import LOCATION, Till, folder_in_memory

from .hostile_office import DAYS, KEY_TTL, START, Computer, Office
from .hostile_stores import StoreFile, StoreSchema
from .hostile_truth import ViolationError, booked, check, right, told, version


LATER = DAYS[-1] + timedelta(days=1)
# So often each date is pushed before it counts as stuck.
ROUNDS = 20
PATIENCE = 3
# More would look like a back office that refuses everything.
MOST_REFUSED = 3


@attrs.frozen
class Way:
    """
    How sales are pushed, and what becomes of changes.
    """

    sales_mode: str
    dedupe: str
    on_changed: str

    def __str__(self):
        return f"{self.sales_mode}-{self.dedupe}-{self.on_changed}"


@attrs.define
class KeptTill(Till):
    """
    A till with one store for all its engines.
    """

    @property
    def store(self):
        return self.options["store"]


@attrs.define
class Shops:
    """
    Opens shops in which a few sales are delivered, each in a folder of its own.

    What they have in common is done once: migrating a store and delivering
    the first sales costs as much as all that happens to them later.

    Attributes:
        place: Where the store of a shop is, by its folder.
        first: The store of the first shop of each way, and what it delivered.
    """

    parent: Path
    place: Callable
    first: dict = attrs.field(factory=dict)

    @contextmanager
    def open(self, way, **settings):
        content, freezes, pushes = self.prepare(way)

        with self._folder() as folder:
            shop = HostileShop.new(folder, way, self.place(folder), **settings)
            shop.place.write(content)
            shop.place.freezes = freezes
            for push in pushes:
                shop.ledger.record(push)
            yield shop

    def prepare(self, way):
        """
        The store of the first shop of this way, and what it delivered.
        """
        if way not in self.first:
            with self._folder() as folder:
                shop = HostileShop.new(folder, way, self.place(folder))
                shop.push(DAYS[0])
                self.first[way] = shop.place.read(), shop.place.freezes, shop.ledger.pushes

        return self.first[way]

    @contextmanager
    def _folder(self):
        folder = Path(mkdtemp(dir=self.parent))
        try:
            yield folder
        finally:
            self.place(folder).clear()
            rmtree(folder)


@attrs.define
class HostileShop:
    """
    A till with its back office, and what happens to them.

    The methods from `sell` to `blank` are events; what a till does not have,
    like a sale to edit on an empty date, does not happen.

    Attributes:
        way: How its sales are pushed.
        place: Where its store is.
        sold: How many sales there were under each id.
        versions: Second and total of all that was ever said of an id.
        touched: Ids of sales that were edited, deleted, moved or spoiled.
        moved: Those of them that are on another date than before.
        mistimed: Those that have another time than before.
        adopted: Ids of what a person said the back office has.
        touched_later: Those of them that were touched since.
        refused: Ids that the back office refuses.
        purged: What the back office had of a date when the till forgot it.
        restored: Whether the store knows less than was sent.
        backup: Of the store, what was beside it, and whether it lagged then.
    """

    way: Way
    place: StoreFile | StoreSchema
    till: Till
    source: HostileTill = attrs.field(factory=HostileTill)
    computer: Computer = attrs.field(factory=Computer)
    sold: Counter = attrs.field(factory=Counter)
    versions: dict = attrs.field(factory=dict)
    touched: set = attrs.field(factory=set)
    moved: set = attrs.field(factory=set)
    mistimed: set = attrs.field(factory=set)
    adopted: set = attrs.field(factory=set)
    touched_later: set = attrs.field(factory=set)
    refused: set = attrs.field(factory=set)
    purged: dict = attrs.field(factory=dict)
    restored: bool = False
    backup: tuple | None = None
    count: int = 0

    @classmethod
    def new(cls, folder, way, place, *, size=3, dated=False, beside=False):
        """
        A shop that has neither store nor sales.
        """
        office = Office(
            now=START,
            dated=dated,
            beside=beside,
            sales_mode=way.sales_mode,
            dedupe=way.dedupe,
        )
        till = KeptTill(
            folder,
            profile=ApiProfile(sales_mode=way.sales_mode, dedupe=way.dedupe, key_ttl=KEY_TTL),
            office=office,
            limits=BatchLimits(transactions=size),
            clock=FakeClock(START),
        )
        shop = cls(way, place, till)
        till.orders = shop.source
        till.options = {
            "on_changed": way.on_changed,
            "observer": FanOut([]),
            "store": place.store(shop.computer).at(LOCATION),
        }
        for number in range(8):
            shop.sell(DAYS[number % 2], Decimal(number))

        return shop

    def __str__(self):
        office, size = self.till.office, self.till.limits.transactions
        return f"{self.way} with {size=}, {office.dated=}, {office.beside=}"

    @property
    def ledger(self):
        return self.till.office.ledger

    @property
    def replaces(self):
        """
        Does a push replace its day?
        """
        return self.way.sales_mode == "replace_day"

    def on(self, day):
        return self.source.sold.by_date.get(day, [])

    def pick(self, day, number, *, alone=False):
        """
        A sale of *day* that can be built; None if there is none.

        Args:
            alone: Whether its id must be that of no other.
        """
        sales = [each for each in self.on(day) if (day, each.id) not in self.source.defects]
        if not sales:
            return None
        sale = sales[number % len(sales)]

        return None if alone and sum(each.id == sale.id for each in sales) > 1 else sale

    # What the till does.

    def sell(self, day, total, zone=0):
        self._sell(f"t{self.count + 1}", day, total, zone)

    def lookalike(self, day, number, kind):
        """
        A sale that is called like the first correction of another.
        """
        if (found := self.pick(day, number)) and found.id.count(":") < 2:
            self._sell(f"{found.id}:{kind}:1", day, Decimal(5))

    def register(self, day, number):
        if found := self.pick(day, number):
            self.count += 1
            # The second of the hour is the number of the sale: two that are
            # equal in all would be one sale, told twice.
            moment = found.timestamp.replace(minute=0, second=0)
            moment += timedelta(hours=1, seconds=self.count)
            second = self.source.sell_on_another_register(
                found, later=moment - found.timestamp, business_date=day
            )
            self.sold[found.id] += 1
            self._note(second)

    def edit(self, day, number, total):
        if found := self.pick(day, number, alone=True):
            self.source.edit(found.id, total, business_date=day)
            self._touch(found.id, day)

    def mistime(self, day, number, hours):
        if found := self.pick(day, number, alone=True):
            self.source.mistime(found.id, timedelta(hours=hours), business_date=day)
            self._touch(found.id, day)
            self.mistimed.add(found.id)
            self._count_another(found.id)

    def delete(self, day, number):
        if found := self.pick(day, number):
            self.source.sold.remove(found.id, business_date=day)
            self._touch(found.id, day)

    def move(self, day, number):
        target = DAYS[day == DAYS[0]]
        if target not in self.purged and (found := self.pick(day, number)):
            self.source.move(found.id, day, target)
            self._touch(found.id, target)
            self.moved.add(found.id)
            self._count_another(found.id)

    def spoil(self, day, number, defect):
        found = self.pick(day, number, alone=True)
        if found and ":" not in found.id:
            self.source.spoil(found.id, defect, business_date=day)
            self._touch(found.id, day)

    def mend(self):
        self.source.defects.clear()

    def answer(self, kinds):
        self.source.answer_with(*kinds)

    def purge(self):
        """
        The till forgets the first date, which was settled long ago.
        """
        if DAYS[0] in self.purged or self.source.defects:
            return
        self.settle()
        check(self)
        if told(self) == booked(self):
            self.purged[DAYS[0]] = {
                name: Counter({key: count for key, count in found.items() if key[0] == DAYS[0]})
                for name, found in booked(self).items()
            }
            self.source.purge(DAYS[1])

    # What the computer does, and the line.

    def push(self, day, faults=()):
        self._deliver(lambda: self.till.push(day), faults)

    def tick(self, faults=()):
        """
        The scheduler pushes what is due by the clock.
        """
        self._deliver(
            lambda: self.till.engine().push(since=DAYS[0], honour_past=True, automatic=True), faults
        )

    def crash(self, day, left):
        steps = iter(range(left))

        def failpoint(_):
            if next(steps, None) is None:
                raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            self._deliver(lambda: self.till.engine(failpoint=failpoint).push(day))

    def step(self, minutes):
        self.till.clock.set(self.till.clock.now() + timedelta(minutes=minutes))

    def wait(self, minutes):
        self.till.wait(minutes=minutes)
        self.till.office.now += timedelta(minutes=minutes)

    def off(self, hours, minutes):
        """
        The computer is off, and starts with the time at which it was switched
        off, or a few minutes beside it.
        """
        self.till.office.now += timedelta(hours=hours)
        self.till.clock = FakeClock(self.till.clock.now() + timedelta(minutes=minutes))
        self.computer.boot += 1

    def back_up(self):
        self.backup = self.place.read(), self.place.freezes, self.restored

    def restore(self):
        """
        The backup takes the place of the store; not of what is beside it.
        """
        if self.backup is None:
            return
        content, freezes, lagged = self.backup
        self.place.write(content)
        # A backup of a store that lagged lags as well.
        self.restored = lagged or freezes != self.place.freezes

    # What people do.

    def adopt(self):
        """
        A person sees to it that the back office has what the till has, says
        so, and corrects what the till can't say.
        """
        if self.till.clock.now().date() < DAYS[-1]:
            return
        self.calm()
        self.mend()
        for day in DAYS:
            if day not in self.purged:
                self._book(day)
        self.till.engine().adopt(DAYS[-1])
        self.restored = False
        self.adopted = {each.id for day in DAYS for each in self.on(day)}
        if not self.replaces:
            # A day that can't be replaced stays so.
            self.touched_later.clear()

    def foreign(self, day):
        """
        A command pushes with another profile than the service.
        """
        mode = "append" if self.way.sales_mode == "replace_day" else "replace_day"
        profile = attrs.evolve(self.till.profile, sales_mode=mode)
        before = booked(self)
        self.till.office.faults("")

        with suppress(ConfigurationError):
            attrs.evolve(self.till, profile=profile).push(day)

        right(booked(self) == before, "another profile sends nothing")

    def refuse(self, day, number, mode):
        """
        From now on, the back office refuses a sale.
        """
        found = self.pick(day, number)
        if found and ":" not in found.id and len(self.refused) < MOST_REFUSED:
            self.refused.add(found.id)
            office = self.till.office
            office.reject, office.reject_mode = self.refused, mode

    def blank(self, day):
        """
        The till answers nothing once, while all is delivered.
        """
        if self.till.peek.outbox.batches(OPEN_STATES, limit=1):
            return
        before = booked(self)
        self.calm()
        self.source.answer_with(*[AnswerKind.EMPTY] * 4)
        self.push(day)
        self.source.upcoming.clear()
        right(booked(self) == before, "an empty answer takes nothing back")

    def calm(self):
        self.source.upcoming.clear()
        self.till.office.faults("")

    def settle(self):
        """
        The network is well, the till answers, the shop goes on, and an operator
        who asks the back office settles what is parked.
        """
        self.calm()
        self.till.clock.set(max(self.till.office.now, START))
        if self.restored:
            self.adopt()
        self.operator().replay_all()

        for number in range(ROUNDS):
            if number >= PATIENCE:
                # A batch that is refused, and may have arrived before, waits
                # until its key is forgotten; then a person must decide.
                self.wait(26 * 60)
                # Where ids are known instead, it is parked only once others
                # were accepted, as they are in a shop that goes on.
                self._go_on()
            known = len(self.ledger.pushes)
            for batch in self.till.peek.outbox.batches(OPEN_STATES, limit=-1):
                if batch.parked is not None:
                    self._resolve(batch)
            for day in DAYS:
                accepts = self.way.on_changed == "resend" and day not in self.purged
                self.till.push(day, accept_changes=accepts)
            waits = self.till.peek.outbox.batches(OPEN_STATES, limit=1)
            # What moved needs a look at each date after the other's, and a
            # date that was left is due again.
            quiet = len(self.ledger.pushes) == known and not self._is_due()
            if not waits and (quiet or not self.touched):
                return

        raise ViolationError("what is well settles")

    def _is_due(self):
        """
        Does the engine want to look at one of the dates again?
        """
        visits = self.till.peek.sales_dates.visits()
        return any(day in visits and visits[day].at is None for day in DAYS)

    def _go_on(self):
        """
        A later date, of which nothing is asked, has a sale, too.
        """
        self.count += 1
        later = sale(f"t{self.count}", timestamp=self.till.clock.now())
        self.source.sold.add(later, business_date=LATER)
        self.till.push(LATER)

    def operator(self):
        return self.till.operator()

    def _sell(self, name, day, total, zone=0):
        if day in self.purged or self.sold[name]:
            return
        self.count += 1
        moment = START.replace(hour=12, day=day.day, minute=0)
        sold = sale(name, total, timestamp=moment + timedelta(hours=zone, seconds=self.count))
        self.source.sold.add(sold, business_date=day)
        self.sold[name] += 1
        self._note(sold)

    def _note(self, sold):
        self.versions.setdefault(sold.id, set()).add(version(sold))

    def _count_another(self, name):
        """
        With another date and another time, it may well be another sale.
        """
        if name in self.moved & self.mistimed:
            self.sold[name] += 1

    def _touch(self, name, day):
        self.touched.add(name)
        self.touched_later |= {name} & self.adopted
        for each in self.on(day):
            self._note(each)

    def _deliver(self, call, faults=()):
        """
        Push, whatever the line does meanwhile.
        """
        office, before = self.till.office, booked(self)
        office.faults("sales: " + ", ".join(faults) if faults else "")

        with suppress(ConfigurationError):
            call()

        after = booked(self)
        right(not self.restored or after == before, "a restored store sends nothing")
        if self.way.on_changed == "report":
            for name in before.keys() - self.refused:
                right(before[name] <= after.get(name, Counter()), f"{name} stays as delivered")

    def _resolve(self, batch):
        """
        Settle a batch as the back office says.

        If it has a part of it, it takes down the rest by hand: to say
        "delivered" of what it has not would have it taken back some day.
        """
        sales = list(self.till.peek.outbox.members(batch))
        push = self.ledger.by_key(batch.key)
        has = {each.id for each in push.sales} if push else set()
        if self.way.dedupe == "transaction_id":
            has = {each.id for each in sales if self.ledger.knows(LOCATION, each.id)}
        missing = [
            Sale(id=each.id, timestamp=each.sold_at, total=each.total)
            for each in sales
            if each.id not in has
        ]
        if has and missing:
            self._record(batch.business_date, "append", missing)
        self.operator().resolve(batch.key, delivered=bool(has))

    def _book(self, day):
        """
        Have the back office take down what the till has of *day*.
        """
        sales = [
            Sale(id=each.id, timestamp=each.timestamp.isoformat(), total=each.total)
            for each in self.on(day)
        ]
        self._record(day, "replace_day", sales)

    def _record(self, day, mode, sales):
        self.ledger.record(
            Push(
                at=self.till.office.now,
                location=LOCATION,
                date=day,
                digest=sha256(str(self.count).encode()).hexdigest(),
                mode=mode,
                sales=tuple(sales),
            )
        )


@pytest.fixture
def hostile_shops(request, tmp_path):
    """
    Opens shops; without logging, as thousands of lines prove nothing here.
    """
    with folder_in_memory(tmp_path) as folder, kept_connections(folder) as keeper:
        logging.disable(logging.CRITICAL)
        try:
            yield Shops(folder, partial(PLACES[getattr(request, "param", "sqlite")], keeper))
        finally:
            logging.disable(logging.NOTSET)


def place_in_sqlite(keeper, folder):
    return StoreFile(keeper, folder / "store.db")


def place_in_postgres(_keeper, _folder):
    return StoreSchema(postgres(), postgres().schema_of("hostile shops"))


PLACES = {"sqlite": place_in_sqlite, "postgres": place_in_postgres}
