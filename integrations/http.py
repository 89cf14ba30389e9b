"""The only outbound HTTP client: it looks where it is going before it goes.

The name is resolved here, once; every answer is classified; the socket is opened to the vetted
address itself, so a second look-up cannot change the target. No redirects, no proxies from the
environment, no compression, one total time limit, and at most 64 KiB of answer.
"""

import functools
import io
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse

from integrations.addresses import AddressClass, classify

ANSWER_BYTES_MAX = 64 * 1024  # status line and headers included
URL_CHARACTERS_MAX = 2048
ADDRESSES_MAX = 8
RESOLVE_SECONDS = 3.0
CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
PUBLIC_PORTS = frozenset({443})
DEFAULT_PORTS = {"https": 443, "http": 80}
METHODS = frozenset({"GET", "POST", "PUT", "DELETE"})
# One expression for the whole address: what is matched is what is resolved, connected to and
# sent, so no two parsers can disagree. No user names, no fragments, no escapes in the host.
URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?)",
)

Resolver = Callable[[str, int], list[str]]


class NotReached(Exception):
    """Certainly nothing was sent: the address was refused, or nobody opened the door."""


class NoAnswer(Exception):
    """The request left and no whole answer came back: it may have been acted on."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other side said. Header names are lower case; `body` is the raw bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Target:
    """Where one request goes."""

    scheme: str
    host: str
    port: int
    path: str
    is_allowed_loopback: bool


def system_resolver(host: str, port: int) -> list[str]:
    """Ask the machine's resolver for every address of a name; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


@functools.cache
def public_tls() -> ssl.SSLContext:
    """Return the one TLS context: the machine's authorities, names checked."""
    return ssl.create_default_context()


@dataclass(frozen=True, kw_only=True)
class Outbound:
    """Sends requests to public addresses, and to the loopback `host:port`s named in `loopback`.

    Public targets are https on one of `ports`. Holds no connection: every request opens its own.
    """

    loopback: tuple[str, ...] = ()
    ports: frozenset[int] = PUBLIC_PORTS
    resolver: Resolver = system_resolver
    tls: ssl.SSLContext = field(default_factory=public_tls)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_seconds: float = TOTAL_SECONDS,
    ) -> Reply:
        """Send one request and return whatever was answered, redirects and errors included.

        `timeout_seconds` bounds the whole: name, connection, request and the last byte of the
        answer. Raises NotReached (nothing was sent) or NoAnswer (it may have been acted on).
        """
        deadline = time.monotonic() + timeout_seconds
        target = self._target(url)
        request = _Request(target)
        request.prepare(method, headers=headers or {}, body=body)
        request.sock = _TimedSocket(self._connect(target, deadline=deadline), deadline=deadline)
        try:
            return request.exchange(body)
        except (OSError, HTTPException, ValueError) as failure:
            raise NoAnswer(f"{target.host}: {_spoken(failure)}") from failure
        finally:
            request.close()

    def _target(self, url: str) -> _Target:
        """Read the address, or refuse it before any look-up."""
        match = URL.fullmatch(url) if len(url) <= URL_CHARACTERS_MAX else None
        if match is None:
            raise NotReached("not an address we call")
        scheme, host = match["scheme"], match["host"].lower()
        port = int(match["port"] or DEFAULT_PORTS[scheme])
        is_allowed_loopback = f"{host}:{port}" in self.loopback
        if not is_allowed_loopback and (scheme != "https" or port not in self.ports):
            raise NotReached(f"{host}:{port}: only https on a named port leaves this house")
        path = match["target"] if match["target"].startswith("/") else f"/{match['target']}"
        return _Target(scheme, host, port, path, is_allowed_loopback)

    def _connect(self, target: _Target, *, deadline: float) -> socket.socket:
        """Open a connection to a vetted address of the target; raises NotReached."""
        failure: Exception | None = None
        for address in self._vetted(target, deadline=deadline):
            try:
                return self._open(address, target=target, deadline=deadline)
            except (OSError, ValueError) as refused:
                failure = refused
        raise NotReached(f"{target.host}: {_spoken(failure)}") from failure

    def _vetted(self, target: _Target, *, deadline: float) -> list[str]:
        """Resolve the name and refuse all of it if one answer is a place we do not call."""
        host = target.host.strip("[]")
        limit = min(RESOLVE_SECONDS, deadline - time.monotonic())
        addresses = _within(limit, lambda: self.resolver(host, target.port))
        wanted = AddressClass.LOOPBACK if target.is_allowed_loopback else AddressClass.PUBLIC
        for address in addresses:
            if (found := classify(address)) is not wanted:
                raise NotReached(f"{host}: resolves to a {found} address")
        if not addresses:
            raise NotReached(f"{host}: resolves to nothing")
        return addresses[:ADDRESSES_MAX]

    def _open(self, address: str, *, target: _Target, deadline: float) -> socket.socket:
        """Connect to one address, and shake hands under the target's own name."""
        sock = socket.create_connection(
            (address, target.port), timeout=_remaining(deadline, at_most=CONNECT_SECONDS)
        )
        if target.scheme == "http":
            return sock
        try:
            sock.settimeout(_remaining(deadline, at_most=CONNECT_SECONDS))
            return self.tls.wrap_socket(sock, server_hostname=target.host.strip("[]"))
        except BaseException:
            sock.close()
            raise


class _Request(HTTPConnection):
    """One request on a connection that somebody else opened."""

    def __init__(self, target: _Target) -> None:
        super().__init__(target.host.strip("[]"), target.port)
        self.auto_open = 0
        self._target = target

    def prepare(self, method: str, *, headers: Mapping[str, str], body: bytes | None) -> None:
        """Write the request's head into memory; a head that cannot be sent is NotReached."""
        if method not in METHODS:
            raise NotReached(f"{method!r}: not a method we send")
        self._verb = method
        host, port, scheme = self._target.host, self._target.port, self._target.scheme
        ours = {
            "Host": host if port == DEFAULT_PORTS[scheme] else f"{host}:{port}",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        if body is not None:
            ours["Content-Length"] = str(len(body))
        try:
            self.putrequest(method, self._target.path, skip_host=True, skip_accept_encoding=True)
            taken = {name.lower() for name in ours} | {"transfer-encoding"}
            theirs = {n: v for n, v in headers.items() if n.lower() not in taken}
            for name, value in (ours | theirs).items():
                self.putheader(name, value)
        except (ValueError, HTTPException) as failure:
            raise NotReached(
                f"a header that cannot be sent: {type(failure).__name__}"
            ) from failure

    def exchange(self, body: bytes | None) -> Reply:
        """Send what was prepared and read the answer; any failure may come after the act."""
        self.endheaders(body)
        with HTTPResponse(self.sock, method=self._verb) as response:
            response.begin()
            answer = response.read()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, names, answer)


class _TimedSocket:
    """A socket with one deadline for everything, and one limit on all that is read."""

    def __init__(self, sock: socket.socket, *, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        """Send all of it; `send` by `send`, since TLS grants each the whole time limit."""
        unsent = memoryview(data)
        while unsent:
            self._sock.settimeout(_remaining(self._deadline))
            unsent = unsent[self._sock.send(unsent) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        del mode  # http.client only ever asks for "rb"
        return io.BufferedReader(_Incoming(self._sock, deadline=self._deadline))

    def close(self) -> None:
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
        self._sock.settimeout(_remaining(self._deadline))
        count = self._sock.recv_into(buffer)
        self._room -= count
        if self._room < 0:
            raise OSError(f"more than {ANSWER_BYTES_MAX} bytes of answer")
        return count


def _remaining(deadline: float, *, at_most: float = float("inf")) -> float:
    """Seconds left, never more than `at_most`; raises TimeoutError when there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("out of time")
    return min(left, at_most)


def _within(seconds: float, look_up: Callable[[], list[str]]) -> list[str]:
    """Run a look-up that knows no time limit in a thread of its own; raises NotReached.

    The thread is left behind when time runs out: the system resolver cannot be interrupted.
    """
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(look_up())
        except Exception as failure:  # noqa: BLE001 - whatever it is, nothing was sent
            answers.put(failure)

    threading.Thread(target=run, daemon=True, name="resolve").start()
    try:
        answer = answers.get(timeout=max(seconds, 0))
    except queue.Empty:
        raise NotReached("the name was not resolved in time") from None
    if isinstance(answer, Exception):
        raise NotReached("the name does not resolve") from answer
    return answer


def _spoken(failure: Exception | None) -> str:
    """Name a failure without repeating what the other side sent."""
    if isinstance(failure, TimeoutError):
        return "out of time"
    if isinstance(failure, OSError):
        return f"{type(failure).__name__}: {failure}"[:200]
    return type(failure).__name__
