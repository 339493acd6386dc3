"""
New SQLite stores of tests are copies of one: all migrations take longer than
most tests.
"""

import os
import re
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from conexxus_sync.stores.sqlite import SqliteStore
from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase


# What each file has for itself comes behind it.
MARK = re.compile(rb"\xff\xfeCNXSgen.{8}", re.DOTALL)

create_from_nothing = SqliteDatabase._create


def create_as_copy(database):
    """
    Let the file be there with all tables, at once, unless there is one.
    """
    path = database.path.resolve()
    is_new = not (path.exists() or path.with_name(f"{path.name}-wal").exists())

    if is_new and os.access(path.parent, os.W_OK):
        with tempfile.NamedTemporaryFile(dir=path.parent) as copy:
            copy.write(_with_a_mark_of_its_own())
            copy.flush()
            with suppress(FileExistsError):
                path.hardlink_to(copy.name)
    else:
        create_from_nothing(database)


def _with_a_mark_of_its_own():
    content, mark = empty_store(), _mark()

    return content[:mark] + os.urandom(8) + content[mark + 8 :]


@cache
def empty_store():
    """
    A file with all tables and no rows.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "store.db")
        with SqliteStore(path).at("loc-0").read():
            pass
        return path.read_bytes()


@cache
def _mark():
    return MARK.search(empty_store()).end()
