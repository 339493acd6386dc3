"""
Answers with random mistakes: success, or an error of the client; never another.
"""

import gzip
import json
import os
import random
from collections import Counter
from contextlib import suppress

import httpx
import httpx2
import pytest

from canary import CANARY, everything_about, traces
from conexxus_client import ClientConfig, ConexxusClient, ConexxusError, Delivery

from .matrix.row import CHUNKED, ENVELOPE, GOOD, GZIP, answer
from .matrix.test_matrix import batch
from .well_known import ANSWERS


IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"
SHORT, LONG = 60, 400 if IS_SMALL else 8_000

PLAIN = [
    answer(b'{"success":true,"data":{"status":"ok"},"timestamp":"2026-01-02T10:00:00Z"}'),
    answer(ENVELOPE, 'ETag: "v1"', "Date: Sat, 02 Jan 2027 10:00:00 GMT"),
    answer(b"[" + b",".join([GOOD] * 9) + b"]", 'Link: </p2>; rel="next"'),
    answer(b"[" + b",".join([GOOD] * 9) + b"]"),
    answer(gzip.compress(ENVELOPE, mtime=0), GZIP),
    answer(b"%x\r\n%s\r\n0\r\n\r\n" % (len(ENVELOPE), ENVELOPE), CHUNKED, length=False),
    answer(b'{"success":true,"data":{"accepted":1,"rejected":[]}}'),
    answer(b'{"success":true,"data":{"accepted":0,"rejected":[{"id":"t1","error":"no"}]}}'),
    answer(b"", "Location: /api/v1/health/", status="308 Permanent Redirect"),
    answer(b'{"error":"slow"}', "Retry-After: 0", "X-Request-Id: r-1", status="429 Slow Down"),
    answer(json.dumps({"error": f"no key {CANARY}"}).encode(), status="401 Unauthorized"),
    *[known.raw for known in ANSWERS],
]
WORDS = [b"\r\n", b":", b" ", b"\x00", b"\xff", b"-1", b"99999999999999999999", b"NaN", b"null"]
WORDS += [b"[", b"]", b"{", b"}", b'"', b"\\u0000", b"\\ud800", b"HTTP/2 200", b"gzip, gzip", b"<"]


def mutated(raw, draw):
    """
    *raw* with one to four mistakes.
    """
    for _ in range(draw.randint(1, 4)):
        at, end = sorted(draw.randrange(len(raw) + 1) for _ in range(2))
        end = min(end, at + draw.choice([1, 4, 40, 400]))
        raw = draw.choice(
            [
                lambda raw, at, end: raw[:at] + draw.choice(WORDS) + raw[at:],
                lambda raw, at, end: raw[:at] + draw.choice(WORDS) + raw[end:],
                lambda raw, at, end: raw[:at] + raw[end:],
                lambda raw, at, end: raw[:end] + raw[at:],
                lambda raw, at, end: raw[:at] + draw.randbytes(end - at) + raw[end:],
                lambda raw, at, end: raw[:at],
                lambda raw, at, end: raw[:at] + raw[at:end].swapcase() + raw[end:],
                lambda raw, at, end: raw.replace(b"\r\n", b"\n", draw.randint(1, 3)),
            ]
        )(raw, at, end)

    return raw


def outcome_of(call, note):
    """
    The result or the client's error; any other gets *note*.
    """
    try:
        return call()
    except ConexxusError as exc:
        return exc
    except BaseException as exc:
        exc.add_note(note)
        raise


def outcomes(client, server, count, seed):
    """
    What *count* mutated answers come to, by the name of the outcome.
    """
    draw = random.Random(seed)
    seen = Counter()
    calls = {
        "health": client.health,
        "items": client.fetch_items,
        "push": lambda: client.push_sales(batch(), idempotency_key="k"),
    }

    for number in range(count):
        raw = mutated(draw.choice(PLAIN), draw)
        call = draw.choice(list(calls))
        server._script = raw
        server.requests.clear()
        outcome = outcome_of(calls[call], f"answer {number} of seed {seed}, to {call}: {raw!r}")
        seen[type(outcome).__name__ if isinstance(outcome, ConexxusError) else "success"] += 1

        if isinstance(outcome, ConexxusError):
            text = outcome.explanation
            assert text.isprintable(), raw
            assert len(text) < 1_000, raw
            assert "bytearray" not in text, raw
            if call == "push" and server.requests:
                assert outcome.delivery is not Delivery.NOT_SENT, raw
        if number % 20 == 0 or CANARY in str(outcome):
            # To look everywhere takes longer than all the rest.
            assert traces(CANARY, *everything_about(outcome)) == [], raw

    return seen


def summary(seen):
    return ", ".join(f"{name} {count:,}" for name, count in seen.most_common())


@pytest.mark.parametrize(
    "count", [SHORT, pytest.param(LONG, marks=[pytest.mark.long, pytest.mark.timeout(1_200)])]
)
def test_mutated_answers(connect, raw_server, count):
    """
    Whatever comes, the outcome is success or a `ConexxusError` that is fit to be
    printed, without the key; a push that was answered is never `not_sent`.
    """
    server = raw_server(b"")
    client = connect(server.url, api_key=CANARY, retries=0, timeout_ms=10_000)

    seen = outcomes(client, server, count, seed=count)

    print(f"{count:,} answers: {summary(seen)}")
    assert seen.total() == count
    assert len(seen) >= 6


def keep_reading(response):
    # What a hook does when it logs answers; it must not raise for a broken one.
    with suppress(ValueError):
        response.read()


@pytest.mark.parametrize("family", [httpx, httpx2], ids=lambda it: it.__name__)
@pytest.mark.parametrize("hooks", [[], [keep_reading]], ids=["no hook", "reading hook"])
@pytest.mark.parametrize(
    "count", [SHORT, pytest.param(LONG, marks=[pytest.mark.long, pytest.mark.timeout(1_200)])]
)
def test_mutated_answers_to_injected_clients(raw_server, family, hooks, count):
    """
    The same over an HTTP client of the application's.
    """
    server = raw_server(b"")
    config = ClientConfig(api_url=server.url, api_key=CANARY, retries=0)

    with family.Client(trust_env=False, timeout=10, event_hooks={"response": hooks}) as http_client:
        client = ConexxusClient(config, http_client=http_client)
        seen = outcomes(client, server, count, seed=count)

    print(f"{count:,} answers: {summary(seen)}")
    assert seen.total() == count
