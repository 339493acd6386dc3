"""
An `OrderSource` on models of the host.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, time, tzinfo
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import attrs
from django.apps import apps
from django.core.exceptions import FieldError
from django.db import connections, models, transaction

from conexxus_client import ConfigurationError
from conexxus_client.settings import Settings
from conexxus_sync.config import NO_TIMEZONE, SyncConfig
from conexxus_sync.model.formatting import did_you_mean
from conexxus_sync.model.sale_rows import SaleRows, column_problems, sale_id, split_by_part

from ._model_catalog import own_connection
from ._project_settings import framework_settings


# Orders whose lines are read at once.
_BATCH = 500
_NEEDED = ("id", "timestamp", "total", "items.sku", "items.quantity", "items.price")


class ModelOrderSource:
    """
    Reads the sales of a business date from models.

    With `businessDate` in *fields*, that field says which sales are of the date;
    else it is the `timestamp`, by the store's zone.  All is read in one
    transaction that sees one state of the database.

    Args:
        orders: The model of a sale, its label, `"shop.Order"`, or a query set
            with the finished ones.
        lines: Its lines: the name of the relation on a sale, `"lines"`, or a
            query set of a model with a foreign key to it.
        tenders: Its tenders, likewise.
        taxes: Its taxes, likewise.
        discounts: Its discounts, likewise.
        fields: The field of the model for each name of the wire contract, with
            `items.` in front for those of a line: `{"id": "number",
            "items.sku": "product__code"}`.  Lookups and annotations will do,
            and `extra.NAME` is sent as it is.
        location: The field of a sale that has the id of the location, where
            there are several.
        timezone: Zone of moments that have none, with `USE_TZ = False`;
            without it, such moments are refused.
        store_timezone: Zone of the store, if not the one of the settings.
        day_closes_at: When its business date ends, if that zone is given.
        decimals: Digits behind the point to which an amount is rounded that
            is a float in the database; without it, floats are refused.
        using: Alias of the database, if not the one that the routers name.

    Raises:
        ConfigurationError: A name is none of the wire contract, or a model
            has no such field.

    Example:
        ```python
        source = ModelOrderSource(
            Order.objects.filter(status="paid"),
            lines="lines",
            fields={
                "id": "number",
                "timestamp": "closed_at",
                "total": "total",
                "items.sku": "product__code",
                "items.quantity": "quantity",
                "items.price": "price",
            },
        )
        ```
    """

    def __init__(
        self,
        orders: type[models.Model] | str | models.QuerySet[Any],
        *,
        lines: str | models.QuerySet[Any],
        tenders: str | models.QuerySet[Any] | None = None,
        taxes: str | models.QuerySet[Any] | None = None,
        discounts: str | models.QuerySet[Any] | None = None,
        fields: Mapping[str, str],
        location: str | None = None,
        timezone: tzinfo | None = None,
        store_timezone: ZoneInfo | None = None,
        day_closes_at: time = time(0),
        decimals: int | None = None,
        using: str | None = None,
    ) -> None:
        parts = {"items": lines, "tenders": tenders, "taxes": taxes, "discounts": discounts}
        split = split_by_part(fields)
        self._names = {part: list(names.values()) for part, names in split.items()}
        self._paths = {part: list(names) for part, names in split.items()}
        if problems := [*_fields_problems(fields)]:
            raise ConfigurationError(problems)

        self._orders = _ordered(_rows(orders), using)
        self._parts = {
            part: _part(self._orders, part, given, using)
            for part, given in parts.items()
            if given is not None
        }
        self._location = location
        self._rows = SaleRows(
            timezone=timezone,
            store_timezone=store_timezone,
            day_closes_at=day_closes_at,
            decimals=decimals,
        )

        if problems := [*self._problems()]:
            raise ConfigurationError(problems)

    def transactions(self, location_id: str, business_date: date) -> Iterator[Mapping[str, Any]]:
        """
        All finished sales of *business_date*, as mappings of the wire contract.
        """
        rows = self._sale_rows()
        orders = self._of_date(rows, business_date)

        if self._location:
            orders = orders.filter(**{self._location: location_id})

        with own_connection(orders.db), _snapshot(orders.db):
            found = orders.values_list("pk", *self._paths[""]).iterator(chunk_size=_BATCH)
            while batch := list(islice(found, _BATCH)):
                for order in self._whole(rows, batch):
                    if rows.belongs(order, business_date):
                        yield order

    def _of_date(self, rows: SaleRows, business_date: date) -> Any:
        by_name = dict(zip(self._names[""], self._paths[""], strict=True))

        if path := by_name.get("businessDate"):
            return self._orders.filter(**{path: business_date})

        window = zip(("gte", "lt"), rows.window(business_date) or (), strict=False)
        path = by_name["timestamp"]

        return self._orders.filter(**{f"{path}__{bound}": moment for bound, moment in window})

    def _whole(self, rows: SaleRows, batch: list[Any]) -> Iterator[Mapping[str, Any]]:
        """
        The orders of *batch* with what belongs to them.
        """
        keys = [key for key, *_ in batch]
        parts = {part: self._of_orders(rows, part, keys) for part in self._parts}

        for key, *values in batch:
            order = rows.record(self._names[""], values)
            order["id"] = sale_id(order["id"])
            yield order | {part: found.get(key, []) for part, found in parts.items()}

    def _of_orders(self, rows: SaleRows, part: str, keys: list[Any]) -> Mapping[Any, list[Any]]:
        """
        The rows of a *part*, by the order that they belong to.
        """
        found, key_of = defaultdict(list), self._parts[part][1]
        query = self._parts[part][0].filter(**{f"{key_of}__in": keys})

        for key, *values in query.values_list(key_of, *self._paths[part]):
            found[key].append(rows.record(self._names[part], values))

        return found

    def _sale_rows(self) -> SaleRows:
        """
        With the zone and the end of the day of the settings, where these are needed.

        Raises:
            ConfigurationError: There is no zone.
        """
        if "businessDate" in self._names[""] or self._rows.store_timezone:
            return self._rows

        config = SyncConfig.from_env(Settings.of(framework=framework_settings()))
        if config.timezone is None:
            raise ConfigurationError([NO_TIMEZONE])

        return attrs.evolve(
            self._rows, store_timezone=config.timezone, day_closes_at=config.day_closes_at
        )

    def _problems(self) -> Iterator[str]:
        """
        Which fields the models do not have.  Django looks at the names when a
        query is made.
        """
        orders = [*self._paths[""], *([self._location] if self._location else [])]
        queries = {"orders": (self._orders, orders)}
        queries |= {part: (it[0], self._paths[part]) for part, it in self._parts.items()}

        for query, paths in queries.values():
            for path in paths:
                try:
                    query.values_list(path)
                except FieldError as exc:
                    known = [it.name for it in query.model._meta.get_fields()]
                    yield (
                        f"fields: {query.model._meta.label} has no {path!r}"
                        f"{did_you_mean(path, known)}: {exc}"
                    )


def _fields_problems(fields: Mapping[str, str]) -> Iterator[str]:
    yield from column_problems("fields", fields)
    yield from (
        f"fields: which field is {name!r} of a sale? Give fields={{'{name}': …}}"
        for name in _NEEDED
        if name not in fields
    )


def _rows(given: Any) -> Any:
    if isinstance(given, str):
        given = apps.get_model(given)

    return given if isinstance(given, models.QuerySet) else given._default_manager.all()


def _ordered(query: Any, using: str | None) -> Any:
    query = query.using(using) if using else query

    return query if query.ordered else query.order_by("pk")


def _part(orders: Any, part: str, given: Any, using: str | None) -> tuple[Any, str]:
    """
    The rows that belong to orders, and the field that has the key of theirs.

    Raises:
        ConfigurationError: There is no such relation.
    """
    argument, model = "lines" if part == "items" else part, orders.model

    if isinstance(given, str):
        relations = {it.get_accessor_name(): it for it in model._meta.related_objects}
        if given not in relations:
            near = did_you_mean(given, relations)
            msg = f"{argument}: {model._meta.label} has no relation {given!r}{near}"
            raise ConfigurationError([msg])
        rows, keys = _rows(relations[given].related_model), [relations[given].field]
    else:
        rows = given
        keys = [it for it in rows.model._meta.concrete_fields if it.related_model is model]

    if len(keys) != 1:
        msg = (
            f"{argument}: {rows.model._meta.label} has {len(keys)} foreign keys to "
            f"{model._meta.label}: give the name of the relation"
        )
        raise ConfigurationError([msg])

    return _ordered(rows, using), f"{keys[0].name}__pk"


@contextmanager
def _snapshot(alias: str) -> Iterator[None]:
    """
    A transaction in which each query sees the same state, unless it is part of another.
    """
    database = connections[alias]
    is_whole = not database.in_atomic_block

    with transaction.atomic(using=alias):
        if is_whole and database.vendor in ("postgresql", "mysql"):
            with database.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
