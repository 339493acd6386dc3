"""
How commands end that are told to stop.
"""

import signal
import threading

import pytest

from conexxus_client.testing import SandboxServer
from conexxus_sync.cli._signals import StopEvent, StoppedError, stop_at_once, stop_gracefully


# Seconds until a command has ended that was told to, on a busy machine.
SOON = 8


class WatchedEvent(threading.Event):
    """
    Knows which thread has set it.
    """

    setter = None

    def set(self):
        self.setter = threading.current_thread()
        super().set()


def test_handler_takes_no_lock():
    """
    A signal that interrupts `stop.wait` while it holds its lock is obeyed:
    another thread sets the event.
    """
    stop = WatchedEvent()

    with stop_gracefully(stop) as received:
        signal.raise_signal(signal.SIGTERM)
        assert stop.wait(30)

    assert received == [signal.SIGTERM]
    assert stop.setter is not threading.main_thread()


def test_handlers_start_no_thread_that_waits(monkeypatch):
    """
    `threading.Thread.start` takes locks, too: no handler calls it.
    """
    stop = threading.Event()
    monkeypatch.setattr(threading.Thread, "start", None)

    with stop_gracefully(stop):
        signal.raise_signal(signal.SIGTERM)
        assert stop.wait(30)

    with pytest.raises(StoppedError), stop_at_once():
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_second_signal_ends_it_where_it_is(signum, code):
    """
    Whoever asks twice does not wait for the grace time.
    """
    with stop_gracefully(threading.Event()):
        signal.raise_signal(signum)
        with pytest.raises(StoppedError) as caught:
            signal.raise_signal(signum)

    assert caught.value.exit_code == code


def test_no_wait_is_long(monkeypatch):
    """
    A signal that comes in the instant before a wait is noticed soon: waits
    are slices.
    """
    slices = []
    stop = StopEvent()

    def wait(self, timeout=None):
        slices.append(timeout)
        if len(slices) == 3:
            stop.set()
        return self.is_set()

    monkeypatch.setattr(threading.Event, "wait", wait)

    assert stop.wait(60) is True
    assert slices == [0.5, 0.5, 0.5]
    assert StopEvent().wait(0) is False


@pytest.mark.fault("K02", "SIGTERM or SIGINT in a pull", "it ends; the lease is free at once")
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_ends_a_pull(shell, office, signum, code):
    """
    A signal ends a pull that waits for the back office, with one sentence
    that says what the next does; the lease is free at once.
    """
    asked = threading.Event()
    office.faults("catalog: stall")

    with SandboxServer(office, log=lambda _: asked.set()) as server:
        shell.environ["CONEXXUS_API_URL"] = server.url
        with shell.start("pull", "--log-format", "text") as process:
            assert asked.wait(30)
            process.send_signal(signum)
            _, err = process.communicate(timeout=SOON)

        assert process.returncode == code
        assert "Nothing is lost: the next pull starts afresh." in err
        assert "Traceback" not in err
        assert shell.run("pull").returncode == 0


@pytest.mark.fault("K02", "SIGTERM or SIGINT for the scheduler", "it ends in good order")
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_signal_ends_the_scheduler(shell, office, signum, code):
    """
    `run` pulls at its start and ends in good order when it is told to.
    """
    with shell.start("run", "--log-format", "text") as process:
        for line in process.stderr:
            if "inventory sync completed" in line:
                break
        process.send_signal(signum)
        _, err = process.communicate(timeout=SOON)

    assert process.returncode == code
    assert "Traceback" not in err
    assert office.requests["catalog"] == 1


@pytest.mark.fault(
    "K02", "SIGTERM, and the pull at work hangs", "it is left; the lease is free at once"
)
def test_scheduler_that_can_not_stop_is_stopped(shell, office):
    """
    A pull that hangs is left after the grace time, which is no failure; the
    lease is free at once.
    """
    asked = threading.Event()
    office.faults("catalog: stall")

    with SandboxServer(office, log=lambda _: asked.set()) as server:
        shell.environ["CONEXXUS_API_URL"] = server.url
        with shell.start("run") as process:
            assert asked.wait(30)
            process.terminate()
            process.communicate(timeout=SOON)

        assert process.returncode == 0
        assert shell.run("pull").returncode == 0
