"""The words for what may stop or allow money, and for verdicts. Pure but for TextChoices."""

from django.db.models import TextChoices


class FreezeMode(TextChoices):
    """Which direction of money a freeze stops."""

    NONE = "none", "Not frozen"
    DEBITS = "debits", "Nothing may leave"
    CREDITS = "credits", "Nothing may arrive"
    ALL = "all", "Nothing may move"

    @property
    def bits(self) -> int:
        """Return the ledger's spelling: 1 stops debits, 2 stops credits."""
        return {"none": 0, "debits": 1, "credits": 2, "all": 3}[self.value]


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
