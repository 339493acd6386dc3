"""
The documentation's table of errors is the code's.
"""

import inspect
import os
from pathlib import Path

from conexxus_client import (
    AnswerError,
    ConexxusError,
    ConfigurationError,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
    StatusError,
    TransportError,
    errors,
)
from conexxus_client._calls._error_body import error_for


PAGE = Path(__file__).parents[2] / "docs/reference/errors.md"


def test_error_table():
    """
    The table of errors is written from the classes; with
    CONEXXUS_WRITE_DOCS=1 it is written anew.
    """
    before, _, rest = PAGE.read_text().partition("| Class |")
    _, _, after = rest.partition("\n\n")

    if os.environ.get("CONEXXUS_WRITE_DOCS"):
        PAGE.write_text(f"{before}{error_table()}\n{after}")

    assert PAGE.read_text() == f"{before}{error_table()}\n{after}"


def error_table() -> str:
    """
    Every error that the client raises, in Markdown.
    """
    classes = [
        cls
        for cls in vars(errors).values()
        if inspect.isclass(cls)
        and issubclass(cls, ConexxusError)
        and cls.__module__ == errors.__name__
    ]
    leaves = [cls for cls in classes if cls not in (ConexxusError, TransportError, AnswerError)]
    rows = ["| Class | When | Text | Retried |", "|---|---|---|---|"]

    for cls in leaves:
        error = example(cls)
        when = " ".join(inspect.getdoc(cls).split("\n\n")[0].split())
        text = f"`{error}`" if str(error) != "…" else "one sentence: what, where, what to do"
        retried = "yes" if RetryPolicy().retries_after(error) else "no"
        if isinstance(error, RateLimitError):
            retried = "only with `RetryPolicy(retry_rate_limited=True)`"
        rows.append(f"| `{cls.__name__}` | {when} | {text} | {retried} |")

    return "\n".join(rows) + "\n"


def example(cls: type[ConexxusError]) -> ConexxusError:
    """
    An error as a user meets it.
    """
    statuses = {"AuthenticationError": 401, "PermissionDeniedError": 403, "NotFoundError": 404}
    statuses |= {"RateLimitError": 429, "ServerError": 503, "RedirectError": 302}

    if issubclass(cls, StatusError):
        return error_for(
            statuses.get(cls.__name__, 422),
            path="/api/v1/inventory/items",
            detail="<error, message or detail of the body>",
            target="https://other.example",
        )
    if issubclass(cls, ConfigurationError):
        return cls(["CONEXXUS_API_URL is not configured", "…"])
    if issubclass(cls, RequestTimeoutError):
        return cls(30_000)

    return cls() if cls.message != ConexxusError.message else cls("…")
