"""
The Django project of the examples, run as a program.
"""

import json
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from conexxus_client.testing import BackOffice, SandboxServer


SHOP = Path(__file__).parents[2] / "examples" / "django_shop"
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "django.md"
SALE = """
from datetime import UTC, datetime
from shop.models import Product, Sale, SaleLine
wine = Product.objects.get(code="WINE001")
sale = Sale.objects.create(closed_at=datetime(2026, 1, 3, 4, 30, tzinfo=UTC), total="59.98")
SaleLine.objects.create(sale=sale, product=wine, quantity=2, price="29.99")
Sale.objects.create(total="1.00")
"""


@pytest.fixture
def office():
    return BackOffice()


@pytest.fixture
def manage(program, office, tmp_path):
    """
    Makes `manage.py`, with a database of its own, beside a back office.
    """
    with SandboxServer(office) as server:
        made = program(
            "django_shop/manage.py",
            **server.env,
            CONEXXUS_STORE=f"sqlite:///{tmp_path / 'state.db'}",
            DATABASE=str(tmp_path / "shop.db"),
            PYTHONPATH=f"{tmp_path}{os.pathsep}{SHOP}",
        )
        yield made


def test_pull_and_push(manage, office, tmp_path):
    """
    The catalogue is in the models, and a finished sale is at the back office, once.
    """
    assert manage.run("migrate").returncode == 0
    pull = manage.run("conexxus", "pull", "--create-store", "--json")
    sold = manage.run("shell", "-c", SALE)
    pushes = [manage.run("conexxus", "push", "--date", "2026-01-02", "--json") for _ in range(2)]

    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        (known,) = database.execute("SELECT count(*) FROM shop_product").fetchone()
    assert json.loads(pull.stdout)["created"] == known == len(office.catalog)
    assert (sold.returncode, [it.returncode for it in pushes]) == (0, [0, 0])
    assert office.effective_batches == [{"1"}]


def test_check(manage):
    """
    A setting that is none is found by the checks of the project.
    """
    good = manage.run("check")
    bad = manage.run("check", CONEXXUS_TIMEZONE="America/Nowhere")

    assert (good.returncode, bad.returncode) == (0, 1)
    assert "conexxus.E001" in bad.stderr
    assert "CONEXXUS_TIMEZONE" in bad.stderr
    assert "HINT: Or give 'timezone' in CONEXXUS" in bad.stderr


def test_code_of_the_page():
    """
    The how-to shows the code of the project, which is the one that runs, and it
    has at most 25 lines beyond the models.
    """
    sources = [*SHOP.rglob("*.py")]
    code = {line.strip() for path in sources for line in path.read_text("utf-8").splitlines()}
    models, *blocks = re.findall(r"```py\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)

    for block in (models, *blocks):
        assert {line.strip() for line in block.splitlines()} <= code
    (settings, mapping) = blocks
    ours = [line for line in mapping.splitlines() if line.strip()]
    ours += ['"conexxus_sync.contrib.django"', *settings.partition("CONEXXUS")[2].splitlines()]
    assert len(ours) <= 25
