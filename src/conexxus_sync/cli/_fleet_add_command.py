"""
`conexxus fleet add`.
"""

import json
import re
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from conexxus_client import ConfigurationError
from conexxus_sync.fleet import read_fleet_file

from ._console import write_json, write_lines
from ._exit_codes import ExitCode
from ._fleet_commands import FILE
from ._session import Session


NEW = """\
# The stores of a fleet; `conexxus fleet run` serves all of them.
[defaults]
"""


def fleet_add(
    name: str,
    *,
    file: str = FILE,
    url: str | None = None,
    key_env: str | None = None,
    key_file: str | None = None,
    group: str | None = None,
    session: Session,
) -> ExitCode:
    """
    Add a store to the file of a fleet, if its settings are right.

    What is not given is that of `[defaults]`. The key is named, by a variable or
    a file, and never given itself. Nothing is written if the location is there
    already or something is wrong; comments and order of the file stay as they are.

    ```
    conexxus fleet add 0042 --key-env KEY_0042
    conexxus fleet add 0043 --url https://north.example --key-file /run/secrets/0043
    conexxus fleet add 0044 --key-env KEY_0044 --timezone America/Chicago --group canary
    ```

    Args:
        name: The location of the new store.
        file: The fleet, in TOML; it is created if it is not there.
        url: Base URL of its back office.
        key_env: The variable that holds its API key.
        key_file: The file that holds it.
        group: Stores that are handled together, like canary.
    """
    path = Path(file)
    # TOML's basic strings are those of JSON, but for DEL.
    values = {
        "location": name,
        "api.url": url,
        "api.key_env": key_env,
        "api.key_file": key_file,
        "timezone": session.given.get("CONEXXUS_TIMEZONE"),
        "group": group,
    }
    lines = [f"{key} = {_quoted(it)}" for key, it in values.items() if it is not None]
    before = path.read_text("utf-8") if path.exists() else NEW
    text = f"{before.rstrip(chr(10))}\n\n[[store]]\n" + "\n".join(lines) + "\n"
    _write_if_right(path, text, name, session)

    if session.json:
        write_json({"location": name, "file": str(path)})
    else:
        write_lines([f"Store {name} is in {path}. To try its key: conexxus fleet doctor {path}"])

    return ExitCode.SUCCESS


def _quoted(text: str) -> str:
    return re.sub("\x7f", "\\\\u007F", json.dumps(text, ensure_ascii=False))


def _write_if_right(path: Path, text: str, location: str, session: Session) -> None:
    """
    Put *text* in the place of the file at *path*, all of it or nothing.

    Raises:
        ConfigurationError: The new store is wrong, or the file can't be written.
    """
    try:
        with NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.absolute().parent, suffix=".toml", delete=False
        ) as new:
            new.write(text)
    except OSError as exc:
        raise ConfigurationError([f"{path} can't be written: {exc.strerror}"]) from exc

    try:
        found = read_fleet_file(new.name, session.environ)
        problems = [
            problem.replace(Path(new.name).name, path.name)
            for it in found.wrong
            if it.name == location
            for problem in it.problems
        ]
        if problems:
            raise ConfigurationError(problems)
        with suppress(FileNotFoundError):
            Path(new.name).chmod(path.stat().st_mode & 0o777)
        Path(new.name).replace(path)
    finally:
        Path(new.name).unlink(missing_ok=True)
