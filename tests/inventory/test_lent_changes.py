"""
The streams of changes are the host's only while it applies them.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from conexxus_sync.errors import HostError
from conexxus_sync.stores.sqlite import SqliteStore
from sites import Site


DATABASES = ("sqlite",)
CATALOG = [{"sku": "A", "name": "a", "price": 1}]


class Keeping:
    """
    Keeps what it got, and may read it in another thread.
    """

    in_thread = False

    def take(self, changes):
        self.changes = changes
        if self.in_thread:
            with ThreadPoolExecutor(1) as pool:
                self.read = pool.submit(lambda: [it.sku for it in changes.created]).result()
        else:
            self.read = [it.sku for it in changes.created]


class Separate(Keeping):
    def apply(self, changes):
        self.take(changes)


class Shared(Keeping):
    def apply_in(self, connection, changes):
        self.take(changes)


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path / "conexxus.db", store=SqliteStore)


@pytest.mark.case(
    "D8",
    "a host reads changes after `apply` or `apply_in` has returned",
    "`HostError` says so",
)
@pytest.mark.parametrize("kind", [Separate, Shared])
@pytest.mark.parametrize("read", [list, len])
@pytest.mark.parametrize("stream", ["created", "updated", "removed"])
def test_afterwards(site, kind, read, stream):
    site.pull(CATALOG, storage=(host := kind()))

    assert host.read == ["A"]
    with pytest.raises(HostError, match=r"after `apply.*` had returned: read or copy them before"):
        read(getattr(host.changes, stream))


@pytest.mark.case(
    "D8",
    "a host reads changes in another thread than that of `apply_in`",
    "the delivery has failed, and the run says why; with `apply`, it may",
)
def test_another_thread(site):
    shared, separate = Shared(), Separate()
    shared.in_thread = separate.in_thread = True

    run = site.pull(CATALOG, storage=shared)
    site.pull(storage=separate)

    assert "in another thread than that of `apply_in`" in run.last_error
    assert separate.read == ["A"]
