"""
The back office as the source of the catalogue.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import attrs

from conexxus_client import ConexxusClient
from conexxus_sync.protocols import CatalogReading


@attrs.frozen
class RestSource:
    """
    Reads the catalogue by way of a client.
    """

    client: ConexxusClient

    @property
    def remembers(self) -> bool:
        return False

    @property
    def scope(self) -> str:
        """
        Which catalogue it is, by address and query.
        """
        profile = self.client.profile
        query = sorted(profile.catalog_query.items())

        return f"{self.client.config.api_url}{profile.catalog_path}?{query}"

    @contextmanager
    def open(self, *, etag: str | None, known: Mapping[bytes, int]) -> Iterator[CatalogReading]:
        """
        Ask for the catalogue.

        Raises:
            ConexxusError: It can't be read.
        """
        with self.client.open_catalog(etag=etag, known=known) as read:
            yield CatalogReading(stream=read)
