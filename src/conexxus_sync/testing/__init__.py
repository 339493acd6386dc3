"""
Fakes for the tests of a host application (a clock, an order source, a
catalogue storage, sample data), and the rules that its adapters are tested by.

They load no test framework, and go together with the back office of
`conexxus_client.testing`.
"""

from ._catalog_contract import CatalogStorageContract
from ._fake_clock import FakeClock
from ._hostile_till import AnswerKind, Defect, HostileTill
from ._list_orders import ListOrders
from ._memory_catalog import ListChanges, MemoryCatalog
from ._order_contract import OrderSourceContract
from ._samples import item, sale


__all__ = [
    "AnswerKind",
    "CatalogStorageContract",
    "Defect",
    "FakeClock",
    "HostileTill",
    "ListChanges",
    "ListOrders",
    "MemoryCatalog",
    "OrderSourceContract",
    "item",
    "sale",
]
