"""
Limits on connections for uvicorn.

Alone, it waits for ever for the head of a first request, and for as many
connections as there are.
"""

import asyncio
from enum import Enum
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


CALLER_SECONDS = 10.0
MAX_CONNECTIONS = 512


class Turn(Enum):
    """
    Whose turn it is on a connection.
    """

    OURS = "to answer"
    CALLERS = "to send a head, or to read an answer"
    BODY = "the caller's, to send a body"


class Connections:
    """
    The connections of one server: at most so many.

    A new one takes the place of the one that has been waiting longest for its
    caller; those with a whole request at work stay.

    Args:
        seconds: How long a caller may take until the head of a request is
            complete, counted from connecting, or from the answer before; or
            until he goes on to read what fills the line.  How long a body may
            take is the application's to say, which has an answer to give.
    """

    def __init__(self, limit: int = MAX_CONNECTIONS, seconds: float = CALLER_SECONDS) -> None:
        self.limit = limit
        self.seconds = seconds
        self._open: set[LimitedProtocol] = set()
        # In the order in which they began to wait.
        self._waiting: dict[LimitedProtocol, tuple[Turn, asyncio.TimerHandle | None]] = {}

    def protocol(self, **arguments: Any) -> "LimitedProtocol":
        """
        What uvicorn calls for each connection.
        """
        return LimitedProtocol(self, **arguments)

    def opened(self, connection: "LimitedProtocol") -> None:
        """
        Make room, if need be.
        """
        self._open.add(connection)
        if len(self._open) > self.limit:
            self._end(next(iter(self._waiting), connection))
        self.noticed(connection)

    def noticed(self, connection: "LimitedProtocol") -> None:
        """
        Something happened: start the wait for its caller, or end it.
        """
        turn = connection.turn

        if self._waiting.get(connection, (Turn.OURS, None))[0] == turn:
            return

        self._forget_wait(connection)

        if turn != Turn.OURS and connection in self._open:
            self._waiting[connection] = (turn, self._timer(connection, turn))

    def closed(self, connection: "LimitedProtocol") -> None:
        """
        It is gone.
        """
        self._open.discard(connection)
        self._forget_wait(connection)

    def _end(self, connection: "LimitedProtocol") -> None:
        self.closed(connection)
        # A caller who does not read either would keep `close` waiting.
        connection.transport.abort()

    def _timer(self, connection: "LimitedProtocol", turn: Turn) -> asyncio.TimerHandle | None:
        if turn == Turn.BODY:
            return None

        return connection.loop.call_later(self.seconds, self._end, connection)

    def _forget_wait(self, connection: "LimitedProtocol") -> None:
        _, timer = self._waiting.pop(connection, (None, None))

        if timer is not None:
            timer.cancel()


class LimitedProtocol(H11Protocol):
    """
    One connection.
    """

    def __init__(self, connections: Connections, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._connections = connections

    @property
    def turn(self) -> Turn:
        """
        Who is waited for?
        """
        # Before the first request, uvicorn has None there.
        at_work = bool(self.cycle) and not self.cycle.response_complete

        if not at_work or self.flow.write_paused:
            return Turn.CALLERS

        return Turn.BODY if self.cycle.more_body else Turn.OURS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """
        Somebody has connected.
        """
        super().connection_made(transport)
        self._connections.opened(self)

    def data_received(self, data: bytes) -> None:
        """
        A part of a request.
        """
        super().data_received(data)
        self._connections.noticed(self)

    def on_response_complete(self) -> None:
        """
        An answer is on its way.
        """
        super().on_response_complete()
        self._connections.noticed(self)

    def pause_writing(self) -> None:
        """
        The caller does not read as fast as we write.
        """
        super().pause_writing()
        self._connections.noticed(self)

    def resume_writing(self) -> None:
        """
        He has read.
        """
        super().resume_writing()
        self._connections.noticed(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """
        It is over.
        """
        self._connections.closed(self)
        super().connection_lost(exc)
