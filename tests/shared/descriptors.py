"""
What this process has open.
"""

import os
import socket
from collections import Counter
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit


OPEN = Path("/proc/self/fd")
# A server opens its own when its thread comes to it; clients open none.
POLL = "anon_inode:[eventpoll]"


def descriptors(*urls: str) -> Counter[str]:
    """
    Open descriptors by what they lead to, but for the servers' own ends of
    connections at *urls*; nothing where the system does not tell.
    """
    ports = {urlsplit(url).port for url in urls}
    found: Counter[str] = Counter()

    for fd in OPEN.iterdir() if OPEN.exists() else ():
        # The one that reads the directory has gone by now.
        with suppress(OSError):
            target = str(fd.readlink())
            is_socket = target.startswith("socket:")
            if target != POLL and not (is_socket and _local_port(int(fd.name)) in ports):
                found[target] += 1

    return found


def _local_port(fd: int) -> int | None:
    with socket.socket(fileno=os.dup(fd)) as twin:
        name = twin.getsockname()

    return name[1] if isinstance(name, tuple) else None
