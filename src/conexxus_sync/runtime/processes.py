"""
Process identity: whether the process that holds a lease still exists.
"""

import os
import socket
from pathlib import Path
from typing import Protocol

import attrs


@attrs.frozen(kw_only=True)
class ProcessIdentity:
    """
    A process, distinguished from every other that has its number.

    Attributes:
        boot: Of the machine it runs on; empty where that is unknown.
        namespace: In which its number counts.
        started: Clock ticks from boot to its start.
        host: Name of the machine, for people.
    """

    boot: str
    namespace: str
    pid: int
    started: str
    host: str


class Processes(Protocol):
    """
    What the operating system says about processes.
    """

    def current(self) -> ProcessIdentity: ...

    def is_gone(self, identity: ProcessIdentity) -> bool:
        """
        Is it certain that this process no longer exists?
        """
        ...


class LinuxProcesses:
    """
    Reads `/proc`; without it, no process is ever provably gone.
    """

    def current(self) -> ProcessIdentity:
        pid = os.getpid()

        return ProcessIdentity(
            boot=_text("/proc/sys/kernel/random/boot_id"),
            namespace=_link("/proc/self/ns/pid"),
            pid=pid,
            started=_start_and_state(pid)[0],
            host=socket.gethostname(),
        )

    def is_gone(self, identity: ProcessIdentity) -> bool:
        here = self.current()

        if not (identity.boot and identity.namespace and identity.started):
            return False
        if (identity.boot, identity.namespace) != (here.boot, here.namespace):
            return False

        try:
            os.kill(identity.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            # It exists and is somebody else's.
            pass

        started, state = _start_and_state(identity.pid)

        # Unreadable is no proof; a zombie writes nothing any more.
        return bool(started) and (started != identity.started or state in "ZX")


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""


def _start_and_state(pid: int) -> tuple[str, str]:
    """
    Fields 22 and 3 of proc_pid_stat(5); the name before them may hold anything.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return "", ""

    fields = stat.rpartition(b")")[2].split()

    return fields[19].decode(), fields[0].decode()
