"""
The totals of a business date as JSON.
"""

from typing import Any

from conexxus_client._receipt._amounts import amount_of
from conexxus_client.errors import DecodeError

from ._day_totals import BookedTransaction, CountedTotal, DayTotals, TaxTotal
from ._fields import Fields


def totals_document(totals: DayTotals) -> dict[str, Any]:
    """
    What *totals* say, by wire key.
    """
    paid = {"paidIn": totals.paid_in, "paidOut": totals.paid_out}
    booked = totals.transactions

    return {
        "date": totals.date.isoformat(),
        "locationId": totals.location_id,
        **_counted(totals.sales),
        "tenders": [{"type": type_, "amount": sum_} for type_, sum_ in totals.tenders.items()],
        "taxes": [{"code": code, **_tax(tax)} for code, tax in totals.taxes.items()],
        "registers": [
            {"register": register, **_counted(one)} for register, one in totals.registers.items()
        ],
        **{key: _counted(one) for key, one in paid.items() if one is not None and one.count},
        **(
            {}
            if booked is None
            else {"transactions": [{"id": one.id, "total": one.total} for one in booked]}
        ),
    }


def decode_day_totals(value: Any) -> DayTotals:
    """
    Read the totals of a date.

    Raises:
        DecodeError: Naming what is wrong, and where.
    """
    fields = Fields(value, "$.data")
    day = fields.day("date")

    if day is None:
        raise DecodeError("$.data.date must be a date like 2026-01-02")

    return DayTotals(
        date=day,
        location_id=fields.text("locationId"),
        sales=_read_counted(fields),
        registers=fields.named("registers", "register", _read_counted),
        tenders=fields.named("tenders", "type", lambda it: _amount(it, "amount")),
        taxes=fields.named("taxes", "code", _read_tax),
        paid_in=fields.part("paidIn", _read_counted),
        paid_out=fields.part("paidOut", _read_counted),
        transactions=_read_booked(fields),
    )


def _counted(one: CountedTotal) -> dict[str, Any]:
    return {"count": one.count, "total": one.total}


def _tax(tax: TaxTotal) -> dict[str, Any]:
    taxable = {} if tax.taxable is None else {"taxable": tax.taxable}

    return {**taxable, "amount": tax.amount}


def _read_counted(fields: Fields) -> CountedTotal:
    return CountedTotal(count=fields.count("count"), total=_amount(fields, "total"))


def _read_tax(fields: Fields) -> TaxTotal:
    return TaxTotal(
        taxable=_amount(fields, "taxable") if fields.has("taxable") else None,
        amount=_amount(fields, "amount"),
    )


def _read_booked(fields: Fields) -> tuple[BookedTransaction, ...] | None:
    if not fields.has("transactions"):
        return None

    return tuple(
        fields.each(
            "transactions",
            lambda it: BookedTransaction(id=it.text("id"), total=_amount(it, "total")),
        )
    )


def _amount(fields: Fields, key: str) -> Any:
    return fields.build(amount_of, value=fields.amount(key))
