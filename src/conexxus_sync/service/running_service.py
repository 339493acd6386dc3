"""
A service whose schedule runs beside a web application.
"""

import threading
from collections.abc import Callable

import attrs

from conexxus_sync.protocols import HostStorage, OrderSource

from ._service import ConexxusService


@attrs.define(eq=False)
class RunningService:
    """
    Makes a service where the application starts, and runs its schedule in a thread.

    Attributes:
        make: Makes the service.
    """

    make: Callable[[], ConexxusService]
    _service: ConexxusService | None = attrs.field(default=None, init=False)
    _stop: threading.Event = attrs.field(factory=threading.Event, init=False)
    _thread: threading.Thread | None = attrs.field(default=None, init=False)

    @property
    def service(self) -> ConexxusService:
        """
        The service of the application.

        Raises:
            RuntimeError: The application has not started, or has ended.
        """
        if self._service is None:
            msg = "there is no Conexxus service: the application has not started, or has ended"
            raise RuntimeError(msg)

        return self._service

    @property
    def hosts(self) -> dict[str, HostStorage | OrderSource]:
        """
        Storage and order source of the service, by the setting that names one.
        """
        engines = self.service._engines
        hosts = {"catalog": engines.catalog, "orders": engines.orders}
        return {key: host for key, host in hosts.items() if host is not None}

    def open(self) -> ConexxusService:
        """
        Make the service, in the event loop of the application if it has one.

        Raises:
            ConfigurationError: It can't be made, and why.
        """
        self._service = self.make()
        return self._service

    def start(self) -> None:
        """
        Do what is due, in a thread, until `close`.
        """
        self._stop.clear()
        self._thread = threading.Thread(
            target=self.service.run_forever, args=(self._stop,), name="conexxus-schedule"
        )
        self._thread.daemon = True
        self._thread.start()

    def close(self) -> None:
        """
        End the schedule, after the batch at work, and close the service.
        """
        service, self._service = self.service, None
        self._stop.set()

        if self._thread is not None:
            self._thread.join()
            self._thread = None

        service.close()

    def __getattr__(self, name: str) -> object:
        """
        What the routes ask of the service, once there is one.
        """
        return getattr(self.service, name)
