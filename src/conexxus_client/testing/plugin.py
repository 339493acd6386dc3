"""
The pytest plugin: fixtures around the sandbox.

It is loaded in every project that has the SDK installed, so it imports
nothing until a fixture is used.
"""

from typing import TYPE_CHECKING

import pytest


if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._back_office import BackOffice
    from ._server._sandbox_server import SandboxServer


@pytest.fixture
def conexxus_back_office() -> "BackOffice":
    """
    A fresh fake back office, for `SandboxTransport` or to be asked directly.
    """
    from ._back_office import BackOffice  # see above

    return BackOffice()


@pytest.fixture
def conexxus_sandbox(conexxus_back_office: "BackOffice") -> "Iterator[SandboxServer]":
    """
    The back office on a port, with `office`, `url`, `api_key` and `env`.
    """
    from ._server._sandbox_server import SandboxServer  # see above

    with SandboxServer(conexxus_back_office) as server:
        yield server
