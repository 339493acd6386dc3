"""
What is right after all that happened to a `HostileShop`.

The table of it is in `docs/explanation/guarantees.md`, "What becomes of what a
till does".  Each statement raises `ViolationError` if it is false.
"""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

from conexxus_sync.model.order_records import transaction_of
from conexxus_sync.stores._database import NO_LIMIT
from tills import LOCATION

from .hostile_office import DAYS


_CORRECTION = re.compile(r"(.*):(void|rev):\d+")


class ViolationError(AssertionError):
    """
    What must be so is not.
    """


def right(condition: object, said: str) -> None:
    if not condition:
        raise ViolationError(said)


def check(shop):
    """
    The back office has what the till has; where it has not, the till did
    what only a person can decide about, and that is reported.
    """
    till, office = told(shop), booked(shop)
    noted, refused_days = noted_ids(shop), shop.till.peek.sales_dates.refused_changes()

    for name in till | office:
        has, should = office.get(name, Counter()), till.get(name, Counter())
        right(set(has.values()) <= {1}, f"{name} is booked once: {has}")
        right(len(has) <= shop.sold[name], f"{name} is no more sales than were sold: {has}")
        right(
            {key[1:] for key in has} <= shop.versions[name],
            f"{name} is booked as the till had it: {has}",
        )
        if has == should:
            continue
        is_refused = refused_days.keys() & {key[0] for key in (*has, *should)}
        right(
            name in excused(shop) or (is_refused and shop.replaces),
            f"{name} is booked as it is: {has}, not {should}",
        )
        right(
            name in noted or is_refused,
            f"{name} differs, and that is reported: {has}, not {should}",
        )

    right(shop.ledger.doubled() == [], "nothing is doubled")
    for day in DAYS:
        right(
            shop.ledger.total(LOCATION, day)
            == sum((key[2] for has in office.values() for key in has if key[0] == day), 0),
            f"{day} comes to what its sales come to",
        )
    _check_quarantine(shop, noted)


def told(shop):
    """
    What the till has and can say, by id; of a date that it forgot, what
    the back office had then.
    """
    found = {}

    for day in DAYS:
        for each in shop.on(day):
            if (day, each.id) not in shop.source.defects:
                key = (day, *version(each))
                found.setdefault(each.id, Counter())[key] += 1
        for name, has in shop.purged.get(day, {}).items():
            found.setdefault(name, Counter()).update(has)

    return found


def booked(shop):
    """
    What the back office has in effect, by the till's ids.
    """
    found = {}

    for day in DAYS:
        for each in shop.ledger.sales(LOCATION, day):
            name, sign = _meant(shop, each)
            key = (day, second_of(each.timestamp), sign * each.total)
            found.setdefault(name, Counter())[key] += sign

    return {
        name: Counter({key: count for key, count in has.items() if count})
        for name, has in found.items()
    }


def excused(shop):
    """
    Ids of the sales about which a person must decide.
    """
    found = shop.refused | shop.touched_later

    if shop.way.on_changed == "report":
        found |= shop.touched
    if shop.way.dedupe == "transaction_id":
        found |= {name for name, count in shop.sold.items() if count > 1 or ":" in name}
        found |= shop.moved
    if shop.replaces:
        found |= {name for _, name in shop.source.defects}
        if shop.adopted and found:
            # Their bytes are gone, so their day stays as it is.
            found |= shop.sold.keys()

    return found


def noted_ids(shop):
    """
    Ids of what is set aside or reported.
    """
    quarantine = shop.till.peek.sales_quarantine
    found = {each.id for each in quarantine.transactions(NO_LIMIT)}

    return found | {each.id for each in quarantine.discrepancies(NO_LIMIT)}


def _check_quarantine(shop, noted):
    spoiled = {}

    for day in DAYS:
        for each in shop.source.transactions(LOCATION, day):
            if isinstance(each, Mapping):
                spoiled[transaction_of(each).id] = each.get("id")

    for name, said in spoiled.items():
        right(name in noted or said in noted, f"{name} is set aside, as it can't be built")
    for each in shop.till.peek.sales_quarantine.transactions(NO_LIMIT):
        right(
            each.id in spoiled or each.id in excused(shop),
            f"{each.id} is sent: {each.reason}",
        )


def _meant(shop, sold):
    """
    The till's id of what the back office has, and -1 if it takes it back.
    """
    name, second = sold.id, second_of(sold.timestamp)
    if second in {version[0] for version in shop.versions.get(name, ())}:
        return name, 1
    match = _CORRECTION.fullmatch(name)
    right(match and match[1] in shop.versions, f"{name} was sold")

    return match[1], -1 if match[2] == "void" else 1


def version(sold):
    return second_of(sold.timestamp.isoformat()), sold.total


@cache
def second_of(timestamp):
    return datetime.fromisoformat(timestamp).astimezone(UTC).replace(microsecond=0)
