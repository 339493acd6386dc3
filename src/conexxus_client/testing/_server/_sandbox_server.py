"""
The fake back office on a real port: HTTP/1.1, sockets and threads.
"""

import contextlib
import selectors
import socket
import struct
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from types import TracebackType

from conexxus_client.testing._admin_endpoints import answer_admin_request
from conexxus_client.testing._answer import Answer, RefusalError
from conexxus_client.testing._back_office import BackOffice
from conexxus_client.testing._faults._fault_script import OK, Fault, Kind
from conexxus_client.testing._faults._wire_faults import ConnectionEnd, Pause, wire_events

from ._request_parser import RequestHead, RequestReader


_LINGER_SECONDS = 2.0
# l_onoff, l_linger: close at once, with a RST.
_NO_LINGER = struct.pack("ii", 1, 0)


class SandboxServer:
    """
    Serves a `BackOffice` on a port, as a context manager.

    Faults are real here: a reset is a RST, a truncated body ends with the
    connection, a slow answer takes its time.

    Args:
        office: The back office; a fresh one with a few items if left out.
        port: 0 takes any free one.
        log: Called with one line for each request.

    Attributes:
        requests: How many came in, by endpoint: `health`, `catalog`, `sales`,
            `summary`.
    """

    def __init__(
        self,
        office: BackOffice | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self.office: BackOffice = office or BackOffice()
        self._address = host, port
        self._log = log
        self._stop_event = threading.Event()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        # A thread outlives its connection by a moment: it is joined, too.
        self._threads = weakref.WeakSet[threading.Thread]()
        self._listener: _Listener | None = None

    def start(self) -> "SandboxServer":
        """
        Listen.  The port is known, and kept, from now on.  Twice is harmless.
        """
        if self._listener is None:
            self._stop_event.clear()
            self._listener = _Listener(self._address, self._start_connection)
            self._address = self._listener.address

        return self

    def stop(self) -> None:
        """
        Hang up on everyone and wait for the threads.  Twice is harmless.
        """
        self._stop_event.set()
        self._stop_listening()
        with self._lock:
            connections, threads = list(self._connections), list(self._threads)
        for sock in connections:
            _shut_down(sock)
        for thread in threads:
            thread.join()

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """
        Refuse connections for a while, for real: no socket listens.
        """
        self.stop()
        try:
            yield
        finally:
            self.start()

    @property
    def url(self) -> str:
        """
        The base URL for a client.
        """
        host, port = self._address

        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def api_key(self) -> str:
        return self.office.api_key

    @property
    def env(self) -> dict[str, str]:
        """
        Settings for `ClientConfig.from_env`; waits between retries are short.
        """
        return {
            "CONEXXUS_API_URL": self.url,
            "CONEXXUS_API_KEY": self.api_key,
            "CONEXXUS_RETRY_DELAY": "10",
        }

    @property
    def requests(self) -> Counter[str]:
        return self.office.requests

    def __enter__(self) -> "SandboxServer":
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<SandboxServer {self.url}>"

    def _stop_listening(self) -> None:
        if self._listener:
            self._listener.close()
            self._listener = None

    def _start_connection(self, sock: socket.socket) -> None:
        # A thread for each connection: a fault may hold it up for ever.
        thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
        with self._lock:
            self._connections.add(sock)
            self._threads.add(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            reader = RequestReader(sock)
            with contextlib.suppress(OSError):
                while not self._stop_event.is_set() and self._exchange(sock, reader):
                    pass
        finally:
            with self._lock:
                self._connections.remove(sock)
            sock.close()

    def _exchange(self, sock: socket.socket, reader: RequestReader) -> bool:
        """
        One request and its answer.  False ends the connection.
        """
        try:
            head = reader.head()
            if head is None:
                return False
            fault = self.office.next_fault(head.path)
            answer = self._answer(head, fault, reader)
            keep_alive = head.keep_alive
        except RefusalError as refusal:
            # What follows on the connection can't be trusted any more.
            head, fault, answer, keep_alive = None, OK, refusal.answer, False
        self._log_request(head, fault, answer)
        try:
            is_reusable = self._send(sock, reader, answer, fault, head, keep_alive=keep_alive)
        finally:
            answer.close()
        if head is None:
            # Closing with bytes unread is a reset, which may overtake the answer.
            sock.settimeout(_LINGER_SECONDS)
            reader.wait_for_end()

        return is_reusable

    def _answer(self, head: RequestHead, fault: Fault, reader: RequestReader) -> Answer:
        if fault.kind is Kind.RESET_UPLOAD:
            reader.body(head, fault.size or 0)
            return Answer(status=503)
        body = reader.body(head)
        if fault.kind is Kind.SLOW and not fault.committed:
            self._pause(fault)
        admin_answer = answer_admin_request(self.office, head.method, head.path, body)
        answer = admin_answer or self.office.answer(
            fault, head.method, head.path, head.query, head.fields, body
        )
        if fault.kind is Kind.SLOW and fault.committed:
            self._pause(fault)

        return answer

    def _pause(self, fault: Fault) -> None:
        self._stop_event.wait((fault.wait_ms or 0) / 1000)

    def _send(
        self,
        sock: socket.socket,
        reader: RequestReader,
        answer: Answer,
        fault: Fault,
        head: RequestHead | None,
        *,
        keep_alive: bool,
    ) -> bool:
        chunked = head is None or head.http11

        for event in wire_events(answer, fault, keep_alive=keep_alive, chunked=chunked):
            if isinstance(event, bytes):
                sock.sendall(event)
            elif isinstance(event, Pause):
                if self._stop_event.wait(event.seconds):
                    return False
            else:
                return _end_exchange(sock, reader, event)

        return False

    def _log_request(self, head: RequestHead | None, fault: Fault, answer: Answer) -> None:
        if self._log is None:
            return
        request = f"{head.method} {head.path}" if head else "unreadable request"
        fault_note = "" if fault.kind is Kind.OK else f"  fault: {fault}"
        note = f"  {answer.note}" if answer.note else ""
        self._log(f"{request} → {answer.status}{note}{fault_note}")


class _Listener:
    """
    Accepts connections until it is closed.
    """

    def __init__(
        self, address: tuple[str, int], on_connection: Callable[[socket.socket], None]
    ) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._sock = socket.create_server(address, family=family, backlog=256)
        # A client may give up between `select` and `accept`.
        self._sock.setblocking(False)
        self._start_connection = on_connection
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._sock.getsockname()[:2]

        return host, port

    def close(self) -> None:
        self._wake.close()
        self._thread.join()
        self._woken.close()
        self._sock.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not any(key.fileobj is self._woken for key, _ in selector.select()):
                with contextlib.suppress(OSError):
                    sock, _ = self._sock.accept()
                    sock.setblocking(True)
                    self._start_connection(sock)


def _end_exchange(sock: socket.socket, reader: RequestReader, end: ConnectionEnd) -> bool:
    """
    End an exchange as *end* says; True if the connection stays open.
    """
    if end is ConnectionEnd.KEEP:
        return True
    if end is ConnectionEnd.HANG:
        reader.wait_for_end()
    if end is ConnectionEnd.RESET:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    elif end is ConnectionEnd.CLOSE:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_WR)

    return False


def _shut_down(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
