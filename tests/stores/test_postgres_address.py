"""
What CONEXXUS_STORE may say of a PostgreSQL, and what is never shown of it.
"""

import pytest
from psycopg.conninfo import conninfo_to_dict

from conexxus_client import ConfigurationError
from conexxus_sync import StoreError, open_store
from conexxus_sync.stores.postgres._address import PostgresAddress


DATABASES = ("postgres",)
URL = "postgresql://pos:s3cret@db.example:5433/shop"


def test_settings():
    """
    libpq gets what is its own; the rest is ours.
    """
    address = PostgresAddress.parse(
        f"{URL}?sslmode=verify-full&schema=till&connections=3&statement_timeout=60"
    )
    settings = conninfo_to_dict(address.conninfo)

    assert (address.schema, address.connections) == ("till", 3)
    assert settings["sslmode"] == "verify-full"
    assert "statement_timeout=60s" in settings["options"]
    assert settings["application_name"] == "conexxus-sdk"
    assert address.name == "postgresql://pos@db.example:5433/shop"


def test_settings_of_libpq_stay():
    """
    What the URL says goes before what the SDK would set.
    """
    address = PostgresAddress.parse(f"{URL}?connect_timeout=3&options=-c%20work_mem%3D64MB")
    settings = conninfo_to_dict(address.conninfo)

    assert settings["connect_timeout"] == "3"
    assert settings["options"].endswith("-c work_mem=64MB")


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ("schema=", "schema"),
        ("schema=pg_mine", "schema"),
        (f"schema={'x' * 64}", "schema"),
        ("connections=0", "connections"),
        ("connections=many", "connections"),
        ("statement_timeout=-1", "statement_timeout"),
        ("sslmod=require", "sslmod"),
    ],
)
def test_mistakes(more, named):
    """
    Each is named, and the password is not.
    """
    with pytest.raises(ConfigurationError, match=named) as caught:
        open_store(f"{URL}?{more}")

    assert "s3cret" not in str(caught.value)


def test_a_password_that_can_not_be_read():
    """
    Not even a part of it is in the message.
    """
    with pytest.raises(ConfigurationError) as caught:
        open_store("postgresql://pos:s3%zzcret@db.example/shop")

    assert "zz" not in str(caught.value)


@pytest.mark.parametrize(
    "url", [URL, "postgresql:///shop?host=/run/pg&user=a%40b&password=p%20%2F"]
)
def test_url_for_others(url):
    """
    It says the same as what libpq gets.
    """
    address = PostgresAddress.parse(f"{url}{'&' if '?' in url else '?'}sslmode=require")

    assert conninfo_to_dict(address.url()) == conninfo_to_dict(address.with_password())


def test_no_password_in_texts():
    """
    Neither what is shown of a store, nor an error of it, holds the password.
    """
    store = open_store("postgresql://pos:s3cret@127.0.0.1:9/shop?connect_timeout=1")

    with pytest.raises(StoreError) as caught, store.at("loc-001").read():
        pass

    for text in (repr(store), repr(store.database), str(caught.value)):
        assert "s3cret" not in text
    assert "127.0.0.1" in str(caught.value)
    assert "CONEXXUS_STORE" in str(caught.value)


def test_password_file(tmp_path):
    """
    It is read for each new connection.
    """
    file = tmp_path / "password"
    address = PostgresAddress.parse(f"postgresql://pos@db.example/shop?password_file={file}")

    with pytest.raises(StoreError, match="can't be read"):
        address.with_password()
    for password in ("one", "two words'"):
        file.write_text(f"{password}\n")
        assert conninfo_to_dict(address.with_password())["password"] == password
    assert "two" not in repr(address)


def test_no_server_in_front_of_the_path():
    """
    Where the server is in the query, or the default one, there are three slashes.
    """
    address = PostgresAddress.parse("postgresql:///shop?host=/run/postgresql&user=pos")

    assert address.name == "postgresql://pos@/run/postgresql/shop"
