"""
A store with its log, as a kill leaves them, and copies of both.
"""

import shutil
import sqlite3
from contextlib import closing, contextmanager


def wal(path):
    return path.with_name(f"{path.name}-wal")


def shm(path):
    return path.with_name(f"{path.name}-shm")


def priced(price, count=300):
    return [{"sku": f"S{n}", "name": f"item {n}", "price": price} for n in range(count)]


def pull(site, catalog):
    """
    Not hindered by guards: every price changes.
    """
    return site.pull(catalog, force=True)


def prices(site):
    return {item.price for item in site.shelf.values()}


@contextmanager
def used(path):
    """
    Another connection keeps the log from being emptied and deleted.
    """
    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT * FROM runs").fetchall()
        yield other


def killed(site, catalog, folder):
    """
    Store and log as a kill leaves them after a pull of *catalog*: copies in *folder*.
    """
    folder.mkdir()
    copy = folder / site.path.name

    with used(site.path):
        pull(site, catalog)
        shutil.copy(site.path, copy)
        shutil.copy(wal(site.path), wal(copy))

    return copy


def put(site, file, log=None):
    """
    Put copies in the place of the store.
    """
    for old in (site.path, wal(site.path), shm(site.path)):
        old.unlink(missing_ok=True)
    shutil.copy(file, site.path)
    if log:
        shutil.copy(wal(log), wal(site.path))
