"""The lives of transfers and holds, each as one table; the clocks. Pure but for TextChoices."""

from typing import Final

from django.db.models import TextChoices


class TransferKind(TextChoices):
    """Between two of our accounts, or out of the house."""

    INTERNAL = "internal", "Internal"
    PAYOUT = "payout", "Payout"


class TransferState(TextChoices):
    """Where a transfer stands. The order is the order of its life."""

    SCHEDULED = "scheduled", "Waiting for its time"
    AWAITING_APPROVAL = "awaiting_approval", "Waiting for a second person"
    ACCEPTED = "accepted", "Accepted, about to be sent"
    DISPATCHED = "dispatched", "Sent, waiting for the bank's word"
    UNKNOWN = "unknown", "Sent, outcome unknown: the bank is being asked"
    SETTLED = "settled", "Settled"
    FAILED = "failed", "Failed, money released"
    REJECTED = "rejected", "Rejected by a second person"
    CANCELLED = "cancelled", "Cancelled before it was sent"
    RETURNED = "returned", "Settled, then returned by the bank"
    REVERSED = "reversed", "Settled, then reversed"


S = TransferState
MOVES: Final[dict[TransferState, frozenset[TransferState]]] = {
    S.SCHEDULED: frozenset({S.AWAITING_APPROVAL, S.ACCEPTED, S.SETTLED, S.FAILED, S.CANCELLED}),
    S.AWAITING_APPROVAL: frozenset({S.ACCEPTED, S.REJECTED, S.CANCELLED}),
    S.ACCEPTED: frozenset({S.DISPATCHED, S.CANCELLED}),
    S.DISPATCHED: frozenset({S.UNKNOWN, S.SETTLED, S.FAILED}),
    S.UNKNOWN: frozenset({S.DISPATCHED, S.SETTLED, S.FAILED}),
    S.SETTLED: frozenset({S.RETURNED, S.REVERSED}),
    S.FAILED: frozenset(),
    S.REJECTED: frozenset(),
    S.CANCELLED: frozenset(),
    S.RETURNED: frozenset(),
    S.REVERSED: frozenset(),
}
HAVE_SETTLED: Final = (S.SETTLED, S.RETURNED, S.REVERSED)
FINAL_STATES: Final = frozenset(
    {S.SETTLED, S.FAILED, S.REJECTED, S.CANCELLED, S.RETURNED, S.REVERSED}
)


class HoldState(TextChoices):
    """Whether reserved money is still reserved; if not, what ended it. All but open are final."""

    OPEN = "open", "Reserved"
    POSTED = "posted", "Captured"
    VOIDED = "voided", "Released"
    EXPIRED = "expired", "Expired, released"


class Clock(TextChoices):
    """By which clock an instant is meant: the world's, or that of the database."""

    OCCURRED = "occurred", "When it happened"
    RECORDED = "recorded", "When it was written down"


class LimitKind(TextChoices):
    """What of all that leaves an account a limit is about."""

    ANY = "any", "All that leaves"
    INTERNAL = "internal", "Internal transfers"
    PAYOUT = "payout", "Payouts"
    HOLD = "hold", "Holds"


class LimitWindow(TextChoices):
    """How long a limit counts before it starts again."""

    TRANSFER = "transfer", "Each transfer"
    DAY = "day", "Each day (UTC)"
    DAYS_30 = "30_days", "30 days (UTC)"


class LimitScope(TextChoices):
    """Whose use a limit counts."""

    ACCOUNT = "account", "One account"
    PARTNER = "partner", "All of a partner's accounts in a currency"


class PayeeState(TextChoices):
    """Whether money may go to a payee."""

    PROPOSED = "proposed", "Waiting for a second person"
    ACTIVE = "active", "Registered"
    DECLINED = "declined", "Declined"
    RETIRED = "retired", "Retired"


class BatchState(TextChoices):
    """How far a batch of transfers has come. The last two are terminal."""

    ACCEPTED = "accepted", "Taken in, about to be carried out"
    RUNNING = "running", "Being carried out"
    FINISHED = "finished", "Carried out"
    REFUSED = "refused", "Refused as a whole, nothing moved"


OVER: Final = frozenset({BatchState.FINISHED, BatchState.REFUSED})


class ItemOutcome(TextChoices):
    """What came of one item of a batch. None of them ever changes."""

    DONE = "done", "Became a transfer"
    REFUSED = "refused", "Refused"
    REPLAYED = "replayed", "Its key had made this very transfer before"


class ItemState(TextChoices):
    """How an item stands: its outcome, or why it has none."""

    PENDING = "pending", "Waiting for its turn"
    DONE = ItemOutcome.DONE, "Became a transfer"
    REFUSED = ItemOutcome.REFUSED, "Refused"
    REPLAYED = ItemOutcome.REPLAYED, "Its key had made this very transfer before"
    DROPPED = "dropped", "Not done: another item of an atomic batch was refused"
