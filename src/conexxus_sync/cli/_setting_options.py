"""
Which settings are options of which command, and what is said of them.
"""

import re
from collections.abc import Mapping
from functools import cache

from conexxus_client.settings import SETTINGS, Setting


# Commands that read all settings; the others have options for what concerns them.
_ALL = ("config show", "doctor", "status", "run")
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "call": (
        "pull",
        "push",
        "reconcile",
        "profile show",
        "profile change",
        "quarantine replay",
        "outbox resend",
        "outbox resolve",
    ),
    "pull": ("pull", "quarantine replay"),
    "push": ("push", "reconcile", "outbox dates", "outbox resend", "quarantine replay"),
    "host": ("pull", "quarantine replay", "check-adapters"),
    "orders": ("push", "reconcile", "outbox dates", "check-adapters"),
    "run": (),
}

EVERYWHERE: Mapping[str, Setting] = {
    it.argument: it for it in SETTINGS if it.concern == "every" and not it.is_secret
}

_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")


@cache
def setting_options(command: str) -> Mapping[str, Setting]:
    """
    The settings that are options of *command* alone, by argument.
    """
    return {
        it.argument: it
        for it in SETTINGS
        if it.concern != "every"
        and not it.is_secret
        and (command in _ALL or command in _COMMANDS[it.concern])
    }


def meaning_of(setting: Setting) -> str:
    """
    What *setting* means, as a sentence without an end, and without links.
    """
    meaning = _LINK.sub(r"\1", setting.meaning)

    return f"{meaning[0].upper()}{meaning[1:]}"
