"""
Imports `module:factory` settings: storages and order sources of the host.
"""

import importlib
from collections.abc import Callable, Collection
from typing import Any

from conexxus_client import ConfigurationError
from conexxus_client.settings import search_current_folder
from conexxus_sync.runtime.host_exceptions import described, ends_process
from conexxus_sync.runtime.host_methods import (
    plain,
    problems_of,
    synchronous_orders,
    synchronous_storage,
)


LONGEST_COMPLAINT = 500


def load(reference: str, *, option: str, methods: Collection[str]) -> Any:
    """
    Import `module:factory`, call the factory, and see that it fits.

    What has the methods already, and is no class, is taken as it is.  Modules
    of the current folder are found, after all others.

    Args:
        reference: For example `my_shop.conexxus:orders`.
        option: Who asked, for messages: `CONEXXUS_ORDERS`.
        methods: One of these the thing made must have: `transactions`.

    Raises:
        ConfigurationError: Saying which step failed.
    """
    module_name, found, factory_name = reference.partition(":")

    if not (found and module_name and factory_name):
        raise _refused(option, reference, "it must look like package.module:factory")

    synchronous = synchronous_orders if "transactions" in methods else synchronous_storage
    factory = _factory(module_name, factory_name, methods, option, reference)

    try:
        made = synchronous(plain(factory(), factory_name))
    except BaseException as exc:
        if ends_process(exc):
            raise
        raise _refused(
            option, reference, f"the factory raised {described(exc, LONGEST_COMPLAINT)}"
        ) from exc

    if not _has_one(made, methods):
        wanted = " or ".join(f"{method}()" for method in methods)
        raise _refused(option, reference, f"what it made has no method {wanted}")
    if problems := [*problems_of(made, methods)]:
        raise _refused(option, reference, "; ".join(problems))

    return made


def _has_one(made: object, methods: Collection[str]) -> bool:
    return any(callable(getattr(made, method, None)) for method in methods)


def _factory(
    module_name: str, factory_name: str, methods: Collection[str], option: str, reference: str
) -> Callable[..., Any]:
    search_current_folder()

    try:
        module = importlib.import_module(module_name)
    except BaseException as exc:
        if ends_process(exc):
            raise
        raise _refused(option, reference, described(exc, LONGEST_COMPLAINT)) from exc

    found: Any = getattr(module, factory_name, None)

    if _has_one(found, methods) and not isinstance(found, type):
        return lambda: found
    if callable(found):
        return found  # type: ignore[no-any-return]  # whatever it makes

    raise _refused(option, reference, f"{module_name} has no callable {factory_name}")


def _refused(option: str, reference: str, reason: str) -> ConfigurationError:
    return ConfigurationError([f"{option} {reference} can't be used: {reason}"])
