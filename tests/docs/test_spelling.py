"""
The words of the prose are English, or in the list of the project's own.
"""

import re
from functools import cache
from pathlib import Path

import pytest
from spellchecker import SpellChecker


ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("src/**/runbooks/*.md")),
]
OWN = Path(__file__).with_name("words.txt")
NO_PROSE = re.compile(
    r"""
    ^[ ]*(?P<fence>`{3,}).*?^[ ]*(?P=fence)[ ]*$    # blocks
    | `[^`\n]*` | <!--.*?--> | <[^>\n]+> | ^:::.*$  # code, comments, tags, directives
    | (?<=\])\([^)\s]*\) | https?://\S+ | &\w+;     # addresses
    """,
    re.M | re.S | re.X,
)
# Both are English; this is the one that is used.
BRITISH = {
    "analyze": "analyse",
    "authorise": "authorize",
    "authorised": "authorized",
    "behavior": "behaviour",
    "catalogs": "catalogues",
    "center": "centre",
    "color": "colour",
    "colors": "colours",
    "favor": "favour",
    "honor": "honour",
    "neighboring": "neighbouring",
    "recognize": "recognise",
    "recognized": "recognised",
    "recognizes": "recognises",
}


@cache
def english():
    return SpellChecker()


def words(text):
    """
    The words of the prose; what has a capital or a digit within it is a name.
    """
    for word in re.findall(r"(?<!\w)[A-Za-z][A-Za-z']*(?!\w)", NO_PROSE.sub(" ", text)):
        plain = word.removesuffix("'s").strip("'")
        if plain.isupper() or plain[1:].islower():
            yield plain.lower()


def misspelled(text, own):
    found = {word for word in words(text) if len(word) > 2} - own

    return sorted(found - english().known(found))


@pytest.fixture(scope="module")
def prose():
    """
    The text of each page.
    """
    return {str(page.relative_to(ROOT)): page.read_text() for page in PAGES}


def test_words(prose):
    """
    A word that is neither is a slip, or belongs into `words.txt`, which is
    sorted, and has no word that no page uses.
    """
    own = OWN.read_text().split()

    found = {page: wrong for page, text in prose.items() if (wrong := misspelled(text, {*own}))}

    assert found == {}
    assert own == sorted(set(own))
    assert set(own) - {word for text in prose.values() for word in words(text)} == set()


def test_one_spelling(prose):
    """
    Of two spellings, one is used.
    """
    found = {
        page: used for page, text in prose.items() if (used := BRITISH.keys() & set(words(text)))
    }

    assert found == {}, BRITISH


def test_slips_are_found():
    assert misspelled("The catalouge of `teh` till [is](teh.md) recieved.", set()) == [
        "catalouge",
        "recieved",
    ]
