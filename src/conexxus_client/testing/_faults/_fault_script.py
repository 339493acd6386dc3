"""
The fault language: what goes wrong, in which call.

A script is read call by call; when it has ended, all is well.

    503*2, reset, 429(retry_after=3), slow(2s)      in the next five calls
    sales: ok*3, after_commit(reset); catalog: truncate
    reset@0.05                                      one call in twenty, for ever

    script   = section *( ";" section )
    section  = [ endpoint ":" ] step *( "," step )
    endpoint = "health" | "catalog" | "sales" | "summary"
    step     = fault [ "@" chance ] [ "*" ( count | "forever" ) ]
    fault    = status-code [ arguments ] | name [ arguments ]
    arguments = "(" [ option "=" ] value *( "," option "=" value ) ")"

A call takes the next step of the first section that is about it and still
has one.  A step with a chance goes on for ever unless it has a count; where
the dice spare a call, the next section is asked.

| Fault | What the caller meets | Did the office act? |
|---|---|---|
| `ok` | an ordinary answer | yes |
| `503`, `status(418)`; `retry_after=`, `body=`, `type=` | that answer | no |
| `redirect(https://…)`; `code=` | 302 to there | no |
| `refuse` | connection refused in process, else as `reset` | no |
| `reset` | the connection is reset | no |
| `reset_upload(64KiB)` | reset after that much of the body was read | no |
| `close` | the connection is closed without an answer | no |
| `hang` | silence | no |
| `garbage` | bytes that are not HTTP | no |
| `slow(2s)` | the answer is late; in process, late is at once | yes, afterwards |
| `truncate`, `truncate(100)` | the body breaks off in the middle | yes |
| `stall`, `stall(100)` | the body stops in the middle, for ever | yes |
| `drip(10ms)`; `bytes=` | the body trickles | yes |
| `drip_head(10ms)`; `bytes=` | status and header fields trickle | yes |
| `interim`, `interim(5)` | 102 answers, endless or so many | yes |
| `goodbye` | an answer, then the kept-alive connection is closed | yes |
| `forget(t1)` | success, but the sale with this id is not booked | but for that sale |
| `double(t1)` | success, but this sale is booked twice | yes |
| `misdate(t1, date=2026-01-03)` | success, but this sale is booked on that date | yes |
| `after_commit(fault)` | that fault | yes, before it |

A fault of the books waits for a push, whatever is called before.
Durations are `10ms`, `2s`, `1min`; sizes are `100`, `64KiB`, `1MiB`.  A text
with a space, a comma, an equals sign, a quote or a parenthesis in it is
written as a JSON string.
"""

import json
import re
from datetime import date as Date  # noqa: N812  # a field is called `date`
from enum import StrEnum

import attrs


class Kind(StrEnum):
    """
    The names of the faults.
    """

    OK = "ok"
    STATUS = "status"
    REDIRECT = "redirect"
    REFUSE = "refuse"
    RESET = "reset"
    RESET_UPLOAD = "reset_upload"
    CLOSE = "close"
    HANG = "hang"
    GARBAGE = "garbage"
    SLOW = "slow"
    TRUNCATE = "truncate"
    STALL = "stall"
    DRIP = "drip"
    DRIP_HEAD = "drip_head"
    INTERIM = "interim"
    GOODBYE = "goodbye"
    FORGET = "forget"
    DOUBLE = "double"
    MISDATE = "misdate"


OF_BOOKS = frozenset({Kind.FORGET, Kind.DOUBLE, Kind.MISDATE})
"""The faults of a back office that books something else than it says."""

ACTING_KINDS = frozenset(
    {
        Kind.OK,
        Kind.SLOW,
        Kind.TRUNCATE,
        Kind.STALL,
        Kind.DRIP,
        Kind.DRIP_HEAD,
        Kind.INTERIM,
        Kind.GOODBYE,
        *OF_BOOKS,
    }
)
"""The faults that come only after the office has acted, or beside it."""

NOT_AFTER_COMMIT = frozenset({Kind.OK, Kind.REFUSE, Kind.RESET_UPLOAD, *OF_BOOKS})
"""What makes no sense after a commit."""

# Option → field of Fault; the first may be given without its name.
OPTIONS: dict[Kind, dict[str, str]] = {
    Kind.STATUS: {
        "code": "code",
        "retry_after": "retry_after",
        "body": "body",
        "type": "content_type",
    },
    Kind.REDIRECT: {"url": "url", "code": "code"},
    Kind.RESET_UPLOAD: {"bytes": "size"},
    Kind.SLOW: {"wait": "wait_ms"},
    Kind.TRUNCATE: {"bytes": "size"},
    Kind.STALL: {"bytes": "size"},
    Kind.DRIP: {"every": "wait_ms", "bytes": "size"},
    Kind.DRIP_HEAD: {"every": "wait_ms", "bytes": "size"},
    Kind.INTERIM: {"times": "times"},
    Kind.FORGET: {"id": "sale"},
    Kind.DOUBLE: {"id": "sale"},
    Kind.MISDATE: {"id": "sale", "date": "date"},
}

REQUIRED: dict[Kind, tuple[str, ...]] = {
    Kind.STATUS: ("code",),
    Kind.REDIRECT: ("url",),
    Kind.SLOW: ("wait",),
    Kind.FORGET: ("id",),
    Kind.DOUBLE: ("id",),
    Kind.MISDATE: ("id", "date"),
}


@attrs.frozen(kw_only=True)
class Fault:
    """
    One thing that goes wrong in one call.

    Attributes:
        code: HTTP status.
        size: Bytes that pass before it strikes, or in each drop of a drip.
        times: How often, for `interim`; None is endless.
        committed: Whether it strikes after the office has acted.
        sale: The id of the sale that is booked wrong.
        date: The date on which it is booked.
    """

    kind: Kind
    code: int | None = None
    retry_after: str | None = None
    body: str | None = None
    content_type: str | None = None
    url: str | None = None
    wait_ms: int | None = None
    size: int | None = None
    times: int | None = None
    committed: bool = False
    sale: str | None = None
    date: Date | None = None

    @property
    def acts(self) -> bool:
        """
        Does the office act on the request?
        """
        return self.committed or self.kind in ACTING_KINDS

    def __str__(self) -> str:
        text = self._name() + self._arguments()

        return f"after_commit({text})" if self.committed else text

    def _name(self) -> str:
        return str(self.code) if self.kind is Kind.STATUS else self.kind.value

    def _arguments(self) -> str:
        arguments = []

        for option, field in OPTIONS.get(self.kind, {}).items():
            value = getattr(self, field)

            if value is None or (self.kind is Kind.STATUS and option == "code"):
                continue
            arguments.append(f"{option}={_argument_text(field, value)}")

        return f"({', '.join(arguments)})" if arguments else ""


OK = Fault(kind=Kind.OK)

_BARE_TEXT = re.compile(r"[A-Za-z0-9:/._~%+?&#-]+\Z")


def _argument_text(field: str, value: int | str | Date) -> str:
    """
    *value* in the notation of its field.
    """
    if field == "wait_ms":
        return f"{value}ms"
    if isinstance(value, str):
        return value if _BARE_TEXT.match(value) else json.dumps(value)

    return str(value)


@attrs.frozen(kw_only=True)
class Step:
    """
    A fault, and how many calls it is about.

    Attributes:
        times: None is for ever.
        chance: Of hitting each of these calls; None is certainty.
    """

    fault: Fault
    times: int | None = 1
    chance: float | None = None

    def __str__(self) -> str:
        chance = "" if self.chance is None else f"@{self.chance!r}"

        if self.times is None:
            return f"{self.fault}{chance or '*forever'}"

        return f"{self.fault}{chance}" + (f"*{self.times}" if chance or self.times != 1 else "")


@attrs.frozen(kw_only=True)
class Section:
    """
    Steps in their order, about one endpoint or about all.
    """

    endpoint: str | None = None
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return (f"{self.endpoint}: " if self.endpoint else "") + ", ".join(map(str, self.steps))


@attrs.frozen
class Script:
    """
    A whole script.  Its text reads back as an equal one.
    """

    sections: tuple[Section, ...] = ()

    def __str__(self) -> str:
        return "; ".join(map(str, self.sections))
