"""
The fault matrix: what goes wrong, really, and what a caller then meets.

`docs/reference/faults.md` is written from these rows.
"""

from .rows_http import HTTP
from .rows_network import NETWORK
from .rows_payload import PAYLOAD


ROWS = [*NETWORK, *HTTP, *PAYLOAD]
