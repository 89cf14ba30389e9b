"""A load generator for HTTP that costs little: raw sockets in one process."""

import re
import selectors
import socket
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import Final

HEAD_END: Final = b"\r\n\r\n"
LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)")
LAST_CHUNK: Final = b"0\r\n\r\n"
GOOD: Final = range(200, 300)
READ_BYTES: Final = 1 << 16
ANSWER_SECONDS_MAX: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: what was asked, its status, head and body, and how long it took."""

    request: bytes
    status: int
    head: bytes
    body: bytes
    seconds: float


@dataclass(slots=True)
class Load:
    """What a load did: answers by status, and every one's time."""

    statuses: dict[int, int] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Return how many requests a second were answered with a success."""
        good = sum(count for status, count in self.statuses.items() if status in GOOD)
        return good / self.seconds

    @property
    def bad(self) -> list[str]:
        """Return what was answered otherwise."""
        return [
            f"{count} requests were answered {status}"
            for status, count in self.statuses.items()
            if status not in GOOD
        ]

    def note(self, answer: Answer) -> None:
        """Count an answer."""
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        self.times.append(answer.seconds)

    def percentile(self, share: float) -> float:
        """Return the time within which that share of the answers came."""
        return statistics.quantiles(self.times, n=100)[round(share * 100) - 1]


@dataclass(slots=True)
class Line:
    """One kept-alive connection and the request that is out on it."""

    socket: socket.socket
    request: bytes = b""
    sent_at: float = 0.0
    buffer: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes) -> None:
        """Send a request."""
        self.request = request
        self.buffer.clear()
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> Answer | None:
        """Read what has come; return the answer once it is whole. Raises EOFError at its end."""
        piece = self.socket.recv(READ_BYTES)
        if not piece:
            raise EOFError
        self.buffer += piece
        head, end, rest = self.buffer.partition(HEAD_END)
        body = _body(bytes(rest), head=bytes(head).lower()) if end else None
        if body is None:
            return None
        return Answer(
            request=self.request,
            status=int(head[9:12]),
            head=bytes(head),
            body=body,
            seconds=time.perf_counter() - self.sent_at,
        )


def bombard(
    port: int,
    *,
    connections: int,
    requests: Iterator[bytes],
    seconds: float = float("inf"),
    heed: Callable[[Answer], None] = lambda _: None,
) -> Load:
    """Keep one request out on each connection until time or requests run out.

    Raises EOFError or ConnectionError where the server hangs up.
    """
    load = Load()
    with ExitStack() as stack:
        watch = stack.enter_context(selectors.DefaultSelector())
        for _ in range(connections):
            line = Line(stack.enter_context(_connected(port)))
            watch.register(line.socket, selectors.EVENT_READ, line)
        started = time.perf_counter()
        out = sum(_send_next(key.data, requests) for key in list(watch.get_map().values()))
        while out:
            for answer, line in _answers(watch):
                load.note(answer)
                heed(answer)
                is_over = time.perf_counter() > started + seconds
                out -= is_over or not _send_next(line, requests)
        load.seconds = time.perf_counter() - started
    return load


def after(number: int, act: Callable[[], None]) -> Callable[[Answer], None]:
    """Return what heeds answers by doing something once, at the answer of that number."""
    heard = count(1)

    def heed(_: Answer) -> None:
        if next(heard) == number:
            act()

    return heed


def post_of(path: str, *, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return the bytes of one POST on a kept-alive connection."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + HEAD_END + body


def get_of(path: str, *, headers: Mapping[str, str]) -> bytes:
    """Return the bytes of one GET on a kept-alive connection."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + HEAD_END


def _answers(watch: selectors.BaseSelector) -> Iterator[tuple[Answer, Line]]:
    ready = watch.select(ANSWER_SECONDS_MAX)
    if not ready:
        raise TimeoutError("the server does not answer")
    for key, _ in ready:
        answer = key.data.receive()
        if answer is not None:
            yield answer, key.data


def _send_next(line: Line, requests: Iterator[bytes], /) -> bool:
    """Send the next request where there is one, and say whether there was."""
    request = next(requests, None)
    if request is not None:
        line.send(request)
    return request is not None


def _body(rest: bytes, *, head: bytes) -> bytes | None:
    """Return the body once all of it is there, by its length or to its last chunk."""
    length = LENGTH.search(head)
    if length:
        return rest if len(rest) >= int(length[1]) else None
    if not rest.endswith(LAST_CHUNK):
        return None
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
    return body


def _connected(port: int) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line
