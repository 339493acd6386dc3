"""
Splits transactions into batches by count and size; bisects a refused batch.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from conexxus_sync.config import SyncConfig
from conexxus_sync.model.frozen_sales import FrozenTransaction


MIB = 1024 * 1024


@attrs.frozen(kw_only=True)
class BatchLimits:
    """
    How large a batch may become.

    Attributes:
        transactions: At most so many.
        bytes: At most so many, unless a single transaction is larger.
        repeats_ids: Whether several transactions with one id may be together.
    """

    transactions: int = 2_000
    bytes: int = 8 * MIB
    repeats_ids: bool = False

    @classmethod
    def of(cls, config: SyncConfig) -> "BatchLimits":
        """
        What the settings say.
        """
        return cls(transactions=config.batch_transactions, bytes=config.batch_bytes)


def split_into_batches(
    transactions: Iterable[FrozenTransaction], limits: BatchLimits
) -> Iterator[list[FrozenTransaction]]:
    """
    Cut *transactions* into batches, in order.
    """
    # The opening of a body: a date, and a location of any sensible length.
    size, batch, ids = _OPENING, list[FrozenTransaction](), set[str]()

    for transaction in transactions:
        more = len(transaction.raw) + 1

        repeated = transaction.id in ids and not limits.repeats_ids
        is_full = len(batch) == limits.transactions or size + more > limits.bytes

        if batch and (is_full or repeated):
            yield batch
            size, batch, ids = _OPENING, [], set()

        batch.append(transaction)
        ids.add(transaction.id)
        size += more

    if batch:
        yield batch


def bisect(members: Sequence[FrozenTransaction]) -> list[Sequence[FrozenTransaction]]:
    """
    Divide a refused batch to find out which half is to blame.
    """
    middle = len(members) // 2
    return [members[:middle], members[middle:]]


def released_halves(
    members: Iterable[FrozenTransaction], released: Mapping[str, str]
) -> Iterator[tuple[str, Sequence[FrozenTransaction]]]:
    """
    What an operator says was not delivered comes in halves, each with the key
    of the batch that it is a half of.

    Args:
        released: Those keys, by the host's ids.
    """
    by_parent: dict[str, list[FrozenTransaction]] = {}

    for one in members:
        if one.origin in released:
            by_parent.setdefault(released[one.origin], []).append(one)

    for parent, group in by_parent.items():
        yield from ((parent, half) for half in bisect(group) if half)


_OPENING = 1024
