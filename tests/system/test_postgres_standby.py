"""
A PostgreSQL that is followed by a standby, which takes over.
"""

from contextlib import contextmanager

import pytest

from conexxus_client import ConfigurationError
from conexxus_sync.stores.postgres import _known_freezes
from tills import DAY

from .postgres_branch import Branch, new_schema


@contextmanager
def pair(new_server, **settings):
    """
    A server, one that follows it, and the URL that finds the primary of them.
    """
    primary = new_server(**settings)
    folder = primary.folder.with_name(f"{primary.folder.name}-standby")
    folder.mkdir()
    standby = primary.standby(folder)
    hosts = f"{primary.folder},{standby.folder}"
    url = f"postgresql://postgres@/postgres?host={hosts}&target_session_attrs=read-write"

    try:
        yield primary, standby, f"{url}&schema={new_schema()}"
    finally:
        standby.stop()


def follow(primary, standby):
    """
    Wait until *standby* has what *primary* has.
    """
    ((position,),) = primary.execute("SELECT pg_current_wal_flush_lsn()::text")
    arrived = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
    while standby.execute(arrived, position) != [(True,)]:
        standby.execute("SELECT pg_sleep(0.01)")


@pytest.mark.fault("S11", "A standby that only reads", "refused by the first write, with advice")
def test_read_only_standby(new_server):
    """
    Nothing is asked or sent; the setting that finds the primary is named.
    """
    with pair(new_server) as (primary, standby, url):
        branch = Branch.of(url)
        follow(primary, standby)
        schema = branch.store.address.schema
        asked = sum(branch.site.office.requests.values())

        for kind in ("pull", "push"):
            said = branch.by(standby.url(schema)).run(kind)

            assert "target_session_attrs=read-write" in said
        assert sum(branch.site.office.requests.values()) == asked
        assert not branch.till.office.requests

        for kind in ("pull", "push"):
            assert not branch.run(kind)
            assert list(branch.problems(kind)) == []


def behind(primary, standby):
    """
    Let *standby* have what there is now, and nothing that comes.
    """
    follow(primary, standby)
    standby.execute("ALTER SYSTEM SET primary_conninfo = ''")
    standby.execute("SELECT pg_reload_conf()")
    while standby.execute("SELECT count(*) FROM pg_stat_wal_receiver") != [(0,)]:
        standby.execute("SELECT pg_sleep(0.01)")


def fail_over(primary, standby):
    primary.stop("immediate")
    standby.promote()


@pytest.mark.fault(
    "S11",
    "A server takes over that is a second behind",
    "the process that sent the sales refuses the store; the next pull reads the catalogue again",
)
def test_server_that_is_behind(new_server):
    """
    It knows the number of its last freeze; a person says what arrived.
    """
    with pair(new_server) as (primary, standby, url):
        branch = Branch.of(url)
        behind(primary, standby)
        assert not branch.run("pull")
        assert not branch.run("push")
        sent = branch.till.office.requests["sales"]
        fail_over(primary, standby)

        with pytest.raises(ConfigurationError, match="it has 0 freezes of location loc-001"):
            branch.run("push")

        assert branch.till.office.requests["sales"] == sent
        assert list(branch.problems("pull")) == []
        branch.till.engine().adopt(DAY)
        assert not branch.run("push")
        assert branch.till.effective(DAY) == branch.sold


@pytest.mark.fault(
    "S11",
    "A server takes over, and `synchronous_commit` is `remote_apply`",
    "it has all that was answered: a new process, too, sends nothing again",
)
def test_standby_that_is_waited_for(new_server, monkeypatch):
    """
    No COMMIT is answered before the standby has it.
    """
    with pair(new_server) as (primary, standby, url):
        primary.configure(synchronous_standby_names="*", synchronous_commit="remote_apply")
        primary.execute("SELECT pg_reload_conf()")
        branch = Branch.of(url)
        assert not branch.run("push")
        assert not branch.run("pull")
        fail_over(primary, standby)
        # As in a new process.
        _known_freezes._numbers.clear()

        assert list(branch.problems("push")) == []
        assert list(branch.problems("pull")) == []
