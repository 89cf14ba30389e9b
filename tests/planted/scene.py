"""The scene of T12: a house where everything has happened once; and how its defences fall."""

from django.db import connection

from accounts.models import User
from accounts.roles import Role
from accounts.services.approvals import decide_approval
from accounts.services.grants import grant_portfolio
from accounts.states import FreezeMode, Verdict
from integrations.providers.base import Genuine
from integrations.services.inbox import receive
from tests import factories
from tests.factories import Cast
from transactions.fees import FeeTerms
from transactions.meanings import MovementKind
from transactions.rounds.batches import carry_out_batches
from transactions.services.accounts import close_account, request_closing
from transactions.services.conversions import post_conversion
from transactions.services.files import start_batch
from transactions.services.freezes import FreezeTerms, freeze_account
from transactions.services.holds import capture_hold
from transactions.services.journals import post_manual_journal
from transactions.services.movements import book_movement
from transactions.services.reversals import reverse_transfer
from transactions.services.suspense import allocate_suspense
from transactions.states import LimitWindow, TransferState


def play() -> dict[str, str]:
    """Let everything happen once; return the ids that corruptions speak of."""
    cast, other = factories.cast(), factories.cast()
    factories.payout(cast, state=TransferState.RETURNED)
    failed = factories.payout(cast, state=TransferState.FAILED)
    factories.payout(cast, state=TransferState.REJECTED)
    dispatched = factories.payout(cast, state=TransferState.DISPATCHED)
    factories.payout(cast, state=TransferState.AWAITING_APPROVAL)
    _bring_money_in(cast)
    _let_finance_act(cast)
    freeze_account(
        actor=factories.colleague(),
        account_id=other.giver.pk,
        mode=FreezeMode.ALL,
        reason="test",
        legal_reference="",
    )
    freeze_account(
        actor=factories.colleague(),
        account_id=other.giver.pk,
        mode=FreezeMode.AMOUNT,
        reason="test",
        legal_reference="",
        terms=FreezeTerms(amount_minor=5_000),
    )
    _close(other)
    for subject in (cast.giver, cast.partner):
        factories.limit(subject, window=LimitWindow.DAY, amount_max_minor=factories.RICH_MINOR)
    third = factories.cast()
    factories.between(cast, third)
    factories.fee(third, FeeTerms(flat_minor=25, bps=15))
    factories.internal(third, amount_minor=700)
    captured, back = factories.hold(cast), factories.internal(cast)
    capture_hold(
        actor=cast.actor, hold_id=captured.pk, origin=factories.origin(), amount_minor=300
    )
    reverse_transfer(
        actor=cast.actor,
        transfer_id=back.pk,
        origin=factories.origin(),
        amount_minor=300,
        reason="half of it",
    )
    officer = factories.officer()
    grant_portfolio(
        actor=factories.FOUNDER,
        portfolio=cast.portfolio,
        user=User.objects.get(pk=officer.id),
    )
    receive(
        "stripe",
        endpoint="main",
        event=Genuine(event_id="evt_1", event_type="charge.succeeded"),
        body=b"{}",
    )
    return {
        "giver": str(cast.giver.pk),
        "taker": str(cast.taker.pk),
        "frozen": str(other.giver.pk),
        "closed": str(other.taker.pk),
        "book": str(cast.partner.book_id),
        "other_book": str(other.partner.book_id),
        "internal": str(factories.internal(cast).pk),
        "failed": str(failed.pk),
        "captured": str(captured.pk),
        "reversed": str(back.pk),
        "landed": str(third.taker.pk),
        "dispatched": str(dispatched.pk),
    }


def _close(other: Cast) -> None:
    finance = factories.colleague(Role.FINANCE_OPERATOR)
    asked = request_closing(actor=finance, account_id=other.taker.pk, reason="test")
    decide_approval(
        actor=factories.colleague(),
        approval_id=asked.pk,
        verdict=Verdict.APPROVE,
        reason="test",
        shown_hash=asked.payload_hash,
    )
    close_account(actor=factories.SYSTEM, approval_id=asked.pk)


def _bring_money_in(cast: Cast) -> None:
    charge = factories.charge(cast.giver)
    book_movement(actor=factories.provider(), movement=charge)
    refund = factories.after(charge, kind=MovementKind.REFUND, amount_minor=-2_500)
    book_movement(actor=factories.provider(), movement=refund)


def _let_finance_act(cast: Cast) -> None:
    stray = factories.charge(None)
    book_movement(actor=factories.provider(), movement=stray)
    allocation = factories.allocation(cast, item=factories.suspense_of(stray))
    journal = factories.manual_journal(cast)
    yen = factories.account(cast.portfolio, currency="JPY", holding_minor=0)
    exchange = factories.conversion(cast, to=yen)
    for asked, act in (
        (allocation, allocate_suspense),
        (journal, post_manual_journal),
        (exchange, post_conversion),
    ):
        factories.signed(asked.approval)
        act(actor=factories.SYSTEM, approval_id=asked.approval_id)
    factories.registered(cast)
    request = factories.batch_asked_for(factories.batch_file(cast))
    factories.signed(request)
    start_batch(actor=factories.SYSTEM, approval_id=request.pk)
    carry_out_batches()


def lift_the_defences() -> None:
    """Take off triggers and constraints, as only the tables' owner can."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgparentid = 0"
        )
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE conrelid::regclass::text ~ '^(accounts|transactions)_'"
            " AND contype IN ('c', 'f') OR conname = 'transfer_origin_once'"
        )
        for table, name in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{name}" CASCADE')
