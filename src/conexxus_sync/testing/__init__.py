"""
Fakes for the tests of a host application: a clock, an order source, a
catalogue storage, and sample data.

They need no test framework, and go together with the back office of
`conexxus_client.testing`.
"""

from ._fake_clock import FakeClock
from ._hostile_till import AnswerKind, Defect, HostileTill
from ._list_orders import ListOrders
from ._memory_catalog import ListChanges, MemoryCatalog
from ._samples import item, sale


__all__ = [
    "AnswerKind",
    "Defect",
    "FakeClock",
    "HostileTill",
    "ListChanges",
    "ListOrders",
    "MemoryCatalog",
    "item",
    "sale",
]
