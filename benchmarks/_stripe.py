"""A Stripe that sells all day: the double as a process, and sales it knows of, told as events."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import Final

from django.utils import timezone

from accounts.models import Account
from audit.typeids import uuid7
from benchmarks._servers import free_port
from benchmarks._wire import post_of
from config.env import BASE_DIR
from config.sandbox.stories import Delivery, Templates
from config.sandbox.stories.shop import Shop

ENDPOINT: Final = "stripe/main"
PRICE_MINOR: Final = 10_000
OBJECTS_A_CALL: Final = 200
START_SECONDS_MAX: Final = 30.0


class Stripe:
    """The double, running: it answers what is asked about the sales it was told of."""

    def __init__(self, port: int) -> None:
        """Note where it listens."""
        self.port = port
        self._secret = json.loads(os.environ["CALLBACK_SECRETS"])[ENDPOINT][0]

    @property
    def environment(self) -> dict[str, str]:
        """Return what a worker must know to ask it."""
        place = f"127.0.0.1:{self.port}"
        return {"STRIPE_API_URL": f"http://{place}", "OUTBOUND_LOOPBACK": place}

    def sell(self, accounts: Sequence[Account], *, number: int) -> list[Delivery]:
        """Make so many sales in favour of the accounts in turn; return the news of each."""
        templates, now = Templates(), timezone.now()
        news = []
        for place in range(number):
            shop = Shop(
                seed=uuid7().hex,
                account=accounts[place % len(accounts)].public_id,
                now=now,
                currency="eur",
                templates=templates,
            )
            news.append(shop.tell("charge.succeeded", shop.charge(amount=PRICE_MINOR)))
        self._learn([each for delivery in news for each in delivery.objects])
        return news

    def post(self, delivery: Delivery) -> bytes:
        """Return the request that tells one piece of news, signed."""
        headers = delivery.headers(secret=self._secret)
        headers.pop("Content-Type")
        return post_of(f"/callbacks/{ENDPOINT}", body=delivery.body, headers=headers)

    def _learn(self, objects: Sequence[dict[str, object]]) -> None:
        for first in range(0, len(objects), OBJECTS_A_CALL):
            body = json.dumps({"objects": objects[first : first + OBJECTS_A_CALL]})
            headers = {"Authorization": f"Bearer {os.environ['STRIPE_API_KEY']}"}
            with closing(HTTPConnection("127.0.0.1", self.port)) as line:
                line.request("POST", "/_control/objects", body, headers)
                if line.getresponse().status != 200:  # noqa: PLR2004
                    raise SystemExit("the double of Stripe does not listen")


@contextmanager
def stripe() -> Iterator[Stripe]:
    """Run the double on a free port, without a memory on disk."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "config.sandbox.doubles.stripe"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(BASE_DIR),
            "STRIPE_API_KEY": os.environ["STRIPE_API_KEY"],
            "STRIPE_DOUBLE_PORT": str(port),
        },
        cwd=BASE_DIR,
        stdout=subprocess.DEVNULL,
    )
    try:
        _await(port)
        yield Stripe(port)
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS_MAX)


def _await(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            with closing(HTTPConnection("127.0.0.1", port, timeout=1)) as line:
                line.request("GET", "/health/ready")
                line.getresponse()
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the double of Stripe did not start")
