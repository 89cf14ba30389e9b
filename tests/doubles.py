"""The doubles of the outside world as processes of their own, for tests that need them real."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from config.sandbox.stories import Delivery
from integrations.http import Outbound
from integrations.providers.testbank.client import BankClient
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TOKEN = "sandbox-token"
PATIENCE_SECONDS = 10.0
CLIENT_SECONDS = 1.0
OBJECTS_A_CALL = 200


class BankProcess:
    """A Test Bank that is running, and can be killed and started again on the same memory."""

    def __init__(self, *, state: Path, callback_url: str) -> None:
        """Start it and wait until it is ready."""
        self.state = state
        self.callback_url = callback_url
        self.start()

    def start(self) -> None:
        """Start it on any free port."""
        module = "config.sandbox.doubles.testbank"
        pace = ["--settle-seconds", "0.05", "--window-seconds", "1"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, "--port", "0", *pace],
            env=os.environ | self.environment(str(self.state)),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port: int = json.loads(self.process.stdout.readline())["port"]

    def environment(self, state: str) -> dict[str, str]:
        """Return the settings of a bank that remembers in `state`."""
        return {
            "TESTBANK_TOKEN": TOKEN,
            "TESTBANK_STATE": state,
            "TESTBANK_CALLBACK_URL": self.callback_url,
            "TESTBANK_CALLBACK_SECRET": SECRET,
        }

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End it, by default without any warning."""
        self.process.send_signal(number)
        self.process.wait(timeout=PATIENCE_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()

    @property
    def client(self) -> BankClient:
        """Return our client of it, with a short patience."""
        place = f"127.0.0.1:{self.port}"
        return BankClient(
            sender=Outbound(loopback=(place,)),
            url=f"http://{place}",
            token=TOKEN,
            timeout_seconds=CLIENT_SECONDS,
        )

    def call(
        self, method: str, path: str, *, form: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Talk to it directly, as a test or another customer would."""
        body = form if isinstance(form, bytes) else None if form is None else json.dumps(form)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        with closing(connection):
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def times_moved(self, reference: str) -> int:
        """Return how many times money really moved under a reference."""
        _, books = self.call("GET", "/_control/payments")
        return int(books["times_moved"].get(reference, 0))


class StripeProcess:
    """A Stripe that is running and answers what the deliveries of a story tell it."""

    def __init__(self) -> None:
        """Start it on a free port and wait until it answers."""
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.sandbox.doubles.stripe"],
            env=os.environ | {"STRIPE_API_KEY": TOKEN, "STRIPE_DOUBLE_PORT": str(self.port)},
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._is_up() and time.monotonic() < deadline:
            time.sleep(0.02)

    def knows(self, deliveries: Iterable[Delivery]) -> None:
        """Tell it the objects that these deliveries speak of."""
        objects = [known for delivery in deliveries for known in delivery.objects]
        for start in range(0, len(objects), OBJECTS_A_CALL):
            self._learn(objects[start : start + OBJECTS_A_CALL])

    def dawdles(self, *, seconds: float) -> None:
        """Let it answer the next question truthfully, only late."""
        self._control("fail", {"status": 200, "seconds": seconds, "times": 1})

    def _learn(self, objects: list[Any]) -> None:
        self._control("objects", {"objects": objects})

    def _control(self, wish: str, form: dict[str, Any]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        with closing(connection):
            connection.request(
                "POST",
                f"/_control/{wish}",
                json.dumps(form),
                {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
            )
            assert connection.getresponse().status == http.HTTPStatus.OK

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=PATIENCE_SECONDS)

    def _is_up(self) -> bool:
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
