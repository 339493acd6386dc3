"""
The service of a process of the project, and its store.
"""

import atexit
from contextlib import closing
from threading import Lock

from conexxus_client.settings import Settings
from conexxus_sync.config import SyncConfig
from conexxus_sync.service import ConexxusService
from conexxus_sync.stores import open_store

from ._project_settings import database_url, framework_settings


_lock = Lock()
_services: list[ConexxusService] = []


def get_service() -> ConexxusService:
    """
    The service that the settings describe; one for the process, made when it is
    first asked for.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    with _lock:
        if not _services:
            settings = Settings.of(framework=framework_settings())
            _services.append(ConexxusService.from_env(settings))

        return _services[0]


def migrate_store(using: str, **_: object) -> None:
    """
    After `migrate` of the database that has the store: bring the SDK's own
    tables up to date.

    Raises:
        ConfigurationError: A setting is wrong.
        StoreError: The store can't be used.
    """
    settings = Settings.of(framework=framework_settings())

    if settings.get("CONEXXUS_STORE") == database_url(using):
        config = SyncConfig.from_env(settings)
        with closing(open_store(config.store)) as store, store.at(config.location_id).read():
            pass


def forget_service(setting: str = "CONEXXUS", **_: object) -> None:
    """
    Close the service if *setting* is one of its own: the next one is made anew.
    """
    if setting in ("CONEXXUS", "DATABASES"):
        with _lock:
            while _services:
                _services.pop().close()


atexit.register(forget_service)
