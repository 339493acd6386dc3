"""
The OpenAPI document tells the truth: schemathesis asks what it describes.
"""

import itertools
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from conexxus_client import __version__
from conexxus_sync.http import PREFIX, Access
from conexxus_sync.http._openapi import openapi_document
from conexxus_sync.http._routes import api_routes, application
from conexxus_sync.http._server import serving


TOKEN = "s3cret"
DOCUMENT = openapi_document(api_routes(None, None, PREFIX), prefix=PREFIX, guarded=True)


@pytest.fixture
def guarded(busy):
    """
    The shim with something of everything behind it, where a minute passes
    between two requests, so that no rate is a limit.
    """
    access = Access.on("127.0.0.1", token=TOKEN)
    minutes = itertools.count(step=60)
    routes = api_routes(busy, access, PREFIX)
    for route in routes:
        if route.limit is not None:
            route.limit.monotonic = lambda: next(minutes)
    app = Starlette(routes=[Mount(PREFIX, app=application(routes, access=access))])
    busy.sync_inventory()
    busy.push_sales(date(2026, 1, 2))

    with serving(app, "127.0.0.1", 0) as url:
        yield url


def schemathesis(url, folder, *options):
    """
    How many requests schemathesis made, and what it said in the end.
    """
    command = [
        Path(sys.executable).with_name("schemathesis"),
        "run",
        f"{url}{PREFIX}/openapi.json",
        f"--header=Authorization: Bearer {TOKEN}",
        "--checks=all",
        "--no-color",
        *options,
    ]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900)
    made = re.search(r"([0-9,]+) generated", ended.stdout)

    assert ended.returncode == 0, ended.stdout[-4000:]

    return int(made[1].replace(",", ""))


def test_schemathesis(guarded, tmp_path):
    """
    Whatever is asked, nothing fails, and every answer has the shape that the
    document says.
    """
    made = schemathesis(guarded, tmp_path, "--phases=fuzzing", "--max-examples=10", "--seed=1")

    assert made >= 60


@pytest.mark.long
@pytest.mark.timeout(900)
def test_schemathesis_at_length(guarded, tmp_path):
    """
    The same with 500 requests or more, and in sequences, too.
    """
    made = schemathesis(guarded, tmp_path, "--max-examples=60")

    assert made >= 500


def test_every_route_is_described(busy):
    """
    What can be asked is in the document, and nothing else.
    """
    routes = {
        (method.lower(), PREFIX + route.path)
        for route in api_routes(busy, None, PREFIX)
        for method in route.methods - {"HEAD"}
    }
    described = {
        (method, path) for path, methods in DOCUMENT["paths"].items() for method in methods
    }

    assert described == routes


def test_document_says_what_it_is(browser):
    """
    It names its version, and asks for a token only where one is needed.
    """
    document = browser.get("/openapi.json").json()

    assert (document["openapi"], document["info"]["version"]) == ("3.1.0", __version__)
    assert document["security"] == []
    assert DOCUMENT["security"] == [{"token": []}]


def test_every_error_is_described():
    """
    Every operation says what a wrong token, a wrong host and a failure look
    like, and every description that is referred to exists.
    """
    operations = [one for path in DOCUMENT["paths"].values() for one in path.values()]
    referred = set(re.findall(r"#/components/schemas/(\w+)", repr(DOCUMENT)))

    assert all({"401", "403", "500"} <= one["responses"].keys() for one in operations)
    assert referred == DOCUMENT["components"]["schemas"].keys()
