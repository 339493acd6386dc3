"""
The simulated line: a transport of httpx whose other end is a back office.

No time passes but that of the simulation.
"""

from datetime import timedelta
from email.utils import format_datetime

import httpx

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_client.testing._faults._fault_script import Kind
from conexxus_client.testing._faults._wire_faults import default_cut


LATENCY = timedelta(milliseconds=40)
TIMEOUT = timedelta(seconds=10)
LOST = {
    Kind.REFUSE: httpx.ConnectError,
    Kind.RESET: httpx.ReadError,
    Kind.RESET_UPLOAD: httpx.WriteError,
    Kind.CLOSE: httpx.RemoteProtocolError,
    Kind.GARBAGE: httpx.RemoteProtocolError,
}
REFUSING = (Kind.STATUS, Kind.REFUSE)


class Office(BackOffice):
    """
    A back office whose clock is right.

    Attributes:
        dated: Whether its answers have a `Date`.
    """

    def __init__(self, time, *, dated, **settings):
        self.time, self.dated = time, dated
        self.catalog_path = ApiProfile().catalog_path
        super().__init__(clock=lambda: time.now, **settings)

    def handle(self, *arguments, **how):
        answer = super().handle(*arguments, **how)
        date = format_datetime(self.time.now, usegmt=True)

        return answer.having(("Date", date)) if self.dated else answer


class Body(httpx.SyncByteStream):
    def __init__(self, pieces):
        self.pieces = pieces

    def __iter__(self):
        yield from self.pieces


class Line(httpx.BaseTransport):
    """
    The way of one process to the office.

    Attributes:
        quirks: What else befalls the next pushes: `delay` or `twice`.
        changes: What happens before the next requests of the catalogue.
        watch: Sees each request before it is sent.
        booked: Called after each request that the office acted on.
    """

    def __init__(self, process, office, *, quirks, changes, watch, booked):
        self.process, self.office = process, office
        self.quirks, self.changes = quirks, changes
        self.watch, self.booked = watch, booked

    def handle_request(self, request):
        time = self.process.computer.time
        self.process.step("request")
        self.watch(request)
        time.pass_by(LATENCY)
        fault = self.office.next_fault(request.url.path)
        if request.url.path == self.office.catalog_path and self.changes:
            (self.changes.pop(0) or _nothing)()
        quirk = self.quirks.pop(0) if self.quirks and request.method == "POST" else None
        if quirk == "delay":
            time.later(timedelta(seconds=9), lambda: self._answer(request, None))
            raise self._timeout(request)
        # Who refuses a request refuses both copies of it.
        if quirk == "twice" and self.office.dedupe != "none" and fault.kind not in REFUSING:
            self._answer(request, None)
        answer = self._answer(request, fault)
        self._lose(fault, request)
        self.process.step("answered")
        pieces = [answer.body] if isinstance(answer.body, bytes) else answer.body

        return httpx.Response(
            answer.status, headers=list(answer.headers), stream=Body(self._cut(pieces, fault))
        )

    def _answer(self, request, fault):
        url, body = request.url, request.read()
        how = (request.method, url.path, url.query.decode(), request.headers.multi_items(), body)
        answer = self.office.handle(*how) if fault is None else self.office.answer(fault, *how)
        self.booked(self.process)

        return answer

    def _lose(self, fault, request):
        if fault.kind in LOST:
            raise LOST[fault.kind]("lost", request=request)
        if fault.kind is Kind.HANG:
            raise self._timeout(request)
        if fault.kind is Kind.SLOW:
            self.process.computer.time.pass_by(timedelta(milliseconds=fault.wait_ms))

    def _timeout(self, request):
        self.process.computer.time.pass_by(TIMEOUT)

        return httpx.ReadTimeout("silence", request=request)

    def _cut(self, pieces, fault):
        for piece in pieces:
            if fault.kind is Kind.TRUNCATE:
                yield piece[: default_cut(piece)]
                raise httpx.RemoteProtocolError("peer closed connection")
            yield piece


def _nothing():
    """
    The catalogue stays as it is.
    """
