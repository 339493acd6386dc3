"""
The shim inside other applications, on real servers.
"""

import io
import threading
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

import anyio
import httpx
import pytest
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server as make_werkzeug

from conexxus_sync.http import Access, create_app, integration, wsgi_app
from conexxus_sync.http._server import serving


PREFIX = "/integrations/conexxus"


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def serving_wsgi(app, make=make_server, **options):
    """
    The URL of a WSGI application on a real port.
    """
    server = make("127.0.0.1", 0, app, **options)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def in_starlette(service, access):
    async def shop(request):
        return PlainTextResponse("shop")

    app = Starlette(routes=[Route("/shop", shop), integration(service, access=access)])

    return serving(app, "127.0.0.1", 0)


def in_fastapi(service, access):
    app = FastAPI()
    app.get("/shop")(lambda: "shop")
    app.routes.append(integration(service, access=access))

    return serving(app, "127.0.0.1", 0)


def in_flask(service, access):
    app = flask_shop()
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {PREFIX: wsgi_app(service, access=access)})

    return serving_wsgi(app, make_werkzeug, threaded=True)


def beside_flask(service, access):
    app = flask_shop()
    app.wsgi_app = wsgi_app(service, access=access, beside=app.wsgi_app)

    return serving_wsgi(app, make_werkzeug, threaded=True)


def beside_django(service, access):
    return serving_wsgi(wsgi_app(service, access=access, beside=django_shop()), handler_class=Quiet)


def flask_shop():
    app = Flask("shop")
    app.get("/shop")(lambda: "shop")

    return app


def django_shop():
    from django.core.wsgi import get_wsgi_application

    import django_site  # noqa: F401 - the project

    return get_wsgi_application()


HOSTS = [in_starlette, in_fastapi, in_flask, beside_flask, beside_django]


@pytest.fixture(params=HOSTS, ids=lambda host: host.__name__)
def host(request, service):
    """
    A client of an application that has the shim among its own routes.
    """
    with (
        request.param(service, None) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def test_routes_beside_those_of_the_host(host, service, office):
    """
    The host keeps its routes, and the shim's are where they are documented.
    """
    before = host.get(f"{PREFIX}/health").json()
    started = host.post(f"{PREFIX}/sync")
    wait_for(started.json()["runId"])
    run = host.get(f"{PREFIX}/runs/{started.json()['runId']}").json()

    assert "shop" in host.get("/shop").text
    assert (before["status"], started.status_code, run["status"]) == ("healthy", 202, "success")
    assert office.requests["catalog"] == 1


def test_same_rules_everywhere(host):
    """
    Methods, names and sizes are judged alike, whoever mounts the shim.
    """
    head = host.head(f"{PREFIX}/health")

    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 100
    assert host.get(f"{PREFIX}/nothing").json() == {"error": "There is nothing at this path."}
    assert host.get(f"{PREFIX}/sync").headers["allow"] == "OPTIONS, POST"
    assert host.get(f"{PREFIX}/health", headers={"Host": "evil.example"}).status_code == 403
    assert host.post(f"{PREFIX}/sync", headers={"Origin": "null"}).status_code == 403
    assert host.post(f"{PREFIX}/push", content=b"x" * 100_000).status_code == 413
    assert host.post(f"{PREFIX}/push", json={"date": "2026-02-30"}).status_code == 400
    assert host.post(f"{PREFIX}/push?date=2026-01-02").status_code == 409


def test_host_answers_under_any_name(host):
    """
    The shim's rules are for its own routes alone.
    """
    assert host.get("/shop", headers={"Host": "evil.example"}).status_code == 200


@pytest.mark.parametrize("make", HOSTS, ids=lambda host: host.__name__)
def test_token(service, make):
    """
    A token is asked for in every host.
    """
    access = Access.on("127.0.0.1", token="s3cret")

    with make(service, access) as url:
        health = f"{url}{PREFIX}/health"
        without = httpx.get(health, trust_env=False)
        bearing = httpx.get(health, headers={"Authorization": "Bearer s3cret"}, trust_env=False)

    assert (without.status_code, bearing.status_code) == (401, 200)


def test_alone_under_wsgi(service):
    """
    Without a host, the shim answers everything.
    """
    app = wsgi_app(service, metrics=lambda: (b"conexxus_up 1\n", "text/plain; version=0.0.4"))

    with serving_wsgi(app, handler_class=Quiet) as url:
        health = httpx.get(f"{url}/health", trust_env=False)
        metrics = httpx.get(f"{url}/metrics", trust_env=False)
        nothing = httpx.get(f"{url}/shop", trust_env=False)

    assert health.json() == {"status": "ok"}
    assert (metrics.text, metrics.headers["content-type"]) == (
        "conexxus_up 1\n",
        "text/plain; version=0.0.4",
    )
    assert nothing.status_code == 404


def test_wsgi_reads_no_more_than_allowed(service):
    """
    A body of a gigabyte is not read to find that it is too long; one without
    a length is not read at all, because reading might never end.
    """
    read = []

    class Body:
        def read(self, size):
            read.append(size)
            return b"x" * size

    def status(**environ):
        said = []
        app = wsgi_app(service)
        app(
            {
                "REQUEST_METHOD": "POST",
                "PATH_INFO": f"{PREFIX}/push",
                "HTTP_HOST": "localhost",
                "wsgi.url_scheme": "http",
                "wsgi.input": Body(),
                **environ,
            },
            lambda status, headers: said.append(status),
        )
        return said[0]

    assert status(CONTENT_LENGTH=str(2**30)).startswith("413 ")
    assert status().startswith("409 ")
    assert status(**{"wsgi.input_terminated": True}).startswith("413 ")
    assert read == [64 * 1024 + 1]


@pytest.mark.parametrize(
    "head",
    [{"HTTP_TRANSFER_ENCODING": "chunked"}, {"CONTENT_LENGTH": "30"}, {"CONTENT_LENGTH": "x"}],
)
def test_wsgi_and_half_a_body(service, head):
    """
    Where a body can't be read to its end, nothing is started as if there were
    none.
    """
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": f"{PREFIX}/push",
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        **head,
    }
    seen = []

    body = wsgi_app(service)(environ, lambda status, headers: seen.append(status))

    assert seen == ["400 Bad Request"]
    assert list(body) == [b'{"error": "The body is cut off, or lacks a Content-Length."}']


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"REMOTE_ADDR": "192.0.2.7"}, "403 Forbidden"),
        ({"QUERY_STRING": "kind=\xe9"}, "400 Bad Request"),
        ({"PATH_INFO": f"{PREFIX}/runs/\xff"}, "404 Not Found"),
        ({}, "200 OK"),
    ],
)
def test_wsgi_and_odd_requests(service, environ, status):
    """
    What a server may pass on is answered, whether or not it names the
    caller's port, also in a thread whose event loop runs.
    """
    request = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"{PREFIX}/metrics",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        **environ,
    }
    seen = []

    async def ask():
        wsgi_app(service)(request, lambda status, headers: seen.append(status))

    anyio.run(ask)

    assert seen == [status]


def test_prefix_of_ones_own(service):
    """
    The prefix is the host's choice, and the document says where it is.
    """
    app = Starlette(routes=[integration(service, prefix="/pos/sync")])

    with serving(app, "127.0.0.1", 0) as url:
        health = httpx.get(f"{url}/pos/sync/health", trust_env=False)
        document = httpx.get(f"{url}/pos/sync/openapi.json", trust_env=False)

    assert health.json()["status"] == "healthy"
    assert "/pos/sync/health" in document.json()["paths"]


def test_within_a_mount(service):
    """
    An application that is itself mounted somewhere finds its routes.
    """
    inner = Starlette(routes=[integration(service)])
    whole = create_app(service)
    app = Starlette(
        routes=[Mount("/shop/7", app=inner), Mount("/whole", app=whole), Mount(PREFIX, app=whole)]
    )

    with serving(app, "127.0.0.1", 0) as url:
        answers = [
            httpx.get(f"{url}{path}/health", trust_env=False)
            for path in (f"/shop/7{PREFIX}", f"/whole{PREFIX}", PREFIX, "/whole")
        ]

    assert [answer.json()["status"] for answer in answers] == ["healthy"] * 3 + ["ok"]


def wait_for(run_id):
    for thread in threading.enumerate():
        if run_id in thread.name:
            thread.join(30)
