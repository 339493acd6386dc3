"""
Plays worlds by their seed, and shrinks what fails to a minimal list of events.
"""

import tempfile
from contextlib import contextmanager

import attrs

from tills import folder_in_memory

from .events import draw
from .world import World


# A failure of the simulated world is as good a reason to look as one of the SDK.
FAILURES = (Exception,)


@attrs.frozen
class Result:
    """
    What became of a world.

    Attributes:
        error: What was not as it must be; None if all was.
        store_days: Days that passed, times the locations.
    """

    error: Exception | None
    store_days: int


def play(setup, events, *, log=None, office=None, store="sqlite"):
    """
    Let *events* happen in a new world.

    Args:
        log: Gets each line of the story.
        office: Changes the world before anything happens in it.
        store: Which database it is in.
    """
    with _folder() as folder, World(setup, folder, log=log, store=store) as world:
        try:
            if office is not None:
                office(world)
            world.play(events)
        except FAILURES as exc:
            return Result(exc, world.store_days)

        return Result(None, world.store_days)


@contextmanager
def _folder():
    with (
        folder_in_memory(None) as parent,
        tempfile.TemporaryDirectory(dir=parent) as folder,
    ):
        yield folder


def shrink(setup, events, *, tries=200, **how):
    """
    A shorter list of events that fails alike (delta debugging).

    Args:
        tries: So many shorter lists are played at most.
    """
    kind = type(play(setup, events, **how).error)
    width = max(len(events) // 2, 1)

    while width and tries > 0:
        start = 0
        while start < len(events) and tries > 0:
            shorter = events[:start] + events[start + width :]
            tries -= 1
            if type(play(setup, shorter, **how).error) is kind:
                events = shorter
            else:
                start += width
        width //= 2

    return events


def failure(seed, *, length=40, tries=200, **how):
    """
    What is said of a seed that fails; None if it does not.
    """
    setup, events = draw(seed, length)
    found = play(setup, events, **how)
    if found.error is None:
        return None
    events = shrink(setup, events, tries=tries, **how)
    error = play(setup, events, **how).error
    steps = "\n".join(f"    {event!r}," for event in events)

    return f"seed {seed}: {type(error).__name__}: {error}\n{setup!r}\n[\n{steps}\n]"
