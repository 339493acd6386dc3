import sys
from datetime import date

import pytest

from conexxus_client import ConfigurationError
from conexxus_sync.service._import_factory import load
from conexxus_sync.service._named_profile import load_profile


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """
    A module beside the user, like in any project.
    """
    (tmp_path / "my_shop.py").write_text(
        "class Orders:\n"
        "    def transactions(self, location_id, business_date): return []\n"
        "def broken(): raise RuntimeError('no database')\n"
        "made = Orders()\n"
        "class Shop:\n"
        "    async def apply(self, changes): pass\n"
        "    async def transactions(self, location_id, business_date): yield\n"
        "number = 7\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("my_shop", None)


def orders(reference):
    return load(reference, option="--orders", methods=["transactions"])


def catalog(reference):
    return load(reference, option="--catalog", methods=["apply", "apply_in"])


@pytest.mark.usefixtures("shop")
def test_finds_a_module_in_the_current_folder():
    """
    The factory of a module beside the user is called.
    """
    assert orders("my_shop:Orders").transactions("loc-001", None) == []


@pytest.mark.usefixtures("shop")
def test_takes_what_is_made_already():
    """
    An object with the methods is used as it is.
    """
    assert orders("my_shop:made") is sys.modules["my_shop"].made


@pytest.mark.usefixtures("shop")
def test_asynchronous_storage_that_is_an_order_source():
    """
    One asynchronous class may be both.
    """
    assert callable(orders("my_shop:Shop").transactions)
    assert callable(catalog("my_shop:Shop").apply)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("my_shop", "must look like"),
        (":Orders", "must look like"),
        ("no_such_shop:Orders", "ModuleNotFoundError"),
        ("my_shop:nothing", "has no callable nothing"),
        ("my_shop:number", "has no callable number"),
        ("my_shop:broken", "RuntimeError: no database"),
        ("my_shop:dict", "has no callable dict"),
        ("builtins:list", "has no method transactions()"),
    ],
)
def test_says_which_step_failed(reference, reason):
    """
    Each way to get it wrong has its own sentence, which names the option.
    """
    with pytest.raises(ConfigurationError) as caught:
        orders(reference)

    assert str(caught.value).startswith(f"--orders {reference} can't be used: ")
    assert reason in str(caught.value)


@pytest.mark.case(
    "E17",
    "the current folder has a module with the name of one that is installed, and `--orders`, "
    "`--catalog` or `--profile` names a module",
    "the installed one is imported: the current folder comes last",
)
@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("load_it", [orders, lambda name: load_profile(name)])
def test_current_folder_comes_last(tmp_path, load_it):
    (tmp_path / "this.py").write_text("raise RuntimeError('not this one')")
    sys.modules.pop("this", None)

    with pytest.raises(ConfigurationError) as caught:
        load_it("this:nothing")

    assert "not this one" not in str(caught.value)
    assert sys.path[-1] == str(tmp_path)


def test_asynchronous_source(shop, tmp_path):
    """
    An asynchronous source is awaited.
    """
    (tmp_path / "my_shop.py").write_text(
        "class Orders:\n    async def transactions(self, location_id, business_date): return [1]\n"
    )

    assert [*orders("my_shop:Orders").transactions("loc-001", date(2026, 1, 1))] == [1]


def test_generator_as_storage(shop, tmp_path):
    """
    A storage that would do nothing is refused before anything is asked of it.
    """
    (tmp_path / "my_shop.py").write_text(
        "class Catalog:\n    def apply(self, changes):\n        yield changes\n"
    )

    with pytest.raises(ConfigurationError) as caught:
        catalog("my_shop:Catalog")

    assert str(caught.value) == (
        "--catalog my_shop:Catalog can't be used: `apply` of Catalog is a generator, "
        "which is not iterated: it must do its work before it returns"
    )
