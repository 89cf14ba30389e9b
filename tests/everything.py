"""One row of everything that has a page, made by commands: for tests that go through all pages."""

from collections.abc import Mapping
from uuid import UUID, uuid4

from django.db.models import Model
from django.utils import timezone

from accounts.states import FreezeMode
from audit.models import Entry
from integrations.models import Callback, Dispatch
from integrations.providers.base import Accepted, Genuine
from integrations.services.dispatches import log_dispatch
from integrations.services.inbox import receive
from integrations.states import DispatchAct
from tests import factories
from transactions.fees import FeeTerms
from transactions.meanings import DisputeNotice, DisputeState
from transactions.models import BatchItem, Dispute, Journal, Payment
from transactions.services.freezes import freeze_account
from transactions.services.movements import book_movement
from transactions.services.notices import note_dispute
from transactions.states import LimitWindow, TransferState

Rows = Mapping[str, UUID]


def one_of_each() -> Rows:
    """Make one row for each page, for a partner of its own, and return their keys by page."""
    company = factories.cast()
    settled = factories.payout(company, state=TransferState.SETTLED)
    waiting = factories.payout(company, state=TransferState.AWAITING_APPROVAL)
    charge = factories.charge(company.giver)
    book_movement(actor=factories.provider(), movement=charge)
    freeze = freeze_account(
        actor=factories.colleague(),
        account_id=company.taker.pk,
        mode=FreezeMode.DEBITS,
        reason="why",
        legal_reference="§ 1",
    )
    dispute = _disputed(charge.payment_ref or "")
    event = Genuine(event_id=f"evt_{uuid4().hex}", event_type="charge.succeeded")
    receive("stripe", endpoint="main", event=event, body=b"{}")
    log_dispatch(settled, DispatchAct.PAY, answer=Accepted(provider_ref="pay_1"), seconds=0.1)
    stray = factories.charge(None)
    book_movement(actor=factories.provider(), movement=stray)
    batch = factories.batch(company)
    found: dict[str, Model] = {
        "accounts.account": company.giver,
        "accounts.approval": waiting.approval or settled,
        "accounts.customer": factories.customer(company.portfolio),
        "accounts.freeze": freeze,
        "accounts.idempotencykey": factories.used_key(company, made=settled),
        "accounts.partner": company.partner,
        "audit.entry": Entry.objects.latest("id"),
        "integrations.callback": Callback.objects.get(event_id=event.event_id),
        "integrations.dispatch": Dispatch.objects.get(transfer_id=settled.pk),
        "transactions.batchfile": factories.batch_file(company),
        "transactions.batchitem": BatchItem.objects.get(batch=batch),
        "transactions.conversion": factories.conversion(
            company,
            to=factories.account(company.portfolio, currency="JPY", holding_minor=0),
        ),
        "transactions.dispute": dispute,
        "transactions.feerule": factories.proposed_fee(company, FeeTerms(flat_minor=25)),
        "transactions.hold": factories.hold(company),
        "transactions.journal": Journal.objects.latest("id"),
        "transactions.journalproposal": factories.manual_journal(company),
        "transactions.ledgeraccount": settled.source,
        "transactions.limit": factories.limit(company.giver, window=LimitWindow.DAY, count_max=50),
        "transactions.payment": Payment.objects.get(account_id=company.giver.pk),
        "transactions.registeredpayee": factories.registered(company),
        "transactions.transfer": waiting,
        "transactions.transferbatch": batch,
    }
    return {label: row.pk for label, row in found.items()} | {
        "transactions.suspenseposting": factories.suspense_of(stray).id
    }


def _disputed(payment_ref: str) -> Dispute:
    notice = DisputeNotice(
        provider="stripe",
        reference=f"dp_{uuid4().hex}",
        payment_ref=payment_ref,
        state=DisputeState.NEEDS_RESPONSE,
        amount_minor=10_000,
        currency="EUR",
        reason="fraudulent",
        occurred_at=timezone.now(),
    )
    return note_dispute(actor=factories.provider(), notice=notice)
