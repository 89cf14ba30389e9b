"""Reading what waits to be sent, carried out or asked about."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Partner
from accounts.states import PayeePolicy
from transactions.models import RegisteredPayee, Transfer
from transactions.selectors.ledger import DEBITS_STOPPED
from transactions.states import PayeeState, TransferState

AT_ONCE_MAX = 100


def payouts_to_send() -> QuerySet[Transfer]:
    """Return accepted payouts whose money may leave: not frozen, no suspended partner."""
    suspended = Partner.objects.filter(is_active=False).values("book_id")
    return (
        Transfer.objects.filter(state=TransferState.ACCEPTED)
        .exclude(source__balance__frozen__in=DEBITS_STOPPED)
        .exclude(book_id__in=suspended)
    )


def next_to_claim() -> Transfer | None:
    """Return the oldest accepted payout, locked; one that another worker holds is passed over."""
    return (
        payouts_to_send()
        .select_for_update(no_key=True, of=("self",), skip_locked=True)
        .order_by("id")
        .first()
    )


def transfers_to_ask_about() -> QuerySet[Transfer]:
    """Return sent payouts of which nothing was heard for too long, the longest silence first."""
    return (
        Transfer.objects.filter(
            ask_at__lte=timezone.now(),
            state__in=[TransferState.DISPATCHED, TransferState.UNKNOWN],
        )
        .select_related("payee_name", "payee_iban")
        .order_by("ask_at")[:AT_ONCE_MAX]
    )


def transfer_by_id(transfer_id: UUID) -> Transfer | None:
    """Return a transfer with its payee's vault records, for sending it."""
    return (
        Transfer.objects.select_related("payee_name", "payee_iban").filter(pk=transfer_id).first()
    )


def scheduled_transfers(*, limit: int) -> Sequence[tuple[UUID, str]]:
    """Return id and trace of transfers whose time has come, the longest overdue first.

    One to details that still cool, where only firm ones are paid, comes when they are: until
    then it would be refused at every look, before all others.
    """
    now = timezone.now()
    cooling = RegisteredPayee.objects.filter(
        book_id=OuterRef("book_id"),
        iban_blind=OuterRef("payee_iban__blind"),
        state=PayeeState.ACTIVE,
        payable_from__gt=now,
        partner__payee_policy=PayeePolicy.REGISTERED,
    )
    due = Transfer.objects.filter(state=TransferState.SCHEDULED, execute_at__lte=now)
    due = due.exclude(Exists(cooling))
    return list(due.order_by("execute_at").values_list("pk", "trace_id")[:limit])


def is_scheduled_on(account_id: UUID) -> bool:
    """Say whether a transfer that waits for its time names the account."""
    return Transfer.objects.filter(
        Q(source_id=account_id) | Q(destination_id=account_id), state=TransferState.SCHEDULED
    ).exists()
