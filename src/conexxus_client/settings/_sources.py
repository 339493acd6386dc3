"""
Where settings come from: an argument goes before the environment, the environment
before the file that `CONEXXUS_CONFIG` names, and the file before the default.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import attrs

from conexxus_client._secrets import FileSecret
from conexxus_client.errors import ConfigurationError

from ._setting import Owner, Setting
from ._setting_table import SETTINGS


CONFIG = "CONEXXUS_CONFIG"
DEFAULT = "default"

# Of the project's own tests, documentation and scripts: they are no settings.
OTHER_VARIABLES = (
    "CONEXXUS_WRITE_DOCS",
    "CONEXXUS_PROOF_SCALE",
    "CONEXXUS_TEST_POSTGRES",
    "CONEXXUS_DEMO_DIR",
)
# The host's own begin with CONEXXUS_X_; Kubernetes and Docker set the others
# where a service or a container is called conexxus.
_FOREIGN = re.compile(
    r"CONEXXUS_X_.*|CONEXXUS(_\w+)?_(SERVICE_(HOST|PORT\w*)|PORT(_\d+_(TCP|UDP)\w*)?)"
)

# By variable, those of secrets in files among them.
_KEYS = {
    **{it.key: it.variable for it in SETTINGS},
    **{f"{it.key}_file": f"{it.variable}_FILE" for it in SETTINGS if it.is_secret},
}
_OPTIONS = {it.variable: it.option for it in SETTINGS}
_KNOWN = {*_KEYS.values(), CONFIG}


class Document(NamedTuple):
    """
    Settings by key, as a settings file has them.

    Attributes:
        name: Of the file, for messages; or of what stands for one.
        values: A value for each key, or a table with more of them.
        lines: On which line of the file each key is, where that is known.
    """

    name: str
    values: Mapping[str, Any]
    lines: Mapping[str, int] = {}

    def origin(self, variable: str) -> str:
        """
        How messages name the value that stands for *variable*.
        """
        key = next(key for key, its_variable in _KEYS.items() if its_variable == variable)
        return self.place(key)

    def place(self, key: str) -> str:
        """
        How messages name *key*.
        """
        line = f", line {self.lines[key]}," if key in self.lines else ""
        return f"{key} in {self.name}{line}"


@attrs.frozen(repr=False)
class Settings(Mapping[str, str]):
    """
    The texts of all settings that are given, by variable, as one environment.

    Attributes:
        texts: By variable; an empty text counts as not set.
        origins: What else than the variable gave a text: an option, or a key of
            the file, as messages name it.
    """

    texts: Mapping[str, str]
    origins: Mapping[str, str]

    @classmethod
    def of(
        cls,
        environ: Mapping[str, str] | None = None,
        given: Mapping[str, str] | None = None,
        framework: Document | None = None,
        location: Document | None = None,
    ) -> "Settings":
        """
        The settings of *environ*, of the file that it names, and of *given*.

        Args:
            environ: Instead of the process's own environment.
            given: Options of a command, by variable.
            framework: What the settings of the host's framework say; the file
                goes before it.
            location: What is said of one of many locations; it goes before the
                environment, which is that of all of them.

        Raises:
            ConfigurationError: A name is unknown, or the file can't be read.
        """
        if isinstance(environ, Settings):
            return environ

        environ, given = os.environ if environ is None else environ, given or {}
        problems = list(_unknown_variables(environ))
        path = given.get(CONFIG) or environ.get(CONFIG, "")
        documents = [
            *([framework] if framework else []),
            *(_read_file(Path(path), problems) if path else []),
        ]
        read = [(it, _texts(it, problems)) for it in documents]
        its_texts = _texts(location, problems) if location else {}

        if problems:
            raise ConfigurationError(problems)

        texts, origins = dict[str, str](), dict[str, str]()
        for document, found in read:
            _lay_over(texts, origins, found, document.origin)
        _lay_over(texts, origins, {n: t for n, t in environ.items() if n in _KNOWN}, None)
        _lay_over(texts, origins, its_texts, location.origin if location else None)
        _lay_over(texts, origins, given, lambda name: _OPTIONS.get(name, "--config"))

        return cls(texts, origins)

    def __getitem__(self, variable: str) -> str:
        return self.texts[variable]

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)

    def origin(self, setting: Setting) -> str:
        """
        Where the value of *setting* comes from.
        """
        for variable in (setting.variable, f"{setting.variable}_FILE"):
            if self.texts.get(variable):
                return self.origins.get(variable, variable)

        return DEFAULT

    def read(
        self,
        owner: Owner,
        problems: list[str],
        readers: Mapping[str, Callable[[str], Any]] | None = None,
    ) -> dict[str, Any]:
        """
        The values of *owner*'s settings, by field; what can't be read is added
        to *problems*.

        Args:
            readers: Instead of those of the table, by field.
        """
        found = dict[str, Any]()

        for setting in SETTINGS:
            if setting.owner == owner:
                reader = (readers or {}).get(setting.field, setting.read)
                try:
                    value = self._value(setting, reader)
                except ValueError as exc:
                    problems.append(str(exc))
                    continue
                if value is not None:
                    found[setting.field] = value

        return found

    def _value(self, setting: Setting, reader: Callable[[str], Any]) -> Any:
        name = setting.variable
        text = self.texts.get(name, "")
        path = self.texts.get(f"{name}_FILE", "") if setting.is_secret else ""

        if text and path:
            msg = f"{name} and {name}_FILE are both set: keep one"
            raise ValueError(msg)
        if not text and not path and setting.is_required:
            msg = f"{name} is not configured"
            raise ValueError(msg)

        try:
            return (
                (FileSecret(Path(path), reader) if path else reader(text)) if text or path else None
            )
        except ValueError as exc:
            msg = f"{name}_FILE {exc}" if path else f"{name} {exc}"
            raise ValueError(msg) from exc

    def named(self, problems: Iterable[str]) -> ConfigurationError:
        """
        An error in which each setting has the name under which it was given.
        """
        return ConfigurationError(
            [re.sub(r"\b(CONEXXUS_\w+|LOCATION_ID)\b", self._name, text) for text in problems]
        )

    def _name(self, found: re.Match[str]) -> str:
        return self.origins.get(found.group(), found.group())


def _lay_over(
    texts: dict[str, str],
    origins: dict[str, str],
    given: Mapping[str, str],
    origin: Callable[[str], str] | None,
) -> None:
    """
    Put what is *given* before what is there.  A secret and its file are one setting.
    """
    for variable in (name for name, text in given.items() if text):
        other = f"{variable}_FILE" if f"{variable}_FILE" in _KNOWN else variable[:-5]
        if other not in given and other in _KNOWN:
            texts.pop(other, None)
            origins.pop(other, None)
        texts[variable] = given[variable]
        origins.pop(variable, None)
        if origin is not None:
            origins[variable] = origin(variable)


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(environ):
        is_ours = name.startswith("CONEXXUS_") and name not in (*_KNOWN, *OTHER_VARIABLES)
        if is_ours and environ[name] and not _FOREIGN.fullmatch(name):
            yield f"{name} is no setting{_nearest(name, _KNOWN)}"


def _nearest(name: str, known: Iterable[str]) -> str:
    # What all begin with makes none of them nearer.
    without = {it.removeprefix("CONEXXUS_"): it for it in sorted(known)}
    near = get_close_matches(name.removeprefix("CONEXXUS_"), without, 1, 0.5)

    return f": did you mean {without[near[0]]}?" if near else ": `conexxus config show` names all"


def _read_file(path: Path, problems: list[str]) -> list[Document]:
    """
    The settings in a TOML file; none if it can't be read.
    """
    # Most commands read no file.
    import tomllib

    try:
        return [Document(str(path), tomllib.loads(path.read_text("utf-8-sig"), parse_float=str))]
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        problems.append(f"{CONFIG} {path} can't be read: {reason}")
        return []


def _texts(document: Document, problems: list[str]) -> dict[str, str]:
    """
    The texts of the settings in *document*, by variable.
    """
    texts = dict[str, str]()

    for key, value in flat(document.values):
        if key not in _KEYS:
            problems.append(f"{document.place(key)} is no setting{_nearest(key, _KEYS)}")
        elif (text := _text(value)) is None:
            problems.append(f"{document.place(key)} must be a text, a number, true or false")
        else:
            texts[_KEYS[key]] = text

    return texts


def flat(document: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """
    The keys of a settings file, with those of its tables: `guards.gone`.
    """
    for name, value in document.items():
        key = f"{before}{name}"
        if isinstance(value, dict) and key not in _KEYS:
            yield from flat(value, f"{key}.")
        else:
            yield key, value


def _text(value: Any) -> str | None:
    """
    What a variable says for *value* of a file; None if none does.
    """
    if value is None:
        return ""  # a framework's settings have it where a variable is not set
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, dict):
        return urlencode(value)
    if isinstance(value, list):
        return ",".join(str(one) for one in value)
    if hasattr(value, "hour"):
        return f"{value:%H:%M}" if not hasattr(value, "year") else None

    return str(value)
