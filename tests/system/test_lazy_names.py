"""
Public names are imported when they are first read, and look as if they had been there.
"""

import ast
import pickle
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import conexxus_client
import conexxus_client.testing
import conexxus_sync
import conexxus_sync.inventory
import conexxus_sync.notifications
import conexxus_sync.sales
import conexxus_sync.service


PACKAGES = [
    conexxus_client,
    conexxus_client.testing,
    conexxus_sync,
    conexxus_sync.inventory,
    conexxus_sync.notifications,
    conexxus_sync.sales,
    conexxus_sync.service,
]
LAZY = pytest.mark.parametrize("package", PACKAGES, ids=lambda it: it.__name__)


def for_checkers(package) -> dict[str, str]:
    """
    The names that a type checker reads, each with its module.
    """
    (branch,) = (
        node
        for node in ast.parse(Path(package.__file__).read_text("utf-8")).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return {
        name.name: f"{package.__name__}.{it.module}" if it.level else it.module
        for it in branch.body
        for name in it.names
    }


def fresh(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@LAZY
def test_names_are_those_that_type_checkers_read(package):
    """
    The interpreter finds each name where a type checker does.
    """
    found = {
        name: getattr(import_module(home), name) for name, home in for_checkers(package).items()
    }

    assert {*package.__all__} - {"__version__"} == {*found}
    assert all(getattr(package, name) is value for name, value in found.items())


@LAZY
def test_dir_shows_every_name(package):
    """
    `dir` has the names before any of them was read.
    """
    name = package.__name__

    assert fresh(f"import {name} as it; print({{*it.__all__}} <= {{*dir(it)}})") == "True"


@LAZY
def test_star_import(package):
    """
    `from package import *` binds every public name.
    """
    code = f"from {package.__name__} import *; import {package.__name__} as it"

    assert fresh(f"{code}; print({{*it.__all__}} <= {{*globals()}})") == "True"


@LAZY
def test_unknown_names(package):
    """
    A name that there is not, is reported as for every module.
    """
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'x'"):
        getattr(package, "x")  # noqa: B009  # the name is the point


def test_submodules_are_attributes():
    """
    `import conexxus_client` is enough to reach its public modules.
    """
    code = "import conexxus_client, conexxus_sync; print(conexxus_client.errors.Delivery.__name__"

    assert fresh(f"{code}, conexxus_sync.config.SyncConfig.__name__)") == "Delivery SyncConfig"


@pytest.mark.parametrize("name", ["Item", "models"])
def test_missing_dependencies_are_named(name):
    """
    Where a name's module can't be imported, the error is about what it lacks.
    """
    code = f"""
import sys
sys.modules["attrs"] = None
import conexxus_client
try:
    conexxus_client.{name}
except ModuleNotFoundError as exc:
    print(exc.name)
"""
    assert fresh(code) == "attrs"


def test_names_pickle():
    """
    What was pickled before the names were lazy is still found.
    """
    item = conexxus_client.InvalidItem(raw=b"{}", reason="Item missing SKU", path="$")

    assert pickle.loads(pickle.dumps(item)) == item
    assert pickle.loads(pickle.dumps(conexxus_sync.SyncConfig)) is conexxus_sync.SyncConfig
