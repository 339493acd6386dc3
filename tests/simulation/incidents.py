"""
What may happen in a simulated world: each event is a method.

What is not possible at the moment does not happen.
"""

import json
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs

from conexxus_client.testing import Push, Sale
from conexxus_sync.errors import RunInProgressError
from conexxus_sync.model.runs import RunKind
from conexxus_sync.model.sales import OutboxError
from conexxus_sync.testing import AnswerKind, sale

from .catalogues import BAD
from .computers import After, Kill, Suspend
from .files import make_older
from .truth import right


ITEMS_OF = "SELECT sku FROM items WHERE location = ?"

DAY = timedelta(days=1)


class Incidents:
    """
    The events of a `World`, which is the only class that has them.
    """

    # Time.

    def wait(self, minutes):
        """
        The scheduler is at work for so long.
        """
        self._pass(timedelta(minutes=minutes))

    def next(self):
        """
        The scheduler waits until something is due, and does it.
        """
        self.time.pass_by(timedelta(seconds=self._until_due()))
        self.tick()

    def clock(self, minutes):
        """
        Somebody sets the clock of the computer.
        """
        self.computer.set_clock(self.computer.ahead + timedelta(minutes=minutes))

    def clock_right(self):
        self.computer.set_clock(timedelta())

    def off(self, hours, minutes):
        """
        The computer is off, and starts with the time at which it was switched
        off, or some minutes later; after a minute or so, it is set right.
        """
        ahead = self.computer.ahead - timedelta(hours=hours) + timedelta(minutes=minutes)
        self.time.pass_by(timedelta(hours=hours))
        self.computer.restart(min(ahead, timedelta()))

    def asleep(self, hours):
        self.computer.sleep(timedelta(hours=hours))

    # What happens to processes.

    def kill(self, steps, *more):
        """
        The process is killed so many steps from now, or at the step of this name;
        or after it, at another.
        """
        self._trap(steps, *more, Kill())

    def suspend(self, steps, minutes, *more):
        """
        Some steps from now the process stands still, while another works.
        """

        def meanwhile(process):
            self.say(f"stands still at {process.last_step!r} for {minutes} minutes")
            soon = min(minutes, 11)
            for part in (soon, minutes - soon):
                self.time.pass_by(timedelta(minutes=part))
                self.tick("b")
            self.say("goes on")

        self._trap(steps, *more, Suspend(meanwhile, needs_store=True))

    def doze(self, steps, hours):
        """
        Some steps from now the computer is suspended.
        """

        def sleep(process):
            self.say(f"the computer sleeps at {process.last_step!r} for {hours} hours")
            self.computer.sleep(timedelta(hours=hours))

        self._trap(steps, Suspend(sleep))

    def _trap(self, steps, *more):
        *more, trap = more
        for step in reversed(more):
            trap = After(step, trap)
        process = self.process()
        process.traps[steps if isinstance(steps, str) else process.steps + steps] = trap

    def upgrade(self, steps):
        """
        A newer version of the SDK takes over, which changes the tables of the
        store, and is killed at that step; another process goes on as it is.
        """
        if self.store != "sqlite":
            return
        self.process().end()
        self.computer.version += 1
        for process in self.processes.values():
            process.close_idle()
        self.kill(steps)
        self.tick()

    def older(self, schema, steps):
        """
        The store turns out to be of an earlier version of the SDK, with that
        schema, is brought up to date, and the process is killed at that step.
        """
        if self.store != "sqlite" or not self.computer.path.exists():
            return
        self._restart()
        make_older(self.computer.path, schema)
        self.kill(steps)
        self.tick()

    def disk(self, good, bad):
        """
        After some commits, others fail.
        """
        self.process().broken_commits[:] = [False] * good + [True] * bad

    def beside(self, minutes):
        """
        Another process works for a while.
        """
        self.time.pass_by(timedelta(minutes=minutes))
        self.tick("b")

    # The line.

    def line(self, script):
        self.office.faults(script)

    def quirk(self, *kinds):
        self.quirks[:] = kinds

    def refuse(self, place, back, number, mode):
        """
        From now on, the office refuses a sale.
        """
        place, day = self._at(place, back)
        found = place.truth.pick(day, number)
        if found and ":" not in found.id and len(place.truth.refused) < 2:
            place.truth.refused.add(found.id)
            self.office.reject = set().union(*(p.truth.refused for p in self.places.values()))
            self.office.reject_mode = mode

    # The till.

    def sell(self, place, count):
        place, day = self._at(place, 0)
        for _ in range(count):
            self._sell(place, day)

    def late(self, place, back, count):
        """
        Sales of an earlier date appear.
        """
        place, day = self._at(place, back)
        for _ in range(count):
            self._sell(place, day)

    def _sell(self, place, day):
        self.count += 1
        # Later than any that was ever sold: no two are equal.
        moment = datetime.combine(day, time(12), ZoneInfo(self.setup.zone))
        moment = moment.astimezone(UTC) + timedelta(seconds=self.count)
        total = Decimal(self.count).scaleb(-2)
        sold = sale(f"t{self.count}", total, timestamp=moment)
        place.till.sold.add(sold, business_date=day)
        place.truth.said(day, sold)

    def register(self, place, back, number):
        """
        Another register sells the same basket under the same number.
        """
        place, day = self._at(place, back)
        if found := place.truth.pick(day, number):
            self.count += 1
            later = timedelta(seconds=7200 + self.count)
            place.truth.shared.add(found.id)
            second = place.till.sell_on_another_register(found, later=later, business_date=day)
            place.truth.said(day, second)

    def edit(self, place, back, number, cents):
        place, day = self._at(place, back)
        if found := place.truth.pick(day, number, alone=True):
            place.till.edit(found.id, Decimal(cents).scaleb(-2), business_date=day)
            place.truth.touch(day, found.id)

    def delete(self, place, back, number):
        place, day = self._at(place, back)
        if found := place.truth.pick(day, number, alone=True):
            place.till.sold.remove(found.id, business_date=day)
            place.truth.touch(day, found.id)

    def move(self, place, back, number):
        place, day = self._at(place, back)
        if (found := place.truth.pick(day, number, alone=True)) and back:
            place.till.move(found.id, day, day + DAY)
            place.truth.moved.add(found.id)
            place.truth.touch(day + DAY, found.id)

    def answer(self, place, *kinds):
        self._at(place, 0)[0].till.answer_with(*map(AnswerKind, kinds))

    def _at(self, place, back):
        """
        A location, and the business date that was so many days ago.
        """
        place = list(self.places.values())[place % len(self.places)]
        today = self.calendar.business_date(self.time.now)

        # What was before the store is for `adopt`, or `--since`.
        return place, max(today - back * DAY, self.calendar.first_date(self.setup.start))

    # Operators.

    def push_date(self, place, back):
        place, day = self._at(place, back)
        place.truth.by_hand.add(day)
        self.work(lambda process: process.services[place.name].push_sales(day))

    def pull(self, place, how):
        place, _ = self._at(place, 0)
        place.may_be_empty = how == "force"
        self.work(lambda process: process.services[place.name].sync_inventory(**{how: True}))

    def accept(self, place):
        """
        An operator accepts the catalogue that was refused.
        """
        place, _ = self._at(place, 0)
        place.may_be_empty = True

        def accept(process):
            service = process.services[place.name]
            with service.store.read() as state:
                latest = state.runs.latest(RunKind.INVENTORY)
            if latest is not None and latest.refused:
                service.sync_inventory(accept=latest.id)

        self.work(accept)

    def correct(self, place, number, price):
        """
        An operator corrects an item that is in quarantine.
        """
        place, _ = self._at(place, 0)
        bad = sorted(sku for sku, offered in self.shelf.prices.items() if offered == BAD)
        if not bad:
            return
        sku = bad[number % len(bad)]
        place.corrected = {sku: f"{price}.99"}
        item = json.dumps({"sku": sku, "name": f"Item {sku}", "price": f"{price}.99"}).encode()
        self.work(
            lambda process: (
                process.services[place.name]._engines.quarantine_replay().replay(sku, item)
            )
        )

    def resend(self, place):
        place, _ = self._at(place, 0)
        self.work(lambda process: process.services[place.name].outbox_operator().resend_all())

    def resolve(self, place):
        """
        An operator asks the office, and settles what is parked.
        """
        place, _ = self._at(place, 0)
        self.work(lambda process: self._resolve(process.services[place.name], place))

    def _resolve(self, service, place):
        for batch in service.outbox_operator().undecided():
            with service.store.read() as state:
                sales = list(state.outbox.members(batch))
            push = self.office.ledger.by_key(batch.key)
            has = {each.id for each in push.sales} if push else set()
            if self.setup.dedupe == "transaction_id":
                has = {e.id for e in sales if self.office.ledger.knows(place.name, e.id)}
            missing = [
                Sale(id=e.id, timestamp=e.sold_at, total=e.total) for e in sales if e.id not in has
            ]
            if has and missing:
                self._record(place, batch.business_date, "append", missing)
            self.say(f"resolves {batch.key}: delivered={bool(has)}")
            with suppress(OutboxError):
                service.outbox_operator().resolve(batch.key, delivered=bool(has))

    def _record(self, place, day, mode, sales):
        self.count += 1
        self.office.ledger.record(
            Push(
                at=self.time.now,
                location=place.name,
                date=day,
                digest=str(self.count),
                mode=mode,
                sales=tuple(sales),
            )
        )
        self.seen_pushes = len(self.office.ledger.pushes)

    def replay(self, place):
        place, _ = self._at(place, 0)
        self.work(lambda process: process.services[place.name].outbox_operator().replay_all())

    def reconcile(self, place, back):
        place, day = self._at(place, back)
        self.work(lambda process: process.services[place.name].reconcile(day))

    def foreign(self, place, back):
        """
        A command pushes with another profile.
        """
        place, day = self._at(place, back)
        mode = "append" if self.profile.sales_mode == "replace_day" else "replace_day"
        before = len(self.office.ledger.pushes)
        kept = self.row("SELECT 1 FROM sales_profiles WHERE location = ?", place.name)
        if kept is None or self.setup.trickle:
            return

        def push(process):
            self._service(process, place, sales_mode=mode).push_sales(day)

        self.work(push)
        sent = self.office.ledger.pushes[before:]
        # Another process may have pushed as it should, while this one stood still.
        right(all(push.mode != mode for push in sent), "another profile sends nothing")

    def change_profile(self, sales_mode, dedupe, steps):
        """
        From now on the office takes sales in another way, and an operator changes
        the profile of each location: nothing is at work meanwhile, what is unknown
        is settled first, and the first process is killed at that step.
        """
        if self.setup.trickle and sales_mode == "replace_day":
            return
        self._restart()
        profile = attrs.evolve(self.profile, sales_mode=sales_mode, dedupe=dedupe)
        settled = [self._settle_unknown(place) for place in self.places.values()]
        if not all(settled):
            return
        self.profile = profile
        self.setups.append(attrs.evolve(self.setup, sales_mode=sales_mode, dedupe=dedupe))
        self.office.sales_mode, self.office.dedupe = sales_mode, dedupe
        self._restart()
        self.process().traps[steps] = Kill()
        self._keep_profile()

    def _settle_unknown(self, place):
        """
        Is nothing of *place* unknown any more?  Before, no profile is changed.
        """

        def unknown(process):
            return process.services[place.name].outbox_operator().undecided()

        if self.work(unknown):
            refused = self._change(place)
            right(isinstance(refused, OutboxError), f"what is unknown is settled first: {refused}")
            self.work(lambda process: self._resolve(process.services[place.name], place))

        return self.work(unknown) == []

    def _change(self, place):
        return self.work(
            lambda process: process.services[place.name].outbox_operator().change_profile()
        )

    def _keep_profile(self):
        """
        An operator gives each location the profile of the office, again where the
        process died; from now on, its pushes go on.
        """
        for place in self.places.values():
            done = self._change(place)
            if isinstance(done, RunInProgressError):
                # It died before the computer was off, and the clock lags still.
                self.time.pass_by(timedelta(hours=1))
                done = self._change(place)
            if done is None:
                done = self._change(place)
            right(isinstance(done, int), f"{place.name} takes another profile: {done}")

    def backup(self):
        """
        Somebody copies the store.
        """
        if self.store != "sqlite":
            return
        self._restart()
        if not self.computer.path.exists():
            return
        shutil.copy(self.computer.path, self.folder / "backup.db")
        for place in self.places.values():
            place.backup_number = self._freezes(place)
            place.backup_lagged = place.is_restored
            place.backup_pushes = place.truth.pushes

    def restore(self):
        """
        The copy takes the place of the store.
        """
        if not (self.folder / "backup.db").exists():
            return
        self._restart()
        shutil.copy(self.folder / "backup.db", self.computer.path)
        for place in self.places.values():
            place.is_restored = place.backup_lagged or self._freezes(place) > place.backup_number
            right(
                place.is_restored or place.truth.pushes == place.backup_pushes,
                f"what was sent of {place.name} since the backup is noted beside the store",
            )
            place.may_be_empty = True
            place.forgotten |= place.host.prices.keys() - self._items_in_backup(place)
        if len(self.setups) > 1:
            for place in self.places.values():
                self._settle_unknown(place)
            self._keep_profile()

    def _items_in_backup(self, place):
        backup = sqlite3.connect(f"file:{self.folder / 'backup.db'}?immutable=1", uri=True)
        with closing(backup), suppress(sqlite3.OperationalError):
            return {it for (it,) in backup.execute(ITEMS_OF, [place.name])}
        return set()  # It had no tables.

    def _freezes(self, place):
        file = self.folder / "store.db.freeze"
        return json.loads(file.read_bytes()).get(place.name, 0) if file.exists() else 0

    def _restart(self):
        """
        End all processes, in order.
        """
        if self.peeking is not None:
            self.peeking.close()
            self.peeking = None
        self.computer.end_all()
        self.processes.clear()
        if self.computer.path.exists():
            # What a crash left in the log is part of the store.
            connection = sqlite3.connect(self.computer.path)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()

    def adopt(self, place):
        """
        A person sees to it that the office has what the till has, and says so.
        """
        place, today = self._at(place, 0)
        self._calm()
        # A sale may have been moved to tomorrow.
        days = {d: sold for d, sold in sorted(place.till.sold.by_date.items()) if d <= today}
        found = self.work(lambda process: process.services[place.name].sales.adopt(today))
        if isinstance(found, Exception) or found is None:
            return
        for day, sold in days.items():
            sales = [Sale(id=e.id, timestamp=e.timestamp.isoformat(), total=e.total) for e in sold]
            self._record(place, day, "replace_day", sales)
        place.is_restored = False
        place.truth.adopted |= {e.id for sold in days.values() for e in sold}
        place.truth.touched -= place.truth.adopted

    # The catalogue.

    def catalog(self, kind, *how):
        self.shelf.change(kind, *how)
        self.office.catalog = self.shelf.elements()

    def flip(self, requests, kind, *how):
        """
        The catalogue changes in the midst of a read.
        """
        if self.office.etag != "off":
            self.line_of_catalog[:] = [None] * requests + [lambda: self.catalog(kind, *how)]

    def paging(self, size, etag):
        self.office.page_size, self.office.etag = size, etag
        if etag == "off":
            # Nothing tells pages of two versions apart.
            self.line_of_catalog.clear()

    def host(self, place, is_down):
        self._at(place, 0)[0].host.is_down = is_down
