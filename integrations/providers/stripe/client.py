"""Asking Stripe for the truth. Answers are checked; whatever goes wrong is asked again later."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, cast

from integrations.http import NoAnswer, NotReached, Reply
from integrations.providers.base import JsonObject, NotYet
from integrations.providers.stripe.reading import Node, strict_json
from transactions.meanings import NotUnderstood

API_VERSION: Final = "2024-06-20"  # the version whose shapes `samples/` and the readers follow
TIMEOUT_SECONDS: Final = 10.0
EVENTS_PAGE: Final = 8  # as many as fit the outbound client's limit on an answer
OK: Final = 200

_REF: Final = re.compile(r"[a-z]{2,8}_[A-Za-z0-9_]{1,110}", re.ASCII)
_ROUTES: Final = {
    "balance_transaction": "/v1/balance_transactions/{ref}",
    # With its balance transaction, so that a sale takes one question and not two.
    "charge": "/v1/charges/{ref}?expand%5B%5D=refunds&expand%5B%5D=balance_transaction",
}


class Sender(Protocol):
    """What is needed of the outbound client."""

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> Reply:
        """Send one request; raises NotReached or NoAnswer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledEvent:
    """One event found by asking. `body` is our spelling of it, not the bytes a callback had."""

    event_id: str
    event_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsPage:
    """Some events, newest first, and whether older ones follow."""

    events: tuple[PolledEvent, ...]
    has_more: bool


@dataclass(frozen=True, kw_only=True)
class StripeLookup:
    """Reads from Stripe's API with our key. Reading twice is harmless, so all is retried."""

    sender: Sender
    api_url: str
    api_key: str

    def fetch(self, *, kind: str, ref: str) -> JsonObject:
        """Return the `balance_transaction` or `charge` called `ref`; NotYet if not to be had."""
        if not _REF.fullmatch(ref):
            raise NotUnderstood(f"{kind}: not an id to ask for")
        found = self._get(_ROUTES[kind].format(ref=ref))
        if found.get("object") != kind or found.get("id") != ref:
            raise NotYet(f"Stripe answered with another {kind} than the one asked for")
        return found

    def events(self, *, since: datetime, after: str | None = None) -> EventsPage:
        """Return a page of events made at or after `since`, older than event `after` if given."""
        query = f"limit={EVENTS_PAGE}&created%5Bgte%5D={int(since.timestamp())}"
        if after is not None:
            query += f"&starting_after={after}"
        found = Node(dict(self._get(f"/v1/events?{query}")), "events")
        try:
            events = tuple(map(_polled, found.at("data").items(most=EVENTS_PAGE)))
            return EventsPage(events=events, has_more=found.at("has_more").flag())
        except NotUnderstood as error:
            raise NotYet(f"Stripe's answer is not a list of events: {error.reason}") from error

    def _get(self, path: str) -> JsonObject:
        """Return the JSON object at `path`; NotYet, with a reason fit to show, for all else."""
        headers = {
            "Authorization": f"Bearer {self.api_key}",
            "Accept": "application/json",
            "Stripe-Version": API_VERSION,
        }
        try:
            reply = self.sender.send(
                "GET", self.api_url + path, headers=headers, timeout_seconds=TIMEOUT_SECONDS
            )
        except (NotReached, NoAnswer) as error:
            raise NotYet(f"Stripe could not be asked ({type(error).__name__})") from error
        if reply.status != OK:
            raise NotYet(f"Stripe answered {reply.status} to {path.split('?', 1)[0]}")
        return _object(reply.body)


def _object(body: bytes) -> JsonObject:
    """Return the JSON object in an answer; NotYet for anything else."""
    try:
        value = strict_json(body)
    except NotUnderstood as error:
        raise NotYet("Stripe's answer is not JSON") from error
    if not isinstance(value, dict):
        raise NotYet("Stripe's answer is not a JSON object")
    return cast("dict[str, object]", value)


def _polled(event: Node) -> PolledEvent:
    body = json.dumps(event.value, separators=(",", ":")).encode()
    return PolledEvent(
        event_id=event.at("id").ref("evt"), event_type=event.at("type").dotted(), body=body
    )
