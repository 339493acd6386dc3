"""
The app of a project: its settings, its checks, its command.
"""

import json
import sys
from decimal import Decimal

import pytest
from databases import postgres
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.models.signals import post_migrate
from django.test import override_settings

from conexxus_client import ConfigurationError
from conexxus_client.settings import BY_VARIABLE, Settings
from conexxus_client.testing import SandboxServer
from conexxus_sync.contrib.django import ModelCatalogStorage, ModelOrderSource, get_service
from conexxus_sync.contrib.django._process_service import migrate_store
from conexxus_sync.contrib.django._project_settings import framework_settings
from conexxus_sync.contrib.django.management.commands.conexxus import Command
from conexxus_sync.testing import ListChanges, item
from django_till.models import Product, Sale


PLACE = "tests.contrib.django.test_app"
API = {"url": "https://back-office.example", "key": "secret"}


def products():
    return ModelCatalogStorage(
        "django_till.Product", fields={"sku": "code", "name": "title", "price": "price"}
    )


def deleting_products():
    return ModelCatalogStorage(
        Product, fields={"sku": "code", "name": "title", "price": "price"}, delete_removed=True
    )


def wrong_products():
    return ModelCatalogStorage(Product, fields={"sku": "code", "name": "tittle", "price": "prise"})


def orders():
    return ModelOrderSource(
        Sale,
        lines="lines",
        fields={
            "id": "number",
            "timestamp": "closed_at",
            "businessDate": "business_date",
            "total": "total",
            "items.sku": "article__sku",
            "items.quantity": "quantity",
            "items.price": "price",
        },
    )


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("CONEXXUS_STORE", "CONEXXUS_API_URL", "CONEXXUS_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    # The factories above are where the settings say.
    monkeypatch.setitem(sys.modules, PLACE, sys.modules[__name__])


@pytest.fixture
def project(tmp_path):
    """
    Makes the settings of a project, with a store of its own.
    """

    def make(**given):
        settings = {
            "store": f"sqlite:///{tmp_path / 'state.db'}",
            "timezone": "America/New_York",
            **given,
        }
        return override_settings(CONEXXUS=settings)

    return make


def problems():
    return [it.msg for it in run_checks() if it.id == "conexxus.E001"]


def test_keys_of_the_settings_file(project, monkeypatch):
    """
    CONEXXUS has the keys of the settings file, as tables or with dots; what is
    None is not set, and the environment goes before.
    """
    monkeypatch.setenv("CONEXXUS_RETRIES", "7")
    given = {"api": {**API, "auth": None}, "api.sales_mode": "replace_day", "retries": 1}

    with project(**given, summary=True, sync_every="2h"):
        settings = Settings.of(framework=framework_settings())

    assert settings["CONEXXUS_API_URL"] == API["url"]
    assert settings["CONEXXUS_API_SALES_MODE"] == "replace_day"
    assert settings["CONEXXUS_SUMMARY"] == "1"
    assert settings["CONEXXUS_RETRIES"] == "7"
    assert settings.origin(BY_VARIABLE["CONEXXUS_SYNC_EVERY"]) == "sync_every in settings.CONEXXUS"
    assert settings.origin(BY_VARIABLE["CONEXXUS_RETRIES"]) == "CONEXXUS_RETRIES"
    assert settings.origin(BY_VARIABLE["CONEXXUS_API_AUTH"]) == "default"


def test_file_goes_before_the_project(project, tmp_path, monkeypatch):
    """
    An operator's file says more than the project.
    """
    (tmp_path / "conexxus.toml").write_text('location = "store-7"')
    monkeypatch.setenv("CONEXXUS_CONFIG", str(tmp_path / "conexxus.toml"))

    with project(location="store-1"):
        assert Settings.of(framework=framework_settings())["LOCATION_ID"] == "store-7"


def test_store_beside_the_project(tmp_path):
    """
    A project on SQLite has the store in a file of its own.
    """
    with override_settings(CONEXXUS={}, BASE_DIR=tmp_path):
        assert framework_settings().values["store"] == f"sqlite:///{tmp_path / 'conexxus.db'}"


def test_store_without_a_place():
    """
    Where the folder of the project is unknown, the store has to be named.
    """
    with (
        override_settings(CONEXXUS={}),
        pytest.raises(ConfigurationError, match="CONEXXUS_STORE is not configured"),
    ):
        framework_settings()


@pytest.mark.parametrize("alias", ["postgres"], indirect=True)
def test_store_in_the_projects_database(alias, monkeypatch):
    """
    A project on PostgreSQL has the store in its own database, in a schema of
    the SDK, and `migrate` makes it.
    """
    monkeypatch.setattr("conexxus_sync.contrib.django._project_settings.DEFAULT_DB_ALIAS", alias)
    schema = postgres().schema_of("django")

    with override_settings(CONEXXUS={}):
        url = f"{framework_settings().values['store']}&schema={schema}"
    monkeypatch.setattr("conexxus_sync.contrib.django._process_service.database_url", lambda _: url)
    with override_settings(CONEXXUS={"store": url}):
        (receivers, _) = post_migrate._live_receivers(apps.get_app_config("conexxus"))
        receivers[receivers.index(migrate_store)](using=alias)
    postgres().give_back()

    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM information_schema.tables"
            " WHERE table_schema = %s AND table_name = 'runs'",
            [schema],
        )
        assert cursor.fetchone() == (1,)


def test_checks_pass(project):
    with project(catalog=f"{PLACE}:products", orders=f"{PLACE}:orders", api=API):
        assert problems() == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"catalog": f"{PLACE}:wrong_products"}, "no field 'tittle' (did you mean 'title'?)"),
        ({"catalog": f"{PLACE}:wrong_products"}, "no field 'prise' (did you mean 'price'?)"),
        ({"catalog": f"{PLACE}:nothing"}, "has no callable nothing"),
        ({"orders": "no_such_module:orders"}, "orders in settings.CONEXXUS no_such_module:orders"),
        ({"retires": 3}, "retires in settings.CONEXXUS is no setting: did you mean"),
        ({"timezone": "America/Nowhere"}, "timezone in settings.CONEXXUS"),
        ({"api": {**API, "url": "ftp://x"}}, "must start with http:// or https://"),
        ({"api": {**API, "timezone": {}}, "push_at": 7}, "push_at in settings.CONEXXUS"),
    ],
)
def test_checks(project, given, said):
    """
    What is wrong is said at start, before a run needs it.
    """
    with project(**given):
        assert said in "\n".join(problems())


def test_one_service(project):
    """
    A process has one service; other settings make another one.
    """
    with project(location="store-1"):
        first = get_service()
        assert get_service() is first
    with project(location="store-2"):
        assert get_service().config.location_id == "store-2"


def test_command(alias, project, capsys, monkeypatch):
    """
    The whole command line has models and settings of the project.
    """
    monkeypatch.setattr("django.db.router.db_for_write", lambda *_, **__: alias)

    with SandboxServer() as back_office:
        api = {"url": back_office.url, "key": back_office.api_key}
        with project(api=api, catalog=f"{PLACE}:products"):
            call_command("conexxus", "pull", "--create-store", "--json")

    run = json.loads(capsys.readouterr().out)
    found = dict(Product.objects.using(alias).values_list("code", "price"))
    assert run["created"] == len(found) == len(back_office.office.catalog)
    assert found["WINE001"] == Decimal("29.99")


@pytest.mark.parametrize("alias", ["default"], indirect=True)
def test_check_adapters(alias, project, capsys):
    """
    The command checks the project's own storage, and takes everything back.
    """
    products().apply(ListChanges(sequence=7, created=[item("A", "1.00")]))

    with project(catalog=f"{PLACE}:deleting_products", timezone="UTC"):
        call_command("conexxus", "check-adapters", "--yes")

    assert "17 kept, 1 not offered" in capsys.readouterr().out
    assert products().prices() == {"A": Decimal("1.00")}
    assert products()._sequences().count() == 1


def test_exit_codes(project, capsys):
    """
    The exit code of the command is that of the process, or of the error.
    """
    with project(api={"url": "http://127.0.0.1:9", "key": "k"}, retries=0):
        with pytest.raises(CommandError) as raised:
            call_command("conexxus", "pull", "--create-store")
        with pytest.raises(SystemExit) as ended:
            Command().run_from_argv(["manage.py", "conexxus", "pull", "--settings=x"])

    assert (raised.value.returncode, ended.value.code) == (1, 1)
    assert "connection refused" in capsys.readouterr().err


def test_secrets_of_the_project_are_redacted(project, capsys):
    """
    A key that is pasted where something else belongs is not printed.
    """
    with project(api={"url": API["url"], "key": "a-secret-key"}, location="a-secret-key"):
        call_command("conexxus", "config", "show")

    assert "a-secret-key" not in capsys.readouterr().out


def test_wrong_setting_of_a_command(project, capsys):
    """
    The command says what is wrong with the settings of the project.
    """
    with project(retires=3), pytest.raises(CommandError) as raised:
        call_command("conexxus", "status")

    assert raised.value.returncode == 2
    assert "retires in settings.CONEXXUS is no setting" in capsys.readouterr().err


@pytest.mark.parametrize("alias", ["default"], indirect=True)
def test_no_migration_is_missing(alias):
    """
    The migrations make what the models say.
    """
    call_command("makemigrations", "conexxus", check=True, dry_run=True)
