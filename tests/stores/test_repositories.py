"""
The repositories of a unit of work are made when they are first asked for.
"""

import ast
import inspect
from pathlib import Path

import pytest
from databases import BOTH, store_at

from conexxus_sync.stores import _state


DATABASES = BOTH


@pytest.fixture
def store(tmp_path):
    return store_at(tmp_path / "conexxus.db").at("loc-001")


def for_checkers():
    """
    The attributes of `State` that a type checker reads, each with its class.
    """
    tree = ast.parse(Path(_state.__file__).read_text("utf-8"))
    (state,) = (it for it in tree.body if isinstance(it, ast.ClassDef) and it.name == "State")
    (branch,) = (it for it in state.body if isinstance(it, ast.If))
    return {it.target.id: ast.unparse(it.annotation) for it in branch.body}


def test_each_is_what_type_checkers_read(store):
    """
    Each attribute is a repository of the class that is written beside it.
    """
    with store.read() as state:
        made = {name: type(getattr(state, name)).__name__ for name in for_checkers()}

    assert made == for_checkers()
    assert all(f"{name}: " in inspect.getdoc(_state.State) for name in made)


def test_each_is_made_once(store):
    """
    A unit of work has one repository of a kind, and makes none before.
    """
    with store.read() as state:
        assert "outbox" not in vars(state)
        assert state.outbox is state.outbox
        assert state.outbox.freezes is state.freezes


def test_others_are_none(store):
    """
    A wrong name is an ordinary error.
    """
    with store.read() as state, pytest.raises(AttributeError, match="sale_dates"):
        state.sale_dates  # noqa: B018  # reading it is the point
