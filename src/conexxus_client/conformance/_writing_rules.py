"""
The rules that only a sale can show.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

from conexxus_client._client import ConexxusClient
from conexxus_client.config import ApiProfile
from conexxus_client.errors import Delivery, StatusError
from conexxus_client.models import PushReceipt, SalesBatch, Transaction, TransactionLine

from ._rule_result import BrokenRuleError, NotOfferedError, RuleResult, examined


UNKNOWN_SKU = "CONFORMANCE-NO-SUCH-SKU"


def check_writing(
    client: ConexxusClient, *, location_id: str, sku: str, profile: ApiProfile
) -> Iterator[RuleResult]:
    """
    Examine what sales of 0.00 show; their ids begin with `CONFORMANCE-`.

    Args:
        client: Speaks to the back office, without retries.
        location_id: A location that is made for this.
        sku: An item of the catalogue.
        profile: How the back office speaks.
    """
    writing = _Writing(client, location_id, sku, profile)

    return examined(
        [
            ("sale", writing.sale),
            ("repeated key", writing.repeated_key),
            ("repeated id", writing.repeated_id),
            ("bad sale", writing.bad_sale),
        ]
    )


class _Writing:
    def __init__(
        self, client: ConexxusClient, location_id: str, sku: str, profile: ApiProfile
    ) -> None:
        self._client = client
        self._location = location_id
        self._sku = sku
        self._profile = profile
        self._now = datetime.now(UTC)
        self._name = f"CONFORMANCE-{uuid4().hex[:12]}"

    def sale(self) -> str:
        receipt = self._push(f"{self._name}-1")
        _assent(receipt, 1)

        return "a sale of 0.00 is accepted"

    def repeated_key(self) -> str:
        first = self._push(f"{self._name}-2", key=f"{self._name}-key")
        again = self._push(f"{self._name}-2", key=f"{self._name}-key")

        if again.complaint or again.rejected:
            msg = (
                "the same batch with the same Idempotency-Key is refused: it must be answered as "
                "before, since a till whose answer was lost sends it again"
            )
            raise BrokenRuleError(msg)

        booked = self._booked(f"{self._name}-2")
        if booked is not None and booked != 1:
            msg = f"a batch that came twice with one Idempotency-Key was booked {booked} times"
            raise BrokenRuleError(msg)
        if booked is None and again.accepted != first.accepted and not again.duplicates:
            msg = (
                f"the answer to a repeated batch says that {again.accepted} were accepted, the "
                f"first said {first.accepted}"
            )
            raise BrokenRuleError(msg)

        sure = "" if booked else "; whether it was booked once can't be seen without a summary"
        return f"a repeated batch is answered as before{sure}"

    def repeated_id(self) -> str:
        if self._profile.dedupe != "transaction_id":
            msg = "the profile does not say that ids are recognised (dedupe = transaction_id)"
            raise NotOfferedError(msg)

        for number in range(2):
            self._push(f"{self._name}-3", key=f"{self._name}-id-{number}")

        booked = self._booked(f"{self._name}-3")
        if booked is None:
            msg = "without a summary, it can't be seen how often a sale was booked"
            raise NotOfferedError(msg)
        if booked != 1:
            msg = f"a sale that came under two keys was booked {booked} times"
            raise BrokenRuleError(msg)

        return "a sale that comes under two keys is booked once"

    def bad_sale(self) -> str:
        good, bad = (_sale(f"{self._name}-{name}", self._now, sku) for name, sku in self._both())

        try:
            receipt = self._send([good, bad], f"{self._name}-bad-key")
        except StatusError as exc:
            if exc.delivery is not Delivery.REJECTED:
                raise
            named = {it.id for it in exc.rejected}
        else:
            named = {it.id for it in receipt.rejected}
            if not named:
                msg = "a sale of an unknown SKU is accepted: whether refusals name it can't be seen"
                raise NotOfferedError(msg)

        if named != {bad.id}:
            said = "names no sale" if not named else f"names {', '.join(sorted(named))}"
            msg = (
                f"of two sales one has an unknown SKU, and the refusal {said}: list each refused "
                'sale in "rejected", with its id and the error, and take the others'
            )
            raise BrokenRuleError(msg)

        return "a refusal names the sale that is refused"

    def _both(self) -> tuple[tuple[str, str], tuple[str, str]]:
        return ("good", self._sku), ("bad", UNKNOWN_SKU)

    def _push(self, name: str, *, key: str | None = None) -> PushReceipt:
        return self._send([_sale(name, self._now, self._sku)], key or f"{name}-key")

    def _send(self, transactions: list[Transaction], key: str) -> PushReceipt:
        batch = SalesBatch(
            date=self._now.date(), location_id=self._location, transactions=transactions
        )
        return self._client.push_sales(batch, idempotency_key=key)

    def _booked(self, name: str) -> int | None:
        """
        How often the summary has the sale; None without a summary that lists sales.
        """
        if self._profile.summary_path is None:
            return None

        totals = self._client.day_totals(self._now.date(), location_id=self._location)
        if totals.transactions is None:
            return None

        return sum(it.id == name for it in totals.transactions)


def _sale(name: str, moment: datetime, sku: str) -> Transaction:
    line = TransactionLine(sku=sku, quantity=1, price=Decimal(0))
    return Transaction(id=name, timestamp=moment, total=Decimal(0), items=[line])


def _assent(receipt: PushReceipt, count: int) -> None:
    if receipt.complaint:
        msg = f"the answer says success and complains: {receipt.complaint}"
        raise BrokenRuleError(msg)
    if receipt.rejected:
        msg = f"the sale is refused: {receipt.rejected[0].error}"
        raise BrokenRuleError(msg)
    if receipt.accepted is not None and receipt.accepted != count:
        msg = f"of {count} sale the answer says that {receipt.accepted} were accepted"
        raise BrokenRuleError(msg)
