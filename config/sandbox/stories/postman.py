"""Carries stories over HTTP: teaches the Stripe double, then posts the deliveries."""

import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from config.sandbox.stories.telling import Delivery
from integrations.http import NoAnswer, NotReached, Outbound

OK: Final = 200


class Undelivered(SystemExit):
    """The house or the double is not there, or did not take what it was told; one line says so."""


@dataclass(frozen=True, kw_only=True)
class Postman:
    """Knows where the house takes Stripe's callbacks, and where its Stripe is."""

    endpoint: str
    secret: str
    stripe_url: str
    stripe_key: str

    def deliver(self, delivery: Delivery) -> int:
        """Let Stripe know what it must by now, post one delivery, return the HTTP status."""
        self._teach(delivery)
        headers = delivery.headers(secret=self.secret)
        return self._post(self.endpoint, headers=headers, body=delivery.body)

    def _teach(self, delivery: Delivery) -> None:
        body = json.dumps({"objects": delivery.objects}).encode()
        headers = {
            "Authorization": f"Bearer {self.stripe_key}",
            "Content-Type": "application/json",
        }
        status = self._post(f"{self.stripe_url}/_control/objects", headers=headers, body=body)
        if status != OK:
            raise Undelivered(f"{self.stripe_url} answered {status}: is this its Stripe double?")

    def _post(self, url: str, *, headers: dict[str, str], body: bytes) -> int:
        sender = Outbound(loopback=(urlsplit(url).netloc,))
        try:
            return sender.send("POST", url, headers=headers, body=body).status
        except (NotReached, NoAnswer) as error:
            raise Undelivered(f"{url}: {error}; start the sandbox with `make run`") from error
