"""
A simulated computer: its clock, its processes, and how they end.

A process that is killed does nothing more: its connections refuse each
statement, are closed without a commit, and what it had in memory is gone.
"""

import sqlite3
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import attrs

from conexxus_sync.runtime.processes import ProcessIdentity
from conexxus_sync.stores import _lease_table

from .files import Killed, store_of


NEVER = datetime.min.replace(tzinfo=UTC)


@attrs.define(eq=False)
class Computer:
    """
    What the processes of a location's computer have in common.

    Attributes:
        time: The true time.
        path: Of the store.
        store_of: Makes the store of a process.
        ahead: How far its clock is ahead of the true time.
        set_at: When the clock was set last, in true time.
        boots: How often it was started.
        version: Of the SDK: how often it was upgraded.
        steps: How many steps all of its processes have gone.
        alive: The processes that exist.
    """

    time: object
    path: object
    ahead: timedelta = timedelta()
    set_at: datetime = NEVER
    store_of: object = store_of
    boots: int = 1
    booted: float = 0.0
    slept: float = 0.0
    made: int = 0
    version: int = 0
    steps: int = 0
    alive: dict = attrs.field(factory=dict)
    running: object = None

    # Its clock, as `Clock` describes it.

    def now(self):
        return self.time.now + self.ahead

    def set_clock(self, ahead):
        if ahead != self.ahead:
            self.ahead, self.set_at = ahead, self.time.now

    def monotonic(self):
        return self.time.seconds - self.booted - self.slept

    def uptime(self):
        return self.time.seconds - self.booted

    def sleep(self, duration):
        """
        Be suspended: only the uptime goes on.
        """
        self.time.pass_by(duration)
        self.slept += duration.total_seconds()

    def restart(self, ahead):
        """
        Start anew with a clock that is so far ahead.
        """
        self.end_all()
        self.boots += 1
        self.booted, self.slept = self.time.seconds, 0.0
        self.set_clock(ahead)

    def end_all(self):
        for process in [*self.alive.values()]:
            process.end()


@attrs.define(eq=False)
class Process:
    """
    One process and its store; it is the `Processes` of that, too.

    Attributes:
        version: Of the SDK that it runs.
        steps: How many steps it has gone, of which each may be its last.
        ownerless: What its leases remember in memory.
        traps: What happens at which step, by its number or its name.
        broken_commits: So many commits fail from now on, after those that succeed.
    """

    computer: Computer
    name: str
    pid: int = 0
    version: int = 0
    steps: int = 0
    is_dead: bool = False
    is_writing: bool = False
    ownerless: set = attrs.field(factory=set)
    traps: dict = attrs.field(factory=dict)
    broken_commits: list = attrs.field(factory=list)
    idle: list = attrs.field(factory=list)
    opened: list = attrs.field(factory=list)
    store: object = None
    last_step: str = ""
    services: dict = attrs.field(factory=dict)

    def __attrs_post_init__(self):
        self.computer.made += 1
        self.pid, self.version = self.computer.made, self.computer.version
        self.computer.alive[self.pid] = self
        self.store = self.computer.store_of(self)

    def current(self):
        return ProcessIdentity(
            boot=str(self.computer.boots), namespace="n", pid=self.pid, started="1", host="till"
        )

    def is_gone(self, identity):
        is_here = identity.boot == str(self.computer.boots)
        return is_here and identity.pid not in self.computer.alive

    def run(self, work):
        """
        What *work* returns; None if the process was killed meanwhile.
        """
        computer, before = self.computer, self.computer.running
        others = _lease_table._ownerless
        computer.running, _lease_table._ownerless = self, self.ownerless

        try:
            return work()
        except Killed:
            if not self.is_dead:
                raise
            return None
        finally:
            computer.running, _lease_table._ownerless = before, others
            if self.is_dead:
                self.end()

    def step(self, name):
        """
        Go one step, unless it is the last one.
        """
        if self.is_dead:
            raise Killed
        self.steps += 1
        self.computer.steps += 1
        self.last_step = name
        due = self.steps if self.steps in self.traps else name
        trap = self.traps.pop(due, None)
        if trap is None:
            return
        if trap.comes_later(self):
            self.traps[self.steps + 1] = trap
        else:
            trap.spring(self)

    def die(self):
        self.is_dead = True
        self.computer.alive.pop(self.pid, None)
        raise Killed

    def end(self):
        """
        Be gone, as after SIGKILL.
        """
        self.is_dead = True
        self.computer.alive.pop(self.pid, None)
        for connection in self.opened:
            with suppress(sqlite3.Error):
                connection.really_close()
        self.opened.clear()
        self.idle.clear()

    def close_idle(self):
        """
        Open the store anew for the next unit of work.
        """
        while self.idle:
            connection = self.idle.pop()
            self.opened.remove(connection)
            connection.really_close()

    def commit(self, error=sqlite3.OperationalError):
        self.step("commit")
        if self.broken_commits and self.broken_commits.pop(0):
            raise error("disk I/O error")


@attrs.frozen
class Kill:
    """
    A trap: the process dies.
    """

    def comes_later(self, process):
        """
        Has the process to go on for now?
        """
        return False

    def spring(self, process):
        process.die()


@attrs.frozen
class After:
    """
    A trap: another one, so many steps later, or at the next step of a name.
    """

    more: int | str
    trap: object

    def comes_later(self, process):
        return False

    def spring(self, process):
        more = self.more
        process.traps[more if isinstance(more, str) else process.steps + more] = self.trap


@attrs.frozen
class Suspend:
    """
    A trap: the process stands still.

    Attributes:
        meanwhile: What happens then.
        needs_store: Whether others write to the store meanwhile.
    """

    meanwhile: object
    needs_store: bool = False

    def comes_later(self, process):
        """
        What waits for a writer that stands still would wait in earnest.  And
        between the last look at the clock and the first byte, nothing can be
        done any more: that is the limit of the guarantee.
        """
        return (self.needs_store and process.is_writing) or process.last_step == "request"

    def spring(self, process):
        self.meanwhile(process)
