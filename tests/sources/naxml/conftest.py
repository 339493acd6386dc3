import attrs
import pytest
from databases import database, pytest_generate_tests

from conexxus_sync.sources.naxml import FolderAddress, FolderSource
from maintenance_files import Folder, Inbox
from sites import new_site, site


__all__ = ["database", "new_site", "pytest_generate_tests", "site"]


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


@pytest.fixture
def inbox(tmp_path, site):
    """
    A folder that is the source of the site's catalogue.
    """
    return inbox_of(site, tmp_path / "inbox")


def inbox_of(site, path):
    path.mkdir()
    address = FolderAddress.of(f"naxml:{path}?dialect=generic", "CONEXXUS_CATALOG_SOURCE")
    site.source = FolderSource(address=address, store=site.store, clock=site.clock)

    return Inbox(path, site.clock)


@pytest.fixture
def new_inbox(tmp_path_factory):
    """
    Makes folders of sites, for tests that need many.
    """
    return lambda site: inbox_of(site, tmp_path_factory.mktemp("folder") / "inbox")


@attrs.frozen
class Host:
    """
    A host that remembers what it was given.
    """

    applied: list = attrs.field(factory=list)

    def apply(self, changes):
        kinds = ("created", "updated", "removed")
        self.applied.append(
            {kind: [it.sku for it in found] for kind in kinds if (found := getattr(changes, kind))}
        )


@pytest.fixture
def host():
    return Host()
