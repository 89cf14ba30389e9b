"""Stripe as the inbox sees it."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from integrations.providers.base import UNREADABLE, Genuine, Lookup, Verdict
from integrations.providers.stripe.balance import SLUG
from integrations.providers.stripe.mapping import identity_of, read_event
from integrations.providers.stripe.signature import forgery
from transactions.meanings import Meaning, NotUnderstood


class StripeInbound:
    """Authenticates and reads Stripe's callbacks. Holds no state, touches no tables."""

    slug: str = SLUG

    def verify(
        self, *, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> Verdict:
        """Say whether `body` is authentic under any of `secrets`. Never raises, on any bytes."""
        forged = forgery(headers=headers, body=body, secrets=secrets, now=now)
        if forged is not None:
            return forged
        try:
            event_id, event_type = identity_of(body)
        except NotUnderstood:
            digest = hashlib.sha256(body).hexdigest()
            return Genuine(event_id=f"sha256:{digest}", event_type=UNREADABLE)
        return Genuine(event_id=event_id, event_type=event_type)

    def meanings(self, *, body: bytes, lookup: Lookup) -> list[Meaning]:
        """Say what an authentic `body` means; NotUnderstood, NotYet or Ignored otherwise."""
        return read_event(body, lookup=lookup)
