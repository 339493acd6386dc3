"""
Authorizes requests as the profile's `Auth` says, with the requests that this takes.
"""

from collections.abc import Generator, Mapping

import attrs

from conexxus_client.config import Auth, AuthRequest
from conexxus_client.errors import ConexxusError, ConfigurationError, Delivery

from ._call_core import CallCore
from ._endpoints import secret_fields
from ._error_body import read_error_body, read_error_body_async
from ._wire_types import AsyncReply, AsyncTransport, Limits, Reply, Request, Transport


_UNAUTHORIZED = 401
_REDIRECT = 300
_MAX_REQUESTS = 10


def authorized(core: CallCore, transport: Transport, request: Request, limits: Limits) -> Request:
    """
    *request* with the header fields of the profile's `Auth`, if it has one.

    Raises:
        ConexxusError: A login failed: nothing of *request* was sent.
    """
    if core.profile.auth is None:
        return request

    flow = AuthFlow(core, core.profile.auth)

    with flow:
        flow.begin()
        while (login := flow.request) is not None:
            with transport.open(login, flow.limits(limits)) as reply:
                body = b"".join(reply.chunks()) if flow.is_good(reply) else None
                rest = read_error_body(reply.chunks()) if body is None else body
            flow.feed(reply, rest)

        return flow.apply(request)


async def authorized_async(
    core: CallCore, transport: AsyncTransport, request: Request, limits: Limits
) -> Request:
    """
    `authorized` for an event loop.
    """
    if core.profile.auth is None:
        return request

    flow = AuthFlow(core, core.profile.auth)

    with flow:
        flow.begin()
        while (login := flow.request) is not None:
            async with transport.open(login, flow.limits(limits)) as reply:
                if flow.is_good(reply):
                    body = b"".join([chunk async for chunk in reply.chunks()])
                else:
                    body = await read_error_body_async(reply.chunks())
            flow.feed(reply, body)

        return flow.apply(request)


def is_refused(core: CallCore, status: int) -> bool:
    """
    Was a call answered 401, and does the profile's `Auth` want to try anew?
    """
    auth = core.profile.auth

    if status != _UNAUTHORIZED or auth is None:
        return False

    with AuthFlow(core, auth):
        return auth.refused()


class AuthFlow:
    """
    What an `Auth` asks for, step by step.  No I/O.

    As a context it makes what is raised within an error of the login, which
    says that nothing was sent.

    Attributes:
        request: What has to be sent next; None once the fields are known.
    """

    def __init__(self, core: CallCore, auth: Auth) -> None:
        self.request: Request | None = None
        self._core = core
        self._auth = auth
        self._steps: Generator[AuthRequest, bytes, Mapping[str, str]] | None = None
        self._fields: Mapping[str, str] = {}
        self._count = 0

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, exc: BaseException | None, traceback: object) -> None:
        if isinstance(exc, Exception):
            raise self._failure(exc) from None

    def begin(self) -> None:
        """
        Ask the `Auth`.
        """
        flow = self._auth.flow(self._core.config.api_key)

        if isinstance(flow, Mapping):
            self._fields = flow
        else:
            self._steps = flow
            self._advance(None)

    def is_good(self, reply: Reply | AsyncReply) -> bool:
        """
        Is it an answer that the `Auth` gets to see?
        """
        return reply.status < _REDIRECT

    def limits(self, limits: Limits) -> Limits:
        """
        A login is a small call, whatever comes after it.
        """
        return attrs.evolve(limits, ends_at=limits.ends_at or limits.head_ends_at)

    def feed(self, reply: Reply | AsyncReply, body: bytes) -> None:
        """
        The answer to `request`.

        Raises:
            ConexxusError: It is no success.
        """
        assert self.request is not None, "nothing was asked for"

        if not self.is_good(reply):
            response = self._core.response(reply, body, self._core.monotonic())
            raise self._core.endpoints.error_for(response, self.request)

        self._advance(body)

    def apply(self, request: Request) -> Request:
        """
        *request* with the fields that were found.
        """
        secrets = secret_fields(self._fields)
        self._core.remember(secret for _, secret in secrets)

        return attrs.evolve(request, secret_headers=secrets)

    def _advance(self, body: bytes | None) -> None:
        assert self._steps is not None, "the flow has begun"
        self._count += 1

        try:
            # The first value that a generator gets is none.
            ask = next(self._steps) if body is None else self._steps.send(body)
        except StopIteration as end:
            self.request, self._fields = None, end.value or {}
            return

        if self._count > _MAX_REQUESTS:
            raise ConfigurationError([f"ApiProfile.auth asks for more than {_MAX_REQUESTS} logins"])

        self.request = self._core.endpoints.login(ask)

    def _failure(self, exc: Exception) -> ConexxusError:
        """
        The error for what went wrong before the call was sent.
        """
        if isinstance(exc, ConexxusError):
            exc.delivery = Delivery.NOT_SENT
            return exc

        reason = self._core.redact(f"{type(exc).__name__}: {exc}"[:200])

        return ConfigurationError([f"ApiProfile.auth failed: {reason}"])
