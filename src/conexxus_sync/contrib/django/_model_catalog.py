"""
A `CatalogStorage` on a model of the host.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from itertools import chain, islice
from typing import Any

from django.apps import apps
from django.db import connections, models, router, transaction

from conexxus_client import ConfigurationError, Item
from conexxus_sync.errors import HostError
from conexxus_sync.model.formatting import did_you_mean
from conexxus_sync.model.item_fields import as_json, field_of, fields_problems, rounding_problem
from conexxus_sync.protocols import CatalogChanges
from conexxus_sync.stores.shared_database import lent_connection, shared_path


Row = dict[str, Any]

_BATCH = 500
_TEXTS = (models.CharField, models.TextField)


class ModelCatalogStorage:
    """
    Writes the catalogue into the table of a model.

    Each `apply` is one transaction: rows that exist are updated and keep their
    keys, others are inserted, and the sequence of the changes is kept in the
    same database.  Where that has the SDK's own store, too, the transaction is
    that of the pull.  Rows are written in bulk: `save()` is not called, and no
    signal is sent.

    Args:
        model: The model, or its label, `"shop.Product"`.
        fields: The field of the model for each field of an item: `sku`,
            `name`, `price`, `category`, `description`, or `extra.KEY`.  `sku`
            must be a text, and `price` an exact number or a text.
        constants: Fields that have the same value in each row of this
            catalogue, such as `store_id`; rows with other values are not
            touched.
        active: A boolean field: true for what is offered, false for what was
            removed.
        delete_removed: Delete the rows of removed items; the other way to
            remove them.
        on_row: Makes the values that are written from those of an item, by
            field, and the item; it returns the same fields for each item.
        using: Alias of the database, if not the one that the routers name.

    Raises:
        ConfigurationError: A field that items or the model do not have, or
            that can't hold what it is to hold.

    Example:
        ```python
        storage = ModelCatalogStorage(
            Product,
            fields={"sku": "code", "name": "title", "price": "price"},
            constants={"store_id": 7},
            active="is_active",
        )
        ```
    """

    def __init__(
        self,
        model: type[models.Model] | str,
        *,
        fields: Mapping[str, str],
        constants: Mapping[str, Any] | None = None,
        active: str | None = None,
        delete_removed: bool = False,
        on_row: Callable[[Row, Item], Mapping[str, Any]] | None = None,
        using: str | None = None,
    ) -> None:
        self._model: type[models.Model] = apps.get_model(model) if isinstance(model, str) else model
        self._fields = fields
        self._constants = constants or {}
        self._active = active
        self._delete_removed = delete_removed
        self._on_row = on_row
        self._using = using
        self._path: str | None = None

        if problems := [*self._problems()]:
            raise ConfigurationError(problems)

    def apply(self, changes: CatalogChanges) -> None:
        """
        Make all of *changes* visible, or nothing.

        Raises:
            HostError: A row can't be written as the item is.
        """
        with own_connection(self._alias), transaction.atomic(using=self._alias):
            self._write(changes)

    def shares(self, connection: Any) -> bool:
        """
        Is *connection*, one to the SDK's own store, to the database of the model?

        Then `apply_in` is called, and mirror and table change in one transaction:
        the same file of SQLite, or the same database and role of PostgreSQL, by
        psycopg 3.
        """
        own = connections[self._alias]
        if own.in_atomic_block:
            return False

        with own_connection(self._alias):
            own.ensure_connection()
            self._path = shared_path(connection, own.connection)

        return self._path is not None

    def apply_in(self, connection: Any, changes: CatalogChanges) -> None:
        """
        Make *changes* visible in the transaction that is open on *connection*, for
        which `shares` returned true.
        """
        with (
            lent_connection(connection, self._path or "") as lent,
            borrowed_connection(self._alias, lent),
        ):
            self._write(changes)

    def last_applied(self, location_id: str) -> int | None:
        """
        Sequence of the last changes made visible; None if there were none.
        """
        with own_connection(self._alias):
            found = self._sequences().filter(location_id=location_id).values_list("sequence")
            return next((sequence for (sequence,) in found), None)

    def prices(self) -> dict[str, Decimal]:
        """
        The price of each item that the model offers, by SKU: for tests and checks.

        Raises:
            NotImplementedError: `fields` has no price.
        """
        if "price" not in self._fields:
            msg = "fields has no price: what the shop shows can't be compared"
            raise NotImplementedError(msg)

        active = {self._active: True} if self._active else {}
        with own_connection(self._alias):
            rows = self._table.filter(**self._constants, **active)
            found = rows.values_list(self._sku, self._fields["price"])
            return {sku: Decimal(price) for sku, price in found if price is not None}

    @contextmanager
    def rolled_back(self) -> Iterator["ModelCatalogStorage"]:
        """
        A block in which the changes of this storage are taken back at its end: for
        tests and checks.
        """
        with own_connection(self._alias), transaction.atomic(using=self._alias):
            yield self
            transaction.set_rollback(True, using=self._alias)

    @property
    def _table(self) -> Any:
        return self._model._base_manager.using(self._alias)

    @property
    def _alias(self) -> str:
        alias: str = self._using or router.db_for_write(self._model)
        return alias

    @property
    def _sku(self) -> str:
        return self._fields["sku"]

    def _rows(self, items: Iterable[Item]) -> Any:
        """
        The rows of this catalogue that these items have.
        """
        which = {f"{self._sku}__in": [item.sku for item in items], **self._constants}

        return self._table.filter(**which)

    def _sequences(self) -> Any:
        return apps.get_model("conexxus", "CatalogSequence").objects.using(self._alias)

    def _write(self, changes: CatalogChanges) -> None:
        for items in _batches(chain(changes.created, changes.updated)):
            self._upsert(items)
        for items in _batches(changes.removed):
            self._remove(items)
        self._sequences().update_or_create(
            location_id=changes.location_id, defaults={"sequence": changes.sequence}
        )

    def _upsert(self, items: list[Item]) -> None:
        there = dict(self._rows(items).values_list(self._sku, "pk"))
        if like := there.keys() - {item.sku for item in items}:
            msg = (
                f"the field {self._sku!r} finds {min(like)!r} for another SKU: "
                "give its column a collation that compares texts byte by byte"
            )
            raise HostError(msg)

        rows = {item.sku: self._row(item) for item in items}
        known = [self._model(pk=there[sku], **row) for sku, row in rows.items() if sku in there]
        new = [self._model(**row) for sku, row in rows.items() if sku not in there]
        changed = [name for name in rows[items[0].sku] if not self._field(name).primary_key]

        if known and changed:
            self._table.bulk_update(known, changed)
        self._table.bulk_create(new)

    def _row(self, item: Item) -> Row:
        row = {name: self._value(item, field, name) for field, name in self._fields.items()}
        row |= self._constants

        if self._active:
            row[self._active] = True
        if self._on_row is None:
            return row

        row = dict(self._on_row(row, item))
        if problem := next(self._unknown("on_row", row), None):
            raise HostError(problem)

        return row

    def _value(self, item: Item, field: str, name: str) -> Any:
        value, column = field_of(item, field), self._field(name)

        if value is None and not column.null:
            return column.get_default()
        if isinstance(value, Mapping | list):
            text = as_json(value)
            return json.loads(text) if isinstance(column, models.JSONField) else text
        if isinstance(value, Decimal):
            if isinstance(column, _TEXTS):
                return format(value, "f")
            scale = getattr(column, "decimal_places", None)
            if problem := rounding_problem(item, value, name, scale):
                raise HostError(problem)

        return value

    def _remove(self, items: list[Item]) -> None:
        if self._active:
            self._rows(items).update(**{self._active: False})
        elif self._delete_removed:
            self._rows(items).delete()
        else:
            msg = (
                f"{items[0].sku!r} was removed, and the storage does not know how: "
                "give it active='FIELD' or delete_removed=True"
            )
            raise HostError(msg)

    def _field(self, name: str) -> Any:
        return self._model._meta.get_field(name)

    def _problems(self) -> Iterator[str]:
        if self._active and self._delete_removed:
            yield "active and delete_removed: give one of them"

        wrong = [*fields_problems("fields", self._fields, derived=self._on_row is not None)]
        wrong += self._unknown("fields", self._fields.values())
        wrong += self._unknown("constants", self._constants)
        wrong += self._unknown("active", [self._active] if self._active else [])
        yield from wrong or self._unfit()

    def _unknown(self, argument: str, names: Iterable[str]) -> Iterator[str]:
        """
        Which of *names* are no columns of the model, one sentence each.
        """
        known = [name for it in self._model._meta.concrete_fields for name in (it.name, it.attname)]

        for name in names:
            if name not in known:
                yield (
                    f"{argument}: the model {self._model._meta.label} has no field "
                    f"{name!r}{did_you_mean(name, known)}"
                )

    def _unfit(self) -> Iterator[str]:
        price = self._fields.get("price")

        if not isinstance(self._field(self._sku), _TEXTS):
            yield (
                f"fields: {self._sku!r} is a {_kind(self._field(self._sku))}: SKUs are texts, and "
                "a number loses their zeros; make it a CharField"
            )
        if price and not isinstance(self._field(price), (models.DecimalField, *_TEXTS)):
            yield (
                f"fields: {price!r} is a {_kind(self._field(price))}: a price is exact in a "
                "DecimalField or CharField; for cents in an integer field, leave it out of fields "
                "and set it in on_row"
            )


def _kind(field: object) -> str:
    return type(field).__name__


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    remaining = iter(items)

    while batch := list(islice(remaining, _BATCH)):
        yield batch


@contextmanager
def own_connection(alias: str) -> Iterator[None]:
    """
    A block that finds a usable connection, and closes it if it opened it.

    Django does both at the ends of a request; a scheduler has none.
    """
    database = connections[alias]
    if database.connection and not database.in_atomic_block and not database.is_usable():
        database.close()
    was_open = database.connection is not None

    try:
        yield
    finally:
        if not was_open and not database.in_atomic_block:
            database.close()


@contextmanager
def borrowed_connection(alias: str, lent: Any) -> Iterator[None]:
    """
    A block in which the ORM works in the transaction that is open on *lent*.
    """
    own = connections[alias]
    shared = own.copy()
    shared.connection, shared.autocommit, shared.in_atomic_block = lent, False, True
    shared.execute_wrappers = own.execute_wrappers

    if shared.vendor == "postgresql":
        # As Django makes connections; both are set back with the lent one.
        made = shared.get_connection_params()
        lent.cursor_factory = made["cursor_factory"]
        lent.adapters = made["context"].adapters

    connections[alias] = shared
    try:
        yield
    finally:
        connections[alias] = own
