"""
What the reference shows can be imported from where it shows it, and from where
it was shown before.
"""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from conexxus_sync._moved import MODULES, NAMES


REFERENCE = Path(__file__).parent.parent / "docs" / "reference"

DOCUMENTED = sorted(
    path
    for page in REFERENCE.rglob("*.md")
    for path in re.findall(r"^::: ([\w.]+)$", page.read_text("utf-8"), re.MULTILINE)
)

# Paths that the reference and the how-tos showed until they moved.
MOVED = {
    "conexxus_sync.collectors.otel.OpenTelemetryCollector": "conexxus_sync.metrics.otel",
    "conexxus_sync.collectors.prometheus.PrometheusMetrics": "conexxus_sync.metrics.prometheus",
    "conexxus_sync.outbox.Batch": "conexxus_sync.model.sales",
    "conexxus_sync.outbox.BatchState": "conexxus_sync.model.sales",
    "conexxus_sync.outbox.OutboxError": "conexxus_sync.model.sales",
}
RENAMED = {
    "conexxus_sync.http.Gate": "AccessMiddleware",
    "conexxus_sync.http.Shim": "ApiHandlers",
    "conexxus_sync.sales.ClockDoubt": "ClockProblem",
    "conexxus_sync.sales.Agenda": "SalesLedger",
    "conexxus_sync.sales.judge": "classify_answer",
}
UNCHANGED = [
    "conexxus_sync.collectors.RunFilter",
    "conexxus_sync.sales.Adoption",
    "conexxus_sync.sales.HeldDates",
    "conexxus_sync.sales.OutboxOperator",
]


def imported(path):
    """
    As a host writes it: `from module import name`.
    """
    module, _, name = path.rpartition(".")
    namespace = {}
    exec(f"from {module} import {name}", namespace)
    return namespace[name]


def test_the_reference_shows_much():
    """
    The pattern finds the pages' directives: an empty list proves nothing.
    """
    assert len(DOCUMENTED) > 60


@pytest.mark.parametrize("path", DOCUMENTED)
def test_documented_path(path):
    """
    Each path of the reference can be imported, without a warning.
    """
    imported(path)


@pytest.mark.parametrize("path", ["conexxus_client", "conexxus_sync"])
def test_documented_package(path):
    assert import_module(path).__all__


@pytest.mark.parametrize("path", UNCHANGED)
def test_path_that_stays(path):
    imported(path)


@pytest.mark.parametrize(("path", "home"), MOVED.items())
def test_path_of_before(path, home):
    """
    A path that the reference once showed leads to the same object, and the
    warning names the new path.
    """
    name = path.rpartition(".")[2]

    with pytest.warns(DeprecationWarning, match=re.escape(f"use {home}.{name}")):
        found = imported(path)

    assert found is getattr(import_module(home), name)


@pytest.mark.parametrize(("path", "new"), RENAMED.items())
def test_name_of_before(path, new):
    module = path.rpartition(".")[0]

    with pytest.warns(DeprecationWarning, match=re.escape(f"use {module}.{new}")):
        found = imported(path)

    assert found is getattr(import_module(module), new)


@pytest.mark.parametrize("old", MODULES)
def test_every_module_of_before(old):
    """
    Each module that moved has all its public names under the old path, those
    that changed included; `import *` brings them, too.
    """
    target, changed = import_module(MODULES[old]), NAMES.get(old, {})
    namespace = {}

    with pytest.warns(DeprecationWarning, match=re.escape(MODULES[old])):
        exec(f"from {old} import *", namespace)

    for name in getattr(target, "__all__", []):
        assert namespace[name] is getattr(target, name)
    for before, now in changed.items():
        assert namespace[before] is getattr(target, now)


def test_old_path_of_an_exporter_needs_its_extra():
    """
    Without the extra's library, the old path fails when it is imported, as the
    module did; it does not wait until a name is used.
    """
    code = "import sys; sys.modules['prometheus_client'] = None\n"
    code += "import conexxus_sync.collectors.prometheus"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr


def test_old_paths_load_nothing():
    """
    A module under its old path is loaded when a host imports it, not before:
    programs that go through all modules, like pickle, meet no surprise.
    """
    code = "import sys, conexxus_sync\n"
    code += "from conexxus_sync._moved import MODULES\n"
    code += "print([old for old in MODULES if old in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_module_of_before():
    """
    A module that moved can be imported as a whole, too.
    """
    import conexxus_sync.outbox

    with pytest.warns(DeprecationWarning, match=r"conexxus_sync\.model\.sales\.Batch"):
        assert conexxus_sync.outbox.Batch is conexxus_sync.Batch


def test_name_that_never_was():
    """
    A name that is nowhere is an import error, without a hint at a new path.
    """
    with pytest.raises(ImportError, match="Nonsense"):
        imported("conexxus_sync.outbox.Nonsense")
    with pytest.raises(ImportError, match="Nonsense"):
        imported("conexxus_sync.sales.Nonsense")
