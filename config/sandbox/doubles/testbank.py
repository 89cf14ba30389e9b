"""A bank that pays out for us, for the sandbox and tests: a real HTTP server that lies on demand.

    python -m config.sandbox.doubles.testbank --port 8010

Environment: TESTBANK_TOKEN, TESTBANK_STATE (a file), TESTBANK_PORT, TESTBANK_CALLBACK_URL and
TESTBANK_CALLBACK_SECRET (`whsec_` and base64). Without a URL nothing is called back.

The counter, `Authorization: Bearer <token>`:
    POST /payments               Idempotency-Key; {reference, amount_minor, currency,
                                 destination: {name, iban}} -> 201 {payment_id, status}
                                 422 idempotency_key_reused | account_blocked, 400 invalid_request
    GET  /payments?reference=    200 {payment_id, status, ...} | 404 no_such_reference (final once
                                 window_seconds have passed since the request)
The back door, loopback only, no token:
    GET  /_control/payments      every time that money really moved, and times_moved by reference
    GET  /_control/lies          the table of lies
    POST /_control/behaviour     {lies, reference?, times?, pace?}
    POST /_control/advance       {days?, seconds?}: the bank's clock goes forward
    GET  /health/live, /health/ready
"""

import argparse
import hmac
import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

from config.sandbox.doubles.testbank_bank import Answer, Bank
from config.sandbox.doubles.testbank_courier import Couriers
from config.sandbox.doubles.testbank_forms import BadForm, key_of, mood_of, order_of, seconds_of
from config.sandbox.doubles.testbank_lies import WHAT_EACH_DOES, Pace
from config.sandbox.doubles.testbank_memory import Memory

BODY_BYTES_MAX = 64 * 1024
DEFAULT_PORT = 8010
READ_SECONDS = 10
# The signing library drops characters that are not standard base64, and signs with another key.
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{22,}={0,2}")


class Server(ThreadingHTTPServer):
    """The bank's building: loopback only, a thread a caller."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, *, bank: Bank, token: str, couriers: Couriers | None) -> None:
        """Listen on `port` of the loopback (0: any free one)."""
        super().__init__(("127.0.0.1", port), Counter)
        self.bank = bank
        self.token = token
        self.couriers = couriers


class Counter(BaseHTTPRequestHandler):
    """One caller at the counter."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = READ_SECONDS

    def do_GET(self) -> None:
        """Look something up."""
        url = urlsplit(self.path)
        match url.path:
            case "/health/live" | "/health/ready":
                self._say(Answer(200, {"status": "ready"}))
            case "/_control/payments":
                self._say(Answer(200, self.server.bank.executions()))
            case "/_control/lies":
                self._say(Answer(200, {lie.value: does for lie, does in WHAT_EACH_DOES.items()}))
            case "/payments" if self._is_known():
                reference = parse_qs(url.query).get("reference", [""])[0]
                self._say(self.server.bank.look_up(reference))
            case "/payments":
                self._say(Answer(401, {"code": "unauthorised"}))
            case _:
                self._say(Answer(404, {"code": "no_such_page"}))

    def do_POST(self) -> None:
        """Do something: read the whole form first, so that the connection stays usable."""
        try:
            self._say(self._act(self._form()))
        except BadForm as bad:
            self._say(Answer(400, {"code": "invalid_request", "field": str(bad)}))

    def _act(self, form: object) -> Answer:
        """Pay, or go through the back door."""
        bank = self.server.bank
        match urlsplit(self.path).path:
            case "/payments" if self._is_known():
                return bank.pay(order_of(form), key=key_of(self.headers["Idempotency-Key"]))
            case "/payments":
                return Answer(401, {"code": "unauthorised"})
            case "/_control/behaviour":
                bank.behave(mood_of(form, pace=bank.pace))
                return Answer(200, {"status": "as you wish"})
            case "/_control/advance":
                bank.advance(seconds_of(form))
                if self.server.couriers is not None:
                    self.server.couriers.hurry()
                return Answer(200, {"status": "advanced"})
            case _:
                return Answer(404, {"code": "no_such_page"})

    def _form(self) -> object:
        """Read the JSON body, at most 64 KiB."""
        try:
            length = int(self.headers["Content-Length"] or "")
        except ValueError:
            length = -1
        if not 0 <= length <= BODY_BYTES_MAX:
            self.close_connection = True
            raise BadForm("Content-Length")
        try:
            return json.loads(self.rfile.read(length))
        except ValueError as failure:
            raise BadForm("body") from failure

    def _is_known(self) -> bool:
        """Whether the caller holds the token."""
        given = self.headers["Authorization"] or ""
        wanted = f"Bearer {self.server.token}"
        return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())

    def _say(self, answer: Answer) -> None:
        """Answer, after its wait; or hang up, where the bank is never to answer."""
        time.sleep(answer.wait_seconds)
        if not answer.status:
            self.close_connection = True
            return
        body = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Keep quiet: names and IBANs pass here."""


def main(arguments: list[str], *, environment: Mapping[str, str]) -> NoReturn:
    """Run the bank until it is told to stop; a bad setting is one line."""
    parser = argparse.ArgumentParser(prog="testbank")
    parser.add_argument("--port", type=int, default=environment.get("TESTBANK_PORT", DEFAULT_PORT))
    usual = Pace()
    parser.add_argument("--settle-seconds", type=float, default=usual.settle_seconds)
    parser.add_argument("--window-seconds", type=float, default=usual.window_seconds)
    given = parser.parse_args(arguments)
    pace = Pace(settle_seconds=given.settle_seconds, window_seconds=given.window_seconds)
    bank = Bank(Memory(Path(_needed("TESTBANK_STATE", environment))), pace=pace)
    couriers = _couriers(bank, environment)
    try:
        server = Server(
            given.port, bank=bank, token=_needed("TESTBANK_TOKEN", environment), couriers=couriers
        )
    except OSError as failure:
        raise SystemExit(f"testbank: port {given.port}: {failure.strerror}") from None
    if couriers is not None:
        couriers.start()
    for asked_to_stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked_to_stop, _stop)
    print(json.dumps({"event": "ready", "port": server.server_port}), flush=True)
    server.serve_forever(poll_interval=0.1)
    raise SystemExit(0)


def _couriers(bank: Bank, environment: Mapping[str, str]) -> Couriers | None:
    """Hire couriers where there is somebody to call back."""
    url = environment.get("TESTBANK_CALLBACK_URL", "")
    if not url:
        return None
    secret = _needed("TESTBANK_CALLBACK_SECRET", environment)
    if SECRET.fullmatch(secret) is None:
        raise SystemExit("testbank: TESTBANK_CALLBACK_SECRET should be whsec_ and standard base64")
    return Couriers(bank, url=url, secret=secret)


def _needed(name: str, environment: Mapping[str, str]) -> str:
    """Return a setting that the bank cannot do without."""
    if not environment.get(name):
        raise SystemExit(f"testbank: {name} is missing")
    return environment[name]


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """Stop at once: everything that matters is written down already."""
    del number, frame
    raise SystemExit(0)


if __name__ == "__main__":
    main(sys.argv[1:], environment=os.environ)
