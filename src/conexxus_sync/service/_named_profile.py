"""
The profile of the back office that `CONEXXUS_PROFILE` names.
"""

import importlib

from conexxus_client import ApiProfile, ConfigurationError
from conexxus_client.settings import SETTINGS, Settings, search_current_folder


DEFAULT = "default"


def named_profile(settings: Settings) -> ApiProfile:
    """
    The profile that *settings* name, with what they say of its parts.

    Raises:
        ConfigurationError: It can't be imported, or is no profile.
    """
    try:
        base = load_profile(settings.get("CONEXXUS_PROFILE") or None)
    except ConfigurationError as exc:
        raise settings.named(exc.problems) from exc

    return ApiProfile.from_env(settings, base=base)


def names_profile(settings: Settings) -> bool:
    """
    Was a profile chosen, or a part of it, even if it is the default one?
    """
    variables = ["CONEXXUS_PROFILE", *(it.variable for it in SETTINGS if it.owner == "profile")]

    return any(settings.get(name) for name in variables)


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


def _refused(reference: str, reason: str) -> ConfigurationError:
    return ConfigurationError([f"CONEXXUS_PROFILE {reference} can't be used: {reason}"])
