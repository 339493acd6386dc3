"""
Access rules of the shim: hosts, tokens, sessions, cross-site requests. Pure.

A browser on the same machine can be led to any address on it: the list of
hosts answers DNS rebinding, the origin check answers forms and scripts of
other sites.  Neither gets in the way of a plain `curl -X POST`.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from itsdangerous import BadSignature, Signer

from conexxus_client import ConfigurationError, Secret
from conexxus_sync.config import is_loopback


LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SESSION_SECONDS = 12 * 3600
_SESSION = "conexxus-shim-session"
_FORWARDING = frozenset(
    {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({"same-origin", "none"})
# RFC 9110, 7.2, without what only a trick would need: no user, no escapes.
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[0-9a-zA-Z._-]+)(?::[0-9]{1,5})?")
_COOKIE = re.compile(r"\s*([^=;\s]+)=([^;\s]*)\s*(?:;|$)")
_BEARABLE = re.compile(r"[!-~]+")
# Of letters and digits, about 2^80: too many to guess over a network.
_SHORTEST_TOKEN = 16


@attrs.frozen(kw_only=True)
class Refusal:
    """
    Why a request is turned away.
    """

    status: int
    error: str
    headers: Mapping[str, str] = attrs.field(factory=dict)


_WRONG_HOST = Refusal(status=403, error="This host name is not allowed here.")
_FOREIGN = Refusal(status=403, error="Requests from other sites are not allowed.")
_ELSEWHERE = Refusal(status=403, error="Without a token, only this machine may call.")
NO_TOKEN = Refusal(
    status=401, error="A valid bearer token is needed.", headers={"WWW-Authenticate": "Bearer"}
)


def _names(hosts: Iterable[str] | None) -> frozenset[str] | None:
    return None if hosts is None else frozenset(map(_canonical, hosts))


def _text_of(token: str | Secret | None) -> str:
    return token.reveal() if isinstance(token, Secret) else token or ""


def _valid_token(access: "Access", attribute: Any, token: str | Secret | None) -> None:
    # Anything else does not come through a header as it was.
    if token and not _BEARABLE.fullmatch(_text_of(token)):
        raise ConfigurationError(["the shim's token must be printable ASCII without spaces"])


@attrs.frozen(kw_only=True)
class Access:
    """
    The rules of one shim.  The defaults fit a loopback address.

    Attributes:
        token: Every request must bear it, if there is one; a browser may
            show the cookie of a session instead.  Without one, only this
            machine may call, and not through another server.
        hosts: Names under which the shim may be addressed; None: any.
    """

    token: str | Secret | None = attrs.field(default=None, repr=False, validator=_valid_token)
    hosts: frozenset[str] | None = attrs.field(default=LOOPBACK_NAMES, converter=_names)
    # Sessions that were ended before their time, and when that comes.
    _ended: dict[str, int] = attrs.field(factory=dict, init=False, repr=False, eq=False)

    @classmethod
    def on(cls, host: str, *, token: str | Secret | None, hosts: Iterable[str] = ()) -> "Access":
        """
        The rules for a shim that listens on *host*.

        Args:
            hosts: More names under which it may be addressed.

        Raises:
            ConfigurationError: Others can reach that address, and there is
                no token, or one that can be guessed.
        """
        hosts = tuple(hosts)

        if not is_loopback(host) and len(_text_of(token)) < _SHORTEST_TOKEN:
            what = f"{host} can be reached by others"
            wanted = f"a longer CONEXXUS_SHIM_TOKEN, of {_SHORTEST_TOKEN} characters or more"
            wanted = wanted if token else "CONEXXUS_SHIM_TOKEN"
            raise ConfigurationError([f"{what}: set {wanted}, or listen on 127.0.0.1"])

        # Beyond this machine our names are unknown; the token, which no
        # foreign page has, prevents rebinding there.
        any_name = not is_loopback(host) and not hosts

        return cls(token=token, hosts=None if any_name else LOOPBACK_NAMES.union([host], hosts))

    def refusal(
        self,
        method: str,
        headers: Mapping[str, str],
        *,
        client: str = "",
        now: float | None = None,
    ) -> Refusal | None:
        """
        Decide about one request that needs every right.

        Args:
            headers: By lower-case name.
            client: The address that it came from; empty where there is none,
                as on a Unix socket.
            now: Seconds since 1970; without them no session counts.
        """
        refusal = self.foreign_refusal(method, headers, client)

        if refusal is None and not self.is_authenticated(headers, now=now):
            return NO_TOKEN

        return refusal

    def foreign_refusal(
        self, method: str, headers: Mapping[str, str], client: str = ""
    ) -> Refusal | None:
        """
        Refuse what comes under a wrong name, from another site, or, where
        there is no token, from another machine or through another server.
        """
        host = headers.get("host", "")

        if self.hosts is not None and _name(host) not in self.hosts:
            return _WRONG_HOST
        # Any caller can claim any name, and behind another server any address:
        # a server that trusts forwarding headers takes the client from them.
        if not self.token and ((client and not is_loopback(client)) or is_forwarded(headers)):
            return _ELSEWHERE

        return _FOREIGN if _is_foreign(method, headers, host) else None

    def is_authenticated(self, headers: Mapping[str, str], *, now: float | None = None) -> bool:
        """
        Does the caller show the token, or a session?  Always, if there is none.
        """
        if not self.token or self.is_token(_bearer(headers.get("authorization", ""))):
            return True

        return now is not None and any(
            _microseconds(now) < self._session_end(value) for value in self._session_values(headers)
        )

    def is_token(self, given: str) -> bool:
        """
        Is *given* the token?
        """
        return bool(self.token) and hmac.compare_digest(
            given.encode(errors="surrogateescape"), _text_of(self.token).encode()
        )

    def session_cookie(self, *, now: float, secure: bool = False) -> str:
        """
        The `Set-Cookie` of a caller who has just shown the token.

        Args:
            now: Seconds since 1970; it holds for twelve hours from then.
            secure: The caller came over https.
        """
        value = self._signer.sign(str(_microseconds(now + SESSION_SECONDS))).decode()

        return self._cookie(value, SESSION_SECONDS, secure=secure)

    def end_session(self, headers: Mapping[str, str], *, now: float) -> None:
        """
        End the session of a browser, for a copy of its cookie, too.

        This process remembers it; another one, and this one started anew,
        go by the twelve hours alone.

        Args:
            headers: By lower-case name.
            now: Seconds since 1970.
        """
        for value, end in list(self._ended.items()):
            if end <= _microseconds(now):
                self._ended.pop(value, None)

        # Only what was signed here is remembered.
        ends = {value: self._session_end(value) for value in self._session_values(headers)}
        self._ended.update({value: end for value, end in ends.items() if end})

    def ended_session_cookie(self, *, secure: bool = False) -> str:
        """
        The `Set-Cookie` that makes a browser forget its session.
        """
        return self._cookie("", 0, secure=secure)

    @property
    def _signer(self) -> Signer:
        # The salt says what is signed, so that no other signature by the
        # token can pass for it.
        return Signer(_text_of(self.token), salt=_SESSION, digest_method=hashlib.sha256)

    @property
    def _session_name(self) -> str:
        # Browsers keep cookies by host name, whatever the port: two shims on
        # one machine would write over each other's.
        return f"conexxus_session_{self._signer.get_signature('name').decode()[:8]}"

    def _session_values(self, headers: Mapping[str, str]) -> list[str]:
        name, cookies = self._session_name, _COOKIE.findall(headers.get("cookie", ""))

        return [value for given, value in cookies if given == name]

    def _session_end(self, value: str) -> int:
        """
        When the session ends, in microseconds since 1970; 0 if it is none.
        """
        if value in self._ended:
            return 0

        try:
            return int(self._signer.unsign(value.encode(errors="replace")))
        except BadSignature:
            return 0

    def _cookie(self, value: str, seconds: int, *, secure: bool) -> str:
        attributes = f"Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict"

        return f"{self._session_name}={value}; {attributes}" + ("; Secure" if secure else "")


def is_forwarded(headers: Mapping[str, str]) -> bool:
    """
    Did a request come through another server, or claim so?  Then the address of
    its caller may be what that caller claims.
    """
    return any(name in headers for name in _FORWARDING)


def _microseconds(seconds: float) -> int:
    # So fine that no two sessions are one.
    return int(seconds * 1_000_000)


def _name(host: str) -> str | None:
    """
    The name in a `Host` header, without port and brackets; None if it has none.
    """
    found = _HOST.fullmatch(host)

    return None if found is None else _canonical(found[1])


def _canonical(name: str) -> str:
    """
    In lower case, without brackets and the root's dot.
    """
    return name.strip("[]").lower().removesuffix(".")


def _is_foreign(method: str, headers: Mapping[str, str], host: str) -> bool:
    """
    Did another site's page make a browser send this?
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")

    if site is not None and site not in _OURS:
        return not _is_link(method, headers)

    # A page whose policy is `no-referrer` sends `Origin: null` to itself,
    # so what only browsers can write goes first.
    if site is not None:
        return False

    return origin is not None and origin.partition("://")[2].lower() != host.lower()


def _is_link(method: str, headers: Mapping[str, str]) -> bool:
    """
    Did somebody follow a link to us?  That shows, and changes, nothing elsewhere.
    """
    mode, target = headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")

    return method in _SAFE and (mode, target) == ("navigate", "document")


def _bearer(authorization: str) -> str:
    scheme, _, given = authorization.partition(" ")

    return given.strip() if scheme.lower() == "bearer" else ""
