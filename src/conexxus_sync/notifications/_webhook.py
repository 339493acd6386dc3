"""
Posts one notice to the webhook; the only module that holds its address.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import attrs

from conexxus_client import (
    ClientConfig,
    ConexxusError,
    ConnectError,
    HostNotFoundError,
    Limits,
    Reply,
    Request,
    RequestTimeoutError,
    Secret,
    TlsError,
    Transport,
    __version__,
)


# However it drips: from the beginning to the end of the answer.
DEADLINE_S = 10.0

# The transport's own words speak of the back office, and of its address.
_WHY: dict[type[ConexxusError], str] = {
    ConnectError: "it refuses the connection",
    HostNotFoundError: "its host is not found",
    RequestTimeoutError: f"it does not answer within {DEADLINE_S:.0f} seconds",
    TlsError: "its certificate can't be trusted, or it does not speak TLS",
}

# These say "not now"; any other 4xx would be the same tomorrow.
_PASSING = (408, 429)


@attrs.frozen(kw_only=True)
class Answer:
    """
    What became of one attempt.

    Attributes:
        accepted: Whether the webhook took the notice.
        final: Whether to try again is no use.
        detail: What happened, without the address.
    """

    accepted: bool = False
    final: bool = False
    detail: str


class Poster(Protocol):
    """
    Somebody who takes notices.
    """

    def post(self, body: bytes, *, name: str) -> Answer: ...


@attrs.define
class Webhook:
    """
    Posts to one address.

    Attributes:
        transport: Never follows a redirect.
    """

    address: Secret
    transport: Transport = attrs.field(repr=False)

    def post(self, body: bytes, *, name: str) -> Answer:
        """
        Post *body* once; never raises what is about the network.

        Args:
            name: The notice's id, by which the receiver recognises a repetition.
        """
        ends_at = time.monotonic() + DEADLINE_S
        limits = Limits(timeout_ms=int(DEADLINE_S * 1000), head_ends_at=ends_at, ends_at=ends_at)

        try:
            with self.transport.open(self._request(body, name), limits) as reply:
                return _answer(reply)
        except ConexxusError as exc:
            return Answer(detail=_WHY.get(type(exc), "the connection to it broke"))
        except Exception as exc:  # noqa: BLE001  # whatever it says may hold the address
            return Answer(detail=f"unexpected {type(exc).__name__}")

    def _request(self, body: bytes, name: str) -> Request:
        return Request(
            method="POST",
            url=self.address.reveal(),
            path="the webhook",
            headers=(
                ("Content-Type", "application/json"),
                ("User-Agent", f"conexxus-sdk/{__version__}"),
                ("Idempotency-Key", name),
            ),
            body=body,
        )


@contextmanager
def open_webhook(address: Secret, like: ClientConfig | None) -> Iterator[Webhook]:
    """
    A webhook with connections of its own.

    Args:
        like: The client's settings: what they say of proxy and HTTP library
            holds here, too.  Key and certificates are between us and the
            back office.
    """
    from conexxus_client.transports import open_transport

    scheme = address.reveal().partition(":")[0]
    transport = open_transport(
        ClientConfig(
            # The origin does not matter: each request has its own.
            api_url=f"{scheme}://localhost",
            api_key="none",
            proxy=like.proxy if like else None,
            http_backend=like.http_backend if like else "httpx",
        )
    )

    try:
        yield Webhook(address, transport)
    finally:
        transport.close()


def _answer(reply: Reply) -> Answer:
    """
    The status says it; the body is not even read.
    """
    status = reply.status

    if 200 <= status < 300:
        return Answer(accepted=True, detail=f"it answered {status}")
    if 300 <= status < 400:
        return Answer(detail=f"it answered {status}, and redirects are not followed")

    final = 400 <= status < 500 and status not in _PASSING

    return Answer(final=final, detail=f"it answered {status}")
