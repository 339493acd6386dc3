import os
import subprocess
import sys
from decimal import Decimal
from functools import partial
from pathlib import Path

import attrs
import pytest
from servers import new_server, server

from conexxus_client.testing import BackOffice
from shops import busy, promtool, shop


__all__ = ["busy", "new_server", "promtool", "server", "shop"]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

# Read by Python at its start: for the SDK it is always $NOW.
FROZEN_CLOCK = """
import os
from datetime import datetime
if "NOW" in os.environ:
    from conexxus_sync import ConexxusService
    from conexxus_sync.runtime.clock import SystemClock
    now, run_due = datetime.fromisoformat(os.environ["NOW"]), ConexxusService.run_due
    SystemClock.now = lambda self: now
    ConexxusService.run_due = lambda self, _: run_due(self, now)
"""


@pytest.fixture
def office():
    """
    A back office with some hundred kilobytes of catalogue.
    """
    return BackOffice(
        [
            {"sku": f"SKU{number:04}", "name": "Wine " * 50, "price": Decimal("9.90")}
            for number in range(1000)
        ]
    )


@attrs.frozen
class Program:
    """
    An example, run as a program in a folder of its own.
    """

    path: Path
    folder: Path
    environ: dict

    def start(self, *arguments, **environ):
        return subprocess.Popen(
            [sys.executable, str(self.path), *arguments],
            cwd=self.folder,
            env={**self.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments, **environ):
        with self.start(*arguments, **environ) as process:
            try:
                out, err = process.communicate(timeout=60)
            finally:
                process.kill()  # one that hangs; the others have ended
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def new_program(folder, name, **environ):
    """
    A program of an example.
    """
    (folder / "sitecustomize.py").write_text(FROZEN_CLOCK)
    keep = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "TZ": "UTC"}
    return Program(EXAMPLES / name, folder, {**keep, **environ})


@pytest.fixture
def program(tmp_path):
    """
    Makes a program of an example.
    """
    return partial(new_program, tmp_path)
