"""
`Link` header fields (RFC 8288).
"""

import re
from collections.abc import Iterable, Iterator

from conexxus_client.errors import EnvelopeError


# Single quotes are none of RFC 8288, and yet seen.
_VALUE = r"""(?:"(?:[^"\\]|\\.)*+"|'[^'"]*+'|[^\s;,"]++)"""
_PARAMETER = rf"\s*+;\s*+([^\s=;,\"]++)(?:\s*+=\s*+({_VALUE}))?+"
_LINK = re.compile(rf"\s*+<([^>]*+)>((?:{_PARAMETER})*+)\s*+;?\s*+(?:,|$)")
_EACH_PARAMETER = re.compile(_PARAMETER)
# A list may have empty elements (RFC 9110, section 5.6.1).
_NO_LINK = re.compile(r"[\s,]*+")


def next_link(fields: Iterable[str]) -> str | None:
    """
    Target of the link whose relation is `next`.

    Raises:
        EnvelopeError: A field can't be read: what it hides might be the next
            page, and a catalogue without it would look complete.
    """
    return next((target for field in fields for target in _next_targets(field)), None)


def names_next(fields: Iterable[str]) -> bool:
    """
    May there be a next page?  A field that can't be read may hide one.
    """
    try:
        return next_link(fields) is not None
    except EnvelopeError:
        return True


def _next_targets(field: str) -> Iterator[str]:
    at = _end_of_no_link(field, 0)

    while at < len(field):
        link = _LINK.match(field, at)
        if link is None:
            raise EnvelopeError(f"the answer's Link is not understood: {field[:100]!a}")
        if "next" in _relations(link[2]):
            yield link[1]
        at = _end_of_no_link(field, link.end())


def _end_of_no_link(field: str, at: int) -> int:
    match = _NO_LINK.match(field, at)
    assert match is not None, "it matches nothing, too"
    return match.end()


def _relations(parameters: str) -> list[str]:
    for name, value in _EACH_PARAMETER.findall(parameters):
        if name.lower() == "rel":
            return str(value).strip("\"'").lower().split()

    return []
