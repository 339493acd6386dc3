"""
The fake back office: a pure state machine that keeps the wire contract.
"""

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from conexxus_client.config import ApiProfile

from ._answer import BODILESS, JSON, Answer, RefusalError, envelope, problem, timestamp_of
from ._catalogue._catalog_endpoint import CatalogSettings, Etag, Paging, Shape, answer_catalog
from ._catalogue._catalog_sources import SAMPLE, CatalogLike, catalog_source
from ._faults._fault_parser import parse_faults
from ._faults._fault_queue import FaultQueue
from ._faults._fault_script import OK, Fault, Kind, Script
from ._sales._ledger import Ledger
from ._sales._sales_endpoint import (
    Dedupe,
    Reject,
    RejectMode,
    SalesMode,
    SalesSettings,
    answer_push,
)
from ._sales._summary_endpoint import Summary, answer_summary


API_KEY = "sandbox-key"


class BackOffice:
    """
    A back office in memory.  Every attribute may be changed at any time.

    Args:
        catalog: Items as dicts, `Item`s or raw JSON texts; a number of items
            to generate; the `Path` of a file with one JSON item a line; or
            bytes, which become the whole body of the answer as they are.
        page_size: Items in a page; None puts all of them into one answer.
        paging: Where the next page is named: `nextCursor`, or a `Link`.
            A bare array can only use the latter.
        shape: Of the catalogue's body.
        total: Whether `total` is said; a number is said as it is.
        etag: Which kind of ETag the catalogue has.
        sales_mode: `append`, or `replace_day` where a second push for a
            date replaces the first.
        dedupe: How a repeated push is recognised: by its `key`, by each
            `transaction_id` of its location, or not at all.
        key_ttl: How long a key is remembered; None is for ever.
        reject: Which transactions are refused: ids, reasons by id, or a
            function that returns a reason, or True.
        reject_mode: `listed` takes the others and names the refused;
            `batch` refuses the batch (422) and names them; `blind` refuses
            it without a name.
        summary: Whether the totals of a date list its `transactions`, are
            `totals` alone, or `none` are offered (404).
        ledger: Books to continue, or the path of their file.
        faults: A script in the fault language, see `testing.parse_faults`.
        clock: For the timestamps of answers and the age of keys.
    """

    def __init__(
        self,
        catalog: CatalogLike = SAMPLE,
        *,
        api_key: str = API_KEY,
        page_size: int | None = None,
        paging: Paging = "cursor",
        shape: Shape = "envelope",
        total: bool | int = False,
        etag: Etag = "strong",
        sales_mode: SalesMode = "append",
        dedupe: Dedupe = "key",
        key_ttl: timedelta | None = None,
        reject: Reject = (),
        reject_mode: RejectMode = "listed",
        summary: Summary = "transactions",
        ledger: Ledger | Path | None = None,
        faults: str | Script = "",
        seed: int = 0,
        profile: ApiProfile | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.api_key = api_key
        self.page_size = page_size
        self.paging: Paging = paging
        self.shape: Shape = shape
        self.total = total
        self.etag: Etag = etag
        self.sales_mode: SalesMode = sales_mode
        self.dedupe: Dedupe = dedupe
        self.key_ttl = key_ttl
        self.reject: Reject = reject
        self.reject_mode: RejectMode = reject_mode
        self.summary: Summary = summary
        self.ledger: Ledger = ledger if isinstance(ledger, Ledger) else Ledger(ledger)
        self.requests: Counter[str] = Counter()
        self._clock = clock
        self._profile = profile or ApiProfile()
        self._requests_lock = threading.Lock()
        self._push_lock = threading.Lock()
        self._ids = itertools.count(1)
        self._faults = FaultQueue()
        self.catalog = catalog
        self.faults(faults, seed=seed)

    @property
    def catalog(self) -> CatalogLike:
        """
        What is sold.  Setting it changes the ETag if an item changed.
        """
        return self._catalog

    @catalog.setter
    def catalog(self, catalog: CatalogLike) -> None:
        self._source = catalog_source(catalog)
        self._catalog = catalog

    def faults(self, script: str | Script, *, seed: int = 0) -> None:
        """
        Let things go wrong from the next call on; replaces what was left.

        Raises:
            FaultSyntaxError: Naming the position and what was expected.
        """
        parsed = script if isinstance(script, Script) else parse_faults(script)
        self._faults.load(parsed, seed=seed)

    @property
    def faults_left(self) -> str:
        """
        The part of the script that has not been played yet.
        """
        return str(self._faults.left)

    @property
    def effective_batches(self) -> list[set[str]]:
        """
        The ids that each push made effective, in the order of the pushes.
        """
        return [{sale.id for sale in push.sales} for push in self.ledger.pushes]

    def reset(self) -> None:
        """
        Forget the sales, the faults and the counts; keep the settings.
        """
        self.ledger.clear()
        self.faults("")
        self.requests.clear()

    def endpoint(self, path: str) -> str | None:
        """
        Which endpoint *path* is: `health`, `catalog`, `sales`, `summary` or none.
        """
        offered = {} if self.summary == "none" else {self._profile.summary_path: "summary"}

        return {
            **offered,
            self._profile.health_path: "health",
            self._profile.catalog_path: "catalog",
            self._profile.sales_path: "sales",
        }.get(path)

    def next_fault(self, path: str) -> Fault:
        """
        Count a call and take its fault from the script.
        """
        endpoint = self.endpoint(path)

        if endpoint is None:
            return OK
        with self._requests_lock:
            self.requests[endpoint] += 1

        return self._faults.take(endpoint)

    def answer(
        self,
        fault: Fault,
        method: str,
        path: str,
        query: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
    ) -> Answer:
        """
        What is answered under *fault*; acts if and when the fault says so.
        """
        answer = Answer(status=503)

        if fault.acts:
            answer = self.handle(method, path, query, headers, body, fault=fault)
        if fault.kind not in (Kind.REDIRECT, Kind.STATUS):
            return answer
        answer.close()

        return self._fault_answer(fault).having(self._request_id())

    def handle(
        self,
        method: str,
        path: str,
        query: str = "",
        headers: Iterable[tuple[str, str]] | Mapping[str, str] = (),
        body: bytes = b"",
        *,
        fault: Fault = OK,
    ) -> Answer:
        """
        Act on one request and answer it; without faults but those of the books.
        """
        fields = {name.lower(): value for name, value in dict(headers).items()}

        try:
            answer = self._route(method, path, query, fields, body, fault)
        except RefusalError as refusal:
            answer = refusal.answer

        return answer.having(self._request_id())

    def _route(
        self,
        method: str,
        path: str,
        query: str,
        fields: Mapping[str, str],
        body: bytes,
        fault: Fault,
    ) -> Answer:
        if fields.get(self._profile.api_key_header.lower()) != self.api_key:
            return problem(401, "The API key is missing or wrong.")
        endpoint = self.endpoint(path)
        if endpoint is None:
            return problem(404, f"There is nothing at {path}.")
        allowed = "POST" if endpoint == "sales" else "GET"
        if method != allowed:
            return problem(405, f"Use {allowed}.").having(("Allow", allowed))
        if endpoint == "health":
            return self._health_answer()
        if endpoint == "catalog":
            return self._catalog_answer(path, query, fields)
        if endpoint == "summary":
            now = self._clock()
            return answer_summary(self.ledger, self.summary, self._profile, _parameters(query), now)

        return self._push_answer(fields, body, fault)

    def _health_answer(self) -> Answer:
        body = envelope(self._profile, {"status": "ok"}, self._clock())

        return Answer(status=200, headers=(("Content-Type", JSON),), body=body)

    def _catalog_answer(self, path: str, query: str, fields: Mapping[str, str]) -> Answer:
        settings = CatalogSettings(
            page_size=self.page_size,
            link=self.paging == "link" or self.shape == "array",
            envelope=self.shape == "envelope",
            total=self.total,
            etag=self.etag,
            profile=self._profile,
        )

        return answer_catalog(
            self._source,
            settings,
            path=path,
            parameters=_parameters(query),
            if_none_match=fields.get("if-none-match"),
            timestamp=timestamp_of(self._clock()),
        )

    def _push_answer(self, fields: Mapping[str, str], body: bytes, fault: Fault) -> Answer:
        settings = SalesSettings(
            sales_mode=self.sales_mode,
            dedupe=self.dedupe,
            key_ttl=self.key_ttl,
            reject=self.reject,
            reject_mode=self.reject_mode,
            profile=self._profile,
            now=self._clock(),
        )
        key = fields.get(self._profile.idempotency_header.lower())

        # One after the other: asking whether a push is known and recording
        # it must not be interleaved with its own repeat.
        with self._push_lock:
            return answer_push(self.ledger, settings, key, body, fault)

    def _fault_answer(self, fault: Fault) -> Answer:
        """
        The answer that *fault* itself is.
        """
        if fault.kind is Kind.REDIRECT:
            fields = (("Location", fault.url or "/"),)
            return Answer(status=fault.code or HTTPStatus.FOUND, headers=fields)
        code = fault.code or HTTPStatus.SERVICE_UNAVAILABLE
        answer = problem(code, "A fault of the sandbox.")
        if fault.body is not None or code in BODILESS:
            fields = (("Content-Type", fault.content_type or JSON),)
            body = (fault.body or "").encode("utf-8", "surrogatepass")
            answer = Answer(status=code, headers=fields, body=b"" if code in BODILESS else body)
        if fault.retry_after is not None:
            answer = answer.having(("Retry-After", fault.retry_after))

        return answer

    def _request_id(self) -> tuple[str, str]:
        return self._profile.request_id_header, f"req-{next(self._ids):06d}"


def _parameters(query: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(query).items()}
