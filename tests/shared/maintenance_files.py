"""
Files of ItemMaintenance, and what reads them.
"""

import os
from datetime import date

import attrs
import pytest

from conexxus_sync.sources.naxml import DIALECTS, BadRecord, MaintenanceFile, NaxmlError


VOCABULARY = "http://www.naxml.org/POSBO/Vocabulary/2003-10-16"
TODAY = date(2026, 1, 2)


def document(*details, table="update", head='version="3.4"', header="", block="", after=""):
    """
    A file of ItemMaintenance with these details.
    """
    return (
        f'<?xml version="1.0"?><NAXML-MaintenanceRequest {head}>{header}<ItemMaintenance>'
        f'<TableAction type="{table}"/>{block}{"".join(details)}</ItemMaintenance>{after}'
        "</NAXML-MaintenanceRequest>"
    ).encode()


def detail(data="", *, code="036000291452", form="upcA", action="", modifier="", extra=""):
    """
    One ITTDetail; without *data*, one without ITTData.
    """
    data = f"<ITTData>{data}</ITTData>" if data else ""

    return (
        f'<ITTDetail>{action}<ItemCode><POSCodeFormat format="{form}"/><POSCode>{code}</POSCode>'
        f"{modifier}</ItemCode>{data}{extra}</ITTDetail>"
    )


def good(more="", *, price="1.79", name="Cola", **options):
    """
    A detail that is complete.
    """
    data = f"<RegularSellPrice>{price}</RegularSellPrice><Description>{name}</Description>{more}"

    return detail(data, **options)


@attrs.frozen
class Folder:
    """
    Reads bytes as a file.
    """

    path: object

    def file(self, content, dialect="generic", *, ages=None, **options):
        path = self.path / "ITT.xml"
        path.write_bytes(content)
        options = {"today": TODAY, **options}

        return MaintenanceFile(path=path, dialect=DIALECTS[dialect].with_ages(ages), **options)

    def read(self, content, dialect="generic", **options):
        """
        All records.
        """
        return list(self.file(content, dialect, **options).records())

    def one(self, content, dialect="generic", **options):
        """
        The only record, which is good.
        """
        (record,) = self.read(content, dialect, **options)
        assert not isinstance(record, BadRecord), record.reason

        return record

    def reason(self, content, dialect="generic", **options):
        """
        Why the only record can't be used.
        """
        (record,) = self.read(content, dialect, **options)
        assert isinstance(record, BadRecord)

        return record.reason

    def fault(self, content, **options):
        """
        The name of what is wrong with the file.
        """
        with pytest.raises(NaxmlError) as caught:
            self.read(content, **options)

        return caught.value.fault


@attrs.frozen
class Inbox:
    """
    A folder into which another program writes.
    """

    path: object
    clock: object

    def write(self, name, content, *, age_s=60):
        """
        A file that was last written so long ago.
        """
        path = self.path / name
        path.write_bytes(content)
        moment = self.clock.now().timestamp() - age_s
        os.utime(path, (moment, moment))

    def manifest(self, name, *files, **options):
        listed = "".join(f"<File>{it}</File>" for it in files)
        self.write(name, f"<FileList>{listed}</FileList>".encode(), **options)
