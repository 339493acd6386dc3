"""
Writes results to stdout, errors and progress to stderr; the only module that imports rich.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from operator import methodcaller
from shutil import get_terminal_size
from typing import Any, Literal, Protocol

from conexxus_client import ConfigurationError
from conexxus_sync.model.text_folding import folded

from ._printable import printable, printable_json, redacted
from ._printed_commands import completed


Tone = Literal["", "strong", "soft", "good", "look", "bad"]

# Parts of one line, each with its tone.
Line = Sequence[tuple[str, Tone]]

_STYLES: dict[Tone, str] = {
    "": "",
    "strong": "bold",
    "soft": "dim",
    "good": "green",
    "look": "yellow",
    "bad": "bold red",
}


class Progress(Protocol):
    """
    Something that shows how far we are.
    """

    def __call__(self, text: str) -> None: ...


def screen_width() -> int | None:
    """
    The columns of the terminal on stdout; None where that is none.
    """
    return get_terminal_size().columns if sys.stdout.isatty() else None


def write_lines(lines: Iterable[str], *, fold: bool = True) -> None:
    """
    Write a result for people.

    Args:
        fold: Whether a line that is longer than the terminal is wide goes on
            in the next; not data that is copied as it stands.
    """
    width = screen_width() if fold else None

    for line in lines:
        for part in folded(redacted(printable(completed(line))), width):
            sys.stdout.write(f"{part}\n")

    # Somebody may be waiting at the other end of a pipe.
    sys.stdout.flush()


def write_in_colour(lines: Iterable[Line]) -> None:
    """
    Write a result for people, in colour where that is a terminal.

    `NO_COLOR` and `TERM=dumb` are respected, as rich respects them.
    """
    if not sys.stdout.isatty():
        write_lines("".join(text for text, _ in line).rstrip() for line in lines)
        return

    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)

    for line in lines:
        parts = [(redacted(printable(completed(text))), tone) for text, tone in line]
        console.print(Text.assemble(*((text, _STYLES[tone]) for text, tone in _folded(parts))))


def _folded(line: list[tuple[str, Tone]]) -> Iterator[tuple[str, Tone]]:
    """
    A line whose last part is folded, below its beginning.
    """
    if not line:
        return

    *begun, (last, tone) = line
    before = sum(len(text) for text, _ in begun)
    yield from begun
    yield "\n".join(folded(last, screen_width(), before=before, indent=before or None)), tone


def use_utf8() -> None:
    """
    JSON for other programs is in UTF-8 (RFC 8259), whatever the locale.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


def write_json(document: Any) -> None:
    """
    Write a result for programs, as the one document of this command.

    Args:
        document: A `Document`, or what JSON has, with documents in it.
    """
    plain = methodcaller("as_json")
    text = json.dumps(document, ensure_ascii=False, indent=2, default=plain)
    sys.stdout.write(printable_json(redacted(text)) + "\n")


def write_json_line(document: Any) -> None:
    """
    Write one line for programs that read while we go on.
    """
    sys.stdout.write(printable_json(json.dumps(document, ensure_ascii=False)) + "\n")
    sys.stdout.flush()


def write_error(*sentences: str) -> None:
    """
    Write what is wrong.
    """
    width = get_terminal_size().columns if sys.stderr.isatty() else None
    start, space = "conexxus: ", " " * len("conexxus: ")

    for sentence in sentences:
        text = redacted(printable(completed(sentence)))
        for line in folded(text, width, before=len(space), indent=len(space)):
            sys.stderr.write(f"{start}{line.removeprefix(space)}\n")
            start = space


def asked(lines: Sequence[str]) -> bool:
    """
    Ask at the terminal, on stderr, what *lines* say; is the answer yes?
    """
    for line in lines:
        sys.stderr.write(f"{redacted(printable(completed(line)))}\n")

    sys.stderr.write("Type yes: ")
    sys.stderr.flush()

    return sys.stdin.readline().strip().lower() in ("y", "yes")


@contextmanager
def progress(text: str) -> Iterator[Progress]:
    """
    A line on stderr that changes in place; nothing where that is no terminal.

    Yields:
        A function that changes its text.
    """
    if not sys.stderr.isatty():
        yield lambda text: None
        return

    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(escape(text)) as status:
        yield lambda text: status.update(escape(text))


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """
    Say in one sentence which extra is missing, if an import fails.
    """
    try:
        yield
    except ModuleNotFoundError as exc:
        raise ConfigurationError(
            [f"{exc.name} is not installed: pip install 'conexxus-sdk[{extra}]'"]
        ) from exc
