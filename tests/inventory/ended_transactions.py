"""
Ways in which a host ends, or harms, the transaction that it shares.
"""

import sqlite3
from contextlib import suppress

import psycopg


def commits(connection):
    connection.commit()


def leaves_a_with_block(connection):
    with connection:
        pass


def runs_a_script(connection):
    connection.executescript("CREATE TABLE other (x)")


def rolls_back(connection):
    try:
        raise ValueError("constraint")
    except ValueError:
        connection.rollback()
        raise


def hides_a_rollback(connection):
    try:
        connection.rollback()
    except Exception:
        return


def turns_autocommit_on(connection):
    connection.isolation_level = ""
    connection.isolation_level = None


def frees_our_savepoint(connection):
    connection.execute("RELEASE conexxus_host")


def frees_our_savepoint_in_another_case(connection):
    connection.execute("release Conexxus_HOST")


def closes(connection):
    connection.close()


def hides_a_close(connection):
    with suppress(Exception):
        connection.close()


def makes_it_read_only(connection):
    connection.execute("PRAGMA query_only = ON")


def hides_a_setting(connection):
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA main.Query_Only = 1")


def takes_the_mark_of_the_store(connection):
    connection.execute("PRAGMA application_id = 7")


def rolls_back_by_conflict(connection):
    connection.execute("INSERT OR ROLLBACK INTO products VALUES ('S0', 'again')")


def rolls_back_by_trigger(connection):
    connection.execute(
        "CREATE TRIGGER no BEFORE DELETE ON products BEGIN SELECT RAISE(ROLLBACK, 'no'); END"
    )
    connection.execute("DELETE FROM products")


def commits_in_sql(connection):
    connection.execute("COMMIT")


def begins_anew(connection):
    connection.execute("COMMIT")
    connection.execute("BEGIN")


def begins_a_script_anew(connection):
    connection.execute("ROLLBACK; BEGIN; SELECT 1")


def frees_all_savepoints(connection):
    connection.execute("ROLLBACK AND CHAIN")


def frees_the_savepoint_of_psycopg(connection):
    connection.execute('RELEASE SAVEPOINT "_pg3_1"')


def sets_it_read_only(connection):
    connection.execute("SET TRANSACTION READ ONLY")


def hides_an_error(connection):
    with suppress(psycopg.Error):
        connection.execute("NONSENSE")


def turns_autocommit_off(connection):
    connection.autocommit = False


IN_SQLITE = [
    commits,
    leaves_a_with_block,
    runs_a_script,
    rolls_back,
    hides_a_rollback,
    turns_autocommit_on,
    frees_our_savepoint,
    frees_our_savepoint_in_another_case,
    closes,
    hides_a_close,
    makes_it_read_only,
    hides_a_setting,
    takes_the_mark_of_the_store,
    rolls_back_by_conflict,
    rolls_back_by_trigger,
]

IN_POSTGRES = [
    commits,
    rolls_back,
    commits_in_sql,
    begins_anew,
    begins_a_script_anew,
    frees_all_savepoints,
    frees_the_savepoint_of_psycopg,
    sets_it_read_only,
    hides_an_error,
    turns_autocommit_off,
]
