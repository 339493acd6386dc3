"""
Rows that a PostgreSQL gets by COPY are those of the INSERT, when they are asked for.
"""

import pytest
from databases import store_at
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conexxus_sync.stores.postgres._bulk_load import _MOST_WAITING, WaitingCopies
from conexxus_sync.stores.postgres._copy_text import copy_text


DATABASES = ("postgres",)
TABLE = "CREATE TEMP TABLE many (number INTEGER, name TEXT, raw BLOB, part REAL)"
INSERT = "INSERT INTO many (number, name, raw, part) VALUES (?, ?, ?, ?)"
ALL = "SELECT number, name, raw, part FROM many ORDER BY number"

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
values = st.tuples(
    st.none() | texts | st.sampled_from(["\\N", "\\.", "a\tb", "a\nb", "\r\n", "\\\\"]),
    st.none() | st.binary(max_size=9),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
)


@pytest.fixture
def session(tmp_path):
    with store_at(tmp_path / "store").database.read() as session:
        session.create_temporary(TABLE)
        yield session


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(values, min_size=1, max_size=20))
def test_rows_come_back(session, rows):
    """
    Whatever is in them, and however many come at once.
    """
    session.create_temporary(TABLE)
    numbered = [(number, *row) for number, row in enumerate(rows)]

    session.executemany(INSERT, numbered)

    assert session.execute(ALL).fetchall() == numbered


def test_rows_wait_for_another_statement(session, monkeypatch):
    """
    Rows of a temporary table are loaded together, before anything is asked.
    """
    loads = []
    monkeypatch.setattr(WaitingCopies, "load", wrapped(loads, WaitingCopies.load))

    for number in range(20):
        with session.filling():
            session.execute(INSERT, (number, "n", None, None))

    assert loads == []
    assert len(session.execute(ALL).fetchall()) == 20
    assert loads


def wrapped(calls, function):
    def call(*arguments):
        calls.append(arguments)
        return function(*arguments)

    return call


def test_rows_wait_in_bounded_memory(session):
    """
    Those of a million bytes are loaded at once.
    """
    for number in range(30):
        session.execute(INSERT, (number, "n" * 100_000, None, None))
        assert session._waiting._size <= _MOST_WAITING


def test_a_stream_sees_them(session):
    """
    So does a transaction that begins.
    """
    session.execute(INSERT, (1, "n", None, None))
    assert [row[0] for row in session.stream(ALL)] == [1]


def test_a_transaction_that_fails(tmp_path):
    """
    What waited before it is there, what it added is not.
    """
    database = store_at(tmp_path / "store").database

    def fail(session):
        with database.write(location="loc"):
            session.execute(INSERT, (2, "within", None, None))
            raise RuntimeError

    with database.keep_open(), database.read() as session:
        session.create_temporary(TABLE)
        session.execute(INSERT, (1, "before", None, None))
        with pytest.raises(RuntimeError):
            fail(session)
        with database.write(location="loc"):
            session.execute(INSERT, (3, "committed", None, None))

        assert [row[0] for row in session.execute(ALL).fetchall()] == [1, 3]


def test_nul():
    """
    PostgreSQL stores none: it becomes U+FFFD, as in a statement with few rows.
    """
    assert copy_text([["a\0b", "c"], [1, 2]]) == "a\ufffdb\t1\nc\t2\n".encode()
