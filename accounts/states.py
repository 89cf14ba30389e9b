"""The words for what may stop or allow money, and for verdicts. Pure but for TextChoices."""

from collections.abc import Collection
from typing import Self

from django.db.models import TextChoices


class AccountStatus(TextChoices):
    """How an account stands, in one word: frozen where any freeze stands, whatever it stops."""

    ACTIVE = "active", "Active"
    FROZEN = "frozen", "Frozen"
    CLOSED = "closed", "Closed"


class FreezeMode(TextChoices):
    """What of an account's money a freeze stops."""

    NONE = "none", "Not frozen"
    DEBITS = "debits", "Nothing may leave"
    CREDITS = "credits", "Nothing may arrive"
    ALL = "all", "Nothing may move"
    AMOUNT = "amount", "An amount is held back"

    @property
    def bits(self) -> int:
        """Return the ledger's spelling of a direction: 1 stops debits, 2 stops credits."""
        return {"debits": 1, "credits": 2, "all": 3}.get(self.value, 0)

    @classmethod
    def union(cls, modes: Collection[Self]) -> "FreezeMode":
        """Return what several freezes stop together; an amount shows where no direction does."""
        bits = 0
        for mode in modes:
            bits |= mode.bits
        directions = [cls.NONE, cls.DEBITS, cls.CREDITS, cls.ALL]
        return cls.AMOUNT if modes and not bits else directions[bits]


class FreezeReason(TextChoices):
    """Why money is stopped: the short list that is counted by."""

    COURT = "court_order", "Order of a court"
    TAX = "tax_order", "Order of a tax or other authority"
    SANCTIONS = "sanctions", "Sanctions"
    FRAUD = "fraud", "Suspected fraud"
    INSOLVENCY = "insolvency", "Insolvency"
    DEATH = "death", "Death of the holder"
    OTHER = "other", "Other"


class FreezeState(TextChoices):
    """Where a freeze stands in its life."""

    SCHEDULED = "scheduled", "Starts later"
    IN_FORCE = "in_force", "In force"
    LIFTED = "lifted", "Lifted by two"
    ENDED = "ended", "Ended at its time"


class ApprovalState(TextChoices):
    """Where a request for a second signature stands."""

    OPEN = "open", "Waiting for a second person"
    APPROVED = "approved", "Approved"
    USED = "used", "Carried out"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Verdict(TextChoices):
    """What a checker may say."""

    APPROVE = "approve", "Approve"
    REJECT = "reject", "Reject"


class PayeePolicy(TextChoices):
    """What a partner's payee register means for the payouts that the partner asks for."""

    ANY = "any", "Pays anybody"
    SIGNED = "signed", "Pays others with a second person"
    REGISTERED = "registered", "Pays registered payees only"
