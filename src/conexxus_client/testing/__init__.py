"""
A fake back office for tests and demonstrations.

It keeps the whole contract, remembers every sale, and takes faults that say what goes
wrong.  Its ledger shows what is effective in the end:

```python
from datetime import UTC, date, datetime
from decimal import Decimal

from conexxus_client import ClientConfig, ConexxusClient, SalesBatch, Transaction, TransactionLine
from conexxus_client.testing import BackOffice, SandboxServer

line = TransactionLine(sku="WINE001", quantity=2, price=Decimal("24.99"))
sale = Transaction(
    id="txn-001",
    timestamp=datetime(2026, 1, 2, 10, 0, tzinfo=UTC),
    total=Decimal("49.98"),
    items=[line],
)
batch = SalesBatch(date=date(2026, 1, 2), location_id="loc-001", transactions=[sale])

# The first answer gets lost after the back office has booked the sale.
office = BackOffice(faults="sales: after_commit(reset)")

with SandboxServer(office) as server:
    with ConexxusClient(ClientConfig.from_env(server.env)) as client:
        client.push_sales(batch, idempotency_key="one-of-a-kind")

assert office.requests["sales"] == 2
assert office.ledger.total("loc-001", date(2026, 1, 2)) == Decimal("49.98")
assert office.ledger.doubled() == []
```

In the same process, without a network, use `SandboxTransport`; under an ASGI
server, `SandboxApp`; in pytest, the fixture `conexxus_sandbox`.
"""

from typing import TYPE_CHECKING

from conexxus_client.lazy_names import lazy_names


if TYPE_CHECKING:
    from ._answer import Answer
    from ._asgi import SandboxApp
    from ._back_office import BackOffice
    from ._catalogue._generated_items import GeneratedItems
    from ._faults._fault_parser import FaultSyntaxError, parse_faults
    from ._faults._fault_script import Fault, Kind, Script
    from ._sales._ledger import Entry, Ledger
    from ._sales._ledger_file import Push
    from ._sales._sales_body import Sale, SaleLine
    from ._sandbox_transport import AsyncSandboxTransport, SandboxTransport
    from ._server._sandbox_server import SandboxServer
else:
    # pytest imports this package in every project that has it installed.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_answer": "Answer",
            "_asgi": "SandboxApp",
            "_back_office": "BackOffice",
            "_catalogue._generated_items": "GeneratedItems",
            "_faults._fault_parser": "FaultSyntaxError parse_faults",
            "_faults._fault_script": "Fault Kind Script",
            "_sales._ledger": "Entry Ledger",
            "_sales._ledger_file": "Push",
            "_sales._sales_body": "Sale SaleLine",
            "_sandbox_transport": "AsyncSandboxTransport SandboxTransport",
            "_server._sandbox_server": "SandboxServer",
        },
    )

__all__ = [
    "Answer",
    "AsyncSandboxTransport",
    "BackOffice",
    "Entry",
    "Fault",
    "FaultSyntaxError",
    "GeneratedItems",
    "Kind",
    "Ledger",
    "Push",
    "Sale",
    "SaleLine",
    "SandboxApp",
    "SandboxServer",
    "SandboxTransport",
    "Script",
    "parse_faults",
]
