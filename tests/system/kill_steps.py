"""
Where a push may be killed or stopped, and processes in which that is done.
"""

import os
import signal
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import attrs

from conexxus_sync.errors import LeaseLostError, RunInProgressError
from conexxus_sync.stores import LocationStore, State, SyncStore
from conexxus_sync.stores._outbox import Outbox
from conexxus_sync.stores.postgres import PostgresAddress, PostgresDatabase
from conexxus_sync.stores.postgres._known_freezes import KnownFreezes
from conexxus_sync.stores.sqlite import SqliteStore
from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase


BUSY, FENCED = 3, 4


class Killer:
    """
    Counts steps, and ends or stops the process at one of them.
    """

    def __init__(self, at=None, what=signal.SIGKILL):
        self.at = at
        self.what = what
        self.seen = Counter()

    def __call__(self, step):
        self.seen[step] += 1
        if self.at == (step, self.seen[step]):
            os.kill(os.getpid(), self.what)


class Wire:
    """
    The network, on which the process may die before a request leaves, and
    once the back office has acted and its answer is on the way.
    """

    def __init__(self, inner, step):
        self.inner = inner
        self.step = step

    @contextmanager
    def open(self, request, limits):
        self.step("requested")
        with self.inner.open(request, limits) as reply:
            self.step("answered")
            yield reply

    def close(self):
        self.inner.close()


class KilledDatabase:
    """
    A database in which the process may die just before a commit.
    """

    step, doing = None, "a commit"

    @classmethod
    def at(cls, place, step):
        """
        The one in the file *place*, or, if that is a URL, in a PostgreSQL.
        """
        if isinstance(place, Path):
            database, record = KilledSqlite(place), SqliteStore(place).freeze_file
        else:
            address = PostgresAddress.parse(place)
            database, record = KilledPostgres(address), KnownFreezes(address.name)
        database.step = step

        return database, record

    @contextmanager
    def write(self, **options):
        with super().write(**options) as session:
            yield session
            doing, self.doing = self.doing, "a commit"
            self.step(f"before {doing}")


class KilledSqlite(KilledDatabase, SqliteDatabase):
    pass


class KilledPostgres(KilledDatabase, PostgresDatabase):
    pass


@attrs.frozen
class WatchedOutbox(Outbox):
    """
    Notes in the database what its transaction is about.
    """

    database: KilledDatabase

    def freeze(self, *args):
        self.database.doing = "frozen"
        return super().freeze(*args)

    def mark_sending(self, *args, **more):
        self.database.doing = "sending"
        super().mark_sending(*args, **more)

    def mark_delivered(self, *args, **more):
        self.database.doing = "settled"
        return super().mark_delivered(*args, **more)

    def mark_open(self, *args, **more):
        self.database.doing = "settled"
        super().mark_open(*args, **more)

    def divide(self, *args, **more):
        self.database.doing = "settled"
        super().divide(*args, **more)


class WatchedState(State):
    """
    Has such an outbox.
    """

    def __init__(self, session, location, freeze_file, database, outbox_type):
        super().__init__(session, location, freeze_file)
        self.outbox = outbox_type(session, location, self.freezes, database)


@attrs.frozen
class WatchedStore(LocationStore):
    """
    Its units of work have such a state.
    """

    outbox_type: type

    @classmethod
    def at(cls, place, location, step, outbox_type):
        database, record = KilledDatabase.at(place, step)
        store = SyncStore(database, record).at(location)
        return cls(database, location, record, store.leases, outbox_type)

    def _state(self, session):
        return WatchedState(
            session, self.location, self.freeze_file, self.database, self.outbox_type
        )


def forked(work):
    """
    Do *work* in a child; returns its pid.
    """
    child = os.fork()

    if child == 0:
        try:
            work()
            os._exit(0)
        except RunInProgressError:
            os._exit(BUSY)
        except LeaseLostError:
            os._exit(FENCED)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)

    return child


def in_child(work):
    """
    Do *work* in a child; returns the signal that ended it, or 0.
    """
    return outcome(os.waitpid(forked(work), 0)[1])


def outcome(status):
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)
