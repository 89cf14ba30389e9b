"""Where callbacks and dispatches stand. Pure but for TextChoices."""

from typing import Final

from django.db.models import TextChoices

# Every provider we have, by slug; the registry holds one reader for each.
PROVIDERS_KNOWN: Final = ("stripe", "testbank")


class CallbackState(TextChoices):
    """How far a stored callback has come."""

    RECEIVED = "received", "Waiting to be worked off"
    PROCESSED = "processed", "Carried out"
    IGNORED = "ignored", "Of a kind we do not act on"
    QUARANTINED = "quarantined", "Not understood: a person must look"


class DispatchAct(TextChoices):
    """What we asked a provider to do."""

    PAY = "pay", "Pay"
    INQUIRE = "inquire", "Say what became of it"


class DispatchAnswer(TextChoices):
    """What the provider answered."""

    ACCEPTED = "accepted", "Taken"
    DECLINED = "declined", "Refused for good"
    UNKNOWN = "unknown", "No clear answer"
    NEVER_HEARD = "never_heard", "No such reference"
    SETTLED = "settled", "Paid"
    RETURNED = "returned", "Returned"
