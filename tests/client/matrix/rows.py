"""
The fault matrix: what goes wrong, really, and what a caller then meets.

`docs/reference/faults.md` is written from these rows.
"""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import attrs


Script = bytes | Callable[[Callable[[bytes], None]], None]


@attrs.frozen(kw_only=True)
class Row:
    """
    One fault.

    Attributes:
        id: Of the matrix; a letter tells variants apart.
        title: What happens, in words.
        faults: In the sandbox's fault language, or
        raw: the bytes that a server says, or
        place: somewhere else than a server: `refused`, `nowhere`, `silent`.
        call: `push`, `items` or `health`.
        outcome: The error's class, or `success`.
        delivery: What the error says of it.
        requests: How many the server got, with two retries; None if that is
            not the point.
    """

    id: str
    title: str
    faults: str = ""
    raw: Script = b""
    place: str = ""
    call: str = "push"
    outcome: str
    delivery: str = ""
    requests: int | None = None


def answer(body: bytes, *fields: str, status: str = "200 OK", length: bool = True) -> bytes:
    """
    An HTTP answer.
    """
    size = (f"Content-Length: {len(body)}",) if length else ()
    head = "\r\n".join([f"HTTP/1.1 {status}", *size, *fields])

    return head.encode("latin-1") + b"\r\n\r\n" + body


def items(*raw: bytes) -> bytes:
    return answer(b'{"success":true,"data":[' + b",".join(raw) + b"]}")


def interims(send: Callable[[bytes], None]) -> None:
    while True:
        send(b"HTTP/1.1 102 Processing\r\n\r\n")


GOOD = b'{"sku":"G","name":"good","price":1.00}'
ENVELOPE = b'{"success":true,"data":[' + GOOD + b"]}"
ZIPPED = gzip.compress(ENVELOPE)
GZIP = "Content-Encoding: gzip"
CHUNKED = "Transfer-Encoding: chunked"
PAGE = b"<html><title>Wi-Fi</title>Please log in</html>"


def bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(b" " * 2**20) for _ in range(256)) + packer.flush()


def status(code: int, body: Any = None, **more: Any) -> str:
    said = "" if body is None else f", body={json.dumps(json.dumps(body))}"
    extra = "".join(f", {name}={value}" for name, value in more.items())
    return f"status({code}{said}{extra})"


NETWORK = [
    Row(
        id="N01",
        title="Nobody listens on the port",
        place="refused",
        outcome="ConnectError",
        delivery="not_sent",
    ),
    Row(
        id="N02",
        title="The connection is never accepted",
        place="silent",
        outcome="RequestTimeoutError",
        delivery="not_sent",
    ),
    Row(
        id="N03",
        title="The host's name does not resolve",
        place="nowhere",
        outcome="HostNotFoundError",
        delivery="not_sent",
    ),
    Row(
        id="N05",
        title="http:// to a port that answers with a TLS alert",
        raw=b"\x15\x03\x01\x00\x02\x02\x46",
        outcome="TlsError",
        delivery="not_sent",
        requests=1,
    ),
    Row(
        id="N05b",
        title="https:// to a port that speaks plain HTTP",
        place="plain",
        outcome="TlsError",
        delivery="not_sent",
    ),
    Row(
        id="N08",
        title="Reset before a byte; a push is repeated under its key",
        faults="reset*forever",
        outcome="ConnectionLostError",
        delivery="unknown",
        requests=3,
    ),
    Row(
        id="N08b",
        title="Reset once; the catalogue is asked for again",
        faults="reset",
        call="items",
        outcome="success",
        requests=2,
    ),
    Row(
        id="N09",
        title="Closed before a byte",
        faults="close*forever",
        outcome="ConnectionLostError",
        delivery="unknown",
        requests=3,
    ),
    Row(
        id="N10",
        title="Closed after the server committed: one sale",
        faults="after_commit(close)",
        outcome="success",
        requests=2,
    ),
    Row(
        id="N11",
        title="Reset in the middle of a large upload",
        faults="reset_upload(64KiB)*forever",
        call="large push",
        outcome="ConnectionLostError",
        delivery="unknown",
        requests=3,
    ),
    Row(
        id="N12",
        title="A kept-alive connection is closed as we send",
        faults="goodbye, ok",
        call="twice",
        outcome="success",
    ),
    Row(
        id="N13",
        title="An idle connection was closed: nobody notices",
        faults="goodbye*forever",
        call="twice",
        outcome="success",
        requests=2,
    ),
    Row(
        id="N14",
        title="No answer ever",
        faults="hang*forever",
        outcome="RequestTimeoutError",
        delivery="unknown",
        requests=3,
    ),
    Row(
        id="N15",
        title="Headers dripped",
        faults="drip_head(10ms, bytes=1)*forever",
        outcome="RequestTimeoutError",
        delivery="unknown",
    ),
    Row(
        id="N16",
        title="Body dripped",
        faults="drip(20ms, bytes=1)*forever",
        outcome="RequestTimeoutError",
        delivery="unknown",
    ),
    Row(
        id="N17",
        title="Body stalls",
        faults="stall(10)*forever",
        outcome="RequestTimeoutError",
        delivery="unknown",
    ),
    Row(
        id="N17b",
        title="The catalogue's body stalls",
        faults="stall(10)*forever",
        call="items",
        outcome="RequestTimeoutError",
        delivery="unknown",
    ),
    Row(
        id="N19",
        title="A catalogue at a kilobyte a second arrives, as long as it moves",
        faults="drip(50ms, bytes=50)",
        call="items",
        outcome="success",
        requests=1,
    ),
    Row(
        id="N20",
        title="Up and down and up again",
        faults="reset, ok, reset, ok",
        call="twice",
        outcome="success",
    ),
    Row(
        id="N21",
        title="A captive portal answers 200 with its page",
        raw=answer(PAGE, "Content-Type: text/html"),
        outcome="DecodeError",
        delivery="unknown",
        requests=1,
    ),
    Row(
        id="N21b",
        title="A captive portal redirects to its login",
        faults='redirect("https://portal.example/login?from=till")',
        outcome="RedirectError",
        delivery="unknown",
        requests=1,
    ),
]

HTTP = [
    Row(
        id="H01",
        title="Cut off before Content-Length",
        raw=answer(ENVELOPE[:20], f"Content-Length: {len(ENVELOPE)}", length=False),
        call="items",
        outcome="ConnectionLostError",
        delivery="unknown",
        requests=3,
    ),
    Row(
        id="H01b",
        title="Cut off in the middle of a chunk",
        raw=answer(b"40\r\n" + ENVELOPE[:20], CHUNKED, length=False),
        call="items",
        outcome="ConnectionLostError",
        delivery="unknown",
        requests=3,
    ),
    Row(
        id="H02",
        title="No length, closed at the border of an item",
        raw=answer(b'{"success":true,"data":[' + GOOD, length=False),
        call="items",
        outcome="DecodeError",
        requests=1,
    ),
    Row(
        id="H03",
        title="Content-Length too short",
        raw=answer(ENVELOPE, f"Content-Length: {len(ENVELOPE) - 5}", length=False),
        call="items",
        outcome="DecodeError",
        requests=1,
    ),
    Row(
        id="H04",
        title="Two different lengths",
        raw=answer(ENVELOPE, "Content-Length: 5"),
        call="items",
        outcome="ConnectionLostError",
        delivery="unknown",
    ),
    Row(
        id="H04b",
        title="A chunk whose size is no number",
        raw=answer(b"zz\r\n", CHUNKED, length=False),
        call="items",
        outcome="ConnectionLostError",
        delivery="unknown",
    ),
    Row(
        id="H05",
        title="A status line that is none",
        faults="garbage*forever",
        outcome="ConnectionLostError",
        delivery="unknown",
        requests=3,
    ),
    Row(
        id="H06",
        title="A megabyte of header",
        raw=answer(ENVELOPE, "X: " + "y" * 1_000_000),
        call="items",
        outcome="ResponseTooLargeError",
        requests=1,
    ),
    Row(
        id="H06b",
        title="100,000 header fields",
        raw=answer(ENVELOPE, *(f"X-{n}: y" for n in range(100_000))),
        call="items",
        outcome="ResponseTooLargeError",
        requests=1,
    ),
    Row(
        id="H07",
        title="Interim answers without end",
        raw=interims,
        outcome="RequestTimeoutError",
        delivery="unknown",
    ),
    *(
        Row(
            id=f"H08 {code}",
            title=f"{code} where a catalogue was asked for",
            faults=f"{code}*forever",
            call="items",
            outcome="EnvelopeError",
            requests=1,
        )
        for code in (204, 205, 206, 304)
    ),
    Row(
        id="H08",
        title="200 with an empty body",
        raw=answer(b""),
        call="items",
        outcome="EnvelopeError",
        requests=1,
    ),
    *(
        Row(
            id=f"H09 {code}",
            title=f"{code} to another host: key and body are not sent on",
            faults=f'redirect("https://other.example/x?token=1", code={code})',
            outcome="RedirectError",
            delivery="unknown",
            requests=1,
        )
        for code in (301, 302, 303, 307, 308)
    ),
    Row(
        id="H09",
        title="A redirect to another path of the same host",
        faults='redirect("/elsewhere", code=307)',
        outcome="RedirectError",
        delivery="unknown",
        requests=1,
    ),
    Row(
        id="H10",
        title="The next page is on another origin",
        raw=answer(b"[" + GOOD + b"]", 'Link: <https://other.example/p2>; rel="next"'),
        call="items",
        outcome="EnvelopeError",
        requests=1,
    ),
    *(
        Row(
            id=f"H11 {code}",
            title=f"{code} with a problem body (RFC 9457)",
            faults=status(code, {"title": "no", "detail": "because"}),
            outcome=error,
            delivery="rejected",
            requests=1,
        )
        for code, error in (
            (400, "StatusError"),
            (401, "AuthenticationError"),
            (403, "PermissionDeniedError"),
            (404, "NotFoundError"),
            (409, "StatusError"),
            (422, "StatusError"),
            (429, "RateLimitError"),
        )
    ),
    Row(
        id="H12",
        title="503 that asks for no wait",
        faults="503(retry_after=0)*2",
        outcome="success",
        requests=3,
    ),
    Row(
        id="H12b",
        title="503 that asks to wait for years: given up at once",
        faults="503(retry_after=1000000000)*forever",
        outcome="ServerError",
        delivery="unknown",
        requests=1,
    ),
    Row(
        id="H12c",
        title="503 with a Retry-After that can't be read",
        raw=answer(b"", "Retry-After: soon", "Retry-After: -1", status="503 Busy"),
        outcome="ServerError",
        delivery="unknown",
        requests=3,
    ),
    *(
        Row(
            id=f"H13 {code}",
            title=f"{code}, twice",
            faults=f"{code}*2",
            outcome="success",
            requests=3,
        )
        for code in (500, 502, 503, 504, 521, 599)
    ),
    Row(
        id="H14",
        title="503 after the server committed: one sale",
        faults="after_commit(503)",
        outcome="success",
        requests=2,
    ),
    *(
        Row(
            id=f"H15{letter}",
            title=f"200 that says {body}",
            faults=status(200, body),
            outcome="EnvelopeError",
            delivery="unknown",
            requests=1,
        )
        for letter, body in (
            ("", {"success": False}),
            ("b", {"success": "true"}),
            ("c", {"error": "no"}),
        )
    ),
    Row(
        id="H15d",
        title="500 that says success: a body never upgrades a status",
        faults=status(500, {"success": True}) + "*forever",
        outcome="ServerError",
        delivery="unknown",
        requests=3,
    ),
    Row(
        id="H19",
        title="The next page is the same page, for ever",
        raw=answer(b'{"success":true,"data":[' + GOOD + b'],"nextCursor":"again"}'),
        call="items",
        outcome="EnvelopeError",
    ),
    Row(
        id="H19b",
        title="Fewer items than the total says",
        raw=answer(b'{"success":true,"total":2,"data":[' + GOOD + b"]}"),
        call="items",
        outcome="EnvelopeError",
        requests=1,
    ),
    Row(
        id="H20",
        title="JSON under a wrong content type",
        raw=answer(ENVELOPE, "Content-Type: text/html"),
        call="items",
        outcome="success",
        requests=1,
    ),
    Row(
        id="H21",
        title="The server's clock is a year off: a date in Retry-After still means seconds",
        raw=answer(
            b"",
            "Date: Sat, 02 Jan 2027 10:00:00 GMT",
            "Retry-After: Sat, 02 Jan 2027 10:00:00 GMT",
            status="503 Busy",
        ),
        outcome="ServerError",
        delivery="unknown",
        requests=3,
    ),
]


def bad_item(identity: str, title: str, raw: bytes) -> Row:
    """
    A bad item costs itself, and the others arrive.
    """
    return Row(
        id=identity,
        title=title,
        raw=items(GOOD, raw, GOOD.replace(b'"G"', b'"H"')),
        call="items around one bad",
        outcome="success",
        requests=1,
    )


PAYLOAD = [
    *(
        Row(
            id=f"P01{letter}",
            title=title,
            raw=answer(body, GZIP),
            call="items",
            outcome="DecodeError",
            requests=1,
        )
        for letter, title, body in (
            ("", "Says gzip, but is none", ENVELOPE),
            ("b", "Gzip with a bad checksum", ZIPPED[:-8] + bytes(8)),
            ("c", "Gzip cut off, with the right length", ZIPPED[:-4]),
            ("d", "Something after the gzip", ZIPPED + b"junk"),
        )
    ),
    Row(
        id="P02",
        title="A gzip bomb",
        raw=answer(bomb(), GZIP),
        outcome="ResponseTooLargeError",
        requests=1,
    ),
    Row(
        id="P02b",
        title="A gzip bomb in a gzip",
        raw=answer(gzip.compress(bomb()), "Content-Encoding: gzip, gzip"),
        call="items",
        outcome="DecodeError",
        requests=1,
    ),
    bad_item("P04", "Nested 100,000 deep", b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    bad_item("P05", "A price of NaN", b'{"sku":"A","name":"a","price":NaN}'),
    bad_item("P05b", "A price of -Infinity", b'{"sku":"A","name":"a","price":-Infinity}'),
    bad_item("P06", "A price of 1e999", b'{"sku":"A","name":"a","price":1e999}'),
    bad_item("P07", 'A price of "NaN"', b'{"sku":"A","name":"a","price":"NaN"}'),
    bad_item("P07b", 'A price of "1e999999999"', b'{"sku":"A","name":"a","price":"1e999999999"}'),
    bad_item(
        "P09", "A number of 5,000 digits", b'{"sku":"A","name":"a","price":' + b"9" * 5000 + b"}"
    ),
    Row(
        id="P10",
        title="12345678901234567.89 stays exact",
        raw=items(b'{"sku":"A","name":"a","price":12345678901234567.89}'),
        call="exact price",
        outcome="success",
        requests=1,
    ),
    bad_item("P11", "A lone surrogate", b'{"sku":"A","name":"\\ud800","price":1}'),
    bad_item("P11b", "Bad UTF-8", b'{"sku":"A","name":"\xff","price":1}'),
    bad_item("P11c", "NUL in a name", b'{"sku":"A","name":"a\\u0000","price":1}'),
    Row(
        id="P11d",
        title="UTF-16",
        raw=answer(ENVELOPE.decode().encode("utf-16")),
        call="items",
        outcome="DecodeError",
        requests=1,
    ),
    Row(
        id="P11e",
        title="A byte order mark",
        raw=answer(b"\xef\xbb\xbf" + ENVELOPE),
        call="items",
        outcome="success",
        requests=1,
    ),
    bad_item("P13", "A null element", b"null"),
    bad_item("P13b", "A list for an object", b"[1,2]"),
    bad_item("P13c", "A missing field", b'{"sku":"A"}'),
    Row(
        id="P13d",
        title="A null for the list",
        raw=answer(b'{"success":true,"data":null}'),
        call="items",
        outcome="EnvelopeError",
        requests=1,
    ),
    Row(
        id="P13e",
        title="An object for the list",
        raw=answer(b'{"success":true,"data":{}}'),
        call="items",
        outcome="EnvelopeError",
        requests=1,
    ),
    Row(
        id="P16",
        title="Names with markup, formulas, line ends, escape codes: kept as they are",
        raw=items(rb'{"sku":"A","name":"<script>=cmd|x</script>\r\n\u001b[31m\u202e","price":1}'),
        call="items",
        outcome="success",
        requests=1,
    ),
    Row(
        id="P13f",
        title="A field that nobody knows",
        raw=items(GOOD[:-1] + b',"aisle":7}'),
        call="items",
        outcome="success",
        requests=1,
    ),
]

ROWS = [*NETWORK, *HTTP, *PAYLOAD]
