"""Sockets that keep to a deadline and a limit, and those that stay open between questions."""

import io
import select
import socket
import ssl
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Final, TypeAlias

ANSWER_BYTES_MAX: Final = 64 * 1024  # status line and headers included
LINE_SECONDS_MAX: Final = 30.0

Place: TypeAlias = tuple[str, str, int]  # scheme, host, port


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A connection to a vetted address, whose it is, and since when it is open."""

    place: Place
    sock: socket.socket
    opened_at: float = field(default_factory=time.monotonic)

    @property
    def is_fresh(self) -> bool:
        """Say whether its name need not be looked up anew."""
        return time.monotonic() < self.opened_at + LINE_SECONDS_MAX

    @property
    def is_quiet(self) -> bool:
        """Say whether nothing came unasked, bytes or the end: it would be the next answer."""
        if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
            return False
        ear = select.poll()
        ear.register(self.sock, select.POLLIN)
        return not ear.poll(0)


class Lines:
    """Connections that stay open between two questions to one place. Threads may share them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._idle: defaultdict[Place, deque[Line]] = defaultdict(deque)

    def take(self, place: Place) -> Line | None:
        """Return a line that leads there, None where none is free."""
        while True:
            try:
                line = self._idle[place].pop()
            except IndexError:
                return None
            if line.is_fresh and line.is_quiet:
                return line
            line.sock.close()

    def keep(self, line: Line) -> None:
        """Let the next question to its place take this line."""
        self._idle[line.place].append(line)

    def hang_up(self) -> None:
        """Close every line that nobody uses."""
        for idle in self._idle.values():
            while idle:
                idle.pop().sock.close()


class TimedSocket:
    """A socket with one deadline for everything, and one limit on all that is read."""

    def __init__(self, sock: socket.socket, *, deadline: float) -> None:
        """Take a connected socket, for one request and its answer."""
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        """Send all of it; `send` by `send`, since TLS grants each the whole time limit."""
        unsent = memoryview(data)
        while unsent:
            self._sock.settimeout(remaining(self._deadline))
            unsent = unsent[self._sock.send(unsent) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return the answer's bytes as they come."""
        del mode  # http.client only ever asks for "rb"
        return io.BufferedReader(_Incoming(self._sock, deadline=self._deadline))

    def close(self) -> None:
        """Hang up."""
        self._sock.close()


class _Incoming(io.RawIOBase):
    """The bytes that come back: each read gets only the time and the room that are left."""

    def __init__(self, sock: socket.socket, *, deadline: float) -> None:
        super().__init__()
        self._sock = sock
        self._deadline = deadline
        self._room = ANSWER_BYTES_MAX

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read once; raises TimeoutError past the deadline, OSError past the limit."""
        self._sock.settimeout(remaining(self._deadline))
        count = self._sock.recv_into(buffer)
        self._room -= count
        if self._room < 0:
            raise OSError(f"more than {ANSWER_BYTES_MAX} bytes of answer")
        return count


def remaining(deadline: float, *, at_most: float = float("inf")) -> float:
    """Seconds left, never more than `at_most`; raises TimeoutError when there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("out of time")
    return min(left, at_most)
