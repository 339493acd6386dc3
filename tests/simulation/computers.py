"""
A simulated computer: its clock, its processes, and how they end.

A process that is killed does nothing more: its connections refuse each
statement, are closed without a commit, and what it had in memory is gone.
"""

import sqlite3
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import attrs

from conexxus_sync.runtime.processes import ProcessIdentity
from conexxus_sync.stores import _lease_table
from conexxus_sync.stores.sqlite import SqliteStore
from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase


NEVER = datetime.min.replace(tzinfo=UTC)


class Killed(KeyboardInterrupt):
    """
    The process ends here, without a word.
    """


@attrs.define(eq=False)
class Computer:
    """
    What the processes of a location's computer have in common.

    Attributes:
        time: The true time.
        path: Of the store.
        ahead: How far its clock is ahead of the true time.
        set_at: When the clock was set last, in true time.
        boots: How often it was started.
        alive: The processes that exist.
    """

    time: object
    path: object
    ahead: timedelta = timedelta()
    set_at: datetime = NEVER
    boots: int = 1
    booted: float = 0.0
    slept: float = 0.0
    made: int = 0
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
        steps: How many steps it has gone, of which each may be its last.
        ownerless: What its leases remember in memory.
        traps: What happens at which step, by its number or its name.
        broken_commits: So many commits fail from now on, after those that succeed.
    """

    computer: Computer
    name: str
    pid: int = 0
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
        self.pid = self.computer.made
        self.computer.alive[self.pid] = self
        database = SqliteDatabase(self.computer.path, monotonic=self.computer.monotonic)
        self.store = SqliteStore(self.computer.path, processes=self, database=database)

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

    def commit(self):
        self.step("commit")
        if self.broken_commits and self.broken_commits.pop(0):
            raise sqlite3.OperationalError("disk I/O error")


def _session(factory):
    """
    A session whose process may be killed at each statement.
    """

    class Session(factory):
        owner = None

        def execute(self, statement, *parameters):
            owner = self.owner
            if owner is None:
                return super().execute(statement, *parameters)
            if owner.is_dead:
                raise Killed
            if statement == "COMMIT" and owner.is_writing:
                owner.commit()
            found = super().execute(statement, *parameters)
            if statement == "BEGIN IMMEDIATE":
                owner.is_writing = True
            elif statement in ("COMMIT", "ROLLBACK") and owner.is_writing:
                owner.is_writing = False
                if statement == "COMMIT":
                    owner.step("committed")
            return found

        def executemany(self, statement, rows):
            if self.owner is not None and self.owner.is_dead:
                raise Killed
            return super().executemany(statement, rows)

        def close(self):
            owner = self.owner
            if owner is None or owner.is_dead or not give_back(self, owner):
                self.really_close()

        def really_close(self):
            super().close()

    return Session


def give_back(connection, owner):
    """
    Keep *connection* for the next unit of work; False if it can't be kept.
    """
    execute = super(type(connection), connection).execute

    try:
        if connection.in_transaction:
            execute("ROLLBACK")
        for kind, name in execute(
            "SELECT type, name FROM sqlite_temp_master WHERE type IN ('table', 'view')"
        ).fetchall():
            execute(f"DROP {kind} temp.{name}")
    except sqlite3.Error:
        owner.opened.remove(connection)
        return False
    for memory in (connection.temporary, connection.states, connection.calls, connection._streams):
        memory.clear()
    owner.idle.append(connection)

    return True


@contextmanager
def simulated_connections(patch, computers):
    """
    Connections to the stores of *computers* belong to the process that opens them.
    """
    connect, kinds = sqlite3.connect, {}

    def connect_as_process(database, *arguments, factory=sqlite3.Connection, **options):
        owner = next((each.running for each in computers if each.path == database), None)
        if owner is None:
            return connect(database, *arguments, factory=factory, **options)
        if owner.is_dead:
            raise Killed
        if owner.idle:
            return owner.idle.pop()
        kind = kinds.setdefault(factory, _session(factory))
        # A simulation waits for no other writer.
        connection = connect(database, *arguments, factory=kind, **options)
        connection.owner = owner
        owner.opened.append(connection)
        return connection

    patch.setattr(sqlite3, "connect", connect_as_process)
    yield


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
