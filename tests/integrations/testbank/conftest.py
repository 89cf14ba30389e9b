"""The Test Bank as a process of its own, and somebody for it to call back."""

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

import pytest

from audit.typeids import typeid, uuid7
from integrations.providers.base import (
    Accepted,
    Answer,
    Declined,
    Destination,
    NeverHeard,
    PaymentOrder,
    Unknown,
)
from integrations.providers.testbank.client import BankClient
from tests.doubles import PATIENCE_SECONDS, BankProcess
from transactions.meanings import TransferNotice, TransferState

IBAN = "DE89370400440532013000"

T = TypeVar("T")


@dataclass
class Callback:
    """One callback as it came in."""

    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.time)

    @property
    def event(self) -> dict[str, Any]:
        """Return its body, read."""
        event: dict[str, Any] = json.loads(self.body)
        return event


class Mailbox(ThreadingHTTPServer):
    """Receives callbacks, and refuses the first `refusals` about a reference."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        """Listen on any free port of the loopback."""
        super().__init__(("127.0.0.1", 0), _Doorman)
        self.received: list[Callback] = []
        self.refusals: Counter[str] = Counter()
        self.lock = threading.Lock()

    def of(self, reference: str) -> list[Callback]:
        """Return the callbacks about one payment, in order of arrival."""
        return [each for each in list(self.received) if each.event["reference"] == reference]


class _Doorman(BaseHTTPRequestHandler):
    server: Mailbox

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            callback = Callback(dict(self.headers.items()), body)
            reference = callback.event["reference"]
            self.server.received.append(callback)
            is_refused = self.server.refusals[reference] > 0
            self.server.refusals[reference] -= is_refused
        self.send_response(503 if is_refused else 204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass


def order_to(name: str, *, amount_minor: int = 1250) -> PaymentOrder:
    """Return a fresh order to somebody."""
    reference = typeid("trf", uuid7())
    return PaymentOrder(
        key=f"key-{reference}",
        reference=reference,
        amount_minor=amount_minor,
        currency="EUR",
        destination=Destination(name=name, iban=IBAN),
    )


def found(client: BankClient, order: PaymentOrder) -> Answer | NeverHeard:
    """Ask the bank how a payment stands, and return that in the words of an answer to `pay`."""
    match client.standing(order):
        case TransferNotice(state=TransferState.FAILED, reason=reason):
            return Declined(reason or "failed")
        case TransferNotice(provider_ref=provider_ref):
            return Accepted(provider_ref)
        case NeverHeard() | Unknown() as other:
            return other


def eventually(look: Callable[[], T], *, seconds: float = PATIENCE_SECONDS) -> T:
    """Look until there is something to see, and return it; or what there was when time ran out."""
    deadline = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return seen


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    """Somebody who receives callbacks."""
    server = Mailbox()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def bank(mailbox: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BankProcess]:
    """A Test Bank with a memory of its own."""
    url = f"http://127.0.0.1:{mailbox.server_port}/callbacks/testbank/main"
    running = BankProcess(state=tmp_path_factory.mktemp("bank") / "memory", callback_url=url)
    yield running
    running.kill(signal.SIGTERM)
    assert running.process.returncode == 0
