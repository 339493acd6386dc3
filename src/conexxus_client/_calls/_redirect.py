"""
A redirect: where it leads, and the setting that avoids it.  It is never followed.
"""

import re
from urllib.parse import quote, urljoin, urlsplit

import attrs

from conexxus_client._codec._server_message import printable
from conexxus_client._config_validation import origin_of
from conexxus_client.config import ApiProfile, ClientConfig

from ._wire_types import Request


_LOGIN = re.compile(r"(?i)\b(log|sign)[-_]?(in|on)\b|\b(oauth2?|sso|saml|auth|session)\b")
_ADVICE_FOR_LOGIN = (
    "That looks like a login page: check the API key, and how it has to be sent; or it is that of "
    "the network."
)
_PATHS = ("health_path", "catalog_path", "sales_path", "summary_path")
# RFC 3986, section 3.3; an escape stays one.
_IN_PATHS = "/%:@!$&'()*+,;=~"
_MAX_SHOWN = 200


@attrs.frozen
class Redirect:
    """
    An answer that points elsewhere.

    Attributes:
        location: Its `Location`, if it has one.
    """

    request: Request
    location: str | None
    config: ClientConfig
    profile: ApiProfile

    @property
    def target(self) -> str:
        """
        The origin that it points to, without the rest of its URL; on the same
        one, the path without its query.  Empty if it does not say.
        """
        if not self.location:
            return ""
        if (url := self._url) is None:
            return "an address that is not a URL"

        origin = origin_of(url)
        shown = urlsplit(url).path if origin == self.config.origin else origin

        return printable(shown[:_MAX_SHOWN])

    @property
    def advice(self) -> str:
        """
        What to do about it.
        """
        if not self.location:
            return "Check CONEXXUS_API_URL."
        if (url := self._url) is None:
            return "Check CONEXXUS_API_URL."
        if _LOGIN.search(f"{urlsplit(url).hostname}{urlsplit(url).path}"):
            return _ADVICE_FOR_LOGIN
        if origin_of(url) != self.config.origin:
            return "Set CONEXXUS_API_URL to the final address."

        return self._advice_for_path(urlsplit(url).path)

    def _advice_for_path(self, path: str) -> str:
        base = urlsplit(self.config.api_url).path.rstrip("/")

        if path == self.request.path:
            return "It leads to itself: the back office may want a cookie or another key."
        for name in _PATHS:
            current = getattr(self.profile, name)
            if self.request.path == base + current and path.endswith(current):
                return f"Set CONEXXUS_API_URL to {self._shown(path.removesuffix(current))}."
            if self.request.path == base + current and path.startswith(base):
                return (
                    f"Set ApiProfile.{name} to {quote(path.removeprefix(base)[:200], _IN_PATHS)!r}."
                )

        return "Set CONEXXUS_API_URL to the final address."

    def _shown(self, path: str) -> str:
        return printable((self.config.origin + path)[:_MAX_SHOWN])

    @property
    def _url(self) -> str | None:
        """
        The whole address; None if it is none.
        """
        try:
            url = urljoin(self.request.url, self.location or "")
            has_host = bool(urlsplit(url).hostname)
            origin_of(url)
        except ValueError:
            return None

        return url if has_host else None
