"""
What the fronts have in common: where they are mounted, and repeated headers.
"""

from collections.abc import Iterable


def inner_path(path: str, root: str, prefix: str) -> str:
    """
    *path* as the shim's routes know it, wherever a host has mounted it.

    Args:
        root: The part of the address that the host has dealt with.
    """
    root = root.rstrip("/")

    # Hosts differ in whether the path still has the root in front.
    if root and (path == root or path.startswith(f"{root}/")):
        path = path[len(root) :]

    return prefix + path if prefix and root.endswith(prefix) else path


def joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """
    By lower-case name; values of a repeated one joined (RFC 9110, 5.3).

    A repeated `Host` or `Origin` so becomes one that nobody allows.
    """
    found: dict[str, str] = {}

    for name, value in headers:
        key = name.lower()
        separator = "; " if key == "cookie" else ", "
        found[key] = f"{found[key]}{separator}{value}" if key in found else value

    return found
