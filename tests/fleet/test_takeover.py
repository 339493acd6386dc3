"""
One of two processes of a fleet is killed: the other has its runs soon, and never two of
one location and kind go on at a time.
"""

from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue

import pytest
from databases import store_at, url_of

from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync.model.leases import LEASE_LENGTH

from .fleet_process import KEY, location
from .test_killed_processes import ITEMS, Worker, overlaps, spans


SCRIPT = Path(__file__).with_name("takeover_process.py")
DATABASES = ("sqlite", "postgres")
STORES = 6
# Of another machine; on this one, it is as long as it is.
LEASE_S = 30.0
# How soon what is due is found and begun, once the lease has ended.
WITHIN_S = 5.0


def begin(worker):
    worker.process.stdin.write("begin\n")
    worker.process.stdin.flush()


def has_said(worker, what):
    return any(line.startswith(what) for line in list(worker.lines))


def wait_for(written, condition):
    while not condition():
        written.get(timeout=300)


def at_work(worker):
    """
    The runs that began and have not ended: kind, location and id.
    """
    lines = [line.split() for line in list(worker.lines)]
    ended = {run for what, _, _, run, _ in lines if what == "ends"}
    begun = [(kind, name, run) for what, kind, name, run, _ in lines if what == "begins"]
    return [it for it in begun if it[2] not in ended]


def pulls_of(worker):
    return [it for it in at_work(worker) if it[0] == "inventory"]


def note_successors(found, lost, worker, store):
    """
    Put into *found* when *worker* began those of *lost* whose lease it has by the store.
    """
    lines = [line.split() for line in list(worker.lines)]
    begun = {run: float(moment) for what, _, _, run, moment in lines if what == "begins"}
    for kind, name, _ in lost:
        holder = store.at(name).leases.holder(kind, datetime.now(UTC))
        if holder in begun:
            found.setdefault((kind, name), begun[holder])


@pytest.mark.fault(
    "S11",
    "One of two processes of a fleet is killed with runs at work, on this machine or another",
    "the other process begins them within the length of a lease and five seconds",
)
@pytest.mark.long
@pytest.mark.parametrize(
    ("executor", "machine"),
    [("local", ""), ("local", "another"), ("dbos", ""), ("dbos", "another")],
)
@pytest.mark.timeout(600)
def test_takeover(tmp_path, database, executor, machine, capsys):
    """
    On one machine it is certain that a process is gone; from another, its leases end.
    """
    written, now = SimpleQueue(), datetime.now(UTC)
    day = now.date() - timedelta(days=2)
    office = BackOffice(ITEMS, api_key=KEY, faults="catalog: slow(60s)*1000000")

    with ExitStack() as stack:
        url = stack.enter_context(SandboxServer(office)).url
        store = stack.enter_context(closing(store_at(tmp_path / "conexxus.db")))
        with store.at("").keep_open():
            for number in range(STORES):
                with store.at(location(number)).write() as state:
                    state.sales_dates.set_start_date(day, now)

        lease_s = LEASE_S if machine else LEASE_LENGTH.total_seconds()
        arguments = [executor, url_of(tmp_path / "conexxus.db"), day.isoformat(), url]
        first, second = (
            Worker([*arguments, it, str(lease_s), str(STORES)], written, script=SCRIPT)
            for it in (machine, "")
        )
        wait_for(written, lambda: has_said(first, "ready") and has_said(second, "ready"))
        begin(first)
        wait_for(written, lambda: len(pulls_of(first)) == STORES)
        begin(second)
        # It looks again after the longest time.
        wait_for(written, lambda: has_said(second, "looked"))
        first.end(kill=True)
        # Of a push, it is not certain: it may have ended, and its process not have said so.
        lost = pulls_of(first)

        found = {}
        while len(found) < len(lost):
            written.get(timeout=300)
            note_successors(found, lost, second, store)
        waits = [it - first.killed_at for it in found.values()]
        second.end(kill=False)

    with capsys.disabled():
        print(
            f"\n{executor}, {'other' if machine else 'one'} machine, {database}: "
            f"{len(lost)} runs taken over after "
            f"{', '.join(f'{it:.1f} s' for it in sorted(waits))} (lease {lease_s:.0f} s)"
        )
    assert lost
    assert max(waits) <= lease_s + WITHIN_S
    assert overlaps(spans([first, second])) == []
    assert [it for it in store.lease_states(datetime.now(UTC)) if it.run_id] == []
