"""
Answers of well-known systems, and what a person reads of them.
"""

import json

import attrs

from .matrix.row import answer


KEY_HINT = "Conexxus API authentication failed. Check API key."
FORBIDDEN = "Conexxus API access forbidden. Check permissions."
TRY_LATER = "Conexxus API server error ({}). Try again later."


@attrs.frozen(kw_only=True)
class WellKnown:
    """
    One answer to a push, with the whole sentence that is read.
    """

    name: str
    status: str
    body: object
    fields: tuple[str, ...] = ()
    sentence: str

    @property
    def raw(self) -> bytes:
        body = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return answer(body.encode(), *self.fields, status=self.status)


CHALLENGE = """<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title>
<style>*{box-sizing:border-box}</style><script>window._cf_chl_opt={cRay:'8'}</script></head>
<body><h1>shop.example</h1>Verify you are human</body></html>"""
PORTAL = """<html><head><meta http-equiv="refresh"><title>Hotel Wi&#45;Fi &amp; More</title></head>
<body>Please log in</body></html>"""

ANSWERS = [
    WellKnown(
        name="envelope with errors[]",
        status="400 Bad Request",
        body={"success": False, "data": None, "errors": [{"code": 17, "detail": "no such store"}]},
        sentence="Conexxus API error (400): no such store",
    ),
    WellKnown(
        name="GraphQL, errors with 200",
        status="200 OK",
        body={"errors": [{"message": "Not authorised", "path": ["pushSales"]}], "data": None},
        sentence="the back office did not confirm the push: pushSales: Not authorised",
    ),
    WellKnown(
        name="RFC 9457",
        status="422 Unprocessable Content",
        fields=("Content-Type: application/problem+json",),
        body={
            "type": "https://example.net/validation-error",
            "title": "Your request is not valid.",
            "errors": [
                {"detail": "must be a positive integer", "pointer": "#/age"},
                {"detail": "must be 'green', 'red' or 'blue'", "pointer": "#/profile/color"},
            ],
        },
        sentence=(
            "Conexxus API error (422): Your request is not valid: #/age: must be a positive "
            "integer; #/profile/color: must be 'green', 'red' or 'blue'"
        ),
    ),
    WellKnown(
        name="firewall's challenge page",
        status="403 Forbidden",
        fields=("Content-Type: text/html",),
        body=CHALLENGE,
        sentence=f"{FORBIDDEN} The answer said: an HTML page: Just a moment...",
    ),
    WellKnown(
        name="captive portal's page with 200",
        status="200 OK",
        fields=("Content-Type: text/html",),
        body=PORTAL,
        sentence=(
            "the answer is an HTML page: Hotel Wi-Fi & More. A login page of the network or a "
            "firewall may be in between; check CONEXXUS_API_URL."
        ),
    ),
    WellKnown(
        name="proxy's 407",
        status="407 Proxy Authentication Required",
        fields=("Proxy-Authenticate: Basic",),
        body="<html><head><title>ERROR: Cache Access Denied</title></head></html>",
        sentence=(
            "Conexxus API error (407): a proxy in between wants a user and a password: check "
            "CONEXXUS_PROXY"
        ),
    ),
    WellKnown(
        name="API gateway",
        status="403 Forbidden",
        body={"message": "Forbidden"},
        sentence=f"{FORBIDDEN} The answer said: Forbidden",
    ),
    WellKnown(
        name="OData",
        status="404 Not Found",
        body={"error": {"code": "", "message": {"lang": "en-US", "value": "No segment 'push'."}}},
        sentence=(
            "Conexxus API endpoint not found: /api/v1/sales/push. "
            "The answer said: No segment 'push'."
        ),
    ),
    WellKnown(
        name="Spring",
        status="500 Internal Server Error",
        body={
            "timestamp": "2026-01-02T10:00:00.000+00:00",
            "status": 500,
            "error": "Internal Server Error",
            "message": "could not execute statement",
            "path": "/api/v1/sales/push",
        },
        sentence=f"{TRY_LATER.format(500)} The answer said: could not execute statement",
    ),
    WellKnown(
        name="JSON:API",
        status="422 Unprocessable Content",
        body={
            "errors": [
                {
                    "status": "422",
                    "source": {"pointer": "/data/attributes/date"},
                    "title": "Invalid Attribute",
                    "detail": "The date is in the future.",
                }
            ]
        },
        sentence="Conexxus API error (422): /data/attributes/date: The date is in the future.",
    ),
    WellKnown(
        name="OAuth",
        status="401 Unauthorized",
        body={"error": "invalid_token", "error_description": "The access token expired"},
        sentence=f"{KEY_HINT} The answer said: The access token expired",
    ),
    WellKnown(
        name="FastAPI",
        status="422 Unprocessable Content",
        body={"detail": [{"loc": ["body", "date"], "msg": "Field required", "type": "missing"}]},
        sentence="Conexxus API error (422): body.date: Field required",
    ),
    WellKnown(
        name="ASP.NET",
        status="400 Bad Request",
        body={
            "title": "One or more validation errors occurred.",
            "status": 400,
            "errors": {"Date": ["The Date field is required."]},
        },
        sentence=(
            "Conexxus API error (400): One or more validation errors occurred: Date: The Date "
            "field is required."
        ),
    ),
    WellKnown(
        name="Django REST framework",
        status="400 Bad Request",
        body={"date": ["This field is required."]},
        sentence="Conexxus API error (400): date: This field is required.",
    ),
    WellKnown(
        name="Apigee",
        status="429 Too Many Requests",
        body={"fault": {"faultstring": "Rate limit quota violation", "detail": {"errorcode": "q"}}},
        sentence=(
            "Conexxus API rate limit exceeded. Try again later. "
            "The answer said: Rate limit quota violation"
        ),
    ),
    WellKnown(
        name="object store",
        status="403 Forbidden",
        body='<?xml version="1.0"?><Error><Code>No</Code><Message>Access Denied</Message></Error>',
        sentence=f"{FORBIDDEN} The answer said: a document: No Access Denied",
    ),
    WellKnown(
        name="load balancer",
        status="503 Service Unavailable",
        body="no healthy upstream",
        sentence=f"{TRY_LATER.format(503)} The answer said: no healthy upstream",
    ),
]
