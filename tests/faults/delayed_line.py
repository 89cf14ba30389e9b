"""A line that is slow one way: what the server says is on its way for a while, and may be lost."""

import socket
import threading
import time
from contextlib import suppress
from queue import SimpleQueue
from types import TracebackType
from typing import Final, Self

CHUNK: Final = 65536
CLOSED: Final = b""


class DelayedLine:
    """Carries the server's words `seconds` later; what is on its way when it dies is lost."""

    def __init__(self, port: int, *, seconds: float) -> None:
        """Listen on a free port, in front of the server at `port` of this machine."""
        self.server_port, self.seconds = port, seconds
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

    def _take(self) -> None:
        while True:
            try:
                caller, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.server_port))
            except OSError:
                caller.close()
                continue
            said: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
            for work in (self._ask, self._hear, self._tell):
                threading.Thread(target=work, args=(caller, server, said), daemon=True).start()

    def _ask(self, caller: socket.socket, server: socket.socket, _said: object) -> None:
        """Carry the caller's words at once."""
        with suppress(OSError):
            while chunk := caller.recv(CHUNK):
                server.sendall(chunk)
        server.close()

    def _hear(
        self,
        caller: socket.socket,
        server: socket.socket,
        said: SimpleQueue[tuple[float, bytes]],
    ) -> None:
        """Take the server's words down with the time at which they arrive; drop all at its end."""
        with suppress(OSError):
            while chunk := server.recv(CHUNK):
                said.put((time.monotonic() + self.seconds, chunk))
        with suppress(OSError):
            caller.shutdown(socket.SHUT_RDWR)
        said.put((0.0, CLOSED))

    def _tell(
        self,
        caller: socket.socket,
        _server: socket.socket,
        said: SimpleQueue[tuple[float, bytes]],
    ) -> None:
        """Say each word when its time has come."""
        with suppress(OSError):
            while (word := said.get())[1] != CLOSED:
                time.sleep(max(0.0, word[0] - time.monotonic()))
                caller.sendall(word[1])
        caller.close()
