"""
A Django project for the tests of one process: there can be no other in it.
"""

import os
import tempfile
from itertools import count

import django
import pytest
from databases import postgres
from django.conf import settings
from django.http import HttpResponse
from django.urls import path


class Urls:
    urlpatterns = (path("shop", lambda request: HttpResponse("shop")),)


# For tests that need no tables; those that do take the fixture below.
_folder = tempfile.TemporaryDirectory()
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{_folder.name}/none.db"},
    "postgres": {"ENGINE": "django.db.backends.postgresql", "NAME": "none"},
}

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES=DATABASES,
        INSTALLED_APPS=[
            *("django.contrib.contenttypes", "django.contrib.auth"),
            *("conexxus_sync.contrib.django", "django_till"),
        ],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        ROOT_URLCONF=Urls,
        SECRET_KEY="x",
        USE_TZ=True,
        # Else the process would be in another zone from now on.
        TIME_ZONE=None,
    )
    django.setup()

_schemas = count(1)


@pytest.fixture(params=["default", "postgres"])
def alias(request, tmp_path):
    """
    A database of the project with the tables of the till, by its alias.
    """
    from django.apps import apps
    from django.db import connections

    from django_till.models import MODELS

    alias, database = request.param, connections[request.param]
    # It may be open to the database of another test.
    database.close()
    before, address = dict(database.settings_dict), _address(alias, tmp_path)
    # Each thread makes a connection of its own, by the settings of all.
    for known in (database.settings_dict, connections.settings[alias]):
        known.update(address)
    models = [apps.get_model("conexxus", "CatalogSequence"), *MODELS]
    with database.schema_editor() as editor:
        for model in models:
            editor.create_model(model)
    database.close()

    yield alias

    connections[alias].close()
    for known in (database.settings_dict, connections.settings[alias]):
        known.update(before)


def _address(alias, folder):
    if alias == "default":
        return {"NAME": str(folder / "till.db")}

    import psycopg

    schema = f"till_{os.getpid()}_{next(_schemas)}"
    with psycopg.connect(postgres().server, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        connection.execute(f"CREATE SCHEMA {schema}")
        info = connection.info
        return {
            "NAME": info.dbname,
            "USER": info.user,
            "PASSWORD": info.password,
            "HOST": info.host,
            "PORT": str(info.port),
            "OPTIONS": {"options": f"-csearch_path={schema} -cclient_min_messages=warning"},
        }
