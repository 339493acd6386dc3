"""
Facts about what hosts import for their tests.
"""

import subprocess
import sys

import conexxus_sync.testing as testing


def test_names_are_sorted_and_exist():
    """
    Each public name is there, once, in order.
    """
    assert testing.__all__ == sorted(set(testing.__all__))
    assert all(hasattr(testing, name) for name in testing.__all__)


def test_no_test_framework_is_needed():
    """
    The fakes load neither pytest nor what an extra installs.
    """
    others = {"pytest", "starlette", "uvicorn", "cyclopts", "rich"}
    code = f"import sys, conexxus_sync.testing; print({others} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
