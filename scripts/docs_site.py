"""
Examines a built site: links and anchors, other hosts, and what the search finds.

    python scripts/docs_site.py site

What is wrong is printed, a line each, and the exit code is 1.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit


if TYPE_CHECKING:
    from collections.abc import Iterator


ROOT = Path(__file__).resolve().parent.parent

# Attributes of what a browser loads without being asked.
LOADED = {"src", "srcset", "poster", "data"}
LOADED_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect"}
ELSEWHERE = re.compile(r"^(https?:)?//")

# Its links are those of the folder from which it is served, whichever that is.
NOT_FOUND_PAGE = "404.html"


class Parts(HTMLParser):
    """
    What a page links to, what it loads, and its anchors.
    """

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}

        self.anchors |= {values[it] for it in ("id", "name") if it in values}
        self.loaded += [values[it] for it in LOADED if it in values]
        if tag == "link" and LOADED_LINKS & set(values.get("rel", "").split()):
            self.loaded.append(values.get("href", ""))
        elif tag == "a" and "href" in values:
            self.links.append(values["href"])


@cache
def parts(page: Path) -> Parts:
    """
    Read a page, once.
    """
    found = Parts()
    found.feed(page.read_text("utf-8"))

    return found


def broken_links(site: Path) -> Iterator[str]:
    """
    Links, and what is loaded, that lead to no file or to no anchor of it.
    """
    for page in sorted(site.rglob("*.html")):
        if page.name == NOT_FOUND_PAGE:
            continue
        for link in [*parts(page).links, *parts(page).loaded]:
            target = urlsplit(link)
            if target.scheme or target.netloc:
                continue
            path = page if not target.path else page.parent / unquote(target.path)
            if path.is_dir():
                path /= "index.html"
            anchor = unquote(target.fragment) if path.suffix == ".html" else ""
            if not path.is_file():
                yield f"{page.relative_to(site)}: {link} leads to no file"
            elif anchor and anchor not in {*parts(path).anchors, "__top"}:
                yield f"{page.relative_to(site)}: {link} leads to no anchor"


def other_hosts(site: Path) -> Iterator[str]:
    """
    What a browser would load from elsewhere.
    """
    for page in sorted(site.rglob("*.html")):
        for address in parts(page).loaded:
            if ELSEWHERE.match(address):
                yield f"{page.relative_to(site)}: loads {address}"

    for sheet in sorted(site.rglob("*.css")):
        for address in re.findall(r"url\(\s*[\"']?([^\"')]+)", sheet.read_text("utf-8")):
            if ELSEWHERE.match(address):
                yield f"{sheet.relative_to(site)}: loads {address}"


def unlisted_messages(site: Path, messages: list[str]) -> Iterator[str]:
    """
    Messages that the index of the search does not have.
    """
    (index,) = [*site.glob("search/search_index.json"), *site.glob("search.json")]
    text = " ".join(_texts(json.loads(index.read_text("utf-8"))))

    for message in messages:
        if message not in text:
            yield f"{index.relative_to(site)}: the search does not find {message!r}"


def error_messages(page: str) -> list[str]:
    """
    The text of each error in the table of the page about errors, but for what is filled in.
    """
    cells = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    texts = [row[2].strip("`") for row in cells if len(row) > 3 and row[2].startswith("`")]

    return [re.split(r" ?…|<", text)[0].rstrip() for text in texts]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", value))


def main(site: Path) -> int:
    """
    Print what is wrong.
    """
    messages = error_messages((ROOT / "docs/reference/errors.md").read_text("utf-8"))
    found = [*broken_links(site), *other_hosts(site), *unlisted_messages(site, messages)]

    for line in found:
        print(line)
    print(
        f"{len([*site.rglob('*.html')])} pages and {len(messages)} messages examined, "
        f"{len(found)} faults found."
    )

    return bool(found)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
