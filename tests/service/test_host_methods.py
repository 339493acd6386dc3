"""
The methods of what a host provides do their work when they are called, or are refused.
"""

from datetime import date

import pytest

from conexxus_client import ConfigurationError
from conexxus_sync import RunStatus
from conexxus_sync.testing import ListOrders, MemoryCatalog


async def later(*_):
    """
    Does nothing unless it is awaited.
    """


async def asynchronous(*_):
    yield


def lazy(*_):
    yield


class Callable:
    async def __call__(self, *_):
        pass


def having(**methods):
    """
    An object with these methods.
    """
    return type("Given", (), {name: staticmethod(it) for name, it in methods.items()})()


def nothing(*_):
    return None


@pytest.mark.case(
    "D1",
    "a method of a storage, an order source or a collector can't be called as it is: a generator, "
    "a coroutine function that is not `apply` or `transactions`, or nothing",
    "the service is not made, and the reason names argument, class and method",
)
@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"catalog": having(apply=Callable())},
            "catalog: `apply` of Given is a coroutine function",
        ),
        ({"catalog": having(apply=lazy)}, "`apply` of Given is a generator"),
        ({"catalog": having(apply_in=later)}, "`apply_in` of Given is a coroutine function"),
        (
            {"catalog": having(apply=nothing, last_applied=later)},
            "`last_applied` of Given is a coroutine function",
        ),
        ({"catalog": having(aply=nothing)}, "Given has no method `apply` or `apply_in`"),
        ({"catalog": MemoryCatalog}, "MemoryCatalog is a class, pass an instance of it"),
        ({"orders": having(transaction=nothing)}, "Given has no method `transactions`"),
        (
            {"orders": having(transactions=lazy, complete_void=later)},
            "`complete_void` of Given is a coroutine function",
        ),
        ({"collectors": [having(run_started=nothing)]}, "Given has no method `run_finished`"),
        (
            {"collectors": [having(run_started=nothing, run_finished=later)]},
            "collectors: `run_finished` of Given is a coroutine function",
        ),
    ],
)
def test_refused_at_the_start(new_service, given, problem):
    with pytest.raises(ConfigurationError, match=r".") as caught:
        new_service(**given)

    assert problem in str(caught.value)


def test_lazy_order_sources(new_service):
    """
    `transactions` may be a generator: it is iterated.
    """
    assert new_service(orders=having(transactions=lazy)).sales is not None


@pytest.mark.case(
    "D1",
    "`apply`, `apply_in` or `last_applied` returns something that is to be awaited or iterated",
    "the delivery has failed, and the changes come again",
)
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("result", [later, lazy, asynchronous])
@pytest.mark.parametrize("method", ["apply", "apply_in"])
def test_refused_at_run_time(new_service, method, result):
    run = new_service(catalog=having(**{method: lambda *_: result()})).sync_inventory()

    host = MemoryCatalog()
    new_service(catalog=host).sync_inventory()

    assert run.status is RunStatus.FAILED
    assert f"the host's catalogue storage failed: `{method}` returned a" in run.last_error
    assert {"A", "B"} == {*host.items}


@pytest.mark.filterwarnings("error")
def test_position_to_await(new_service):
    storage = having(apply=nothing, last_applied=lambda _: later())

    run = new_service(catalog=storage).sync_inventory()

    assert "`last_applied` returned a coroutine" in run.last_error


@pytest.mark.filterwarnings("error")
def test_sales_to_await(new_service):
    service = new_service(orders=having(transactions=lambda *_: later()))

    (run,) = service.push_sales(date(2026, 1, 1))

    assert "`transactions` returned a coroutine" in run.last_error


@pytest.mark.filterwarnings("error")
def test_collectors_to_await(new_service, caplog):
    collector = having(run_started=lambda _: later(), run_finished=nothing)

    new_service(collectors=[collector], orders=ListOrders()).sync_inventory()

    assert "returned a coroutine" in caplog.text
