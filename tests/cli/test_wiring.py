"""
Facts about how the commands put the engines together.
"""

from conexxus_sync.cli._push_command import sales_engine
from conexxus_sync.cli._session import Session


def test_settings_reach_the_engine(shell, monkeypatch):
    """
    What the settings say of corrections and summaries holds for `push`, too.
    """
    monkeypatch.chdir(shell.folder)
    settings = {"on_changed": "resend", "summary": True}
    given = {
        "CONEXXUS_ON_CHANGED": "resend",
        "CONEXXUS_SUMMARY": "1",
        "CONEXXUS_ORDERS": "sales.ndjson",
    }

    with sales_engine(Session(environ=shell.environ, given=given)) as engine:
        found = {name: getattr(engine.context.config, name) for name in settings}

    assert found == settings
