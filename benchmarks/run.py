"""
How fast it is, as ratios within one run.

Seconds depend on the machine; what one thing costs in terms of another does
so much less.  Every figure is the best of several rounds of CPU time, or of
wall time where the network is waited for.
"""

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from shim import Puller, measured

from conexxus_client import (
    ApiProfile,
    ClientConfig,
    ConexxusClient,
    ConexxusError,
    FrozenBatch,
    SalesBatch,
    Transaction,
    TransactionLine,
)
from conexxus_client._codec import CatalogReader
from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync import ConexxusService, SyncConfig, open_store
from conexxus_sync.http import create_app
from conexxus_sync.http._server import serving


def best(
    action: Callable[[], Any], rounds: int = 5, clock: Callable[[], float] | None = None
) -> float:
    """
    The shortest of several runs, in seconds.
    """
    clock = clock or time.process_time
    times = []

    for _ in range(rounds):
        started = clock()
        action()
        times.append(clock() - started)

    return min(times)


def report(name: str, *figures: str) -> None:
    print(f"  {name:<44}", *figures, sep="  ")


def rate(count: int, seconds: float) -> str:
    return f"{count / seconds:>12,.0f} /s"


def ratio(seconds: float, base: float, of: str) -> str:
    return f"{seconds / base:>6.2f} x {of}"


def bench_reader(scale: int) -> None:
    """
    Decoding a catalogue, against the standard library.
    """
    count = 20_000 * scale
    body = b"[" + b",".join(item for item in _items(count)) + b"]"
    extra = body.replace(b'"category"', b'"aisle":7,"category"')

    def read(body: bytes) -> None:
        reader = CatalogReader(ApiProfile())
        for start in range(0, len(body), 65_536):
            reader.feed(body[start : start + 65_536])
        reader.close()

    base = best(lambda: json.loads(body, parse_float=Decimal))
    report("json.loads(parse_float=Decimal), whole body", rate(count, base))
    for name, text in (("CatalogReader, streamed", body), ("the same with an extra key", extra)):
        seconds = best(lambda text=text: read(text))
        report(name, rate(count, seconds), ratio(seconds, base, "json"))


def bench_encode(scale: int) -> None:
    """
    Freezing sales, against the standard library (which needs floats).
    """
    count = 2_000 * scale
    sales = list(_sales(count))
    plain = [{"id": sale.id, "total": float(sale.total), "items": [1, 2, 3]} for sale in sales]
    batch = SalesBatch(date=date(2026, 1, 2), location_id="loc", transactions=sales)

    base = best(lambda: json.dumps(plain))
    seconds = best(lambda: FrozenBatch.of(batch))
    report("json.dumps of a third of it, as floats", rate(count, base))
    report("FrozenBatch.of", rate(count, seconds), ratio(seconds, base, "json"))


def bench_calls(scale: int) -> None:
    """
    Small calls, over our lanes and over an injected httpx client.
    """
    import httpx

    count = 200 * scale

    with SandboxServer(BackOffice()) as server:
        config = ClientConfig(api_url=server.url, api_key=server.api_key)

        with httpx.Client(trust_env=False) as bare:
            key = {"X-API-Key": server.api_key}
            url = f"{server.url}/api/v1/health"
            base = best(lambda: [bare.get(url, headers=key) for _ in range(count)], 3)
            report("bare httpx, no retries, no decoding", rate(count, base))
            for name, options in (("ConexxusClient", {}), ("over httpx", {"http_client": bare})):
                client = ConexxusClient(config, **options)
                seconds = best(lambda client=client: [client.health() for _ in range(count)], 3)
                report(name, rate(count, seconds), ratio(seconds, base, "httpx"))


def bench_pull(scale: int) -> None:
    """
    Pulls of one catalogue: first, unchanged, one item changed, 304.
    """
    count = 20_000 * scale

    with _process("--items", str(count)) as url, tempfile.TemporaryDirectory() as folder:
        config = ClientConfig(api_url=url, api_key="sandbox-key")
        store = open_store(f"sqlite:///{folder}/store.db")
        zone = SyncConfig(location_id="loc", timezone=ZoneInfo("UTC"))
        service = ConexxusService(client=ConexxusClient(config), store=store, config=zone)

        iterate = best(lambda: sum(1 for _ in ConexxusClient(config).iter_items()), 3)
        report("iter_items", rate(count, iterate))
        first = best(service.sync_inventory, 1)
        report("first pull", rate(count, first), ratio(first, iterate, "iter_items"))
        again = best(service.sync_inventory, 3)
        report("pull with 304", f"{again * 1000:>12.1f} ms", ratio(again, first, "first"))


def bench_shim(scale: int) -> None:
    """
    50 requests a second for half a minute, during pulls of a million items.
    """
    count, seconds = 200_000 * scale, 6.0 * scale

    with _process("--items", str(count)) as url, tempfile.TemporaryDirectory() as folder:
        for path in ("/health", "/integrations/conexxus/health"):
            puller = Puller(url, Path(folder))
            with serving(create_app(puller.service), "127.0.0.1", 0) as shim:
                idle = measured(f"{shim}{path}", 2)
                with puller.pulling():
                    found = measured(f"{shim}{path}", seconds)
            _report_answers(f"{path}, idle", idle)
            _report_answers(f"{path}, {puller.done} pulls", found)
            if found["errors"] or not puller.done:
                sys.exit(f"{path}: {found['errors']} errors, {puller.done} pulls")


def _report_answers(name: str, found: dict[str, float]) -> None:
    times = (f"{name} {found[name] * 1000:.1f} ms" for name in ("p50", "p99", "max"))
    report(name, f"{found['requests']} requests, {found['errors']} errors", *times)


def bench_faults(_: int) -> None:
    """
    When a call with a deadline of 1.5 s ends, whatever the server does.
    """
    faults = [
        "hang",
        "drip_head(40ms, bytes=1)",
        "drip(50ms, bytes=1)",
        "stall(10)",
        "interim",
    ]

    for fault in faults:
        office = BackOffice()
        office.faults(f"{fault}*forever")
        with SandboxServer(office) as server:
            config = ClientConfig(
                api_url=server.url, api_key=server.api_key, timeout_ms=1_500, retries=0
            )
            _report_deadline(fault, config)

    # The connection is accepted, and the TLS handshake never answered.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        config = ClientConfig(
            api_url=f"https://127.0.0.1:{port}", api_key="k", timeout_ms=1_500, retries=0
        )
        _report_deadline("TLS stall", config)


def _report_deadline(fault: str, config: ClientConfig) -> None:
    with ConexxusClient(config) as client:
        seconds = best(lambda: _outcome(client), 1, time.monotonic)

    report(fault, f"{seconds:>9.3f} s", f"{seconds - 1.5:+.3f}")


def _outcome(client: ConexxusClient) -> str:
    try:
        return client.health().status
    except ConexxusError as exc:
        return str(exc)


def _items(count: int) -> Iterator[bytes]:
    for n in range(count):
        yield (
            b'{"sku":"SKU%07d","name":"Cabernet Sauvignon %d","price":%d.%02d,'
            b'"category":"Wine","description":"Full-bodied red wine"}'
        ) % (n, n, n % 90, n % 100)


def _sales(count: int) -> Iterator[Transaction]:
    lines = [TransactionLine(sku=f"S{n}", quantity=n, price=Decimal("9.99")) for n in (1, 2, 3)]
    moment = datetime(2026, 1, 2, 10, tzinfo=UTC)

    for n in range(count):
        yield Transaction(id=f"t{n}", timestamp=moment, total=Decimal("59.94"), items=lines)


@contextmanager
def _process(*arguments: str) -> Iterator[str]:
    """
    A sandbox in a process of its own, so that its work is not counted.
    """
    command = [Path(sys.executable).with_name("conexxus"), "sandbox", "--port", "0", *arguments]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sandbox:
        assert sandbox.stdout is not None
        try:
            prefix = "export CONEXXUS_API_URL="
            lines = (line.strip() for line in sandbox.stdout)
            yield next(line.removeprefix(prefix) for line in lines if line.startswith(prefix))
        finally:
            sandbox.terminate()


BENCHMARKS = {
    name.removeprefix("bench_"): bench for name, bench in globals().items() if "bench_" in name
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--scale", type=int, default=5, help="how much work, from 1")
    arguments = parser.parse_args()

    for name in arguments.names or BENCHMARKS:
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark {name!r}: take {', '.join(BENCHMARKS)}")
        print(f"{name}: {(BENCHMARKS[name].__doc__ or '').strip()}")
        BENCHMARKS[name](arguments.scale)


if __name__ == "__main__":
    main()
