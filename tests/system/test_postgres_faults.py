"""
A PostgreSQL that fails in the middle of a pull or a push, with real causes.

After each fault, the very next run succeeds: the mirror is the new catalogue,
whole, and each sale is in the back office once.
"""

import os
import signal
import subprocess
import threading
import warnings
from contextlib import ExitStack, contextmanager, suppress

import psycopg
import pytest
from proxies import Proxy
from servers import Server

from conexxus_sync import StoreError
from conexxus_sync.stores.postgres._connections import Connections
from conexxus_sync.stores.postgres._postgres_session import PostgresSession

from .postgres_branch import KINDS, Branch, new_schema
from .store_contents import catalog


IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"
# One of so many statements of a run is tried in the short run.
SHORT = 18


@pytest.fixture(params=[SHORT, pytest.param(1, marks=pytest.mark.long)], ids=["some", "all"])
def stride(request):
    return SHORT if IS_SMALL else request.param


def once_at(step, fault):
    """
    A failpoint that makes *fault* happen when *step* is first reached.
    """
    left = [step]

    def reached(name):
        if name in left:
            left.remove(name)
            fault()

    return reached


FAULTS = {
    "restarted": lambda server: server.restart("fast"),
    "crashed": lambda server: server.restart("immediate"),
    "terminated": lambda server: server.end_clients(),
}


@pytest.mark.fault(
    "S11",
    "PostgreSQL is restarted, crashes, or ends its backends, at any step of a pull or a push",
    "the run fails and says so, or succeeds; the next one succeeds; each sale arrives once",
)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", KINDS)
def test_fault_at_every_step(server, kind, fault, stride):
    """
    Wherever the server goes down, nothing is lost or doubled: in the short run,
    each step has one of the faults.
    """
    problems = []
    steps = KINDS[kind] if stride == 1 else KINDS[kind][[*FAULTS].index(fault) :: len(FAULTS)]

    for step in steps:
        branch = Branch.of(server.url(new_schema()))
        said = branch.run(kind, once_at(step, lambda: FAULTS[fault](server)))
        assert not said or "It was stopped or is starting" in said or "Check that it runs" in said
        problems += [f"{step}: {problem}" for problem in branch.problems(kind)]

    assert problems == []


class Plan:
    """
    Ends the backend of the *fatal*-th statement, before or after it.
    """

    def __init__(self, server, patch):
        self.server, self.count, self.fatal, self.is_after = server, 0, None, False
        execute = PostgresSession.execute

        def counted(session, *arguments):
            self.count += 1
            is_fatal = self.count == self.fatal
            if is_fatal and not self.is_after:
                self.end(session)
            cursor = execute(session, *arguments)
            if is_fatal and self.is_after:
                self.end(session)
            return cursor

        patch.setattr(PostgresSession, "execute", counted)

    def end(self, session):
        self.server.execute("SELECT pg_terminate_backend(%s, 5000)", session.raw.info.backend_pid)

    def set(self, fatal, *, is_after):
        self.count, self.fatal, self.is_after = 0, fatal, is_after


@pytest.mark.fault(
    "S11", "The backend of any one statement is terminated", "the same, and the error says it"
)
@pytest.mark.timeout(900)
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", KINDS)
def test_backend_terminated_at_any_statement(server, monkeypatch, kind, is_after, stride):
    """
    Whichever statement loses its connection.
    """
    plan, problems = Plan(server, monkeypatch), []
    whole = Branch.of(server.url(new_schema()))
    plan.set(None, is_after=is_after)
    whole.run(kind)
    statements = plan.count
    if stride > 1:
        stride = max(stride, statements // 5)

    for fatal in range(1, statements + 1, stride):
        branch = Branch.of(server.url(new_schema()))
        plan.set(fatal, is_after=is_after)
        branch.run(kind)
        plan.set(None, is_after=is_after)
        problems += [f"{fatal}: {problem}" for problem in branch.problems(kind)]

    assert problems == []
    assert statements > 20


LOST = {
    "request": ("request", lambda server: None),
    "answer": ("answer", lambda server: None),
    "answer of a server that crashes": ("answer", lambda server: server.restart("immediate")),
    "answer of a server that stays away": ("answer", lambda server: server.stop("immediate")),
}


@pytest.mark.fault(
    "S11",
    "The connection is lost during any COMMIT, the server going on, crashing or staying away",
    "the outcome is read back, never guessed; if it can't be, the run fails; the next succeeds",
)
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("unprepared")
@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("kind", KINDS)
def test_connection_lost_during_any_commit(server, kind, lost, stride):
    """
    Whatever became of it, the next run goes on from what is stored.
    """
    lose, then = LOST[lost]
    problems, commits, read_back = [], 0, 0

    while True:
        with faraway(server) as (branch, proxy):
            proxy.passed, proxy.lose, proxy.then = commits, lose, lambda: then(server)
            said = branch.run(kind)
            if proxy.lose is not None:
                break
            if "stays away" in lost:
                server.start()
            read_back += not said
            problems += [f"{commits}: {problem}" for problem in branch.problems(kind)]
        commits += max(1, stride // (3 if "server" in lost else 6))

    assert problems == []
    assert commits >= 3
    # Others had a temporary table, or only their lease to give back.
    assert read_back > 1 or kind == "pull" or lost != "answer"


@pytest.fixture
def unprepared(monkeypatch):
    """
    Each COMMIT is spelled out, so that the proxy sees it.
    """
    connect = Connections.open

    def unprepared(connections):
        connection = connect(connections)
        connection.prepare_threshold = None
        return connection

    monkeypatch.setattr(Connections, "open", unprepared)


@contextmanager
def faraway(server):
    """
    A branch behind a proxy.
    """
    with ExitStack() as stack:
        proxy = Proxy(server.uri)
        stack.callback(proxy.close)
        branch = Branch.of(proxy.url(new_schema()))
        stack.callback(branch.store.close)
        yield branch, proxy


@pytest.mark.fault(
    "S11",
    "PostgreSQL crashes during a COMMIT, and gives the number of the transaction away again",
    "what another transaction committed is not taken for its own: the write fails",
)
def test_number_of_another_transaction(server, unprepared):
    """
    A number that was not yet on the disk belongs to the next one after a crash.
    """

    def crash():
        server.restart("immediate")
        for _ in range(100):
            server.execute("SELECT pg_current_xact_id()")

    def write():
        with branch.site.store.write() as state:
            state.session.execute("INSERT INTO sales_freezes (location, number) VALUES ('a', 1)")
            proxy.passed, proxy.lose, proxy.then = 0, "request", crash

    with faraway(server) as (branch, proxy):
        with pytest.raises(StoreError, match="Check that it runs"):
            write()

        assert branch.site.dump("sales_freezes") == {"sales_freezes": []}


def deadlock(server, schema, table):
    """
    Make the transaction that has read `leases` wait for *table*, of which a
    transaction that waits for `leases` has the lock; returns what waits for its end.
    """
    other = psycopg.connect(server.uri)
    other.execute(f"SET search_path = {schema}; SET deadlock_timeout = '60s'")
    other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE NOWAIT")

    def wait():
        other.execute("LOCK TABLE leases IN ACCESS EXCLUSIVE MODE")
        other.close()

    waiting = threading.Thread(target=wait)
    waiting.start()
    while server.execute("SELECT count(*) FROM pg_locks WHERE NOT granted") == [(0,)]:
        server.execute("SELECT pg_sleep(0.01)")

    return waiting.join


@pytest.mark.fault(
    "S11", "A deadlock with another user of the database", "the run fails and says so, as above"
)
@pytest.mark.parametrize(
    ("kind", "statement", "table"),
    [
        ("pull", "INSERT INTO runs", "runs"),
        ("push", "INSERT INTO sales_freezes", "sales_freezes"),
    ],
)
def test_deadlock(server, monkeypatch, kind, statement, table):
    """
    PostgreSQL ends our transaction: nothing of it is stored.
    """
    schema, ends, execute = new_schema(), [], PostgresSession.execute
    branch = Branch.of(server.url(schema))

    def watched(session, text, *arguments):
        if statement in text and session.in_transaction and not ends:
            ends.append(deadlock(server, schema, table))
        return execute(session, text, *arguments)

    monkeypatch.setattr(PostgresSession, "execute", watched)
    said = branch.run(kind)
    ends[0]()

    assert "deadlock detected" in said
    assert "Others wrote at the same time" in said
    assert list(branch.problems(kind)) == []


@pytest.mark.fault(
    "S11",
    "The role's transactions are serializable, and others write what a run reads",
    "no serialization failure: those of the store are read committed",
)
@pytest.mark.parametrize("kind", KINDS)
def test_serializable_role(server, kind):
    """
    What was written meanwhile is seen, as a lease that another took must be.
    """
    schema = new_schema()
    options = "-c%20default_transaction_isolation%3Dserializable"
    branch = Branch.of(server.url(schema, options=options))

    def write(_):
        for table in ("leases", "checkpoints", "items", "batches", "sales_freezes", "runs"):
            server.execute(f"SET lock_timeout = 1; UPDATE {schema}.{table} SET location = location")

    said = branch.run(kind, lambda step: _unless_locked(lambda: write(step)))

    assert not said
    assert list(branch.problems(kind)) == []


def _unless_locked(work):
    with suppress(psycopg.errors.LockNotAvailable):
        work()


@contextmanager
def no_connection_left(server):
    """
    All that the server allows are in use.
    """
    with ExitStack() as stack:
        server.end_clients()
        with suppress(psycopg.OperationalError):
            while True:
                stack.callback(psycopg.connect(server.uri).close)
        yield


@pytest.mark.fault(
    "S11", "PostgreSQL has no connection left, from any step on", "the run fails and says which"
)
@pytest.mark.parametrize("kind", KINDS)
def test_no_connection_left(server, kind, stride):
    """
    Once there are some, the next run succeeds.
    """
    branch = Branch.of(server.url(new_schema()))
    with no_connection_left(server):
        said = branch.run(kind)
    problems = [*branch.problems(kind)]

    for step in KINDS[kind][:: min(stride, 4)]:
        branch = Branch.of(server.url(new_schema()))
        with ExitStack() as stack:
            branch.run(kind, once_at(step, lambda: stack.enter_context(no_connection_left(server))))
        problems += [f"{step}: {problem}" for problem in branch.problems(kind)]

    assert "no connection left" in said
    assert problems == []


@contextmanager
def small_disk(folder, size):
    """
    A file system of so many MB; yields what fills it.
    """
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        yield lambda: fill(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def fill(folder):
    """
    No room is left meanwhile.
    """
    with (folder / "ballast").open("wb", buffering=0) as ballast:
        with pytest.raises(OSError, match="No space left"):
            ballast.writelines(b"x" * 4096 for _ in range(1_000_000))
        yield
    (folder / "ballast").unlink()


@pytest.mark.fault("S11", "The disk of PostgreSQL is full", "nothing is sent that is not stored")
@pytest.mark.parametrize("kind", KINDS)
def test_disk_full(server, kind):
    """
    The run fails and says what to do; with room, the next one succeeds.
    """
    disk, schema = server.folder / f"small-{kind}", new_schema()

    with small_disk(disk, 32) as full:
        Server.own(disk)
        server.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
        branch = Branch.of(server.url(schema, options="-c%20default_tablespace%3Dsmall"), sales=500)
        branch.site.office.catalog = branch.new = catalog(3_000)
        with full():
            said = branch.run(kind)
        asked = branch.till.office.requests["sales"]
        problems = list(branch.problems(kind))
        branch.store.close()
        server.execute(f"DROP SCHEMA {schema} CASCADE")
        server.execute("DROP TABLESPACE small")

    assert "Free space on its disk" in said
    assert asked == 0
    assert problems == []


def killed_in_child(branch, plan, fatal):
    """
    Whether a pull was killed at its *fatal*-th statement.
    """
    with warnings.catch_warnings():
        # No thread of ours is at work on anything that the child needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            plan.set(fatal, is_after=plan.is_after)
            branch.run("pull")
        finally:
            os._exit(0)

    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


class KillingPlan(Plan):
    """
    Kills the process instead.
    """

    def end(self, session):
        os.kill(os.getpid(), signal.SIGKILL)


def pull_kills(server, monkeypatch, *, is_after, stride):
    """
    The statements at which a pull was killed, each with what is wrong then.
    """
    plan, fatal = KillingPlan(server, monkeypatch), 1
    plan.is_after = is_after

    while True:
        branch = Branch.of(server.url(new_schema()))
        if not killed_in_child(branch, plan, fatal):
            return
        yield fatal, [*branch.problems("pull")]
        fatal += stride


@pytest.mark.fault(
    "K01",
    "A pull into a PostgreSQL is killed at any statement",
    "the old catalogue or the new one; the next pull succeeds at once",
)
@pytest.mark.timeout(900)
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_pull_killed_at_any_statement(server, monkeypatch, is_after, stride):
    """
    Nothing waits for the lease of a process that is gone, nor for its locks.
    """
    kills = dict(pull_kills(server, monkeypatch, is_after=is_after, stride=stride))

    assert {fatal: problems for fatal, problems in kills.items() if problems} == {}
    assert max(kills) > 20
    print(f"{len(kills)} kills")


def test_pull_without_a_transaction_is_found(server, monkeypatch):
    """
    The proof above can fail: a pull whose statements stand alone leaves a part.
    """

    @contextmanager
    def piecemeal(session, *_, **__):
        yield

    monkeypatch.setattr(PostgresSession, "transaction", piecemeal)

    kills = pull_kills(server, monkeypatch, is_after=True, stride=SHORT)

    assert any("the history counts" in problem for _, found in kills for problem in found)
