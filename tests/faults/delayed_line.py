"""A line that is slow one way: what the server says is on its way for a while, and may be lost."""

import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Final

from tests.faults.proxy import CHUNK, Carrier, Proxy

CLOSED: Final = b""
Words = SimpleQueue[tuple[float, bytes]]


class DelayedLine(Proxy):
    """Carries the server's words `seconds` later; what is on its way when it dies is lost."""

    def __init__(self, host: str, *, port: int, seconds: float) -> None:
        """Be that slow."""
        super().__init__(host, port=port)
        self.seconds = seconds

    def carriers(self, caller: socket.socket, server: socket.socket) -> Iterable[Carrier]:
        """Carry the caller's words at once, and the server's by way of a queue."""
        said: Words = SimpleQueue()
        return [
            partial(_ask, caller, server),
            partial(self._hear, caller, server, said),
            partial(_tell, caller, said),
        ]

    def _hear(self, caller: socket.socket, server: socket.socket, said: Words) -> None:
        """Take the server's words down with the time at which they arrive; drop all at its end."""
        with suppress(OSError):
            while chunk := server.recv(CHUNK):
                said.put((time.monotonic() + self.seconds, chunk))
        with suppress(OSError):
            caller.shutdown(socket.SHUT_RDWR)
        said.put((0.0, CLOSED))


def _ask(caller: socket.socket, server: socket.socket) -> None:
    """Carry the caller's words at once."""
    with suppress(OSError):
        while chunk := caller.recv(CHUNK):
            server.sendall(chunk)
    server.close()


def _tell(caller: socket.socket, said: Words) -> None:
    """Say each word when its time has come."""
    with suppress(OSError):
        while (word := said.get())[1] != CLOSED:
            time.sleep(max(0.0, word[0] - time.monotonic()))
            caller.sendall(word[1])
    caller.close()
