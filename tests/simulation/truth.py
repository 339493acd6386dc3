"""
What is true of a simulated location, written down independently of the SDK.
"""

import re
from collections import Counter
from datetime import UTC, datetime
from functools import cache

import attrs

from conexxus_sync.stores._database import NO_LIMIT


_CORRECTION = re.compile(r"(.*):(void|rev):\d+")


class ViolationError(AssertionError):
    """
    What must be so is not.
    """


def right(condition, said):
    if not condition:
        raise ViolationError(said)


def version(sold):
    return second_of(sold.timestamp.isoformat()), sold.total


@cache
def second_of(timestamp):
    return datetime.fromisoformat(timestamp).astimezone(UTC).replace(microsecond=0)


@attrs.define(eq=False)
class Truth:
    """
    The independent ledger of one location.

    Attributes:
        versions: When each version of a sale was first said, by id: of date,
            second and total.
        touched: Ids of sales that were edited, deleted or moved.
        moved: Those that are on another date than before.
        shared: Ids that several registers used.
        adopted: Ids of what a person said the office has.
        refused: Ids that the office refuses.
        by_hand: Dates that somebody pushed by name.
        withheld: Ids that the till did not return at the last look at their date.
        unsaid: Ids that the till left out of its last answer, by date.
        over: Sales that appeared after the last look at their date, because the
            clock was ahead: what it showed at that look, by id.
        pushes: How many of the SDK's the office has booked.
        before: Ids that the office has of a date, as of its last push.
    """

    world: object
    name: str
    versions: dict = attrs.field(factory=dict)
    days: set = attrs.field(factory=set)
    touched: set = attrs.field(factory=set)
    moved: set = attrs.field(factory=set)
    shared: set = attrs.field(factory=set)
    adopted: set = attrs.field(factory=set)
    refused: set = attrs.field(factory=set)
    by_hand: set = attrs.field(factory=set)
    withheld: set = attrs.field(factory=set)
    unsaid: dict = attrs.field(factory=dict)
    over: dict = attrs.field(factory=dict)
    pushes: int = 0
    before: dict = attrs.field(factory=dict)
    checked: int = -1

    @property
    def till(self):
        return self.world.places[self.name].till

    @property
    def ledger(self):
        return self.world.office.ledger

    def on(self, day):
        return self.till.sold.by_date.get(day, [])

    def pick(self, day, number, *, alone=False):
        sales = self.on(day)
        found = sales[number % len(sales)] if sales else None
        is_shared = alone and found is not None and found.id in self.shared

        return None if is_shared else found

    def said(self, day, sold):
        """
        The till says of *sold*, from now on, that it was on *day*.
        """
        self.days.add(day)
        last = self.world.last_look(day)
        if looks := [shown for shown in self.world.shown_ahead if shown >= last]:
            self.over[sold.id] = min(looks)
        self.versions.setdefault(sold.id, {}).setdefault((day, *version(sold)), self.world.time.now)

    def touch(self, day, name):
        self.touched.add(name)
        for each in self.on(day):
            if each.id == name:
                self.said(day, each)

    def answered(self, day, names):
        """
        The till has returned *names* as the sales of *day*.
        """
        self.unsaid[day] = {each.id for each in self.on(day)} - names
        if self.world.computer.now() >= self.world.last_look(day):
            self.withheld |= self.unsaid[day]

    def booked(self, push):
        """
        The office has just booked *push*: all of it was said by the till.
        """
        world, now = self.world, self.world.time.now
        self.pushes += 1
        had = self.before.get(push.date, set())
        if push.mode == "replace_day" and push.key is not None:
            # What the office refuses, it leaves out, whatever it had; `t1:void:1` of an
            # earlier profile took back what was touched.
            lost = had - {each.id for each in push.sales} - self.refused
            lost = {name for name in lost if not {name, name.partition(":")[0]} & self.touched}
            if world.setup.on_changed == "resend":
                # So few are as good as deleted, until the till has them again.
                lost -= self.unsaid.get(push.date, set())
            right(not lost, f"{push.date} is replaced with all that it had, not without {lost}")
        self.before[push.date] = {each.id for each in self.ledger.sales(self.name, push.date)}
        is_early = (
            world.setup.trickle
            and not world.computer.ahead
            and push.date not in self.by_hand
            and now < world.calendar.push_moment(push.date)
        )
        for each in push.sales:
            name, _ = self.meant(each)
            said = [
                since
                for (day, second, total), since in self.versions[name].items()
                if day == push.date
                and second == second_of(each.timestamp)
                and total in (each.total, -each.total)
            ]
            right(said, f"{each.id} was sold on {push.date} for {each.total}")
            # A clock that is set ahead settles sooner.
            if is_early and min(said) > world.computer.set_at:
                age = now - min(said)
                right(age.total_seconds() >= 15 * 60, f"{each.id} was settled: {age}")

    def meant(self, sold):
        """
        The till's id of what the office has, and -1 if it takes it back.
        """
        if sold.id in self.versions:
            return sold.id, 1
        match = _CORRECTION.fullmatch(sold.id)
        right(match and match[1] in self.versions, f"{sold.id} was sold")

        return match[1], -1 if match[2] == "void" else 1

    def office_has(self):
        """
        What is in effect, by id: of date, second and total.
        """
        found = {}
        for day in self.ledger.dates(self.name):
            for each in self.ledger.sales(self.name, day):
                name, sign = self.meant(each)
                key = (day, second_of(each.timestamp), sign * each.total)
                found.setdefault(name, Counter())[key] += sign

        return {
            name: Counter({key: count for key, count in has.items() if count})
            for name, has in found.items()
        }

    def till_has(self):
        found = {}
        for day, sales in self.till.sold.by_date.items():
            for each in sales:
                found.setdefault(each.id, Counter())[day, *version(each)] += 1

        return found

    def check_books(self):
        """
        Nothing is doubled, at any time.
        """
        pushes = len(self.ledger.pushes)
        if pushes == self.checked:
            return
        self.checked = pushes
        right(self.ledger.doubled() == [], f"nothing is doubled: {self.ledger.doubled()}")
        for name, has in self.office_has().items():
            right(set(has.values()) <= {1}, f"{name} is booked once: {has}")
            if name not in self.shared:
                right(len(has) <= 1, f"{name} is one sale: {has}")

    @property
    def replaced_days(self):
        return any(each.sales_mode == "replace_day" for each in self.world.setups)

    def excused(self):
        """
        Ids about which a person must decide.
        """
        setup = self.world.setup
        # What an office did under an earlier profile stays.
        ids_counted = any(each.dedupe == "transaction_id" for each in self.world.setups)
        found = set(self.refused)
        if setup.on_changed == "report":
            found |= self.touched
        found |= self.touched & self.adopted
        if ids_counted:
            found |= self.shared | self.moved
        if self.replaced_days:
            # No day can be replaced by an empty one, nor by what the office refuses.
            empty = {day for day in self.days if {it.id for it in self.on(day)} <= self.refused}
            found |= {name for name, said in self.versions.items() if {k[0] for k in said} & empty}
        if self.replaced_days and self.adopted:
            found |= self.versions.keys() if self.touched or self.refused else set()

        return found

    def check_untouched(self):
        """
        What nobody touched is delivered, without anybody's doing.
        """
        till, office = self.till_has(), self.office_has()
        special = self.touched | self.shared | self.refused
        if self.replaced_days and special:
            return
        special |= self.withheld
        special |= {name for name, shown in self.over.items() if shown <= self.world.time.now}
        for name in till.keys() - special:
            has = office.get(name, Counter())
            right(has == till[name], f"{name} is delivered: {has}, not {till[name]}")

    def check_all(self, service):
        """
        The office has what the till has, or a person is asked.
        """
        self.check_books()
        till, office, excused = self.till_has(), self.office_has(), self.excused()
        noted = self._noted(service)
        for name in till | office:
            has, should = office.get(name, Counter()), till.get(name, Counter())
            if has == should:
                continue
            right(name in excused, f"{name} is booked as it is: {has}, not {should}")
            right(name in noted, f"{name} differs, and that is reported: {has}, not {should}")
        with service.store.read() as state:
            left = state.outbox_maintenance.undecided()
            right(not left or self.refused, f"nothing is left: {left}")

    def _noted(self, service):
        with service.store.read() as state:
            quarantine = state.sales_quarantine
            found = {each.id for each in quarantine.transactions(NO_LIMIT)}
            found |= {each.id for each in quarantine.discrepancies(NO_LIMIT)}
            for batch in state.outbox_maintenance.undecided():
                found |= {each.id for each in state.outbox.members(batch)}
            refused = state.sales_dates.refused_changes()
            if refused:
                found |= {
                    name
                    for name, said in self.versions.items()
                    if {k[0] for k in said} & refused.keys()
                }

        return found
