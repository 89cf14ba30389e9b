"""The outbound client: one deadline, one limit, and what is certain after a failure."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from integrations import wires
from integrations.http import NoAnswer, NotReached, Outbound
from integrations.wires import ANSWER_BYTES_MAX, Lines
from tests.canary import answering, listening, saying


def test_an_answer_over_the_limit_is_no_answer() -> None:
    head = b"HTTP/1.1 200 OK\r\n"

    def long_body(to: socket.socket) -> None:
        to.sendall(head + b"Content-Length: 10000000\r\n\r\n" + b"x" * 10_000_000)

    def long_head(to: socket.socket) -> None:
        to.sendall(head + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 4000) for n in range(90)))

    def just_fits(to: socket.socket) -> None:
        to.sendall(head + b"\r\n" + b"x" * (ANSWER_BYTES_MAX - len(head) - 2))

    for answer in (long_body, long_head):
        with answering(answer) as place, pytest.raises(NoAnswer):
            Outbound(loopback=(place,)).send("GET", f"http://{place}/")
    with answering(just_fits) as place:
        reply = Outbound(loopback=(place,)).send("GET", f"http://{place}/")
    assert len(reply.body) == ANSWER_BYTES_MAX - len(head) - 2


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"]
)
def test_an_answer_that_drips_is_given_up_at_one_deadline(start: bytes) -> None:
    def drip(to: socket.socket) -> None:
        to.sendall(start)
        for _ in range(100):
            to.sendall(b"x")
            time.sleep(0.05)

    with answering(drip) as place:
        started = time.monotonic()
        with pytest.raises(NoAnswer):
            Outbound(loopback=(place,)).send("GET", f"http://{place}/", timeout_seconds=0.5)
        assert time.monotonic() - started < 1.0


def test_a_name_that_resolves_too_slowly_is_not_reached() -> None:
    def slow(_host: str, _port: int) -> list[str]:
        time.sleep(1)
        return ["8.8.8.8"]

    with pytest.raises(NotReached, match="not resolved in time"):
        Outbound(resolver=slow).send("GET", "https://slow.example/", timeout_seconds=0.1)


def test_a_closed_door_is_not_reached_and_a_hang_up_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        place = f"127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(NotReached):
        Outbound(loopback=(place,)).send("POST", f"http://{place}/", body=b"{}")
    for said in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", b"nonsense\r\n\r\n"):
        with answering(saying(said)) as place, pytest.raises(NoAnswer):
            Outbound(loopback=(place,)).send("POST", f"http://{place}/", body=b"{}")


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"X": "a\r\nHost: evil.example"}),
        ("GET", {"X\r\nY": "a"}),
        ("GET", {"X": "\u2603"}),
        ("GET / HTTP/1.1\r\nX:", {}),
        ("TRACE", {}),
    ],
)
def test_a_head_that_would_smuggle_something_is_never_sent(
    method: str, headers: dict[str, str]
) -> None:
    heard: list[bytes] = []
    with listening(heard.append) as place, pytest.raises(NotReached):
        Outbound(loopback=(place,)).send(method, f"http://{place}/", headers=headers)
    assert heard == []


def test_headers_that_are_ours_to_set_cannot_be_overridden() -> None:
    heard: list[bytes] = []
    headers = {"host": "evil.example", "content-length": "999", "Transfer-Encoding": "chunked"}
    with listening(heard.append) as place:
        Outbound(loopback=(place,)).send(
            "POST", f"http://{place}/a?b=c", headers=headers, body=b""
        )
    head = heard[0].decode()
    assert head.startswith("POST /a?b=c HTTP/1.1\r\n")
    assert f"Host: {place}\r\n" in head
    assert "Content-Length: 0\r\n" in head
    assert "evil" not in head
    assert "Content-Length: 999" not in head
    assert "chunked" not in head


@pytest.fixture
def bank_certificate(tmp_path: Path) -> Path:
    """A key and a certificate for bank.example, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bank.example")])
    now = datetime.fromtimestamp(time.time(), tz=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("bank.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "bank.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.mark.parametrize(("name", "is_theirs"), [("bank.example", True), ("other.example", False)])
def test_tls_is_spoken_under_the_name_and_a_wrong_certificate_is_not_reached(
    name: str, *, is_theirs: bool, bank_certificate: Path
) -> None:
    asked_for: list[str | None] = []
    heard: list[bytes] = []
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(bank_certificate)

    def note(_socket: object, asked: str | None, _context: object) -> None:
        asked_for.append(asked)

    theirs.sni_callback = note
    with listening(heard.append, tls=theirs) as place:
        port = place.rpartition(":")[2]
        caller = Outbound(
            loopback=(f"{name}:{port}",),
            resolver=lambda _host, _port: ["127.0.0.1"],
            tls=ssl.create_default_context(cafile=str(bank_certificate)),
        )
        if is_theirs:
            assert caller.send("GET", f"https://{name}:{port}/").status == 204
        else:
            with pytest.raises(NotReached):
                caller.send("GET", f"https://{name}:{port}/")
    assert asked_for == [name]
    assert [f"Host: {name}:{port}\r\n".encode() in head for head in heard] == [True] * is_theirs


def speaking(heard: list[bytes], *, most: int) -> Callable[[socket.socket], None]:
    """Answer up to so many requests on a connection, then hang up without a word of it."""

    def speak(to: socket.socket) -> None:
        for number in range(most):
            heard.append(b"first" if number == 0 else to.recv(4096))
            if not heard[-1]:
                return
            to.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    return speak


def test_questions_share_a_line_and_requests_never_do() -> None:
    heard: list[bytes] = []
    with answering(speaking(heard, most=9)) as place:
        lines = Lines()
        caller = Outbound(loopback=(place,), lines=lines)
        assert [caller.send("GET", f"http://{place}/").body for _ in range(3)] == [b"ok"] * 3
        assert heard[0] == b"first"
        assert all(each.startswith(b"GET / ") for each in heard[1:])
        assert len(heard) == 3
        lines.hang_up()
        for _ in range(2):
            caller.send("POST", f"http://{place}/", body=b"{}")
        assert heard.count(b"first") == 3


def test_a_line_that_was_hung_up_meanwhile_is_replaced() -> None:
    heard: list[bytes] = []
    with answering(speaking(heard, most=1)) as place:
        lines = Lines()
        caller = Outbound(loopback=(place,), lines=lines)
        assert [caller.send("GET", f"http://{place}/").status for _ in range(3)] == [200] * 3
        lines.hang_up()
    assert heard == [b"first"] * 3


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize("said", [b"HTTP/1.1 103 Early Hints\r\n\r\n", OK])
def test_what_comes_unasked_is_never_the_answer_to_the_next_question(said: bytes) -> None:
    heard: list[bytes] = []
    is_answered, is_told = threading.Event(), threading.Event()

    def speak(to: socket.socket) -> None:
        heard.append(b"first")
        to.sendall(said)
        assert is_answered.wait(5)
        to.sendall(OK)
        is_told.set()
        heard.extend(iter(lambda: to.recv(4096), b""))

    with answering(speak) as place:
        lines = Lines()
        caller = Outbound(loopback=(place,), lines=lines)
        for _ in range(2):
            caller.send("GET", f"http://{place}/")
            is_answered.set()
            assert is_told.wait(5)
        assert heard.count(b"first") == 2
        lines.hang_up()


def test_a_line_to_a_name_is_not_kept_past_its_time() -> None:
    asked: list[str] = []

    def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    heard: list[bytes] = []
    with answering(speaking(heard, most=9)) as place:
        lines = Lines()
        caller = Outbound(loopback=(place,), lines=lines, resolver=resolver)
        for _ in range(2):
            caller.send("GET", f"http://{place}/")
        assert len(asked) == 1
        with patch.object(wires, "LINE_SECONDS_MAX", 0.0):
            caller.send("GET", f"http://{place}/")
        assert len(asked) == 2
        lines.hang_up()
