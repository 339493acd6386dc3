"""
One measurement, in a process of its own: `python -m benchmarks.worker WORKLOAD TASK`.

A workload is a function that imports and prepares what it needs, and returns
what is measured.  The result is printed as JSON; exit code 3 means that a
library is not installed.
"""

import gc
import importlib
import json
import os
import re
import resource
import sys
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


NOT_INSTALLED = 3

# What `strace` shows of the beginning and the end of what is measured.
BEGIN, END = "/conexxus-benchmark-begins", "/conexxus-benchmark-ends"

Numbers = dict[str, float]
Action = Callable[[], Numbers | None]


@dataclass(frozen=True, kw_only=True)
class Task:
    """
    What a workload works on.

    Attributes:
        url: Where the back office is.
        folder: For a store; empty the first time.
        variant: The catalogue that is measured.
        before: The catalogue that the store holds when measuring begins.
        small: A catalogue of ten items, to load whatever is loaded late.
        count: How many sales, days, calls, commands or bytes.
        postgres: The URL of the server that has the store; empty if it is a file.
    """

    url: str
    folder: str
    variant: str = ""
    before: str = ""
    small: str = ""
    count: int = 0
    postgres: str = ""

    def serve(self, variant: str) -> None:
        request = urllib.request.Request(f"{self.url}/{variant}", method="PUT")
        urllib.request.urlopen(request).close()

    def file(self, name: str) -> str:
        return str(Path(self.folder, name))

    def store(self, file: str) -> str:
        """
        What CONEXXUS_STORE says of the store that stands for *file*.
        """
        if not self.postgres:
            return f"sqlite:///{file}"

        return f"{self.postgres}{'&' if '?' in self.postgres else '?'}schema={schema_of(file)}"

    def pulling(self, pull: Callable[[str], Numbers | None]) -> Action:
        """
        Measure `pull(file)`, after one of ten items and one of what was before.
        """
        self.serve(self.small)
        pull(self.file("small.db"))
        if self.before:
            self.serve(self.before)
            pull(self.file("store.db"))
        self.serve(self.variant)

        return lambda: pull(self.file("store.db"))


def schema_of(file: str) -> str:
    path = Path(file)

    return f"{path.parent.name}_{path.stem}".replace("-", "_")


def measured(action: Action, postgres: str = "") -> Numbers:
    """
    CPU seconds of all threads and children, and of the server *postgres* if
    there is one; and the peak of memory in MB.
    """
    gc.collect()
    _reset_peak()
    os.access(BEGIN, os.F_OK)
    before, server = _cpu(), _cpu_of_server(postgres)
    numbers = action() or {}
    cpu, server = _cpu() - before, _cpu_of_server(postgres) - server
    os.access(END, os.F_OK)
    if postgres:
        numbers = {"server": server, **numbers}

    return {"cpu": cpu + server, "peak": _peak(), **numbers}


def _cpu() -> float:
    usages = (
        resource.getrusage(resource.RUSAGE_SELF),
        resource.getrusage(resource.RUSAGE_CHILDREN),
    )

    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _cpu_of_server(postgres: str) -> float:
    if not postgres:
        return 0

    # The environment of other libraries has no driver.
    from benchmarks.postgres import cpu_of_server

    return cpu_of_server(postgres)


def _reset_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> float:
    with suppress(OSError):
        status = Path("/proc/self/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    module, _, name = sys.argv[1].partition(".")
    task = Task(**json.loads(sys.argv[2]))
    try:
        workload = getattr(importlib.import_module(f"benchmarks.{module}"), name)
        action = workload(task)
    except ModuleNotFoundError as exc:
        print(f"{exc.name} is not installed", file=sys.stderr)
        sys.exit(NOT_INSTALLED)

    print(json.dumps(measured(action, task.postgres)))


if __name__ == "__main__":
    main()
