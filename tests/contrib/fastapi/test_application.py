"""
The service in a FastAPI application, on a real server.
"""

import asyncio
import io
import os
import socket
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Annotated

import httpx
import pytest
import uvicorn
from fastapi import Depends, FastAPI

from conexxus_client import ConfigurationError
from conexxus_client.testing import SandboxServer
from conexxus_sync import ConexxusService
from conexxus_sync.contrib.fastapi import Conexxus
from conexxus_sync.http import Access
from conexxus_sync.testing import sale


DAY = date(2026, 1, 2)


class Products:
    """
    An asynchronous storage.
    """

    def __init__(self):
        self.prices, self.loops = {}, set()

    async def apply(self, changes):
        self.loops.add(asyncio.get_running_loop())
        async for item in changes.created:
            self.prices[item.sku] = item.price


class Orders:
    async def transactions(self, location_id, business_date):
        if business_date == DAY:
            yield sale("t1", timestamp=datetime(2026, 1, 2, 15, tzinfo=UTC))


@pytest.fixture
def back_office():
    with SandboxServer() as server:
        yield server


@pytest.fixture
def make(back_office, tmp_path):
    settings = {
        **back_office.env,
        "CONEXXUS_STORE": f"sqlite:///{tmp_path / 'state.db'}",
        "CONEXXUS_TIMEZONE": "America/New_York",
    }
    return lambda **hosts: ConexxusService.from_env(settings, **hosts)


def exchange(app, talk):
    """
    What *talk* returns that speaks to *app*, served in this thread's own loop.
    """

    async def main():
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
        serving = asyncio.create_task(server.serve())
        while not server.started:
            if serving.done():
                raise RuntimeError("the application did not start")
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                return await talk(client)
        finally:
            server.should_exit = True
            await serving

    return asyncio.run(main())


def test_pull_and_push(make, back_office):
    """
    Adapters work in the application's loop, and routes trigger runs.
    """
    products = Products()
    conexxus = Conexxus(lambda: make(catalog=products, orders=Orders()), schedule=False)
    app = FastAPI(lifespan=conexxus.lifespan)
    conexxus.add_routes(app)

    @app.get("/shop")
    async def shop(service: Annotated[ConexxusService, Depends(conexxus.service)]) -> str:
        run = await asyncio.to_thread(service.sync_inventory)
        await asyncio.to_thread(service.push_sales, DAY)
        return str(run.status)

    async def talk(client):
        answers = [await client.get(path) for path in ("/shop", "/integrations/conexxus/health")]
        return [
            (answer.status_code, answer.json()) for answer in answers
        ], asyncio.get_running_loop()

    (shop_answer, health), loop = exchange(app, talk)

    assert shop_answer == (200, "success")
    assert health[0] == 200
    assert health[1]["lastSyncStatus"] == "success"
    assert len(products.prices) == len(back_office.office.catalog)
    assert products.loops == {loop}
    assert back_office.office.effective_batches == [{"t1"}]


WAITS = {"wait", "wait_for", "join", "_wait_for_tstate_lock"}
FILES = {io.open, os.fsync, os.open, os.stat, os.replace, time.sleep}


@contextmanager
def blocking_calls():
    """
    A block in which the calls of this thread are noted by which the SDK reads,
    writes or waits.
    """
    found = []

    def watch(frame, event, called):
        if event in ("call", "c_call") and blocks(frame, event, called) and caller(frame):
            found.append((caller(frame), getattr(called, "__qualname__", frame.f_code.co_name)))

    sys.setprofile(watch)
    try:
        yield found
    finally:
        sys.setprofile(None)


def blocks(frame, event, called):
    if event == "call":
        code, before = frame.f_code, frame.f_back
        # What `threading` calls itself, as at the start of a thread, is its own.
        return (
            code.co_filename == threading.__file__ != before.f_code.co_filename
            and code.co_name in WAITS
        )

    owner = getattr(called, "__self__", None)
    if isinstance(owner, socket.socket):
        return owner.gettimeout() != 0

    return type(owner).__module__ == "sqlite3" or called in FILES


def caller(frame):
    """
    The function of the SDK that a call comes from, if any.
    """
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith(("conexxus_sync", "conexxus_client")):
            return f"{name}.{frame.f_code.co_name}"
        frame = frame.f_back

    return None


def test_nothing_blocks_the_loop(make, monkeypatch):
    """
    Runs and routes neither read nor write nor wait in the thread
    of the loop, though the hosts are awaited there.
    """
    # A handler of another test may have no stream any more; logging would read
    # the source to say where.
    monkeypatch.setattr("logging.raiseExceptions", False)
    conexxus = Conexxus(lambda: make(catalog=Products(), orders=Orders()), schedule=False)
    app = FastAPI(lifespan=conexxus.lifespan)
    conexxus.add_routes(app)

    async def talk(client):
        service = await conexxus.service()
        with blocking_calls() as found:
            await asyncio.to_thread(service.sync_inventory)
            await asyncio.to_thread(service.push_sales, DAY)
            for path in ("health", "metrics", "test-connection"):
                assert (await client.get(f"/integrations/conexxus/{path}")).status_code == 200
            assert (await client.post("/integrations/conexxus/sync")).status_code == 202
        with blocking_calls() as control:
            service.health()
        return found, control

    found, control = exchange(app, talk)

    assert found == []
    assert control


def test_schedule(make):
    """
    What is due is done beside the application, until it ends.
    """
    products = Products()
    pulled = threading.Event()

    class Watched(Products):
        async def apply(self, changes):
            await Products.apply(products, changes)
            pulled.set()

    conexxus = Conexxus(lambda: make(catalog=Watched()))
    app = FastAPI(lifespan=conexxus.lifespan)

    async def talk(client):
        return await asyncio.to_thread(pulled.wait, 30)

    assert exchange(app, talk)
    assert products.prices
    assert "conexxus-schedule" not in {thread.name for thread in threading.enumerate()}


def test_openapi(make):
    """
    The application's own document describes the routes, with its own beside them.
    """
    conexxus = Conexxus(make, access=Access.on("0.0.0.0", token="t" * 40), schedule=False)
    app = FastAPI(lifespan=conexxus.lifespan)
    app.get("/shop")(lambda: "shop")
    conexxus.add_routes(app)

    document = app.openapi()

    assert {"/shop", "/integrations/conexxus/health", "/integrations/conexxus/sync"} <= {
        *document["paths"]
    }
    health = document["paths"]["/integrations/conexxus/health"]["get"]
    assert health["security"] == [{"ConexxusToken": []}]
    assert "ConexxusHealth" in document["components"]["schemas"]
    assert app.openapi() == document


def test_document_is_sound(make):
    """
    Every reference of the merged document has a target.
    """
    conexxus = Conexxus(make, schedule=False)
    app = FastAPI()
    conexxus.add_routes(app)
    document = app.openapi()

    def references(value):
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for each in value.values():
                yield from references(each)
        elif isinstance(value, list):
            for each in value:
                yield from references(each)

    names = {it.rpartition("/")[2] for it in references(document)}

    assert names
    assert names <= {*document["components"]["schemas"]}


def test_access(make):
    """
    The rules of the shim hold: with a token, nobody is let in without it.
    """
    conexxus = Conexxus(make, access=Access.on("0.0.0.0", token="t" * 40), schedule=False)
    app = FastAPI(lifespan=conexxus.lifespan)
    conexxus.add_routes(app)

    async def talk(client):
        path = "/integrations/conexxus/health"
        given = await client.get(path, headers={"Authorization": f"Bearer {'t' * 40}"})
        return [(await client.get(path)).status_code, given.status_code]

    assert exchange(app, talk) == [401, 200]


def test_configuration_error(tmp_path):
    """
    An application that is not configured does not start, and says why.
    """
    conexxus = Conexxus(lambda: ConexxusService.from_env({"CONEXXUS_STOER": "shop.db"}))
    app = FastAPI(lifespan=conexxus.lifespan)

    async def main():
        async with conexxus.lifespan(app):
            pass

    with pytest.raises(ConfigurationError, match="CONEXXUS_STORE"):
        asyncio.run(main())


def test_before_the_start(make):
    """
    Before the application has started, there is no service.
    """
    with pytest.raises(RuntimeError, match="the application has not started"):
        asyncio.run(Conexxus(make).service())
