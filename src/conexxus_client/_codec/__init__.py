"""
Bytes ⇄ models, exactly: no amount ever passes through a binary float.
"""

from ._catalog_reader import CatalogReader
from ._catalog_window import CatalogWindow
from ._day_totals import (
    BookedTransaction,
    CountedTotal,
    DayTotals,
    TaxTotal,
    decode_day_totals,
    totals_document,
)
from ._envelope import Envelope
from ._items import decode_extra, decode_item, encode_extra, encode_item
from ._json import decode_json, encode_json, excerpt
from ._plain_items import ItemColumns, ItemRow
from ._transactions import FrozenBatch, decode_transaction, encode_batch, encode_transaction


__all__ = [
    "BookedTransaction",
    "CatalogReader",
    "CatalogWindow",
    "CountedTotal",
    "DayTotals",
    "Envelope",
    "FrozenBatch",
    "ItemColumns",
    "ItemRow",
    "TaxTotal",
    "decode_day_totals",
    "decode_extra",
    "decode_item",
    "decode_json",
    "decode_transaction",
    "encode_batch",
    "encode_extra",
    "encode_item",
    "encode_json",
    "encode_transaction",
    "excerpt",
    "totals_document",
]
