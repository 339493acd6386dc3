"""
What a simulated world is made of: time, a till, a host, and how it is set up.
"""

from datetime import datetime, time, timedelta

import attrs

from conexxus_sync.testing import HostileTill, MemoryCatalog

from .truth import Truth


TINY_S = 0.001


@attrs.define(eq=False)
class Time:
    """
    The true time, and what is still to come.
    """

    now: datetime
    seconds: float = 0.0
    coming: list = attrs.field(factory=list)

    def pass_by(self, duration):
        self.now += duration
        self.seconds += duration.total_seconds()
        due = [call for at, call in self.coming if at <= self.seconds]
        self.coming = [(at, call) for at, call in self.coming if at > self.seconds]
        for call in due:
            call()

    def later(self, duration, call):
        self.coming.append((self.seconds + duration.total_seconds(), call))


@attrs.frozen(kw_only=True)
class Setup:
    """
    How a world begins.
    """

    start: datetime
    zone: str = "UTC"
    locations: int = 1
    dedupe: str = "key"
    sales_mode: str = "append"
    on_changed: str = "report"
    trickle: bool = False
    push_at: time = time(23, 30)
    day_closes_at: time = time()
    pull_hours: int = 12
    batch: int = 3
    items: int = 24
    removals: str = "deactivate"
    dated: bool = True
    retries: int = 0
    lookback: int = 3


class InlineThread:
    """
    Does its job at once, as no thread here is its own master.
    """

    is_running = False

    def __init__(self, name):
        pass

    def start(self, work):
        work()
        return True

    def join(self, **how):
        return True


@attrs.define(eq=False)
class FakeTime:
    """
    The module `time`, for what waits.
    """

    world: object

    def monotonic(self):
        return self.world.computer.monotonic()

    def sleep(self, seconds):
        self.world.time.pass_by(timedelta(seconds=max(seconds, TINY_S)))


class StepTill(HostileTill):
    """
    A till in whose midst the process may be killed.
    """

    def transactions(self, location_id, business_date):
        running, returned = self.computer.running, set()
        running.step("orders")
        for number, each in enumerate(super().transactions(location_id, business_date)):
            if number == 2:
                running.step("orders half")
            returned.add(each.id)
            yield each
        self.truth.answered(business_date, returned)


class Host(MemoryCatalog):
    """
    The host's catalogue, which may be down.
    """

    is_down = False

    @property
    def prices(self):
        return {sku: str(item.price) for sku, item in self.items.items()}

    def apply(self, changes):
        self.computer.running.step("host")
        if self.is_down:
            raise OSError("the host is down")
        super().apply(changes)
        self.computer.running.step("host has it")


@attrs.define(eq=False)
class Place:
    """
    A location: its till, and what is known of it.

    Attributes:
        is_restored: Whether the store has forgotten what was sent.
        forgotten: Items of the host that the restored store has never seen.
        may_be_empty: Whether an operator let the next catalogue be applied, even
            an empty one.
        corrected: What an operator has just made of a bad item.
        backup_number: Of its freezes, when the store was copied.
        backup_lagged: Whether it had forgotten something by then.
        backup_pushes: How much the office had booked by then.
    """

    name: str
    till: StepTill
    host: Host
    truth: Truth
    shelf_seen: dict = attrs.field(factory=dict)
    is_restored: bool = False
    forgotten: set = attrs.field(factory=set)
    may_be_empty: bool = False
    corrected: dict = attrs.field(factory=dict)
    backup_number: int = 0
    backup_lagged: bool = False
    backup_pushes: int = 0
