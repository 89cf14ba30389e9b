"""The only outbound HTTP client: it looks where it is going before it goes.

The name is resolved here, once; every answer is classified; the socket is opened to the vetted
address itself, so a second look-up cannot change the target. No redirects, no proxies from the
environment, no compression, one total time limit, and at most 64 KiB of answer.
"""

import functools
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse

from integrations.addresses import AddressClass, classify
from integrations.wires import Line, Lines, Place, TimedSocket, remaining

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

    @property
    def place(self) -> Place:
        """Return whom a line to it can be kept for."""
        return self.scheme, self.host, self.port


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

    Public targets are https on one of `ports`. Every request opens a connection of its own, but
    that questions (GET) take one of `lines` where it leads to their place, and leave theirs there.
    """

    loopback: tuple[str, ...] = ()
    ports: frozenset[int] = PUBLIC_PORTS
    resolver: Resolver = system_resolver
    tls: ssl.SSLContext = field(default_factory=public_tls)
    lines: Lines | None = None

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
        # Asking twice is harmless: a question may try a line that was hung up meanwhile.
        lines = self.lines if method == "GET" else None

        def prepared() -> _Request:
            request = _Request(target, stays=lines is not None)
            request.prepare(method, headers=headers or {}, body=body)
            return request

        if lines is not None and (line := lines.take(target.place)):
            with suppress(NoAnswer):
                return self._exchange(prepared(), body, line=line, deadline=deadline)
        request = prepared()
        line = Line(place=target.place, sock=self._connect(target, deadline=deadline))
        return self._exchange(request, body, line=line, deadline=deadline)

    def _exchange(
        self, request: "_Request", body: bytes | None, *, line: Line, deadline: float
    ) -> Reply:
        """Send a prepared request over a line and read its answer; raises NoAnswer."""
        request.sock = TimedSocket(line.sock, deadline=deadline)
        try:
            reply = request.exchange(body)
        except (OSError, HTTPException, ValueError) as failure:
            line.sock.close()
            raise NoAnswer(f"{line.place[1]}: {_spoken(failure)}") from failure
        if self.lines is not None and request.stays:
            self.lines.keep(line)
        else:
            line.sock.close()
        return reply

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
            (address, target.port), timeout=remaining(deadline, at_most=CONNECT_SECONDS)
        )
        if target.scheme == "http":
            return sock
        try:
            sock.settimeout(remaining(deadline, at_most=CONNECT_SECONDS))
            return self.tls.wrap_socket(sock, server_hostname=target.host.strip("[]"))
        except BaseException:
            sock.close()
            raise


class _Request(HTTPConnection):
    """One request on a connection that somebody else opened, and that may outlive it."""

    def __init__(self, target: _Target, *, stays: bool) -> None:
        super().__init__(target.host.strip("[]"), target.port)
        self.auto_open = 0
        self.stays = stays
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
            "Connection": "keep-alive" if self.stays else "close",
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
            # What is told before an answer (102, 103) is not one: the next would be taken for it.
            self.stays &= response.status >= HTTPStatus.OK and not response.will_close
            names = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, names, answer)


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
