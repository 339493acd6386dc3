"""
Items that came from files, as the records of one file again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from conexxus_client import Item

from ._maintenance import TableAction
from ._records import Action, Record


@attrs.frozen(kw_only=True)
class ItemRecords:
    """
    What a comparison reads instead of a file.

    Attributes:
        mode: Whether the items are all that there are.
        store: Of no file.
    """

    items: Iterable[Item]
    mode: TableAction
    store: str | None = None

    def records(self) -> Iterator[Record]:
        """
        A complete record for each item.
        """
        for item in self.items:
            naxml: Mapping[str, Any] = item.extra.get("naxml", {})
            yield Record(
                action=Action.ADDCHANGE,
                sku=item.sku,
                line=0,
                values={"name": item.name, "price": item.price, "category": item.category},
                # What is not there was None in the file.
                naxml=defaultdict(lambda: None, naxml),
            )
