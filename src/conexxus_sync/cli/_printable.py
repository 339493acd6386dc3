"""
What is printed: without secrets, and without what could steer a terminal.
"""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from conexxus_client import Secret


# Variables that hold a secret, or with _FILE the name of a file with one.
_SECRETS = (
    "CONEXXUS_API_KEY",
    "CONEXXUS_SHIM_TOKEN",
    "CONEXXUS_ALERT_WEBHOOK",
    "CONEXXUS_PROXY",
)
# Those of the command at work.
_concealed: list[Secret] = []
# Controls, line separators, and what turns the direction of writing; JSON
# itself asks only for those below U+0020 to be escaped (RFC 8259, 7).
_UNPRINTABLE = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def conceal(environ: Mapping[str, str]) -> None:
    """
    From now on, the secrets of *environ* are redacted in all that is printed,
    wherever they were pasted by mistake.
    """
    texts = [(name, environ.get(name, "")) for name in _SECRETS]

    for name in _SECRETS:
        if path := environ.get(f"{name}_FILE"):
            with suppress(OSError, ValueError):
                texts.append((name, Path(path).read_text("utf-8").strip()))

    _concealed[:] = [Secret(text) for name, text in texts if is_confidential(name, text)]


def is_confidential(variable: str, text: str) -> bool:
    """
    Does a secret's *variable* hold one?  The address of a proxy is one where
    it has a user.
    """
    return bool(text) and (variable != "CONEXXUS_PROXY" or "@" in text)


def redacted(text: str) -> str:
    """
    *text* without the secrets of the command at work.
    """
    for secret in _concealed:
        text = secret.redact(text)

    return text


def printable_json(text: str) -> str:
    """
    The JSON document *text* with escapes for what could steer a terminal.
    """
    return _UNPRINTABLE.sub(lambda found: json.dumps(found[0])[1:-1], text)


def printable(text: str) -> str:
    """
    *text* without anything that moves a cursor, turns the direction of
    writing, or starts a new line.
    """
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
