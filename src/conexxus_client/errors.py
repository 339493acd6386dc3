"""
Everything that can go wrong, split by who must act.

    ConexxusError
    ├── ConfigurationError           the operator: a setting is missing or wrong
    ├── TransportError               the network
    │   ├── ConnectError             refused
    │   │   └── HostNotFoundError    no such name
    │   ├── TlsError                 no secure connection
    │   ├── RequestTimeoutError      one attempt took too long
    │   ├── DeadlineExceededError    the whole call took too long
    │   ├── CallStoppedError         the program stopped it
    │   └── ConnectionLostError      broke off in the middle
    ├── StatusError                  the back office said no
    │   ├── AuthenticationError      401
    │   ├── PermissionDeniedError    403
    │   ├── NotFoundError            404
    │   ├── RateLimitError           429
    │   ├── ServerError              5xx
    │   └── RedirectError            3xx, never followed
    └── AnswerError                  the back office's answer can't be used
        ├── ProtocolError            not valid HTTP
        ├── DecodeError              not the JSON it should be
        ├── EnvelopeError            JSON, but not a success
        │   └── CatalogChangedError  pages of more than one catalogue
        └── ResponseTooLargeError    more than we are willing to read

Every error pickles and deep-copies, holds no live response, and never
contains the API key.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import attrs

from .models import RejectedTransaction


class Delivery(StrEnum):
    """
    What is known of a request's effect on the back office.

    `UNKNOWN` is the honest answer whenever bytes may have arrived and no
    usable answer came back.
    """

    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    ACCEPTED = "accepted"


@attrs.frozen(kw_only=True)
class AttemptRecord:
    """
    One attempt that failed, as it is remembered by the call's error.

    Attributes:
        cause: Name of the error's class.
        message: Its text.
        status: HTTP status, if one came back.
        wait: Seconds waited afterwards; None after the last.
    """

    number: int
    cause: str
    message: str
    delivery: Delivery
    status: int | None = None
    wait: float | None = None


def _restore(cls: "type[ConexxusError]", state: Mapping[str, Any]) -> "ConexxusError":
    error = cls.__new__(cls)
    error.__dict__.update(state)
    return error


def in_sentences(*texts: str) -> str:
    """
    *texts* that are not empty, one behind the other, each but the last with an
    end that sets it apart.
    """
    *begun, last = [text for text in texts if text] or [""]

    return " ".join([*(text if text[-1] in ".!?…" else f"{text}." for text in begun), last])


class ConexxusError(Exception):
    """
    The root of everything this SDK raises.

    Attributes:
        delivery: What is known of the request's effect, over all attempts.
        retryable: Whether the same call may succeed later without a change.
        attempts: The attempts that failed, oldest first.
        request_id: The back office's `X-Request-Id`, for its support.
        retry_after: Seconds that the back office asked to wait.
        remark: A further sentence for the operator; mostly empty.
    """

    message: str = "Conexxus error"
    retryable: bool = False
    remark: str = ""

    def __init__(
        self,
        message: str | None = None,
        *,
        delivery: Delivery = Delivery.NOT_SENT,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        if message is not None:
            self.message = message
        self.delivery = delivery
        self.request_id = request_id
        self.retry_after = retry_after
        self.attempts: tuple[AttemptRecord, ...] = ()

    def __str__(self) -> str:
        return self.message

    @property
    def explanation(self) -> str:
        """
        The text, and what else is known, like what the back office said.
        """
        return in_sentences(str(self), self.remark)

    @property
    def help(self) -> str:
        """
        The entry of the documentation that says what to do.
        """
        ours = (cls for cls in type(self).__mro__ if cls.__module__.startswith("conexxus_"))

        return f"how-to/troubleshoot.md#{next(ours).__name__.lower()}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r} delivery={self.delivery}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), dict(self.__dict__))


class ConfigurationError(ConexxusError):
    """
    Settings are missing or wrong; all of them are named at once.

    Attributes:
        problems: One sentence each, without any secret.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems: tuple[str, ...] = tuple(problems)


class TransportError(ConexxusError):
    """
    The network failed us.
    """

    retryable = True


class ConnectError(TransportError):
    """
    No server listens there, or the way is blocked.  Nothing was sent.
    """

    message = "Conexxus API connection refused. Check API URL."


class HostNotFoundError(ConnectError):
    """
    The host's name does not resolve.  Nothing was sent.
    """

    message = "Conexxus API host not found. Check API URL."


class TlsError(TransportError):
    """
    No trustworthy connection could be made.  Nothing was sent.
    """

    message = "Conexxus API secure connection failed. Check the certificate and API URL."
    retryable = False


class RequestTimeoutError(TransportError):
    """
    One attempt took longer than `CONEXXUS_TIMEOUT`.

    Attributes:
        timeout_ms: The limit that was passed, in milliseconds.
    """

    def __init__(self, timeout_ms: int, *, delivery: Delivery = Delivery.UNKNOWN) -> None:
        super().__init__(f"Conexxus API request timeout after {timeout_ms}ms", delivery=delivery)
        self.timeout_ms = timeout_ms


class CallStoppedError(TransportError):
    """
    The call was stopped before its answer was there.
    """

    message = "The call was stopped before its answer was there."


class DeadlineExceededError(TransportError):
    """
    The call as a whole, retries and waits included, took too long.
    """

    message = "Conexxus API call exceeded its deadline. Try again later."


class ConnectionLostError(TransportError):
    """
    The connection broke off before the answer was complete.
    """

    message = "Conexxus API connection lost before the answer was complete. Try again later."


class StatusError(ConexxusError):
    """
    The back office answered, and it was not a success.

    Attributes:
        status: The HTTP status.
        path: Path of the request, without its query.
        detail: What the body says is wrong, if it says so, on one line: without
            the key, at most 200 characters.
        rejected: The transactions that the body blames, if it names any.
    """

    def __init__(
        self,
        *,
        status: int,
        path: str,
        detail: str | None = None,
        rejected: Sequence[RejectedTransaction] = (),
        delivery: Delivery = Delivery.REJECTED,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(delivery=delivery, request_id=request_id, retry_after=retry_after)
        self.rejected: tuple[RejectedTransaction, ...] = tuple(rejected)
        self.status = status
        self.path = path
        self.detail = detail
        if detail and detail not in str(self):
            # Tracebacks show a note.
            self.remark: str = f"The answer said: {detail}"
            self.add_note(self.remark)

    def __str__(self) -> str:
        said = self.detail or "no further explanation"
        return f"Conexxus API error ({self.status}): {said}"


class AuthenticationError(StatusError):
    """
    401: the API key is wrong.
    """

    def __str__(self) -> str:
        return "Conexxus API authentication failed. Check API key."


class PermissionDeniedError(StatusError):
    """
    403: the API key is right, but may not do this.
    """

    def __str__(self) -> str:
        return "Conexxus API access forbidden. Check permissions."


class NotFoundError(StatusError):
    """
    404: there is no such endpoint; the base URL or the profile is wrong.
    """

    def __str__(self) -> str:
        return f"Conexxus API endpoint not found: {self.path}"


class RateLimitError(StatusError):
    """
    429: too many requests.
    """

    retryable = True

    def __str__(self) -> str:
        return "Conexxus API rate limit exceeded. Try again later."


class ServerError(StatusError):
    """
    5xx: the back office is in trouble; it may have acted all the same.
    """

    retryable = True

    def __str__(self) -> str:
        return f"Conexxus API server error ({self.status}). Try again later."


_FINAL_ADDRESS = "Set CONEXXUS_API_URL to the final address."


class RedirectError(StatusError):
    """
    3xx: the answer points elsewhere.  Key and body are never sent on.

    Attributes:
        target: Origin of the target, like `https://other.example`; its path on
            the same origin; empty if the answer does not name one.
        advice: What to do.
    """

    def __init__(
        self,
        *,
        target: str,
        advice: str = _FINAL_ADDRESS,
        **evidence: Any,
    ) -> None:
        self.target = target
        self.advice = advice
        super().__init__(**evidence)

    def __str__(self) -> str:
        where = (
            f" to {self.target}, which is not followed" if self.target else " without a Location"
        )
        return f"Conexxus API redirected ({self.status}){where}. {self.advice}"


class AnswerError(ConexxusError):
    """
    An answer arrived, but it can't be used.
    """


class ProtocolError(AnswerError):
    """
    The answer is no valid HTTP.
    """


class DecodeError(AnswerError):
    """
    The body is not the JSON it should be.
    """


class EnvelopeError(AnswerError):
    """
    The body is JSON, but does not say success, or not what was asked for.
    """


class CatalogChangedError(EnvelopeError):
    """
    The catalogue changed while it was read: its pages do not belong together.
    """

    message = "the catalogue changed while it was read. Read it anew."
    retryable = True


class ResponseTooLargeError(AnswerError):
    """
    The body, or a part of it, is larger than we are willing to read.
    """
