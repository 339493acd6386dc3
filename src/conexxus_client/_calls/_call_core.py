"""
The core of a call: settings, deadlines, retries and hooks.  No I/O.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from traceback import clear_frames
from typing import Any

import attrs

from conexxus_client._secrets import Secret
from conexxus_client.config import ApiProfile, ClientConfig
from conexxus_client.errors import ConexxusError, ConfigurationError, StatusError
from conexxus_client.instrumentation import AttemptDetails, CallDetails, Hook, notify
from conexxus_client.models import ApiHealth, ConnectionCheck

from ._cancellation import raise_if_cancelled
from ._endpoints import Endpoints
from ._response_reader import SUCCESS
from ._retries import Attempts, RetryBudget, RetryPolicy, server_date
from ._wire_types import AsyncReply, Call, Headers, Limits, Reply, Request, Response


# Linux's counts sleep; elsewhere it is that of `clock_gettime`, which on macOS
# does, too, while Windows has none, and a monotonic clock that does.
_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def boottime() -> float:
    """
    Seconds since some moment in the past.
    """
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


# Of several that are in use, as of two threads that log in at a time.
_MAX_TOKENS = 16


@attrs.define(kw_only=True)
class CallCore:
    """
    Settings, decisions and hooks of one client.

    Attributes:
        monotonic: Clock of deadlines.
        boottime: Clock that goes on while the computer is suspended.
        draw: Random number for the jitter, from 0 to 1.
        tokens: What the profile's `Auth` sends for the key.
    """

    config: ClientConfig
    profile: ApiProfile
    policy: RetryPolicy
    hooks: tuple[Hook, ...] = ()
    monotonic: Callable[[], float] = time.monotonic
    boottime: Callable[[], float] = boottime
    draw: Callable[[], float] = random.random
    budget: RetryBudget = attrs.field(factory=RetryBudget)
    closed: bool = False
    dated: tuple[datetime, float] | None = None
    tokens: tuple[Secret, ...] = attrs.field(default=(), repr=False)
    endpoints: Endpoints = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.endpoints = Endpoints(config=self.config, profile=self.profile)

    def attempts(self, call: Call[Any]) -> Attempts:
        """
        Begin *call*; its deadline is all its time-outs plus all its waits.

        Raises:
            ConfigurationError: The client is closed.
        """
        policy = self.policy
        if call.max_retries is not None:
            policy = attrs.evolve(policy, retries=min(policy.retries, call.max_retries))

        timeout = call.timeout_ms / 1000
        seconds = (policy.retries + 1) * timeout + policy.longest(policy.retries)

        attempts = self.attempts_within(seconds, policy, repeatable=call.repeatable)

        if call.repeat_within is not None:
            # What begins before may arrive as much later as it may take.
            attempts.repeat_by = self.boottime() + call.repeat_within - timeout

        return attempts

    def attempts_within(
        self, seconds: float, policy: RetryPolicy | None = None, *, repeatable: bool = True
    ) -> Attempts:
        """
        Begin a call that takes at most so many seconds.

        Raises:
            ConfigurationError: The client is closed.
        """
        if self.closed:
            raise ConfigurationError(["the client is closed: make a new one"])

        return Attempts(
            policy=policy or self.policy,
            budget=self.budget,
            deadline=self.monotonic() + seconds,
            monotonic=self.monotonic,
            boottime=self.boottime,
            draw=self.draw,
            repeatable=repeatable,
        )

    def limits(self, timeout_ms: int, deadline: float) -> Limits:
        """
        How long the next attempt of a small call may take.
        """
        ends_at = min(self.monotonic() + timeout_ms / 1000, deadline)

        return Limits(timeout_ms=timeout_ms, head_ends_at=ends_at, ends_at=ends_at)

    def response(self, reply: Reply | AsyncReply, body: bytes, started: float) -> Response:
        """
        A complete answer; a key that it echoes is redacted.
        """
        self.note_date(reply)
        headers = reply.headers
        # One look at all values: hardly ever does one echo the key.
        values = "\n".join([value for _, value in headers])

        if self.redact(values) != values:
            headers = Headers([(name, self.redact(value)) for name, value in headers])
        for secret in (self.config.api_key, *self.tokens):
            body = secret.redact_bytes(body)

        return Response(
            status=reply.status,
            headers=headers,
            body=body,
            seconds=self.monotonic() - started,
            redact=self.redact,
        )

    def remember(self, tokens: Iterable[Secret]) -> None:
        """
        Redact *tokens*, too, from now on; of those before, the last ones.
        """
        # A header may have a scheme before its token.
        words = [Secret(token.reveal().rpartition(" ")[2]) for token in tokens]
        fresh = [word for word in words if word not in self.tokens]

        if fresh:
            self.tokens = (*fresh, *self.tokens)[:_MAX_TOKENS]

    def redact(self, text: str) -> str:
        """
        *text* without the API key, and without tokens that stand for it.
        """
        for secret in (self.config.api_key, *self.tokens):
            text = secret.redact(text)

        return text

    def note_date(self, reply: Reply | AsyncReply) -> None:
        """
        Remember the back office's time, if the answer is its own and has it.

        Anything but a success may come from somebody in between.
        """
        if reply.status not in (*SUCCESS, *self.profile.push_success_statuses):
            return
        if (date := server_date(reply.headers)) is not None:
            self.dated = (date, self.boottime())

    @property
    def server_time(self) -> datetime | None:
        """
        What the back office's clock shows now; None if no answer said so.
        """
        if self.dated is None:
            return None

        date, then = self.dated

        return date + timedelta(seconds=max(self.boottime() - then, 0))

    def request_id(self, headers: Headers) -> str | None:
        """
        The back office's id of the request, if the answer has one.
        """
        value = headers.get(self.profile.request_id_header)

        return None if value is None else self.redact(value)

    def _redact(self, exc: ConexxusError) -> None:
        """
        Remove the API key, and the frames that hold the answer, from *exc*.
        """
        exc.message = self.redact(exc.message)
        # Error reporters may show the locals of each frame; those that have
        # ended hold what came over the wire.
        clear_frames(exc.__traceback__)

    @contextmanager
    def observe_call(self, call: str, request: Request, attempts: Attempts) -> Iterator[None]:
        """
        Notify the hooks of the outcome of a call.
        """
        started = self.monotonic()
        error: ConexxusError | None = None
        is_reported = True

        try:
            yield
        except ConexxusError as exc:
            error = exc
            # The cause holds the request, and with it the key: some error
            # reporters show it whether it is suppressed or not.
            exc.__cause__ = exc.__context__ = None
            self._redact(exc)
            raise
        except Exception:
            # stamina logs each retry, and a handler of logs may raise.
            if (error := attempts.retried_error) is None:
                is_reported = False
                raise
            attempts.give_up(error)
            raise error from None
        except BaseException:
            # Cancelled by the caller: neither a success nor a failure.
            is_reported = False
            raise
        else:
            self.budget.refund()
        finally:
            # A failure is logged, hooks or none.
            if is_reported and (self.hooks or error is not None):
                details = CallDetails(
                    call=call,
                    method=request.method,
                    url=request.shown_url,
                    attempts=max(len(attempts.records) + (error is None), 1),
                    duration=self.monotonic() - started,
                    status=_status_of(error) or attempts.status,
                    error=error,
                )
                notify(self.hooks, details)

    @contextmanager
    def observe_attempt(self, call: str, request: Request, attempts: Attempts) -> Iterator[None]:
        """
        Notify the hooks of the outcome of an attempt.
        """
        attempts.begin()
        started = self.monotonic()
        attempts.status = attempts.retried_error = None
        error: ConexxusError | None = None
        is_reported = True

        try:
            raise_if_cancelled()
            yield
        except ConexxusError as exc:
            error = exc
            self._redact(exc)
            raise
        except BaseException:
            is_reported = False
            raise
        finally:
            if is_reported and self.hooks:
                details = AttemptDetails(
                    call=call,
                    method=request.method,
                    url=request.shown_url,
                    number=len(attempts.records) + 1,
                    duration=self.monotonic() - started,
                    status=_status_of(error) or attempts.status,
                    error=error,
                )
                notify(self.hooks, details)


def _status_of(error: ConexxusError | None) -> int | None:
    return error.status if isinstance(error, StatusError) else None


def connection_check(health: ApiHealth) -> ConnectionCheck:
    """
    The result of a connection test that was answered.
    """
    good, bad = "Connection successful", f"Conexxus API does not say it is well: {health.status!r}"

    return ConnectionCheck(
        success=health.ok,
        message=good if health.ok else bad,
        latency_ms=round(health.latency * 1000),
    )


def connection_failure(error: Exception) -> ConnectionCheck:
    """
    The result of a connection test that failed.
    """
    if isinstance(error, ConexxusError):
        return ConnectionCheck(success=False, message=error.explanation, help=error.help)

    return ConnectionCheck(success=False, message=type(error).__name__)
