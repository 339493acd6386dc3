"""
One function per endpoint: what to send, and how to read the answer.  No I/O.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date as Date  # noqa: N812  # an argument is called `date`
from datetime import timedelta
from posixpath import normpath
from typing import Any, Literal, TypeVar
from urllib.parse import unquote, urlencode, urljoin, urlsplit

import attrs

from conexxus_client._codec import DayTotals, FrozenBatch
from conexxus_client._config_validation import is_loopback, origin_of
from conexxus_client._secrets import PrefixedSecret, Secret
from conexxus_client._version import __version__
from conexxus_client.config import ApiProfile, AuthRequest, ClientConfig
from conexxus_client.errors import (
    ConexxusError,
    ConfigurationError,
    Delivery,
    EnvelopeError,
    in_sentences,
)
from conexxus_client.models import ApiHealth, PushReceipt, SalesBatch

from ._error_body import error_for
from ._redirect import Redirect
from ._response_reader import (
    SUCCESS,
    error_detail,
    read_day_totals,
    read_health,
    read_receipt,
    rejected_transactions,
)
from ._retries import retry_after
from ._wire_types import MIB, Call, Request, Response


T = TypeVar("T")

HEALTH_TIMEOUT_MS = 5_000
HEALTH_RETRIES = 1
MAX_KEY = 255
# A line for each of a million transactions.
MAX_TOTALS_BYTES = 64 * MIB
_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [!-~](?:[ !-~]*[!-~])?")
_KEY = re.compile(f"[!-~]{{1,{MAX_KEY}}}")

_HEADERS = (
    ("Accept", "application/json"),
    ("Accept-Encoding", "gzip"),
    ("User-Agent", f"conexxus-sdk/{__version__}"),
)
_FIRST_REDIRECT = 300
_NOT_MODIFIED = 304
_PROXY_LOGIN = 407
_NO_PROXY_LOGIN = "a proxy in between wants a user and a password: check CONEXXUS_PROXY"


@attrs.frozen(kw_only=True)
class Endpoints:
    """
    Builds the calls of one back office.
    """

    config: ClientConfig
    profile: ApiProfile
    _bare: dict[tuple[str, str], Request] = attrs.field(
        factory=dict, init=False, repr=False, eq=False
    )

    def health(self) -> Call[ApiHealth]:
        """
        Ask how the back office is: briefly, so that a check never hangs.
        """
        request = self._request("GET", self.profile.health_path)

        return Call(
            name="health",
            request=request,
            read=self._reader(read_health, request, SUCCESS),
            timeout_ms=min(self.config.timeout_ms, HEALTH_TIMEOUT_MS),
            max_retries=HEALTH_RETRIES,
        )

    def push(
        self,
        batch: SalesBatch | FrozenBatch,
        *,
        idempotency_key: str,
        repeat_within: timedelta | None = None,
    ) -> Call[PushReceipt]:
        """
        Push *batch*.  Its bytes and its key are settled here, once.

        Args:
            repeat_within: As in `push_sales`.

        Raises:
            ValueError: The key can't be a header, or the batch no JSON.
        """
        if not _KEY.fullmatch(idempotency_key):
            msg = f"an idempotency key is 1 to {MAX_KEY} visible ASCII characters"
            raise ValueError(msg)

        frozen = FrozenBatch.of(batch) if isinstance(batch, SalesBatch) else batch
        request = self._request("POST", self.profile.sales_path)
        headers = (
            ("Content-Type", "application/json"),
            (self.profile.idempotency_header, idempotency_key),
        )

        return Call(
            name="sales",
            request=attrs.evolve(request, headers=request.headers + headers, body=frozen.body),
            read=self._reader(read_receipt, request, self.profile.push_success_statuses),
            timeout_ms=self.config.timeout_ms,
            success=self.profile.push_success_statuses,
            repeatable=self.profile.dedupe != "none",
            repeat_within=self._repeat_within(repeat_within),
        )

    def day_totals(self, date: Date, location_id: str) -> Call[DayTotals]:
        """
        Ask what *date* comes to in the back office's books.

        Raises:
            ConfigurationError: The profile has no path for it.
        """
        if self.profile.summary_path is None:
            raise ConfigurationError(["ApiProfile.summary_path is None: no totals are offered"])

        query = {"date": date.isoformat(), "locationId": location_id}
        request = self._request("GET", self.profile.summary_path, query)

        def read(response: Response, profile: ApiProfile) -> DayTotals:
            return read_day_totals(response, profile, date, location_id)

        return Call(
            name="summary",
            request=attrs.evolve(request, max_bytes=MAX_TOTALS_BYTES),
            read=self._reader(read, request, SUCCESS),
            timeout_ms=self.config.timeout_ms,
        )

    def _repeat_within(self, given: timedelta | None) -> float | None:
        """
        Seconds for which the back office is sure to remember the key.
        """
        if self.profile.dedupe != "key":
            return None

        ttl = self.profile.key_ttl

        return (ttl if given is None else min(given, ttl)).total_seconds()

    def catalog(self, *, etag: str | None = None, cursor: str | None = None) -> Request:
        """
        Ask for the catalogue, or for its page at *cursor*.
        """
        query = dict(self.profile.catalog_query)
        if cursor is not None:
            query[self.profile.cursor_parameter] = cursor

        request = self._request("GET", self.profile.catalog_path, query)
        condition = () if etag is None else (("If-None-Match", etag),)

        return attrs.evolve(
            request,
            headers=request.headers + condition,
            max_bytes=self.config.max_catalog_bytes,
        )

    def linked_page(self, target: str, base: Request) -> Request:
        """
        Ask for the page that a `Link` points to.

        Raises:
            EnvelopeError: It is on another origin: the key does not go there.
                Or it is outside the base path, where another store may be.
        """
        try:
            url = urljoin(base.url, target)
            origin = origin_of(url)
        except ValueError:
            raise EnvelopeError("the next page's address is not a URL") from None
        if not _is_plain_url(url):
            raise EnvelopeError("the next page's address is not a plain URL")
        if origin != (own_origin := origin_of(self.config.api_url)):
            raise EnvelopeError(f"the next page is on {origin[:200]}, not on {own_origin}: refused")
        if self.profile.next_link_scope != "origin" and not _is_within(url, self.config.api_url):
            raise EnvelopeError(
                f"the next page's path {urlsplit(url).path[:100]} is outside that of the base URL, "
                f"{urlsplit(self.config.api_url).path[:100]}: refused. If it is of the same "
                "catalogue, set ApiProfile.next_link_scope to 'origin'"
            )

        return self.page(url)

    def page(self, url: str, *, etag: str | None = None) -> Request:
        """
        Ask for the page at *url*, which is on the configured origin.
        """
        return attrs.evolve(self.catalog(etag=etag), url=url, path=urlsplit(url).path)

    def error_for(self, response: Response, request: Request) -> ConexxusError:
        """
        The error for an answer that is not the expected success.

        A body never upgrades a status: a 500 that says success stays a 500.
        """
        request_id = response.headers.get(self.profile.request_id_header)

        if response.status < _FIRST_REDIRECT or response.status == _NOT_MODIFIED:
            unexpected = EnvelopeError(
                f"the back office answered {response.status}, not with what was asked for",
                delivery=Delivery.UNKNOWN,
                request_id=request_id,
            )
            if request.method == "POST" and response.status != _NOT_MODIFIED:
                unexpected.remark = (
                    "If it takes sales so, add the status to ApiProfile.push_success_statuses."
                )
            if said := error_detail(response):
                unexpected.remark = in_sentences(unexpected.remark, f"The answer said: {said}")
            return unexpected

        redirect = Redirect(request, response.headers.get("Location"), self.config, self.profile)
        error = error_for(
            response.status,
            path=request.path,
            detail=_NO_PROXY_LOGIN if response.status == _PROXY_LOGIN else error_detail(response),
            target=redirect.target,
            advice=redirect.advice,
            rejected=rejected_transactions(response),
            request_id=request_id,
            retry_after=retry_after(response.headers),
        )

        if (proxy := self.config.proxy_url) and request.url.startswith("http:"):
            # It is not encrypted: the proxy may have answered itself.
            way = f"It went through {origin_of(proxy)} (CONEXXUS_PROXY)."
            error.remark = in_sentences(error.remark, way)

        return error

    def _reader(
        self,
        read: Callable[[Response, ApiProfile], T],
        request: Request,
        success: tuple[int, ...],
    ) -> Any:
        """
        A function that reads a complete answer: its status, then its body.
        """

        def answer(response: Response) -> T:
            if response.status not in success:
                raise self.error_for(response, request)

            try:
                return read(response, self.profile)
            except ConexxusError as exc:
                # The status is a success, but the body can't be read.
                exc.delivery = Delivery.UNKNOWN
                exc.request_id = response.headers.get(self.profile.request_id_header)
                raise

        return answer

    def _is_foreign(self, url: str) -> bool:
        return origin_of(url) != origin_of(self.config.api_url)

    def _request(
        self, method: Literal["GET", "POST"], path: str, query: dict[str, str] | None = None
    ) -> Request:
        request = self._bare.get((method, path))

        if request is None:
            request = self._bare[method, path] = self._bare_request(method, path)

        return attrs.evolve(request, url=f"{request.url}?{urlencode(query)}") if query else request

    def _bare_request(self, method: Literal["GET", "POST"], path: str) -> Request:
        url = self.config.api_url.rstrip("/") + path

        if not path.startswith("/") or not _is_plain_url(url) or self._is_foreign(url):
            raise ConfigurationError([f"the profile's path {path[:100]!r} is not a plain path"])

        return Request(
            method=method,
            url=url,
            path=urlsplit(url).path,
            headers=_HEADERS,
            secret_headers=() if self.profile.auth else ((self.profile.key_header, self._key),),
        )

    @property
    def _key(self) -> Secret:
        scheme, key = self.profile.auth_scheme, self.config.api_key

        return key if scheme is None else PrefixedSecret(scheme, key)

    def login(self, ask: AuthRequest) -> Request:
        """
        A request that the profile's `Auth` asks for.

        Raises:
            ConfigurationError: Its address can't be used.
        """
        url = ask.url if "://" in ask.url else self.config.api_url.rstrip("/") + ask.url
        parts = urlsplit(url)
        is_safe = parts.scheme == "https" or is_loopback(parts.hostname or "")

        if not parts.hostname or not _is_plain_url(url) or parts.scheme not in ("http", "https"):
            raise ConfigurationError([f"ApiProfile.auth asks for {ask.url[:100]!r}, no plain URL"])
        if not is_safe and not self.config.allow_insecure:
            raise ConfigurationError([f"ApiProfile.auth would send a secret in clear to {url}"])

        return Request(
            method=ask.method,
            url=url,
            path=parts.path,
            headers=_HEADERS,
            secret_headers=secret_fields(ask.headers),
            body=ask.body,
        )


def _is_within(url: str, base: str) -> bool:
    """
    Is the path of *url* that of *base*, or below it, however it is written,
    and whichever way a server reads it?
    """
    folder = _plain_paths(base)[0]

    return folder == "/" or all(f"{path}/".startswith(f"{folder}/") for path in _plain_paths(url))


def _plain_paths(url: str) -> list[str]:
    """
    The path of *url* as servers may read it: without escapes and `..`.

    Those in Java drop what follows a semicolon in a segment first, and then
    resolve `..;` as well.
    """
    path, before = urlsplit(url).path, None

    while path != before:
        path, before = unquote(path), path

    path = path.replace("\\", "/")

    return [normpath("/" + it.lstrip("/")) for it in (path, re.sub(";[^/]*", "", path))]


def secret_fields(fields: Mapping[str, str]) -> tuple[tuple[str, Secret], ...]:
    """
    Header fields of an `Auth`, kept secret.

    Raises:
        ConfigurationError: One can't be sent.
    """
    if not all(_FIELD.fullmatch(f"{name}: {value}") for name, value in fields.items()):
        raise ConfigurationError(["ApiProfile.auth gives a header field that can't be sent"])

    return tuple((name, Secret(value)) for name, value in fields.items())


def _is_plain_url(url: str) -> bool:
    """
    Visible ASCII, without a user or a password.
    """
    return all("!" <= char <= "~" for char in url) and "@" not in urlsplit(url).netloc
