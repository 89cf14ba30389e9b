"""Servers on this machine for tests of what goes out: one counts visits, one answers as told."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress


class Canary:
    """Listens on this machine and counts who comes."""

    def __init__(self) -> None:
        """Listen on every IPv4 address, at any free port."""
        self.visitors: list[int] = []
        self.socket = socket.create_server(("", 0), family=socket.AF_INET)
        self.port: int = self.socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                visitor, (_, port) = self.socket.accept()
                self.visitors.append(port)
                visitor.close()

    def settled(self) -> int:
        """Return the visits; one of our own, told by its port, comes through after all others."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as ours:
            port = ours.getsockname()[1]
            deadline = time.monotonic() + 2
            while port not in self.visitors and time.monotonic() < deadline:
                time.sleep(0.005)
        self.visitors.remove(port)
        return len(self.visitors)


@contextmanager
def answering(
    answer: Callable[[socket.socket], None],
    *,
    hear: Callable[[bytes], None] = lambda _head: None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[str]:
    """Serve at the `host:port` given: hear the start of each request, then `answer` it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                visitor, _ = listener.accept()
                with closing(visitor), suppress(OSError):
                    _serve(visitor, answer=answer, hear=hear, tls=tls)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)


def listening(
    hear: Callable[[bytes], None], *, tls: ssl.SSLContext | None = None
) -> AbstractContextManager[str]:
    """Serve at the `host:port` given: hear the start of each request, and answer 204."""
    return answering(saying(b"HTTP/1.1 204 No Content\r\n\r\n"), hear=hear, tls=tls)


def saying(words: bytes) -> Callable[[socket.socket], None]:
    """Answer with the same bytes every time."""
    return lambda to: to.sendall(words)


def _serve(
    visitor: socket.socket,
    *,
    answer: Callable[[socket.socket], None],
    hear: Callable[[bytes], None],
    tls: ssl.SSLContext | None,
) -> None:
    with visitor if tls is None else tls.wrap_socket(visitor, server_side=True) as private:
        if head := private.recv(65_536):
            hear(head)
        answer(private)
