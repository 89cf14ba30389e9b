"""The load generator reads whole answers, however cut, and says when a server hangs up."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from benchmarks._wire import Answer, bombard, post_of

REQUEST = post_of("/v1/transfers", body=b"{}", headers={"Idempotency-Key": "k"})


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Accept one connection and let `answer` do as it likes with it."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            with closing(listening.accept()[0]) as line:
                answer(line)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def pieces(*parts: bytes) -> Callable[[socket.socket], None]:
    """Return a server that answers one request in these pieces."""

    def answer(line: socket.socket) -> None:
        line.recv(65536)
        for part in parts:
            line.sendall(part)

    return answer


@pytest.mark.parametrize(
    "parts",
    [
        (b"HTTP/1.1 201 Created\r\ncontent-length: 4\r\n\r\nbody",),
        (b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n", b"\r\nbo", b"dy"),
        (
            b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n2\r\nbo\r\n",
            b"2\r\ndy\r\n",
            b"0\r\n\r\n",
        ),
    ],
)
def test_an_answer_is_read_to_its_end(parts: tuple[bytes, ...]) -> None:
    heard: list[Answer] = []
    with server(pieces(*parts)) as port:
        load = bombard(port, connections=1, requests=iter([REQUEST]), heed=heard.append)
    assert [(answer.status, answer.body, answer.request) for answer in heard] == [
        (201, b"body", REQUEST)
    ]
    assert load.statuses == {201: 1}
    assert load.bad == []


def test_a_refusal_is_no_success() -> None:
    with server(pieces(b"HTTP/1.1 409 Conflict\r\ncontent-length: 0\r\n\r\n")) as port:
        load = bombard(port, connections=1, requests=iter([REQUEST]))
    assert load.rate == 0
    assert load.bad == ["1 requests were answered 409"]


def test_a_server_that_hangs_up_is_not_taken_for_an_answer() -> None:
    with server(pieces(b"HTTP/1.1 201 Created\r\ncontent-le")) as port, pytest.raises(EOFError):
        bombard(port, connections=1, requests=iter([REQUEST]))
