"""
The methods of what a host provides: whether they are there, and can be called as they are.
"""

import inspect
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import Any

from conexxus_sync.errors import HostError


_STORAGE = ("apply", "apply_in")
_COLLECTOR = ("run_started", "run_finished")
# Called where it is there, with the other method.
_OPTIONAL = {"apply": "last_applied", "transactions": "complete_void"}
_PLAIN = (*_STORAGE, "last_applied", "complete_void", "run_started", "run_finished")


def method_problems(
    *, catalog: object | None, orders: object | None, collectors: Iterable[object]
) -> Iterator[str]:
    """
    Why what the host provides can't be used, one sentence each.
    """
    given = [("catalog", catalog, _STORAGE), ("orders", orders, ("transactions",))]
    given += [("collectors", it, (name,)) for it in collectors for name in _COLLECTOR]

    for argument, host, methods in given:
        if host is not None or argument == "collectors":
            yield from (f"{argument}: {it}" for it in problems_of(host, methods))


def problems_of(given: object, methods: Collection[str]) -> Iterator[str]:
    """
    Why *given* can't be used, of whose *methods* one is called; one sentence each.
    """
    name = given.__name__ if isinstance(given, type) else type(given).__name__

    if isinstance(given, type):
        yield f"{name} is a class, pass an instance of it"
    elif not any(callable(getattr(given, method, None)) for method in methods):
        wanted = " or ".join(f"`{method}`" for method in methods)
        yield f"{name} has no method {wanted}"

    optional = [_OPTIONAL[method] for method in methods if method in _OPTIONAL]
    for method in (*methods, *optional):
        if reason := _not_plain(getattr(given, method, None), method):
            yield f"`{method}` of {name} {reason}"


def synchronous_storage(storage: Any) -> Any:
    """
    *storage*, or what calls it if its `apply` is a coroutine function.
    """
    if not inspect.iscoroutinefunction(getattr(storage, "apply", None)):
        return storage

    # Few hosts are asynchronous, and asyncio costs each command its start.
    from .async_hosts import RestorableStorage, Storage

    restorable = hasattr(storage, "last_applied")
    return (RestorableStorage if restorable else Storage)(storage)


def synchronous_orders(orders: Any) -> Any:
    """
    *orders*, or what calls it if its `transactions` is asynchronous.
    """
    method = getattr(orders, "transactions", None)

    if not (inspect.isasyncgenfunction(method) or inspect.iscoroutinefunction(method)):
        return orders

    from .async_hosts import Orders, VoidingOrders

    voiding = hasattr(orders, "complete_void")
    return (VoidingOrders if voiding else Orders)(orders)


def called(host: object, method: str, *arguments: object) -> Any:
    """
    What *method* of *host* returns.

    Raises:
        HostError: It has not done its work.
    """
    return plain(getattr(host, method)(*arguments), method)


def plain(result: Any, method: str) -> Any:
    """
    The *result* of the host's *method*, which has done its work.

    Raises:
        HostError: It is still to be awaited or iterated: nothing was done.
    """
    if inspect.iscoroutine(result):
        # Python warns of one that is neither awaited nor closed.
        result.close()
    if inspect.isawaitable(result) or inspect.isasyncgen(result):
        msg = f"`{method}` returned a {type(result).__name__}, which is not awaited: {_NO_ASYNC}"
        raise HostError(msg)
    if method != "transactions" and inspect.isgenerator(result):
        msg = f"`{method}` returned a generator, which is not iterated: {_ADVICE}"
        raise HostError(msg)

    return result


_ADVICE = "it must do its work before it returns"
_NO_ASYNC = f"{_ADVICE}, like a plain `def` that calls `asyncio.run`"


def _not_plain(method: object, name: str) -> str | None:
    """
    Why a call of *method* does nothing by itself; None if it does.
    """
    while isinstance(method, partial):
        method = method.func
    functions = [method]
    if callable(method) and not inspect.isroutine(method):
        functions.append(type(method).__call__)

    for function in functions:
        if inspect.iscoroutinefunction(function):
            return f"is a coroutine function, which is not awaited: {_NO_ASYNC}"
        if inspect.isasyncgenfunction(function):
            return f"is an asynchronous generator, which is not iterated: {_NO_ASYNC}"
        if name in _PLAIN and inspect.isgeneratorfunction(function):
            return f"is a generator, which is not iterated: {_ADVICE}"

    return None
