"""
Catalogues and sales from NAXML files: `ItemMaintenance` becomes items, `POSJournal` an order
source (extra `naxml`).
"""

from ._comparison import Comparison, Difference, Kind
from ._dialects import DIALECTS, CheckDigit, Dialect
from ._events import Event
from ._fault import Fault, NaxmlError
from ._folder_address import FolderAddress
from ._folder_source import FolderSource
from ._item_records import ItemRecords
from ._journal import JournalFile
from ._journal_orders import JournalOrders
from ._journal_writer import JournalWriter
from ._maintenance import MaintenanceFile, TableAction
from ._maintenance_writer import MaintenanceWriter, Unwritable
from ._records import Action, BadRecord, Record
from ._sniff import Sniffed, sniff


__all__ = [
    "DIALECTS",
    "Action",
    "BadRecord",
    "CheckDigit",
    "Comparison",
    "Dialect",
    "Difference",
    "Event",
    "Fault",
    "FolderAddress",
    "FolderSource",
    "ItemRecords",
    "JournalFile",
    "JournalOrders",
    "JournalWriter",
    "Kind",
    "MaintenanceFile",
    "MaintenanceWriter",
    "NaxmlError",
    "Record",
    "Sniffed",
    "TableAction",
    "Unwritable",
    "sniff",
]
