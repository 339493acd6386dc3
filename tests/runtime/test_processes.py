"""
Which process holds something, and whether it still exists.
"""

import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from conexxus_sync.runtime.processes import LinuxProcesses


def test_our_process_is_not_gone():
    """
    We exist; whoever had our number before does not.
    """
    processes = LinuxProcesses()
    me = processes.current()

    assert not processes.is_gone(me)
    assert processes.is_gone(attrs.evolve(me, started="1"))


@pytest.mark.parametrize("unknown", [{"boot": "x"}, {"namespace": "x"}, {"boot": ""}])
def test_elsewhere_nothing_is_certain(unknown):
    """
    Of another machine, container or system we know nothing.
    """
    processes = LinuxProcesses()

    assert not processes.is_gone(attrs.evolve(processes.current(), started="1", **unknown))


def test_killed_process_is_gone():
    """
    A killed process is gone, even before its parent has noticed.
    """
    processes = LinuxProcesses()
    code = "import sys; sys.stdin.read()"

    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as child:
        stat = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        identity = attrs.evolve(processes.current(), pid=child.pid, started=stat[19])
        assert not processes.is_gone(identity)

        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

        assert processes.is_gone(identity)
    assert processes.is_gone(identity)
