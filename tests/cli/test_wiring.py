"""
Facts about how the commands put the engines together.
"""

import attrs

from conexxus_sync.cli._push_command import sales_engine
from conexxus_sync.cli._session import Session
from conexxus_sync.config import SyncConfig


def test_settings_reach_the_engine(shell, monkeypatch):
    """
    What the settings say of corrections and summaries holds for `push`, too.
    """
    monkeypatch.chdir(shell.folder)
    read = SyncConfig.from_env
    settings = {"on_changed": "resend", "summary": True}
    monkeypatch.setattr(
        SyncConfig, "from_env", lambda environ: attrs.evolve(read(environ), **settings)
    )

    with sales_engine(Session(environ=shell.environ), orders="sales.ndjson") as engine:
        given = {name: getattr(engine.context.config, name) for name in settings}

    assert given == settings
