"""The Test Bank as the inbox sees it."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from integrations.providers.base import UNREADABLE, Genuine, Lookup, NotYet, Verdict
from integrations.providers.testbank.mapping import (
    SLUG,
    confirm,
    identity_of,
    notice_of_callback,
    notice_of_look_up,
)
from integrations.providers.testbank.signature import ID_HEADER, forgery
from integrations.signing import one_header
from transactions.meanings import Meaning, NotUnderstood


class BankInbound:
    """Authenticates and reads the Test Bank's callbacks. Holds no state, touches no tables."""

    slug: str = SLUG

    def verify(
        self, *, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> Verdict:
        """Say whether `body` is authentic under any of `secrets`. Never raises, on any bytes.

        The signed header and the body must name the same event, or it is unreadable.
        """
        forged = forgery(headers=headers, body=body, secrets=secrets, now=now)
        if forged is not None:
            return forged
        try:
            event_id, event_type = identity_of(body)
        except NotUnderstood:
            event_id = event_type = ""
        if event_id == one_header(headers, ID_HEADER):
            return Genuine(event_id=event_id, event_type=event_type)
        digest = hashlib.sha256(body).hexdigest()
        return Genuine(event_id=f"sha256:{digest}", event_type=UNREADABLE)

    def meanings(self, *, body: bytes, lookup: Lookup) -> list[Meaning]:
        """Say what an authentic `body` means, once the bank confirms it when asked.

        Raises NotUnderstood, NotYet (ask again later) or Ignored.
        """
        told = notice_of_callback(body)
        found = lookup.fetch(kind="payment", ref=told.reference)
        try:
            asked = notice_of_look_up(found)
        except NotUnderstood as error:
            raise NotYet(f"the bank's answer is not understood: {error.reason}") from error
        confirm(told, asked=asked)
        return [told]
