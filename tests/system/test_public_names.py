"""
What can be imported from the top.
"""

import subprocess
import sys

import conexxus_sync


def test_names_are_sorted_and_exist():
    """
    Each public name is there, once, in order.
    """
    assert conexxus_sync.__all__ == sorted(set(conexxus_sync.__all__))
    assert all(hasattr(conexxus_sync, name) for name in conexxus_sync.__all__)


def test_import_is_light():
    """
    HTTP, retries and cattrs load when they are first needed.
    """
    code = "import sys, conexxus_sync; print({'httpx', 'stamina', 'cattrs'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
