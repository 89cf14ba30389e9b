"""Paying through the Test Bank, and asking it what became of a payment.

Whatever is not plainly a yes or a no is Unknown: the bank is then asked, never paid again, until
it answers or has never heard of it for longer than its stated window.
"""

import json
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from integrations.http import NoAnswer, NotReached, Outbound, Reply
from integrations.providers.base import (
    Accepted,
    Answer,
    Declined,
    JsonObject,
    NeverHeard,
    NotYet,
    PaymentOrder,
    Unknown,
)
from integrations.providers.testbank.mapping import (
    SLUG,
    code_of,
    notice_of_look_up,
    object_of,
    payment_id_of,
)
from transactions.meanings import NotUnderstood, TransferNotice

TIMEOUT_SECONDS: Final = 10.0
# The bank states that "no such reference" is final 5 seconds after the request; one for the way.
RESEND_AFTER_SECONDS: Final = 6
CREATED, FOUND, MISSING, UNPROCESSABLE, MALFORMED = 201, 200, 404, 422, 400
# A no for good, and nothing moved. `idempotency_key_reused` is not among them: then the first
# request under the key may well have been paid.
DECLINES: Final = frozenset(
    {
        (UNPROCESSABLE, "account_blocked"),
        (UNPROCESSABLE, "account_closed"),
        (MALFORMED, "invalid_request"),
    }
)
NO_SUCH_REFERENCE: Final = "no_such_reference"


@dataclass(frozen=True, kw_only=True)
class BankClient:
    """One counter of the Test Bank, at `url`, with our token. Holds no state."""

    sender: Outbound
    url: str
    token: str = field(repr=False)
    timeout_seconds: float = TIMEOUT_SECONDS
    slug: str = SLUG
    resend_after_seconds: int = RESEND_AFTER_SECONDS

    def pay(self, order: PaymentOrder, /) -> Answer:
        """Ask for a payment, once; the same `key` again is the same payment. Never raises."""
        body = {
            "reference": order.reference,
            "amount_minor": order.amount_minor,
            "currency": order.currency,
            "destination": {"name": order.destination.name, "iban": order.destination.iban},
        }
        reply = self._send(
            "POST", "/payments", body=json.dumps(body).encode(), idempotency_key=order.key
        )
        return reply if isinstance(reply, Unknown) else _answer(reply)

    def standing(self, order: PaymentOrder, /) -> TransferNotice | NeverHeard | Unknown:
        """Ask how a payment stands, whoever missed whose callback. Moves nothing, never raises."""
        reply = self._look_up(order.reference)
        if isinstance(reply, Unknown):
            return reply
        try:
            found = object_of(reply.body)
            if reply.status == MISSING and code_of(found) == NO_SUCH_REFERENCE:
                return NeverHeard()
            if reply.status != FOUND:
                return Unknown(f"the bank answered {reply.status} when asked")
            notice = notice_of_look_up(found)
        except NotUnderstood as error:
            return Unknown(f"the bank's answer {reply.status} is not understood: {error.reason}")
        wanted = (order.reference, order.amount_minor, order.currency)
        if (notice.reference, notice.amount_minor, notice.currency) != wanted:
            return Unknown("the bank has another payment under our reference")
        return notice

    def fetch(self, *, kind: str, ref: str) -> JsonObject:
        """Return the `payment` under our reference `ref` as it is now; NotYet if not to be had."""
        reply = self._look_up(ref)
        if isinstance(reply, Unknown):
            raise NotYet(f"the bank could not be asked: {reply.because}")
        if reply.status != FOUND:
            raise NotYet(f"the bank answered {reply.status} when asked for a {kind}")
        try:
            return object_of(reply.body)
        except NotUnderstood as error:
            raise NotYet(f"the bank's answer is not understood: {error.reason}") from error

    def _look_up(self, reference: str) -> Reply | Unknown:
        return self._send("GET", f"/payments?reference={quote(reference, safe='')}")

    def _send(
        self, method: str, path: str, *, body: bytes | None = None, idempotency_key: str = ""
    ) -> Reply | Unknown:
        """Send one request; what got no answer is Unknown, whether it left the house or not."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        if body is not None:
            headers |= {"Content-Type": "application/json", "Idempotency-Key": idempotency_key}
        try:
            return self.sender.send(
                method,
                self.url + path,
                headers=headers,
                body=body,
                timeout_seconds=self.timeout_seconds,
            )
        except NotReached as failure:
            return Unknown(f"not reached: {failure}")
        except NoAnswer as failure:
            return Unknown(f"no answer: {failure}")


def _answer(reply: Reply) -> Answer:
    """Read the answer to a payment."""
    try:
        said = object_of(reply.body)
        if reply.status == CREATED:
            return Accepted(payment_id_of(said))
        code = code_of(said)
    except NotUnderstood as error:
        return Unknown(f"the bank's answer {reply.status} is not understood: {error.reason}")
    if (reply.status, code) in DECLINES:
        return Declined(code)
    return Unknown(f"the bank answered {reply.status} {code}")
