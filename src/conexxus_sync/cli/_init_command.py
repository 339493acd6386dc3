"""
`conexxus init` and `conexxus completion`: what is set up once.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from shlex import quote
from textwrap import wrap
from typing import Literal

from conexxus_client import ConfigurationError
from conexxus_client.settings import SETTINGS, Setting

from ._console import write_json, write_lines
from ._exit_codes import ExitCode
from ._session import Session
from ._setting_options import meaning_of


SETTINGS_FILE, SERVICE_FILE = "conexxus.toml", "conexxus_shop.py"
SHELLS: tuple[Literal["bash", "zsh", "fish"], ...] = ("bash", "zsh", "fish")
_WIDTH = 80

_HEAD = """\
# Settings of the SDK, for the service in conexxus_shop.py and for the commands.
#
# A line without # in front counts; an empty text is not set.  The environment
# variable in brackets goes before the line, and an option of a command before
# both.  Where a path is relative, it begins at the current folder.
# `conexxus config show` prints each value and where it comes from.
"""
_ASKED = "What each shop has to say."
_GIVEN = "What `conexxus init` has filled in."
_OTHERS = "What has a default."

# Without them, `doctor` warns or sales can't be pushed.
_RECOMMENDED = ("timezone", "location")


def init(folder: str = ".", *, session: Session) -> ExitCode:
    """
    Write a settings file and a service class, to begin with.

    Each setting is in the file, with what it means and its default. The
    service keeps products and sales in a database of its own, until you put
    the shop's in its place. No file is overwritten.

    ```
    conexxus init my-shop
    ```

    Args:
        folder: Where the two files go; it is created if need be.
    """
    target = Path(folder).absolute()
    made = {
        target / SETTINGS_FILE: "\n".join(settings_file(target)),
        target / SERVICE_FILE: files(__package__).joinpath("starter", SERVICE_FILE).read_text(),
    }

    if there := [path for path in made if path.exists()]:
        raise ConfigurationError(
            [f"{path} exists, and is not overwritten: name another folder" for path in there]
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
        for path, text in made.items():
            _write(path, text)
    except OSError as exc:
        msg = f"{exc.filename or target} can't be written: {exc.strerror}"
        raise ConfigurationError([msg]) from exc

    if session.json:
        write_json({"settings": str(target / SETTINGS_FILE), "service": str(target / SERVICE_FILE)})
    else:
        write_lines(_next_steps(target))

    return ExitCode.SUCCESS


def completion(shell: str) -> ExitCode:
    """
    Write a script that lets a shell complete commands and options.

    Write it anew after an upgrade. Where it goes:

    ```
    conexxus completion bash > ~/.local/share/bash-completion/completions/conexxus
    conexxus completion zsh > /usr/local/share/zsh/site-functions/_conexxus
    conexxus completion fish > ~/.config/fish/completions/conexxus.fish
    ```

    Args:
        shell: The shell that reads it: bash, zsh or fish.
    """
    known = next((it for it in SHELLS if it == shell), None)

    if known is None:
        msg = f"there is no completion for {shell}, but for {', '.join(SHELLS)}"
        raise ConfigurationError([msg])

    # It imports every command, which takes a while: a shell runs the script, not this.
    from ._cyclopts_parser import app

    sys.stdout.write(app.generate_completion(shell=known))

    return ExitCode.SUCCESS


def settings_file(folder: Path) -> Iterator[str]:
    """
    The lines of a settings file for a service in *folder*.
    """
    by_key = {it.key: it for it in SETTINGS}
    asked = [key for key, it in by_key.items() if it.is_required] + [*_RECOMMENDED]
    given = {
        "store": f"sqlite:///{folder / 'conexxus.db'}",
        "catalog": f"{Path(SERVICE_FILE).stem}:Shop",
        "orders": f"{Path(SERVICE_FILE).stem}:Shop",
    }

    yield _HEAD
    yield from _section(_ASKED, (_entry(by_key[key], "") for key in asked))
    yield from _section(_GIVEN, (_entry(by_key[key], text) for key, text in given.items()))
    others = (it for it in SETTINGS if it.key not in (*asked, *given))
    yield from _section(_OTHERS, (_entry(it, it.default or "", off="#") for it in others))


def _section(title: str, entries: Iterable[str]) -> Iterator[str]:
    yield from (f"\n# ---- {title} ----\n", *entries)


def _entry(setting: Setting, text: str, off: str = "") -> str:
    said = f"{meaning_of(setting)} ({setting.variable})."
    shown = (
        text if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) else json.dumps(text, ensure_ascii=False)
    )
    comment = wrap(said, _WIDTH - 2, break_long_words=False, break_on_hyphens=False)

    return "\n".join([*(f"# {line}" for line in comment), f"{off}{setting.key} = {shown}", ""])


def _write(path: Path, text: str) -> None:
    # What came there meanwhile stays.  The settings file is about to hold a key.
    path.touch(0o600 if path.name == SETTINGS_FILE else 0o666, exist_ok=False)
    path.write_text(text, "utf-8")


def _next_steps(folder: Path) -> list[str]:
    asked = ["api.url", "api.key", *_RECOMMENDED]

    return [
        f"Wrote {folder / SETTINGS_FILE} and {folder / SERVICE_FILE}.",
        "",
        f"1. Set {', '.join(asked[:-1])} and {asked[-1]} in {SETTINGS_FILE}.",
        "   `conexxus sandbox` starts a back office to try it on, and prints URL and key.",
        "2. Check the settings, pull the catalogue, and sell a product:",
        "",
        f"cd {quote(str(folder))}",
        f"export CONEXXUS_CONFIG={quote(str(folder / SETTINGS_FILE))}",
        "conexxus doctor",
        "conexxus pull",
        f"python {SERVICE_FILE} --sell",
        "",
        "3. Run the command that this prints, then the service:",
        "",
        f"python {SERVICE_FILE}",
    ]
