"""
`HostObjects`: the order sources and storages that the settings of a fleet name.
"""

from typing import Any

import attrs

from conexxus_sync.config import SyncConfig
from conexxus_sync.protocols import AnyCatalogStorage, AnyOrderSource
from conexxus_sync.service._host_objects import catalog_storage, order_source


@attrs.define(eq=False)
class HostObjects:
    """
    One for all stores that name the same: it is asked for each with its location,
    from several threads.

    Attributes:
        given_orders: Instead of the order sources that the settings name.
        given_catalog: Instead of the storages that they name.
    """

    given_orders: AnyOrderSource | None = None
    given_catalog: AnyCatalogStorage | None = None
    _orders: dict[Any, AnyOrderSource | None] = attrs.field(factory=dict, init=False)
    _catalogs: dict[Any, AnyCatalogStorage | None] = attrs.field(factory=dict, init=False)

    def has_orders(self, config: SyncConfig) -> bool:
        """
        Are there sales to push?
        """
        return self.given_orders is not None or config.orders is not None

    def orders(self, config: SyncConfig) -> AnyOrderSource | None:
        """
        Raises:
            ConfigurationError: It can't be made.
        """
        if self.given_orders is not None:
            return self.given_orders

        # A file is read by the store's calendar.
        key = (config.orders, config.timezone, config.push_at, config.day_closes_at)
        if key not in self._orders:
            self._orders[key] = order_source(config)

        return self._orders[key]

    def catalog(self, config: SyncConfig) -> AnyCatalogStorage | None:
        """
        Raises:
            ConfigurationError: It can't be made.
        """
        if self.given_catalog is not None:
            return self.given_catalog

        if config.catalog not in self._catalogs:
            self._catalogs[config.catalog] = catalog_storage(config)

        return self._catalogs[config.catalog]
