"""
What a server says in HTTP.
"""

from .row import CHUNKED, ENVELOPE, GOOD, Row, answer, echo, interims, status


DATE = "Date: Sat, 02 Jan 2027 10:00:00 GMT"
PAST = "Sat, 02 Jan 2027 09:00:00 GMT"
NEXT_YEAR = "Sun, 02 Jan 2028 10:00:00 GMT"
SECONDS = "Retry-After: {}"

TOTALS = (
    b'{"success":true,"data":{"date":"2026-01-02","locationId":"loc","count":2,"total":3.50,'
    b'"tenders":[{"type":"cash","amount":1},{"type":"card","amount":2.50}]}}'
)

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
        outcome="ProtocolError",
        delivery="unknown",
    ),
    Row(
        id="H04b",
        title="A chunk whose size is no number",
        raw=answer(b"zz\r\n", CHUNKED, length=False),
        call="items",
        outcome="ProtocolError",
        delivery="unknown",
    ),
    Row(
        id="H05",
        title="A status line that is none",
        faults="garbage*forever",
        outcome="ProtocolError",
        delivery="unknown",
        requests=1,
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
    *(
        Row(
            id=f"H11{letter}",
            title=f"422 that echoes the key spelled as {way}: it is blotted out",
            raw=echo(way, refused=True),
            outcome="StatusError",
            delivery="rejected",
            requests=1,
        )
        for letter, way in (
            ("b", "JSON"),
            ("c", "JSON of PHP"),
            ("d", "some code points"),
            ("e", "Base64"),
        )
    ),
    Row(
        id="H11f",
        title="A receipt that echoes the key spelled as JSON of PHP: it is blotted out",
        raw=echo("JSON of PHP", refused=False),
        outcome="success",
        requests=1,
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
    *(
        Row(
            id=f"H12{letter}",
            title=f"503 with {said}",
            raw=answer(b"", DATE, *fields, status="503 Busy"),
            outcome="ServerError",
            delivery="unknown",
            requests=requests,
        )
        for letter, said, fields, requests in (
            ("c", "`Retry-After: soon`: as if it said nothing", ["Retry-After: soon"], 3),
            ("d", "`Retry-After: -1`: as if it said nothing", ["Retry-After: -1"], 3),
            ("e", "an empty Retry-After: as if it said nothing", ["Retry-After:"], 3),
            ("f", "a date that has passed: no wait", [f"Retry-After: {PAST}"], 3),
            ("g", "a date next year: given up at once", [f"Retry-After: {NEXT_YEAR}"], 1),
            (
                "h",
                "two Retry-After: the longer one counts",
                [SECONDS.format(0), SECONDS.format(10**9)],
                1,
            ),
        )
    ),
    Row(
        id="H12i",
        title="429 with Retry-After: not repeated unless asked for",
        faults="429(retry_after=0)*forever",
        outcome="RateLimitError",
        delivery="rejected",
        requests=1,
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
        id="H01c",
        title="The totals of a date, cut off before Content-Length",
        raw=answer(TOTALS[:20], f"Content-Length: {len(TOTALS)}", length=False),
        call="totals",
        outcome="ConnectionLostError",
        delivery="unknown",
        requests=3,
    ),
    Row(
        id="H11g",
        title="404: no totals of a date are offered",
        faults="404",
        call="totals",
        outcome="NotFoundError",
        delivery="rejected",
        requests=1,
    ),
    Row(
        id="H13t",
        title="503, twice, where the totals of a date were asked for",
        faults="summary: 503*2",
        call="totals",
        outcome="success",
        requests=3,
    ),
    *(
        Row(
            id=f"H15{letter}",
            title=f"200 with totals {said}",
            raw=answer(body),
            call="totals",
            outcome=error,
            delivery="unknown",
            requests=1,
        )
        for letter, said, body, error in (
            ("t", "that do not say success", TOTALS.replace(b"true", b"false"), "EnvelopeError"),
            ("u", "of another date", TOTALS.replace(b"2026", b"2025"), "EnvelopeError"),
            ("v", "of another location", TOTALS.replace(b'"loc"', b'"far"'), "EnvelopeError"),
            ("w", "that have no count", TOTALS.replace(b"count", b"number"), "DecodeError"),
            ("x", "that name a tender twice", TOTALS.replace(b"card", b"cash"), "DecodeError"),
            ("y", "that are no number", TOTALS.replace(b"3.50", b"NaN"), "DecodeError"),
        )
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
            DATE,
            DATE.replace("Date", "Retry-After"),
            status="503 Busy",
        ),
        outcome="ServerError",
        delivery="unknown",
        requests=3,
    ),
]
