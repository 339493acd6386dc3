"""
How a rule of an adapter's contract is broken: by a sentence.
"""

import asyncio
import gc
import inspect
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, NoReturn


def broken(sentence: str, cause: BaseException | None = None) -> NoReturn:
    """
    Fail a test with *sentence*.
    """
    raise AssertionError(sentence) from cause


@contextmanager
def must_pass(what: str) -> Iterator[None]:
    """
    Fail with *what* and the error, where one is raised.
    """
    try:
        yield
    except Exception as exc:  # noqa: BLE001 - a host raises what it likes
        broken(f"{what} raised {type(exc).__name__}: {exc}", exc)


def finished(result: Any) -> Any:
    """
    What *result* becomes when it is awaited; an adapter that must be awaited
    breaks the rule about that, and no other.
    """
    if inspect.isasyncgen(result):
        return asyncio.run(_collected(result))

    return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result


def in_a_thread(function: Callable[[], object]) -> BaseException | None:
    """
    The error of *function*, called in a thread of its own.
    """
    errors: list[BaseException] = []

    def call() -> None:
        try:
            function()
        except BaseException as exc:  # noqa: BLE001 - raised again by its caller, as a broken rule
            errors.append(exc)

    thread = Thread(target=call)
    thread.start()
    thread.join()

    return errors[0] if errors else None


def peak_of(call: Callable[[], object]) -> int:
    """
    Bytes that *call* has in use at most.
    """
    gc.collect()
    tracemalloc.start()

    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def _awaited(result: Any) -> Any:
    return await result


async def _collected(result: Any) -> list[Any]:
    return [each async for each in result]
