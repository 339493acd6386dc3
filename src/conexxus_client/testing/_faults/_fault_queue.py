"""
The queue of faults: which one applies to the next call.
"""

import random
import threading

from ._fault_script import OF_BOOKS, OK, Fault, Script, Section, Step


class FaultQueue:
    """
    Hands out the faults of a script, call by call, to any thread.
    """

    def __init__(self, script: Script | None = None, *, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self.load(script or Script(), seed=seed)

    def load(self, script: Script, *, seed: int = 0) -> None:
        """
        Forget what was left and begin with *script*.
        """
        with self._lock:
            # Dice for tests, not for secrets.
            self._random = random.Random(seed)  # noqa: S311  # dice of a test, not of a secret
            self._sections = [_SectionProgress(section) for section in script.sections]

    def take(self, endpoint: str) -> Fault:
        """
        The fault for this call; `ok` if there is none.
        """
        with self._lock:
            for section in self._sections:
                fault = section.take(endpoint, self._random)

                if fault is not None:
                    return fault

        return OK

    @property
    def left(self) -> Script:
        """
        What has not been played yet.
        """
        with self._lock:
            rest = (section.left() for section in self._sections)

            return Script(tuple(section for section in rest if section.steps))


class _SectionProgress:
    """
    One section, and the steps that are left of it.
    """

    def __init__(self, section: Section) -> None:
        self._endpoint = section.endpoint
        self._steps = list(reversed(section.steps))
        self._calls = 0

    def take(self, endpoint: str, dice: random.Random) -> Fault | None:
        if self._endpoint not in (None, endpoint) or not self._steps:
            return None
        step = self._steps[-1]
        if step.fault.kind in OF_BOOKS and endpoint != "sales":
            return None
        self._calls += 1
        if self._calls == step.times:
            self._steps.pop()
            self._calls = 0

        return step.fault if step.chance is None or dice.random() < step.chance else None

    def left(self) -> Section:
        steps = list(reversed(self._steps))

        if steps and steps[0].times is not None:
            first = steps[0]
            rest = steps[0].times - self._calls
            steps[0] = Step(fault=first.fault, chance=first.chance, times=rest)

        return Section(endpoint=self._endpoint, steps=tuple(steps))
