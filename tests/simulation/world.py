"""
The simulated world: a back office, a computer with tills, and what happens to them.

Each event is a tuple of a name and plain values; the method of that name, in
`Incidents`, lets it happen.
"""

import logging
import random
import sqlite3
from contextlib import ExitStack
from datetime import timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs
import httpx
import pytest

from conexxus_client import ApiProfile, ClientConfig, ConexxusClient, ConexxusError
from conexxus_client._calls import _cancellation, _retry_wait
from conexxus_client.transports import _httpx
from conexxus_sync import ConexxusService, SyncConfig
from conexxus_sync.collectors import _fan_out
from conexxus_sync.model.calendar import StoreCalendar

from .catalogues import Shelf
from .computers import Computer, Process
from .files import simulated_connections
from .incidents import DAY, Incidents
from .line import Line, Office
from .parts import TINY_S, FakeTime, Host, InlineThread, Place, StepTill, Time
from .truth import Truth, right


KEY_TTL = timedelta(hours=24)
LONGEST_WAIT_S = 86_400.0


class World(Incidents):
    """
    See the module.

    Attributes:
        setups: How it began, and with each profile that came later.
        log: What happened, line by line, if somebody reads it.
        store: Which database it is in.
        days: How many days passed.
    """

    def __init__(self, setup, folder, *, log=None, store="sqlite"):
        self.setups, self.folder, self.log, self.store = [setup], Path(folder), log, store
        self.time = Time(setup.start)
        self.computer = Computer(self.time, self.folder / "store.db")
        if store == "postgres":
            self.computer.store_of = schemas().store_in_schema
        self.shelf = Shelf(setup.items)
        self.office = Office(
            self.time,
            dated=setup.dated,
            sales_mode=setup.sales_mode,
            dedupe=setup.dedupe,
            key_ttl=KEY_TTL,
            catalog=self.shelf.elements(),
        )
        self.profile = ApiProfile(sales_mode=setup.sales_mode, dedupe=setup.dedupe, key_ttl=KEY_TTL)
        self.random = random.Random(0)
        self.quirks, self.line_of_catalog, self.keys, self.seen_pushes = [], [], {}, 0
        self.count, self.shown_ahead, self.checked = 0, [], None
        self.places = {
            name: self._place(name) for name in [f"loc-{n}" for n in range(setup.locations)]
        }
        self.processes, self.stack, self.peeking = {}, ExitStack(), None

    def _place(self, name):
        till, host = StepTill(), Host()
        till.computer = host.computer = self.computer
        till.truth = Truth(self, name)

        return Place(name, till, host, till.truth)

    def __enter__(self):
        patch = self.stack.enter_context(pytest.MonkeyPatch.context())
        self.stack.enter_context(simulated_connections(patch, self.computer))
        fake = FakeTime(self)
        for module in (_cancellation, _retry_wait, _httpx):
            patch.setattr(module, "time", fake)
        patch.setattr("tenacity.nap.time", fake)
        patch.setattr(_fan_out, "JobThread", InlineThread)
        # They are pure, and a tenth of the time.
        patch.setattr(StoreCalendar, "_instant", cache(StoreCalendar._instant))
        patch.setattr(StoreCalendar, "due_moments", _due_moments)
        logging.disable(logging.CRITICAL)
        self.stack.callback(logging.disable, logging.NOTSET)
        self.stack.callback(self._close)

        return self

    def __exit__(self, *exc):
        self.stack.close()

    def _close(self):
        self.computer.end_all()
        if self.peeking is not None:
            self.peeking.close()
        if self.store == "postgres":
            schemas().empty_schemas()

    # Processes.

    def process(self, name="a"):
        """
        The process of this name, with a service for each location.
        """
        found = self.processes.get(name)
        if found is None or found.is_dead:
            found = self.processes[name] = Process(self.computer, name)
            found.services = {
                place.name: self._service(found, place) for place in self.places.values()
            }

        return found

    def _service(self, process, place, **profile):
        setup = self.setup
        config = SyncConfig(
            location_id=place.name,
            timezone=ZoneInfo(setup.zone),
            push_at=setup.push_at,
            day_closes_at=setup.day_closes_at,
            push_every=timedelta(hours=4) if setup.trickle else None,
            batch_transactions=setup.batch,
            sync_every=timedelta(hours=setup.pull_hours),
            on_changed=setup.on_changed,
            removals=setup.removals,
            lookback_days=setup.lookback,
        )
        service = ConexxusService(
            self._client(process, place, **profile),
            store=process.store,
            config=config,
            catalog=place.host,
            orders=place.till,
            clock=self.computer,
        )
        engines = service._engines
        engines.context = attrs.evolve(engines.context, failpoint=process.step)
        engines.sales = engines._sales_engine()

        return service

    def _client(self, process, place, **profile):
        line = Line(
            process,
            self.office,
            quirks=self.quirks,
            changes=self.line_of_catalog,
            watch=self._watch,
            booked=self._booked,
        )
        client = ConexxusClient(
            ClientConfig(
                api_url="http://localhost",
                api_key=self.office.api_key,
                location_id=place.name,
                retries=self.setup.retries,
                timeout_ms=10_000,
            ),
            http_client=httpx.Client(transport=line, trust_env=False),
            profile=attrs.evolve(self.profile, **profile),
        )
        core = client._core
        core.monotonic, core.boottime = self.computer.monotonic, self.computer.uptime
        core.draw = self.random.random

        return client

    def _watch(self, request):
        """
        No request without its durable row; one key, one content.
        """
        if request.method != "POST":
            return
        key, body = request.headers["Idempotency-Key"], request.read()
        right(self.keys.setdefault(key, body) == body, f"{key} has the same bytes each time")
        stored = self.row("SELECT body FROM batches WHERE key = ?", key)
        right(stored is not None and stored[0] in body, f"{key} is stored before it is sent")

    def row(self, statement, *parameters):
        """
        What is on the disk, seen from outside.
        """
        if self.store == "postgres":
            return schemas().row_in_schema(self.computer, statement, parameters)
        if self.peeking is None:
            self.peeking = sqlite3.connect(
                f"file:{self.computer.path}?mode=ro", uri=True, isolation_level=None
            )

        return self.peeking.execute(statement, parameters).fetchone()

    def _booked(self, process):
        pushes = self.office.ledger.pushes
        for push in pushes[self.seen_pushes :]:
            place = self.places[push.location]
            right(not place.is_restored or push.key is None, "a restored store sends nothing")
            place.truth.booked(push)
            self.say(f"booked {push.location} {push.date}: {[each.id for each in push.sales]}")
        self.seen_pushes = len(pushes)

    def work(self, call, name="a"):
        """
        Let a process do something; only named errors are expected.
        """
        process = self.process(name)

        def attempt():
            try:
                return call(process)
            except ConexxusError as exc:
                self.say(f"{type(exc).__name__}: {exc}")
                return exc

        return process.run(attempt)

    def tick(self, name="a"):
        """
        Do what is due.
        """
        for place in self.places.values():
            self.work(
                lambda process, p=place: process.services[p.name].run_due(self.computer.now()), name
            )
        if self.computer.ahead > timedelta():
            self.shown_ahead.append(self.computer.now())

    def _pass(self, duration):
        ends = self.time.seconds + duration.total_seconds()
        self.tick()
        while (left := ends - self.time.seconds) > TINY_S:
            self.time.pass_by(timedelta(seconds=min(left, self._until_due())))
            self.tick()

    def _until_due(self):
        """
        Seconds until something is due, as the scheduler waits: at least a minute.
        """
        now = self.computer.now()
        process = self.process()
        # A clock that is set gives no signal.
        found = [LONGEST_WAIT_S]
        for service in process.services.values():
            moments = process.run(lambda s=service: self._moments(s, now)) or []
            found += [(moment - now).total_seconds() for moment in moments]

        return max(min(found), 60.0)

    def _moments(self, service, now):
        scheduler = service._scheduler
        try:
            return [scheduler._next_pull(now), service.sales.next_due(now)]
        except ConexxusError:
            return []

    @property
    def setup(self):
        return self.setups[-1]

    @property
    def calendar(self):
        service = next(iter(self.process().services.values()))
        return service.sales.ledger.calendar

    def last_look(self, day):
        """
        After which moment nothing of *day* is looked for any more.
        """
        return max(self.calendar.due_moments(day))

    # The end.

    def _calm(self):
        self.office.faults("")
        self.quirks.clear()
        self.line_of_catalog.clear()
        self.computer.set_clock(timedelta())
        for process in self.processes.values():
            process.traps.clear()
            process.broken_commits.clear()
        for place in self.places.values():
            place.till.upcoming.clear()
            place.host.is_down = False

    def settle(self):
        """
        Nothing goes wrong any more, and an operator looks once a day.
        """
        self._calm()
        self.office.page_size = None
        for number, place in enumerate(self.places.values()):
            if place.is_restored:
                self.adopt(number)
        for _ in range(self.setup.lookback + 2):
            self._believe_clock()
            self._pass(DAY)
            for number in range(len(self.places)):
                self.resolve(number)
                self.replay(number)
                self.accept(number)
            self.check()
        for place in self.places.values():
            place.truth.check_untouched()
        self._by_hand()
        for place in self.places.values():
            place.truth.check_all(self.process().services[place.name])
            self._check_catalogue(place)

    def _believe_clock(self):
        """
        A person sees that the clock is right, though it was ahead, and says so.
        """
        for service in self.process().services.values():
            if service.sales.clock_problem(self.computer.now()) is not None:
                self.work(lambda _, s=service: s.sales.push(honour_past=True))

    def _by_hand(self):
        """
        Each date is pushed by name: what changed after its last look is found, and
        what a person settled goes out.
        """
        accepts = self.setup.on_changed == "resend"
        for _ in range(4):
            for number, place in enumerate(self.places.values()):
                self.resolve(number)
                for day in sorted(place.truth.days):
                    self.work(
                        lambda process, p=place, d=day: process.services[p.name].sales.push(
                            d, accept_changes=accepts
                        )
                    )

    def _check_catalogue(self, place):
        """
        In the end, the mirror is the catalogue, and the host has it; what came and
        went while a backup was forgotten stays there.
        """
        right(
            self.mirror(place) == self.shelf.final(self.mirror(place)),
            f"{place.name} has the catalogue: {self.mirror(place)}",
        )
        mirror, unseen = self.mirror(place), place.forgotten
        has = {
            sku: it for sku, it in place.host.prices.items() if sku in mirror or sku not in unseen
        }
        if self.setup.removals == "keep":
            has = {sku: price for sku, price in has.items() if sku in mirror}
        right(has == mirror, f"the host of {place.name} has the mirror: {has}, not {mirror}")

    def mirror(self, place):
        def read(process):
            with process.services[place.name].store.read() as state:
                return {e.item.sku: str(e.item.price) for e in state.mirror.items()}

        return self.work(read)

    def check(self):
        """
        What holds after each event.
        """
        state = self.time.seconds, self.computer.ahead, self.computer.steps
        if state == self.checked:
            return
        self.checked = state
        for place in self.places.values():
            place.truth.check_books()
            seen = self.mirror(place)
            if seen != place.shelf_seen:
                before, corrected = place.shelf_seen, place.corrected
                right(
                    seen == before | corrected or self.shelf.explains(before, seen, corrected),
                    f"the catalogue of {place.name} is an old or a new one: {seen}",
                )
                right(seen or place.may_be_empty, f"the catalogue of {place.name} is not emptied")
                place.shelf_seen = seen
            place.may_be_empty, place.corrected = False, {}
            health = self.work(lambda process, p=place: process.services[p.name].health())
            right(health is not None, "health says something")

    @property
    def store_days(self):
        return (self.time.now - self.setup.start).days * len(self.places)

    def play(self, events):
        self.tick()
        for event in events:
            self.happen(event)
            self.check()
        self.say("settles")
        self.settle()

    def happen(self, event):
        self.say(f"{self.time.now:%m-%d %H:%M} {event}")
        name, *arguments = event
        getattr(self, name)(*arguments)

    def say(self, what):
        if self.log is not None:
            self.log(what)


@cache
def _due_moments(calendar, business_date, moments=StoreCalendar.due_moments):
    return tuple(moments(calendar, business_date))


def schemas():
    """
    The module that needs psycopg, and starts a server.
    """
    from . import schemas  # most worlds need none

    return schemas
