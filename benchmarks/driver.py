"""
Runs the measurements of figures, in pairs, and collects the numbers.
"""

import json
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from benchmarks import variants
from benchmarks.figures import Compare, Figure, Work
from benchmarks.postgres import Postgres
from benchmarks.worker import BEGIN, END, NOT_INSTALLED, Numbers, Task, schema_of


ROOT = Path(__file__).resolve().parents[1]

# `--quick` takes a fraction of everything; pages stay whole.
QUICK = 200
SMALLEST = 10


class NotMeasuredError(Exception):
    """
    Something that a figure needs is not installed.
    """


@dataclass(kw_only=True)
class Result:
    """
    A figure and what was measured for it, in the order of measuring.
    """

    figure: Figure
    work: list[Numbers] = field(default_factory=list)
    base: list[Numbers] = field(default_factory=list)
    skipped: str = ""

    def as_json(self) -> dict[str, object]:
        figure = self.figure
        row: dict[str, object] = {
            "name": figure.name,
            "title": figure.title,
            "against": figure.against,
            "compare": figure.compare.value,
            "goal": figure.goal,
            "stretch": figure.stretch,
        }
        if self.skipped:
            return {**row, "skipped": self.skipped}

        bases = self.base or [{}] * len(self.work)
        values = [figure.value(*pair) for pair in zip(self.work, bases, strict=True)]
        value = round(statistics.median(values), 3)
        return {
            **row,
            "value": value,
            "values": [round(each, 3) for each in values],
            "reached": figure.goal is None or figure.reaches(value, figure.goal),
            "work": _medians(self.work),
            "base": _medians(self.base),
        }


def _medians(numbers: list[Numbers]) -> Numbers:
    keys = numbers[0] if numbers else {}

    return {key: round(statistics.median(each[key] for each in numbers), 4) for key in keys}


class Driver:
    """
    Measures with one server and one temporary folder.

    Args:
        folder: For catalogues and stores; on a disk.
        peers: The interpreter that has the other libraries.
        pairs: How many measurements of each kind.
        quick: Whether everything is small.
    """

    def __init__(self, folder: Path, peers: str, *, pairs: int, quick: bool) -> None:
        self.folder = folder
        self.peers = peers
        self.pairs = pairs
        self.quick = quick
        self.url = ""
        self.postgres = Postgres(folder / "postgres")
        self._measured: dict[Work, list[Numbers]] = {}

    @contextmanager
    def serving(self) -> Iterator[None]:
        command = [sys.executable, "-m", "benchmarks.server", str(self.folder / "catalogues")]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            self.url = server.stdout.readline().strip()
            try:
                yield
            finally:
                server.terminate()
                self.postgres.stop()

    def measure(self, figure: Figure) -> Result:
        """
        Work, base, work, base …; memory is taken from what was measured before.
        """
        result = Result(figure=figure)

        try:
            if figure.compare in (Compare.MEMORY, Compare.GROWTH):
                result.work, result.base = self._memory(figure.work), self._memory(figure.base)
            else:
                self._pairs(result)
        except NotMeasuredError as exc:
            result.skipped = str(exc)

        return result

    def _pairs(self, result: Result) -> None:
        for _ in range(self.pairs):
            result.work.append(self._once(result.figure.work))
            if result.figure.base is not None:
                result.base.append(self._once(result.figure.base))

        self._measured[result.figure.work] = result.work

    def _memory(self, work: Work | None) -> list[Numbers]:
        if work is None:
            return []
        if work not in self._measured:
            self._measured[work] = [self._once(work) for _ in range(self.pairs)]

        return self._measured[work]

    def _once(self, work: Work) -> Numbers:
        folder = self.folder / (work.keep or "fresh")
        if not work.keep:
            shutil.rmtree(folder, ignore_errors=True)
            if work.postgres:
                self.postgres.drop(*(schema_of(f"{folder}/{name}") for name in ("store", "small")))
        folder.mkdir(exist_ok=True)

        command = [self.peers if work.is_peer else sys.executable, "-m", "benchmarks.worker"]
        command += [work.workload, json.dumps(asdict(self._task(work, folder)))]
        return _counting_flushes(command) if work.flushes else _numbers(command)

    def _task(self, work: Work, folder: Path) -> Task:
        work = self._smaller(work) if self.quick else work

        return Task(
            url=self.url,
            folder=str(folder),
            variant=self._catalogue(work.variant, work.items),
            before=self._catalogue(work.before, work.items) if work.before else "",
            small=self._catalogue("plain", SMALLEST),
            count=work.count,
            postgres=self.postgres.url if work.postgres else "",
        )

    def _catalogue(self, variant: str, count: int) -> str:
        return variants.write(self.folder / "catalogues", variant, count)

    def _smaller(self, work: Work) -> Work:
        items = max(SMALLEST, work.items // QUICK)

        return replace(work, items=items, count=-(-work.count // QUICK))


def _numbers(command: list[str]) -> Numbers:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    if done.returncode == NOT_INSTALLED:
        raise NotMeasuredError(done.stderr.strip())
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")

    numbers: Numbers = json.loads(done.stdout.splitlines()[-1])
    return numbers


def _counting_flushes(command: list[str]) -> Numbers:
    """
    What the system was asked to flush, between the worker's two signs.
    """
    trace = Path(json.loads(command[-1])["folder"], "trace")
    calls = "trace=fsync,fdatasync,/access"
    strace = ["strace", "-f", "-qq", "-o", str(trace), "-e", calls]
    # Some containers have it, and forbid it.
    if not shutil.which("strace") or subprocess.run([*strace, "true"], check=False).returncode:
        raise NotMeasuredError("strace can't be used here")

    numbers = _numbers([*strace, *command])
    measured = trace.read_text().partition(BEGIN)[2].partition(END)[0]

    return {**numbers, "flushes": len(re.findall(r"\bf(?:data)?sync\(", measured))}
