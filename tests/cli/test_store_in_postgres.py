"""
What commands say of a store in PostgreSQL: where it is, but not the password.
"""

import os

import pytest
from databases import database, postgres, pytest_generate_tests

from conexxus_sync import open_store


DATABASES = ("postgres",)
__all__ = ["database", "pytest_generate_tests"]

PASSWORD = "s3cret"


@pytest.fixture
def schema():
    name = f"cli_{os.getpid()}"
    yield name
    postgres().connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


@pytest.fixture
def shell(bare_shell, server, schema):
    url = postgres().url(schema).replace("postgres:@", f"postgres:{PASSWORD}@")
    bare_shell.environ.update(server.env, CONEXXUS_STORE=url, CONEXXUS_TIMEZONE="UTC")
    assert PASSWORD in url

    return bare_shell


def test_no_store_yet(shell, schema):
    """
    A push refuses to make one, as with a file; what reads makes none.
    """
    pushed = shell.run("push", "--orders", "missing.ndjson")
    read = shell.run("status")

    assert pushed.returncode == 2
    assert "There is no store at postgresql://postgres@" in pushed.stderr
    assert schema in pushed.stderr
    assert read.returncode == 0
    assert not open_store(shell.environ["CONEXXUS_STORE"]).database.exists()


def test_doctor(shell):
    """
    The password is not shown.
    """
    with open_store(shell.environ["CONEXXUS_STORE"]).at("loc-001").write():
        pass

    said = shell.run("doctor")

    assert "can be written" in said.stdout
    assert PASSWORD not in said.stdout + said.stderr


def test_backup(shell, tmp_path):
    """
    A backup is the server's.
    """
    with open_store(shell.environ["CONEXXUS_STORE"]).at("loc-001").write():
        pass

    said = shell.run("store", "backup", str(tmp_path / "copy.db"))

    assert said.returncode == 2
    assert "pg_dump" in said.stderr
