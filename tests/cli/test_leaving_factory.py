"""
Facts about a module of the host that ends the process when it is imported or called.
"""

import sys

import pytest

from conexxus_client import ConfigurationError
from conexxus_sync.service._import_factory import load


@pytest.mark.case(
    "E7",
    "the module or factory that --orders names calls sys.exit",
    "the command says so and ends as for any setting that cannot be used",
)
@pytest.mark.parametrize("text", ["import sys; sys.exit(0)", "def orders(): raise SystemExit"])
def test_factory_that_leaves(tmp_path, monkeypatch, text):
    """
    It is refused with what it raised.
    """
    (tmp_path / "leaving_shop.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    with pytest.raises(
        ConfigurationError, match=r"leaving_shop:orders can't be used: .*SystemExit"
    ):
        load("leaving_shop:orders", option="--orders", methods=["transactions"])
    sys.modules.pop("leaving_shop", None)
