"""A Stripe for the sandbox: a real HTTP server that answers the three questions we ask.

`GET /v1/balance_transactions/{id}`, `/v1/charges/{id}` and `/v1/events`, each with the key as a
bearer token. It knows what `POST /_control/objects` has told it, fails on demand
(`POST /_control/fail`), and keeps what it knows in a file, so that a restart forgets nothing.
Run it with `python -m config.sandbox.doubles.stripe`.
"""

import hmac
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

Json: TypeAlias = dict[str, Any]
Answer: TypeAlias = tuple[HTTPStatus, Json]

PORT: Final = 8011
CONTROL_BYTES_MAX: Final = 8 << 20
SLOW_SECONDS_MAX: Final = 60.0
EVENTS_LIMIT: Final = 100
_KINDS: Final = {"balance_transactions": "balance_transaction", "charges": "charge"}
_DROPPED: Final = 0


@dataclass
class Mischief:
    """How the next `times` questions are mistreated: answered `status`, after `seconds`.

    Status 0 drops the connection without a word; 200 answers truthfully, only late.
    """

    status: int = HTTPStatus.OK
    seconds: float = 0.0
    times: int = 0


@dataclass
class World:
    """Everything this Stripe knows, and the lock that guards it."""

    state: Path | None = None
    objects: dict[str, Json] = field(default_factory=dict)
    mischief: Mischief = field(default_factory=Mischief)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Remember what was known before a restart."""
        if self.state is not None and self.state.exists():
            self.objects = json.loads(self.state.read_text())

    def learn(self, objects: list[Json]) -> None:
        """Take in `objects` by id, replacing older spellings; keep them before answering."""
        with self.lock:
            self.objects.update({each["id"]: each for each in objects})
            if self.state is not None:
                fresh = self.state.with_suffix(".new")
                fresh.write_text(json.dumps(self.objects))
                fresh.chmod(0o600)
                fresh.replace(self.state)

    def trouble(self) -> Mischief:
        """Return the mistreatment due to the question at hand, and count it."""
        with self.lock:
            if self.mischief.times <= 0:
                return Mischief()
            self.mischief.times -= 1
            return self.mischief

    def find(self, *, kind: str, ref: str, expand: Sequence[str] = ()) -> Answer:
        """Return the object called `ref`, or Stripe's own way of saying that there is none.

        The members in `expand` are spelled out where they are known by their ids.
        """
        with self.lock:
            found = self.objects.get(ref)
            if found is None or found.get("object") != kind:
                return _refusal(HTTPStatus.NOT_FOUND, f"No such {kind}: '{ref}'")
            named = {name: found[name] for name in expand if isinstance(found.get(name), str)}
            known = {name: self.objects[key] for name, key in named.items() if key in self.objects}
        return HTTPStatus.OK, found | known

    def events(self, query: dict[str, list[str]]) -> Answer:
        """Return a page of events, newest first, as the query's limit and bounds say."""
        limit = min(int(query.get("limit", ["10"])[0]), EVENTS_LIMIT)
        since = int(query.get("created[gte]", ["0"])[0])
        with self.lock:
            known = [each for each in self.objects.values() if each["object"] == "event"]
        known = [each for each in known if each["created"] >= since]
        known.sort(key=lambda each: (each["created"], each["id"]), reverse=True)
        refs = [each["id"] for each in known]
        after = query.get("starting_after", [""])[0]
        start = refs.index(after) + 1 if after in refs else 0
        page = known[start : start + limit]
        more = len(known) > start + limit
        answer = {"object": "list", "url": "/v1/events", "has_more": more, "data": page}
        return HTTPStatus.OK, answer


def _refusal(status: HTTPStatus, message: str) -> Answer:
    return status, {"error": {"type": "invalid_request_error", "message": message}}


class Desk(BaseHTTPRequestHandler):
    """One connection. `world` and `key` are set on the class that `serve` makes."""

    protocol_version = "HTTP/1.1"
    world: World
    key: str

    def do_GET(self) -> None:
        """Answer a question, unless trouble was asked for."""
        parts = urlsplit(self.path)
        if parts.path in {"/health/ready", "/health/live"}:
            return self._answer((HTTPStatus.OK, {"status": "ok"}))
        if not self._is_known():
            return self._answer(_refusal(HTTPStatus.UNAUTHORIZED, "Invalid API Key provided"))
        trouble = self.world.trouble()
        time.sleep(trouble.seconds)
        if trouble.status == _DROPPED:
            self.close_connection = True
            return None
        if trouble.status != HTTPStatus.OK:
            return self._answer(_refusal(HTTPStatus(trouble.status), "as you wished"))
        try:
            return self._answer(self._found(parts.path, parse_qs(parts.query)))
        except ValueError:
            return self._answer(_refusal(HTTPStatus.BAD_REQUEST, "Invalid integer"))

    def do_POST(self) -> None:
        """Be told what to know (`/_control/objects`) or how to fail (`/_control/fail`)."""
        size = int(self.headers.get("Content-Length", "0"))
        if size > CONTROL_BYTES_MAX:
            self.close_connection = True
            return self._answer(_refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too much"))
        body = self.rfile.read(size)
        if not self._is_known():
            return self._answer(_refusal(HTTPStatus.UNAUTHORIZED, "Invalid API Key provided"))
        try:
            return self._answer(self._controlled(json.loads(body)))
        except (ValueError, KeyError, TypeError):
            return self._answer(_refusal(HTTPStatus.BAD_REQUEST, "not a control request"))

    def log_message(self, *args: object) -> None:
        """Say nothing: questions carry nothing worth a log here."""
        del args

    def _is_known(self) -> bool:
        given = self.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self.key}".encode())

    def _found(self, path: str, query: dict[str, list[str]]) -> Answer:
        match path.strip("/").split("/"):
            case ["v1", "events"]:
                return self.world.events(query)
            case ["v1", plural, ref] if plural in _KINDS:
                expand = query.get("expand[]", [])
                return self.world.find(kind=_KINDS[plural], ref=ref, expand=expand)
            case _:
                return _refusal(HTTPStatus.NOT_FOUND, f"Unrecognized request URL (GET: {path})")

    def _controlled(self, wish: Json) -> Answer:
        match self.path:
            case "/_control/objects":
                self.world.learn(wish["objects"])
                return HTTPStatus.OK, {"known": len(self.world.objects)}
            case "/_control/fail":
                with self.world.lock:
                    self.world.mischief = Mischief(
                        status=int(wish.get("status", HTTPStatus.OK)),
                        seconds=min(float(wish.get("seconds", 0)), SLOW_SECONDS_MAX),
                        times=int(wish.get("times", 1)),
                    )
                return HTTPStatus.OK, {"times": self.world.mischief.times}
            case _:
                return _refusal(HTTPStatus.NOT_FOUND, "no such control")

    def _answer(self, answer: Answer) -> None:
        status, content = answer
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Counter(ThreadingHTTPServer):
    """Where many may ask at once, and may leave without a word."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a caller who hung up, such as a worker that was killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def serve(world: World, *, key: str, port: int, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """Return a server of `world`, bound and not yet serving; port 0 takes a free one."""
    desk = type("StripeDesk", (Desk,), {"world": world, "key": key})
    return Counter((host, port), desk)


def main() -> None:
    """Serve until told to stop, as the environment says."""
    key = os.environ.get("STRIPE_API_KEY", "")
    if not key:
        sys.exit("STRIPE_API_KEY: want the key that the worker was given")
    state = os.environ.get("STRIPE_DOUBLE_STATE")
    port = int(os.environ.get("STRIPE_DOUBLE_PORT", str(PORT)))
    server = serve(World(Path(state) if state else None), key=key, port=port)
    # shutdown() waits for serve_forever(), which runs in the thread that the signal interrupts.
    signal.signal(
        signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start()
    )
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
    finally:
        server.server_close()


if __name__ == "__main__":
    main()
