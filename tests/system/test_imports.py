"""
What importing the client costs.
"""

import subprocess
import sys


def loaded_by(statement: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", statement],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def test_client_imports_lightly():
    """
    Neither httpx nor stamina nor cattrs is loaded before it is needed.
    """
    loaded = loaded_by("import conexxus_client")

    assert "conexxus_client" in loaded
    assert not loaded & {"httpx", "httpx2", "httpcore", "stamina", "cattrs", "tenacity", "rich"}
