"""A TCP proxy before PostgreSQL that loses one COMMIT: on its way there, or its answer."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

COMMIT: Final = b"Q\x00\x00\x00\x0bCOMMIT\x00"
CHUNK: Final = 65536
CLOSED: Final = b""


class CommitEater:
    """Forwards everything until `lose` is set: `answer` after the commit, `request` before it."""

    def __init__(self, host: str, *, port: int) -> None:
        """Listen on a free port, in front of the server at `host`:`port`."""
        self.server = (host, port)
        self.lose = ""
        self.eaten = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])

    def __enter__(self) -> Self:
        """Start taking connections."""
        threading.Thread(target=self._take, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # closing alone wakes nobody
        self.listener.close()

    def _take(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.server)
            except OSError:  # it is down: so is the way to it
                client.close()
                continue
            gate = threading.Event()
            for work in (self._there, self._back):
                threading.Thread(target=work, args=(client, server, gate), daemon=True).start()

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
        _hang_up(client, server)

    def _back(self, client: socket.socket, server: socket.socket, gate: threading.Event) -> None:
        """Carry what the server says; once marked, its next word is the lost one."""
        with suppress(OSError):
            while chunk := server.recv(CHUNK):
                if gate.is_set():
                    break
                client.sendall(chunk)
        _hang_up(client, server)


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
