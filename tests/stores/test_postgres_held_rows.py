"""
Rows that a PostgreSQL gets by COPY only where they are moved are those of the INSERT.
"""

import errno
from datetime import UTC, datetime

import pytest
from databases import store_at
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conexxus_sync.errors import StoreError
from conexxus_sync.stores._catalogue_staging import position_of
from conexxus_sync.stores.postgres import _held_rows


DATABASES = ("postgres",)
A_PAGE = 1_000
NOW = datetime(2026, 1, 2, tzinfo=UTC)
TABLES = (
    "CREATE TEMP TABLE came (sku TEXT, name TEXT, extra TEXT, position INTEGER)",
    "CREATE TEMP TABLE kept (place TEXT, sku TEXT, name TEXT, extra TEXT, made TEXT, page INTEGER)",
)
ADD = {
    True: "INSERT INTO came (sku, name, extra, position) VALUES (?, ?, ?, ?)",
    False: "INSERT INTO came (sku, name, extra, position) VALUES (?, ?, NULL, ?)",
}
MOVE = """
INSERT INTO kept (place, sku, name, extra, made, page)
SELECT ?1, sku, name, extra, 'now', position / 1000 FROM came
"""
KEPT = "SELECT place, sku, name, extra, made, page FROM kept ORDER BY sku"
CAME = "SELECT count(*) FROM came"

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | (
    st.sampled_from(["\\N", "\\.", "a\tb", "a\nb", "\r\n", "\\\\", "\\n"])
)
windows = st.tuples(
    st.lists(st.tuples(texts, st.none() | texts), max_size=5),
    st.sampled_from(["held", "held", "row by row", "asked for"]),
    st.sampled_from([0, A_PAGE - 2, A_PAGE, 2 * A_PAGE - 1]),
)


@pytest.fixture
def session(tmp_path):
    with store_at(tmp_path / "store").database.read() as session:
        begin(session)
        yield session


def begin(session):
    session.create_temporary(*TABLES)
    session.expect_move("came")


def add(session, rows, position, *, extra=False):
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    numbers = range(position, position + len(rows))
    session.insert_columns(ADD[extra], [*(columns if extra else columns[:2]), numbers])


def some(session, count=3):
    add(session, [(f"s{number}", "a name", None) for number in range(count)], 0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(read=st.lists(windows, max_size=5), place=texts)
def test_moved_rows_are_those_of_the_insert(session, read, place):
    """
    Whatever is in them, however they came, and whether they were asked for.
    """
    begin(session)
    expected = []

    for number, (rows, kind, position) in enumerate(read):
        named = [(f"{number} {n}", *row) for n, row in enumerate(rows)]
        has_extra = any(extra is not None for _, _, extra in named)
        if kind == "row by row":
            for n, row in enumerate(named):
                session.execute(ADD[True], (*row, position + n))
        else:
            add(session, named, position, extra=has_extra)
        expected += [(place, *row, "now", (position + n) // A_PAGE) for n, row in enumerate(named)]
        if kind == "asked for":
            assert session.execute(CAME).fetchone() == (len(expected),)
    session.execute(MOVE, (place,))

    assert session.execute(KEPT).fetchall() == sorted(expected, key=lambda row: row[1])
    assert session.execute(CAME).fetchone() == (len(expected),)


def test_a_view_of_them_has_them(session):
    """
    What reads a view reads the table below it.
    """
    session.create_temporary("CREATE TEMP VIEW seen AS SELECT sku FROM came")
    some(session)

    assert session.execute("SELECT count(*) FROM seen").fetchone() == (3,)


def test_what_is_rolled_back_comes_again(tmp_path):
    """
    A transaction that asked for them and failed takes none away, and doubles none.
    """
    store = store_at(tmp_path / "store").at("loc")

    with store.keep_open(), store.read() as state:
        begin(state.session)
        some(state.session)
        for asks in (True, False, True):
            with pytest.raises(ZeroDivisionError):
                write(store, asks=asks, fails=True)
        write(store, asks=True)
        with pytest.raises(ZeroDivisionError):
            write(store, asks=True, fails=True)

        assert state.session.execute(CAME).fetchone() == (3,)


def write(store, *, asks, fails=False):
    with store.write() as state:
        if asks:
            assert state.session.execute(CAME).fetchone() == (3,)
        if fails:
            raise ZeroDivisionError


def test_a_table_that_is_made_again_is_empty(session):
    """
    Rows of the one before are not in it.
    """
    some(session)
    session.create_temporary(*TABLES)

    assert session._waiting._held is None
    assert session.execute(CAME).fetchone() == (0,)


def test_what_was_changed_is_moved_as_it_is(session):
    """
    A row that was deleted in between does not come back.
    """
    some(session)
    session.execute("DELETE FROM came WHERE sku = 's1'")
    session.execute(MOVE, ("here",))

    assert [row[1] for row in session.execute(KEPT).fetchall()] == ["s0", "s2"]


def test_a_first_catalogue_is_moved(tmp_path):
    """
    In the order of its SKUs, it is in the mirror without having been in the stage.
    """
    store = store_at(tmp_path / "store").at("loc")
    items = [(f"s{number}", "a name", "1.50", None, "x", None) for number in range(4)]

    with store.keep_open(), store.read() as state:
        state.staging.open()
        for page in range(2):
            columns = tuple(zip(*items[2 * page : 2 * page + 2], strict=True))
            state.staging.add(columns, position_of(page, 0))
        assert list(state.staging.duplicates()) == []
        diff = state.staging.compare()
        with store.write() as writing:
            writing.merge.apply(diff, "run", NOW)

        assert not state.session._waiting._held.is_loaded
        assert [(it.item.sku, it.page) for it in state.mirror.items()] == [
            ("s0", 0),
            ("s1", 0),
            ("s2", 1),
            ("s3", 1),
        ]


class Full:
    """
    A file on a disk that has room for one window.
    """

    def __init__(self, file):
        self.file = file
        self.windows = 0

    def write(self, text):
        self.windows += 1
        if self.windows == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.file.write(text if self.windows == 1 else text[:1])

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_a_disk_that_is_full(session):
    """
    What does not fit goes to the database at once; nothing is lost or doubled.
    """
    held = session._waiting._held
    held._file = Full(held._file)

    for number in range(3):
        add(session, [(f"{number} {n}", "a name", None) for n in range(4)], number * A_PAGE)
    session.execute(MOVE, ("here",))

    assert [row[5] for row in session.execute(KEPT).fetchall()] == [0] * 4 + [1] * 4 + [2] * 4


def test_no_disk_at_all(session, monkeypatch):
    """
    In a container without one, rows are loaded as they come.
    """
    monkeypatch.setattr(_held_rows, "TemporaryFile", refuse)
    begin(session)
    some(session)
    session.execute(MOVE, ("here",))

    assert len(session.execute(KEPT).fetchall()) == 3


def refuse(**_):
    raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")


def test_a_file_that_lost_rows(session):
    """
    None of them is stored.
    """
    some(session)
    session._waiting._held._file.truncate(5)

    with pytest.raises(StoreError, match="nothing was stored"):
        session.execute(MOVE, ("here",))
    assert session.execute(KEPT).fetchall() == []
