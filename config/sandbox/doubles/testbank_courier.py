"""The Test Bank's couriers: signed callbacks, sent when due, and again until they are received."""

import heapq
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from itertools import count
from threading import Condition, Thread
from urllib.parse import SplitResult, urlsplit

from standardwebhooks import Webhook

from config.sandbox.doubles.testbank_bank import Bank, Execution

COURIERS = 4
SEND_SECONDS = 5.0
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
IDLE_SECONDS = 1.0


@dataclass(order=True, slots=True)
class Letter:
    """One copy of one callback. Due by the bank's clock, so an advance brings it forward."""

    due_at: float
    number: int
    event_id: str = field(compare=False)
    body: bytes = field(compare=False)
    tries: int = field(default=0, compare=False)


class Couriers:
    """A few threads that carry letters to one address, in order of when they are due."""

    def __init__(self, bank: Bank, *, url: str, secret: str) -> None:
        """Carry `bank`'s news to `url`, signed with `secret` (`whsec_` and base64)."""
        self._bank = bank
        self._url = urlsplit(url)
        self._webhook = Webhook(secret)
        self._letters: list[Letter] = []
        self._numbers = count()
        self._changed = Condition()

    def start(self) -> None:
        """Take over everything still owed from before, then carry what comes."""
        self._add(self._bank.owed())
        self._bank.post = self.take
        for number in range(COURIERS):
            Thread(target=self._carry, daemon=True, name=f"courier-{number}").start()

    def take(self, execution: Execution) -> None:
        """Take the news of one payment."""
        self._add(self._bank.news_of(execution))

    def hurry(self) -> None:
        """Look at the clock again: it was put forward."""
        with self._changed:
            self._changed.notify_all()

    def _add(self, owed: Iterator[tuple[float, str, dict[str, object]]]) -> None:
        with self._changed:
            for due_at, event_id, body in owed:
                letter = Letter(due_at, next(self._numbers), event_id, json.dumps(body).encode())
                heapq.heappush(self._letters, letter)
            self._changed.notify_all()

    def _carry(self) -> None:
        """Carry letters for ever, one at a time."""
        while True:
            letter = self._next_due()
            if self._send(letter):
                self._bank.note_delivered(letter.event_id)
                continue
            wait = RETRY_SECONDS[min(letter.tries, len(RETRY_SECONDS) - 1)]
            letter.tries += 1
            letter.due_at = self._bank.now() + wait
            with self._changed:
                heapq.heappush(self._letters, letter)
                self._changed.notify()

    def _next_due(self) -> Letter:
        """Wait for the next letter that is due, and take it."""
        with self._changed:
            while True:
                wait = (
                    self._letters[0].due_at - self._bank.now() if self._letters else IDLE_SECONDS
                )
                if wait <= 0:
                    return heapq.heappop(self._letters)
                self._changed.wait(min(wait, IDLE_SECONDS))

    def _send(self, letter: Letter) -> bool:
        """Send one letter once: the same event id each time, the moment and signature fresh."""
        moment = datetime.fromtimestamp(int(time.time()), tz=UTC)
        body = letter.body.decode()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": letter.event_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": self._webhook.sign(letter.event_id, moment, body),
        }
        connection = _connection(self._url)
        try:
            connection.request("POST", self._url.path or "/", letter.body, headers)
            return 200 <= connection.getresponse().status < 300  # noqa: PLR2004
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def _connection(url: SplitResult) -> HTTPConnection:
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    return kind(url.hostname or "", url.port, timeout=SEND_SECONDS)
