"""A TCP proxy before PostgreSQL: takes calls, and lets each be carried as its kind says."""

import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

Carrier = Callable[[], None]
CHUNK: Final = 65536


class Proxy(ABC):
    """Listens on a free port of this machine, in front of the server at `host`:`port`."""

    def __init__(self, host: str, *, port: int) -> None:
        """Take a port of our own; calls are answered inside the block."""
        self.server = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])

    def __enter__(self) -> Self:
        """Start taking calls."""
        threading.Thread(target=self._take, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        """Take no more."""
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # closing alone wakes nobody
        self.listener.close()

    @abstractmethod
    def carriers(self, caller: socket.socket, server: socket.socket) -> Iterable[Carrier]:
        """Return what carries one call, each to be run in a thread of its own."""

    def _take(self) -> None:
        while True:
            try:
                caller, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.server)
            except OSError:  # it is down: so is the way to it
                caller.close()
                continue
            for carry in self.carriers(caller, server):
                threading.Thread(target=carry, daemon=True).start()


def hang_up(*ends: socket.socket) -> None:
    """Close both ways; whoever waits on an end wakes."""
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
