"""
Parses the fault language; its grammar is in `_fault_script`.
"""

import json
import re
from datetime import date
from decimal import Decimal
from typing import Any, NoReturn

import attrs

from ._fault_script import NOT_AFTER_COMMIT, OPTIONS, REQUIRED, Fault, Kind, Script, Section, Step


ENDPOINTS = ("health", "catalog", "sales", "summary")

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[a-z][a-z_]*")
_CODE = re.compile(r"[2-9][0-9]{2}(?![0-9A-Za-z_])")
_COUNT = re.compile(r"[1-9][0-9]{0,8}(?![0-9A-Za-z_.])")
_CHANCE = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:e-[0-9]+)?(?![0-9A-Za-z_.])")
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|min)?(?![0-9A-Za-z_.])")
_SIZE = re.compile(r"([0-9]{1,12})(KiB|MiB)?(?![0-9A-Za-z_.])")
_TEXT = re.compile(r"[^\s,()\"]+")
_OPTION = re.compile(r"([a-z_]+)\s*=\s*")

_MILLISECONDS = {"ms": 1, "s": 1000, "min": 60_000, None: 1000}
_BYTES = {None: 1, "KiB": 1024, "MiB": 1024 * 1024}

_FAULT_EXPECTED = "a fault like 503, reset or slow(2s)"


class FaultSyntaxError(ValueError):
    """
    A script of faults that can't be read.

    Attributes:
        position: Of the first character that does not fit, from 0.
        expected: What may stand there.
    """

    def __init__(self, text: str, position: int, expected: str) -> None:
        super().__init__(text, position, expected)
        self.text: str = text
        self.position: int = position
        self.expected: str = expected

    def __str__(self) -> str:
        found = repr(self.text[self.position :][:20]) if self.text[self.position :] else "the end"

        return (
            f"faults: at position {self.position} of {self.text[:200]!r}: "
            f"expected {self.expected}, found {found}"
        )


def parse_faults(text: str) -> Script:
    """
    Read *text*; an empty one is a script without faults.

    Raises:
        FaultSyntaxError: Naming the position and what was expected there.
    """
    reader = _ScriptParser(text)

    return Script(reader.sections()) if text.strip() else Script()


class _ScriptParser:
    """
    Recursive descent, one method for each rule of the grammar.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._skip()

    def sections(self) -> tuple[Section, ...]:
        found = [self._section()]

        while self._take(";"):
            found.append(self._section())
        if self._at < len(self._text):
            self._raise_expected("',', ';', '@chance', '*count' or the end")

        return tuple(found)

    def _section(self) -> Section:
        endpoint = self._endpoint()
        steps = [self._step()]

        while self._text.startswith(",", self._at):
            if steps[-1].times is None:
                self._raise_expected("';' or the end, because the step before goes on for ever")
            self._take(",")
            steps.append(self._step())

        return Section(endpoint=endpoint, steps=tuple(steps))

    def _endpoint(self) -> str | None:
        start, word = self._at, self._match(_WORD)

        if word and self._text.startswith(":", self._at):
            if word[0] not in ENDPOINTS:
                self._at = start
                self._raise_expected(f"one of {', '.join(ENDPOINTS)} before ':'")
            self._take(":")
            return word[0]
        self._at = start

        return None

    def _step(self) -> Step:
        fault = self._fault()
        chance = self._chance() if self._take("@") else None

        if not self._take("*"):
            return Step(fault=fault, chance=chance, times=1 if chance is None else None)
        if self._text.startswith("forever", self._at):
            self._match(_WORD)
            return Step(fault=fault, chance=chance, times=None)

        count = self._require(_COUNT, "a count or 'forever'")

        return Step(fault=fault, chance=chance, times=int(count[0]))

    def _chance(self) -> float:
        start = self._at
        chance = float(self._require(_CHANCE, "a chance like 0.05")[0])

        if not 0 < chance <= 1:
            self._at = start
            self._raise_expected("a chance above 0 and of at most 1")

        return chance

    def _fault(self) -> Fault:
        start = self._at

        if code := self._match(_CODE):
            return self._with_arguments(Kind.STATUS, start, code=int(code[0]))
        name = self._require(_WORD, _FAULT_EXPECTED)[0]
        if name == "after_commit":
            return self._after_commit()
        if name not in set(Kind):
            self._at = start
            self._raise_expected(f"{_FAULT_EXPECTED} (one of: {', '.join(Kind)}, after_commit)")

        return self._with_arguments(Kind(name), start)

    def _after_commit(self) -> Fault:
        self._expect("(")
        start = self._at
        fault = self._fault()

        if fault.committed or fault.kind in NOT_AFTER_COMMIT:
            self._at = start
            self._raise_expected("a fault that can strike after the office has acted")
        self._expect(")")

        return attrs.evolve(fault, committed=True)

    def _with_arguments(self, kind: Kind, start: int, **fields: Any) -> Fault:
        options = OPTIONS.get(kind, {})

        if options and self._take("("):
            self._arguments(kind, fields, positional=not fields)
        for required in REQUIRED.get(kind, ()):
            if options[required] not in fields:
                self._at = start
                self._raise_expected(f"{kind.value}({required}=…)")

        return Fault(kind=kind, **fields)

    def _arguments(self, kind: Kind, fields: dict[str, Any], *, positional: bool) -> None:
        options = OPTIONS[kind]

        while True:
            start, named = self._at, self._match(_OPTION)
            option = named[1] if named else next(iter(options)) if positional else ""
            field = options.get(option)

            if field is None or field in fields:
                self._at = start
                left = [f"{name}=" for name, field in options.items() if field not in fields]
                self._raise_expected(" or ".join(left) or "')'")
            fields[field] = self._value(field)
            positional = False
            if self._take(")"):
                return
            self._expect(",", "',' or ')'")

    def _value(self, field: str) -> int | str | date:
        if field == "code":
            return int(self._require(_CODE, "a status from 200 to 999")[0])
        if field == "wait_ms":
            return self._duration()
        if field == "size":
            size = self._require(_SIZE, "a size like 100 or 64KiB")
            return int(size[1]) * _BYTES[size[2]]
        if field == "times":
            return int(self._require(_COUNT, "a count from 1")[0])
        if field == "date":
            return self._date()

        start = self._at
        text = self._quoted_text() if self._text.startswith('"', start) else self._bare_text()
        if field not in ("body", "sale") and not (text.isascii() and text.isprintable()):
            self._at = start
            self._raise_expected("a text of visible ASCII and spaces, as a header field needs it")

        return text

    def _duration(self) -> int:
        start = self._at
        found = self._require(_DURATION, "a duration like 10ms, 2s or 1min")
        ms = Decimal(found[1]) * _MILLISECONDS[found[2]]

        if ms != int(ms):
            self._at = start
            self._raise_expected("a duration of whole milliseconds")

        return int(ms)

    def _date(self) -> date:
        start = self._at

        try:
            return date.fromisoformat(self._bare_text())
        except ValueError:
            self._at = start
            self._raise_expected("a date like 2026-01-02")

    def _bare_text(self) -> str:
        return self._require(_TEXT, "a text, or a JSON string")[0]

    def _quoted_text(self) -> str:
        try:
            value, end = json.JSONDecoder().raw_decode(self._text, self._at)
        except ValueError:
            self._raise_expected("a JSON string that ends")
        self._at = end
        self._skip()

        return str(value)

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)

        if found:
            self._at = found.end()
            self._skip()

        return found

    def _require(self, pattern: re.Pattern[str], expected: str) -> re.Match[str]:
        found = self._match(pattern)

        return found or self._raise_expected(expected)

    def _take(self, sign: str) -> bool:
        if not self._text.startswith(sign, self._at):
            return False
        self._at += len(sign)
        self._skip()

        return True

    def _expect(self, sign: str, expected: str = "") -> None:
        if not self._take(sign):
            self._raise_expected(expected or repr(sign))

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at

    def _raise_expected(self, expected: str) -> NoReturn:
        raise FaultSyntaxError(self._text, self._at, expected)
