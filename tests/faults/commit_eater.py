"""A TCP proxy before PostgreSQL that loses one COMMIT: on its way there, or its answer."""

import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Final

from tests.faults.proxy import CHUNK, Carrier, Proxy, hang_up

COMMIT: Final = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class CommitEater(Proxy):
    """Forwards everything until `lose` is set: `answer` after the commit, `request` before it."""

    def __init__(self, host: str, *, port: int) -> None:
        """Lose nothing yet."""
        super().__init__(host, port=port)
        self.lose = ""
        self.eaten = 0

    def carriers(self, caller: socket.socket, server: socket.socket) -> Iterable[Carrier]:
        """Carry each way by itself; the way there tells the way back what to lose."""
        gate = threading.Event()
        return [partial(way, caller, server, gate) for way in (self._there, self._back)]

    def _there(self, client: socket.socket, server: socket.socket, gate: threading.Event) -> None:
        """Carry what the client says; lose or mark a commit."""
        with suppress(OSError):
            while chunk := client.recv(CHUNK):
                if COMMIT in chunk and self.lose:
                    lost, self.lose = self.lose, ""
                    self.eaten += 1
                    if lost == "request":
                        break
                    gate.set()
                server.sendall(chunk)
        hang_up(client, server)

    def _back(self, client: socket.socket, server: socket.socket, gate: threading.Event) -> None:
        """Carry what the server says; once marked, its next word is the lost one."""
        with suppress(OSError):
            while chunk := server.recv(CHUNK):
                if gate.is_set():
                    break
                client.sendall(chunk)
        hang_up(client, server)
