"""
How soon the shim answers while a pull of a million items is at work beside it.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conexxus_client import ClientConfig, ConexxusClient
from conexxus_sync import ConexxusService, SyncConfig, open_store


class Puller:
    """
    Pulls the catalogue into one fresh store after another.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._client = ConexxusClient(ClientConfig(api_url=url, api_key="sandbox-key"))
        self._folder = folder
        self._stop = threading.Event()
        self.done = 0
        self.service = self._fresh()

    @contextmanager
    def pulling(self) -> Iterator[None]:
        thread = threading.Thread(target=self._pull)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _pull(self) -> None:
        service = self.service

        while not self._stop.is_set():
            run = service.sync_inventory()
            self.done += run.status == "success"
            service = self._fresh()

    def _fresh(self) -> ConexxusService:
        store = open_store(f"sqlite:///{self._folder}/{time.monotonic_ns()}.db")

        return ConexxusService(
            client=self._client, store=store, config=SyncConfig(location_id="loc")
        )


def measured(url: str, seconds: float) -> dict[str, float]:
    """
    What another process sees that asks 50 times a second.
    """
    command = [sys.executable, Path(__file__).with_name("shim_load.py"), url]
    command += ["--seconds", str(seconds)]

    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
