"""
The profile of the back office that `CONEXXUS_PROFILE` names.
"""

import importlib
import sys
from pathlib import Path

from conexxus_client import ApiProfile, ConfigurationError


DEFAULT = "default"


def load_profile(reference: str | None) -> ApiProfile:
    """
    Import what *reference* names; the default profile if it is None.

    Modules of the current folder are found, after all others.

    Args:
        reference: `module:object`, or `default`.

    Raises:
        ConfigurationError: It can't be imported, or is no profile.
    """
    if reference is None or reference == DEFAULT:
        return ApiProfile()

    module_name, _, name = reference.partition(":")

    if not (module_name and name):
        raise _refused(reference, "it must look like package.module:object, or be `default`")

    search_current_folder()

    try:
        found = getattr(importlib.import_module(module_name), name)
    except Exception as exc:
        raise _refused(reference, f"{type(exc).__name__}: {exc}") from exc

    if not isinstance(found, ApiProfile):
        raise _refused(reference, f"it is a {type(found).__name__}, not an ApiProfile")

    return found


def search_current_folder() -> None:
    """
    Let modules of the current folder be found, after all others.

    Before them, a file there that is called like a module, `json.py`, would be
    run in its place, and another user may have written it; `python -P` prevents
    the same.
    """
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)


def _refused(reference: str, reason: str) -> ConfigurationError:
    return ConfigurationError([f"CONEXXUS_PROFILE {reference} can't be used: {reason}"])
