"""
The page about Django is a project that runs.
"""

import re
import subprocess
import sys
from pathlib import Path

from conexxus_client.testing import BackOffice, SandboxServer


PAGE = Path(__file__).parents[2] / "docs/how-to/django.md"
# What `startproject` writes, as far as it matters here.
PROJECT = """
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "shop.db"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "x"
TIME_ZONE = "UTC"
USE_TZ = True
"""
# The commands of the page one after the other, and a sale between them.
MANAGE = """
import os, sys
from datetime import UTC, datetime
from django.core.management import call_command
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()
call_command("migrate", run_syncdb=True, verbosity=0)
call_command("check")
call_command("conexxus", "doctor")
call_command("conexxus", "pull", "--plan")
call_command("conexxus", "pull")
from shop.models import Product, Sale, SaleLine
sale = Sale.objects.create(closed_at=datetime(2026, 1, 2, 17, tzinfo=UTC), total="29.99")
wine = Product.objects.get(code="WINE001")
SaleLine.objects.create(sale=sale, product=wine, quantity=1, price="29.99")
Sale.objects.create(total="1.00")
call_command("conexxus", "push", "--date", "2026-01-02")
"""


def test_project_of_the_page(tmp_path):
    """
    The blocks of the page, each in the file that it is for, pull and push, and its
    commands work.
    """
    page = PAGE.read_text("utf-8")
    models, settings, mapping = re.findall(r"```py\n(.*?)```", page, re.DOTALL)
    shop = tmp_path / "shop"
    shop.mkdir()
    for name, text in {"models": models, "conexxus": mapping, "__init__": ""}.items():
        (shop / f"{name}.py").write_text(text)
    (tmp_path / "settings.py").write_text(PROJECT + settings)
    (tmp_path / "manage.py").write_text(MANAGE)
    office = BackOffice()

    with SandboxServer(office) as server:
        done = subprocess.run(
            [sys.executable, "manage.py"],
            cwd=tmp_path,
            env=server.env,
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "To apply exactly this: python manage.py conexxus pull --accept" in done.stdout
    assert "--orders ORDERS" not in done.stdout
    assert office.effective_batches == [{"1"}]
    commands = re.findall(r"python manage\.py (.+)", page)
    assert set(commands) <= {"migrate", "check"} | {
        f"conexxus {it}" for it in ("doctor", "pull --plan", "run")
    }
