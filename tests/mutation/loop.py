"""
Runs the tests of a package against each mutant: a plugin of pytest.

mutmut's own loop starts pytest anew for every mutant, which costs more than the
tests.  Here they are collected once, and run once without a mutant, to see how
long each takes and which lines it executes.  Every mutant then gets a fork of
the process, and the tests that reach what it changes, until one fails: of the
others, none can differ.  First are those of the files that are about the module,
then those that are quick, or reach lines of the module that few reach.  That a
test passes in a fork without a mutant is examined before its first failure counts.
"""

import os
import resource
import signal
import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic, process_time

import attrs
import coverage
import pytest

from .mutants import Mutant


SURVIVED, KILLED, TIMED_OUT, UNTESTED = "survived", "killed", "timed out", "untested"
# Of a test with a mutant: so many times what it takes without, and some seconds.
PATIENCE, CPU_SECONDS = 10, 3
# What computes for less than so many seconds in so long stands still; on a busy
# machine, other processes may have the rest.
STILL_CPU_SECONDS, STILL_SECONDS = 0.1, 60


@attrs.define(eq=False)
class MutantLoop:
    """
    What became of each mutant.

    Attributes:
        about: Of a module, names of files whose tests are tried first, and all.
        most: So many other tests a mutant at most; the score is then a lower bound.
    """

    mutants: Sequence[Mutant]
    about: Mapping[str, tuple[str, ...]]
    most: int
    outcomes: dict[Mutant, str] = attrs.field(factory=dict)
    seconds: dict[str, float] = attrs.field(factory=dict)
    reached: dict[Path, dict[int, list[str]]] = attrs.field(factory=dict)
    # Of each test, and module: how special the lines are that it reaches.
    weights: dict[Path, dict[str, float]] = attrs.field(factory=dict)
    failed: list[str] = attrs.field(factory=list)
    # The tests that killed, by function.
    killers: dict[str, Counter[str]] = attrs.field(factory=lambda: defaultdict(Counter))
    # Those that pass in a fork.
    sound: set[str] = attrs.field(factory=set)

    def pytest_sessionstart(self) -> None:
        # pytest wants to be first to import it.
        from hypothesis import HealthCheck, Phase, settings

        # No time is spent on a small example: that it fails is enough.
        settings.register_profile(
            "mutation",
            max_examples=20,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("mutation")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("tests can't be collected")

        items = {item.nodeid: item for item in session.items}
        self._rehearse(session.items)
        if self.failed:
            return True

        for number, mutant in enumerate(self.mutants, 1):
            self.outcomes[mutant] = outcome = self._examined(mutant, items)
            if outcome != KILLED:
                print(
                    f"{number}/{len(self.mutants)} {outcome}: {mutant.change}",
                    file=sys.__stderr__,
                    flush=True,
                )

        return True

    def _rehearse(self, items: Sequence[pytest.Item]) -> None:
        paths = {mutant.path for mutant in self.mutants}
        watch = coverage.Coverage(data_file=None, config_file=False, include=[*map(str, paths)])
        # Tests that reach nothing of the package notice nothing, which is an answer.
        watch.set_option("run:disable_warnings", ["no-data-collected"])
        watch.start()
        for item, after in zip(items, [*items[1:], None], strict=True):
            watch.switch_context(item.nodeid)
            began = process_time(), monotonic()
            _run(item, after)
            # A test that waits is as dear as one that computes.
            self.seconds[item.nodeid] = max(process_time() - began[0], (monotonic() - began[1]) / 4)
        watch.stop()
        found = watch.get_data()
        self.reached = {path: found.contexts_by_lineno(str(path)) for path in paths}
        for path, lines in self.reached.items():
            weights = self.weights[path] = defaultdict(float)
            for tests in lines.values():
                for test in tests:
                    weights[test] += 1 / len(tests)

    def _examined(self, mutant: Mutant, items: dict[str, pytest.Item]) -> str:
        killers, reached = self.killers[mutant.function], self.reached[mutant.path]
        weights = self.weights[mutant.path]
        found = {test for line in mutant.lines for test in reached.get(line, ()) if test}
        if not found:
            return UNTESTED

        about = tuple(f"test_{name}.py" for name in self.about.get(mutant.path.stem, ()))
        first = {test for test in found if test.partition("::")[0].endswith(about)}
        quick = sorted(found - first, key=lambda test: self.seconds[test])
        special = sorted(found - first, key=lambda test: self.seconds[test] / weights[test])
        ranks = {test: rank for rank, test in enumerate(special)}
        for rank, test in enumerate(quick):
            ranks[test] = min(rank, ranks[test])
        others = sorted(ranks, key=lambda test: ranks[test])[: self.most]
        tests = sorted(
            [*sorted(first, key=lambda test: self.seconds[test]), *others],
            key=lambda test: -killers[test],
        )

        status, killer = self._forked(mutant, [items[test] for test in tests])
        if killer:
            if killer not in self.sound and self._forked(None, [items[killer]])[0]:
                self.failed.append(f"{killer}, alone")
            self.sound.add(killer)
            killers[killer] += 1
            return KILLED
        if os.WIFSIGNALED(status):
            return TIMED_OUT if os.WTERMSIG(status) in (signal.SIGALRM, signal.SIGXCPU) else KILLED

        return KILLED if os.WEXITSTATUS(status) else SURVIVED

    def _forked(self, mutant: Mutant | None, items: Sequence[pytest.Item]) -> tuple[int, str]:
        """
        How the child ended that ran *items*, and which test failed.
        """
        ours, theirs = os.pipe()
        with warnings.catch_warnings():
            # No thread of this process holds what the child needs.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()

        if child == 0:
            try:
                self._try(mutant, items, theirs)
            finally:
                os._exit(3)

        os.close(theirs)
        status = os.waitpid(child, 0)[1]
        with os.fdopen(ours) as pipe:
            return status, pipe.read()

    def _try(self, mutant: Mutant | None, items: Sequence[pytest.Item], tell: int) -> None:
        _end_if_still()
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        reporter = items[0].config.pluginmanager.get_plugin("terminalreporter")
        items[0].config.pluginmanager.unregister(reporter)

        if mutant is not None:
            mutant.put_in_place()
        for item, after in zip(items, [*items[1:], None], strict=True):
            limit = process_time() + CPU_SECONDS + PATIENCE * self.seconds[item.nodeid]
            resource.setrlimit(resource.RLIMIT_CPU, (int(limit), -1))
            _run(item, after)
            if self.failed:
                os.write(tell, item.nodeid.encode())
                os._exit(1)
        os._exit(0)


def _run(item: pytest.Item, after: pytest.Item | None) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)


def _end_if_still() -> None:
    """
    End this process by SIGALRM once it waits for what does not come.
    """
    before = process_time()

    def look(number: int, frame: object) -> None:
        nonlocal before
        if process_time() - before < STILL_CPU_SECONDS:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGALRM)
        before = process_time()

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, STILL_SECONDS, STILL_SECONDS)
