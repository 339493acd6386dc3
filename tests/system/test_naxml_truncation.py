"""
A large file that ends too early is no shorter file, wherever it ends.
"""

import os
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from conexxus_sync.sources.naxml import DIALECTS, Fault, JournalFile, MaintenanceFile, NaxmlError
from journal_files import event, journal
from maintenance_files import document, good


IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"
SIZE = 60_000 if IS_SMALL else 400_000
STEP = 1_000


def maintenance(path):
    file = MaintenanceFile(path=path, dialect=DIALECTS["generic"], today=date(2026, 1, 2))
    return list(file.records())


def journals(path):
    file = JournalFile(path=path, dialect=DIALECTS["generic"], timezone=ZoneInfo("UTC"))
    return file.events()


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("whole", "one", "read"),
    [(document, good(code="4011", form="plu"), maintenance), (journal, event(), journals)],
    ids=["maintenance", "journal"],
)
def test_truncated_at_every_thousandth_byte(tmp_path, whole, one, read):
    """
    Each has the same named fault; the whole file has none.
    """
    content, path = whole(*[one] * (SIZE // len(one))), tmp_path / "file.xml"
    path.write_bytes(content)
    assert len(read(path)) == SIZE // len(one)

    for size in range(len(content) - 1, -1, -STEP):
        os.truncate(path, size)
        with pytest.raises(NaxmlError) as caught:
            read(path)
        assert caught.value.fault is Fault.TRUNCATED, size
