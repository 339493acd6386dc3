"""
Who may talk to the shim.  Pure decisions over request headers.

A browser on the same machine can be led to any address on it: the list of
hosts answers DNS rebinding, the origin check answers forms and scripts of
other sites.  Neither gets in the way of a plain `curl -X POST`.
"""

import hmac
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

import attrs

from conexxus_client import ConfigurationError


LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({"same-origin", "none"})


@attrs.frozen(kw_only=True)
class Refusal:
    """
    Why a request is turned away.
    """

    status: int
    error: str


@attrs.frozen(kw_only=True)
class Access:
    """
    The rules of one shim.  The defaults fit a loopback address.

    Attributes:
        token: Every request must bear it, if there is one.
        hosts: Names under which the shim may be addressed; None: any.
    """

    token: str | None = attrs.field(default=None, repr=False)
    hosts: frozenset[str] | None = LOOPBACK_NAMES

    @classmethod
    def on(cls, host: str, *, token: str | None, hosts: Iterable[str] = ()) -> "Access":
        """
        The rules for a shim that listens on *host*.

        Args:
            hosts: More names under which it may be addressed.

        Raises:
            ConfigurationError: Others can reach that address, and there is
                no token.
        """
        if not is_loopback(host) and not token:
            problem = (
                f"{host} can be reached by others: set CONEXXUS_SHIM_TOKEN, or listen on 127.0.0.1"
            )
            raise ConfigurationError([problem])

        # On a wildcard address nobody knows our names; the token, which no
        # foreign page has, answers rebinding there.
        everywhere = host in ("", "0.0.0.0", "::") and not hosts  # noqa: S104  # compared, not bound

        return cls(token=token, hosts=None if everywhere else LOOPBACK_NAMES.union([host], hosts))

    def refusal(self, method: str, headers: Mapping[str, str]) -> Refusal | None:
        """
        Decide about one request.

        Args:
            headers: By lower-case name.
        """
        host = headers.get("host", "")

        if self.hosts is not None and _name(host) not in self.hosts:
            return Refusal(status=403, error="This host name is not allowed here.")

        if method not in _SAFE and _is_cross_site(headers, host):
            return Refusal(status=403, error="Requests from other sites are not allowed.")

        if self.token and not _bears(self.token, headers.get("authorization", "")):
            return Refusal(status=401, error="A valid bearer token is needed.")

        return None


def is_loopback(host: str) -> bool:
    """
    Can only this machine reach *host*?
    """
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str | None:
    """
    The name in a `Host` header, without port and brackets.
    """
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _is_cross_site(headers: Mapping[str, str], host: str) -> bool:
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")

    if site is not None and site not in _OURS:
        return True

    return origin is not None and origin.partition("://")[2] != host


def _bears(token: str, authorization: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    same = hmac.compare_digest(given.strip().encode(), token.encode())

    return scheme.lower() == "bearer" and same
