"""
The search for a key where no key may be.
"""

import copy
import json
import pickle
import traceback
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import quote


# What JSON, URLs, HTML and Base64 spell in another way is all in it.
CANARY = 'Canary/4c1f+9e"<7b&=='
SAFE_IN_URLS = str.maketrans("+/", "-_")


def spelled(key: str) -> dict[str, str]:
    """
    The ways in which a counterpart may echo *key*.
    """
    in_json = json.dumps(key)[1:-1]
    in_php = in_json.replace("/", "\\/")

    return {
        "plain": key,
        "JSON": in_json,
        "JSON of PHP": in_php,
        "JSON in JSON": json.dumps(in_php)[1:-1],
        "some code points": in_json.replace("/", "\\u002f").replace("+", "\\u002B"),
        "code points": "".join(f"\\u{ord(char):04x}" for char in key),
        "URL": quote(key, safe=""),
        "HTML": escape(key),
        "HTML by numbers": "".join(f"&#x{ord(char):X};" for char in key),
        "Base64": _code_after(b"", key),
        "Base64 after a user": _code_after(b"u", key)[2:],
        "Base64 after a longer user": _code_after(b"us", key)[3:],
        "Base64 in an URL": _code_after(b"", key).translate(SAFE_IN_URLS),
    }


def traces(key: str, *said: str | bytes) -> list[str]:
    """
    How *key* is spelled in what was said; nothing is what there should be.
    """
    texts = [text if isinstance(text, str) else text.decode("latin-1") for text in said]
    heard = "\n".join(texts).lower()

    return [way for way, form in spelled(key).items() if form.lower() in heard]


def traces_in_files(key: str, directory: Path) -> list[tuple[str, list[str]]]:
    """
    The files below *directory* that hold *key*, and how it is spelled there.
    """
    files = [path for path in sorted(directory.rglob("*")) if path.is_file()]
    found = [(path.name, traces(key, path.read_bytes())) for path in files]

    return [(name, ways) for name, ways in found if ways]


def everything_about(value: object) -> Iterator[str | bytes]:
    """
    Whatever shows *value*, an error or a result.
    """
    twin = copy.deepcopy(value)
    yield from (str(value), repr(value), str(twin), repr(twin), pickle.dumps(value))
    yield from _texts(vars(value) if isinstance(value, Exception) else value)

    if isinstance(value, Exception):
        yield from (str(value.__cause__), str(value.__context__))
        stack = traceback.TracebackException.from_exception(value, capture_locals=True).stack
        # A test knows what it looks for.
        stack[:] = [frame for frame in stack if "/tests/" not in frame.filename]
        yield from stack.format()


def _texts(value: object) -> Iterator[str | bytes]:
    """
    The texts in *value* as they are: a repr may spell them in another way.
    """
    if isinstance(value, str | bytes):
        yield value
    elif isinstance(value, dict):
        yield from _texts(list(value.items()))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
    elif names := getattr(value, "__attrs_attrs__", None):
        yield from _texts([getattr(value, name.name) for name in names])


def _code_after(before: bytes, key: str) -> str:
    code = b64encode(before + key.encode()).decode().rstrip("=")

    return code[:-1] if (len(before) + len(key)) % 3 else code
