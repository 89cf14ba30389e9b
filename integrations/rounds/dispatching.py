"""Sending payouts and asking after them: claim by command, call outside any transaction, record.

A claimed payout of which nothing is known is never simply sent again. It is
asked about; only "never heard of it", after the provider's stated window,
sends the same request again, under the same key.
"""

import hmac
import time
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Final, assert_never
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.crypto.vault import read_back
from accounts.roles import PROVIDER_GRANTS, SYSTEM_GRANTS
from audit.actors import Actor, ActorKind
from audit.circumstances import under
from audit.errors import Refusal
from audit.failpoints import between_failpoints
from audit.rounds import one_alone, share
from integrations.providers.base import (
    Accepted,
    Declined,
    Destination,
    NeverHeard,
    PaymentOrder,
    Provider,
    Unknown,
)
from integrations.providers.registry import provider_of
from integrations.services.dispatches import log_dispatch
from integrations.states import DispatchAct
from transactions.errors import AccountFrozen, AlreadyBooked, Contradiction, NothingChanged
from transactions.meanings import TransferNotice
from transactions.meanings import TransferState as Standing
from transactions.models import Transfer
from transactions.reports import Report
from transactions.selectors.dispatching import (
    payouts_to_send,
    transfer_by_id,
    transfers_to_ask_about,
)
from transactions.services.dispatching import (
    claim_transfer,
    fail_transfer,
    note_acceptance,
    note_doubt,
    reclaim_transfer,
)
from transactions.services.news import take_news

WORKER = Actor(
    kind=ActorKind.SYSTEM,
    id="worker",
    label="Worker",
    credential="process",
    grants=SYSTEM_GRANTS,
)
claim = between_failpoints("dispatch.claim")(claim_transfer)
reclaim = between_failpoints("dispatch.reclaim")(reclaim_transfer)
keep_line = between_failpoints("dispatch.log")(log_dispatch)
# What a provider says that is known already, or that the callback contradicted: nothing to report.
KNOWN: Final = (NothingChanged, AlreadyBooked, Contradiction)

acceptance = between_failpoints("dispatch.acceptance")(note_acceptance)
refusal = between_failpoints("dispatch.refusal")(fail_transfer)
doubt = between_failpoints("dispatch.doubt")(note_doubt)
inquiry = between_failpoints("dispatch.inquiry")(take_news)


def send_payouts() -> int:
    """Claim and send accepted payouts, one by one, as long as its share lasts; return how many."""
    count, has_time = 0, share()
    while has_time() and payouts_to_send().exists():
        try:
            claimed = claim(actor=WORKER)
        except Refusal:
            break  # another worker was faster, or a freeze was
        _send(claimed.pk)
        count += 1
    return count


def ask_providers() -> int:
    """Ask after every payout of which nothing was heard for too long; return how many."""
    waiting = transfers_to_ask_about()
    for transfer in waiting:
        with under(trace_id=transfer.trace_id), one_alone(f"transfer {transfer.pk}"):
            _ask(transfer)
    return len(waiting)


def order_for(transfer: Transfer) -> PaymentOrder:
    """Return the one request this transfer can ever make: the same bytes under the same key."""
    if transfer.payee_name is None or transfer.payee_iban is None:
        raise ValueError(f"{transfer.pk} is not a payout")
    return PaymentOrder(
        key=derived_key(transfer),
        reference=transfer.public_id,
        amount_minor=transfer.amount_minor,
        currency=transfer.currency,
        destination=Destination(
            name=read_back(transfer.payee_name), iban=read_back(transfer.payee_iban)
        ),
    )


def derived_key(transfer: Transfer) -> str:
    """Return the key a provider knows this transfer by: an HMAC of our id, not to be guessed."""
    message = f"{transfer.provider}:{transfer.pk}".encode()
    return hmac.new(settings.DERIVATION_KEY.encode(), message, sha256).hexdigest()


def _send(transfer_id: UUID) -> None:
    """Send one claimed payout; what goes wrong with it must not stop the next."""
    transfer = transfer_by_id(transfer_id)
    if transfer is not None:
        with under(trace_id=transfer.trace_id), one_alone(f"transfer {transfer.pk}"):
            _pay(transfer)


def _send_again(transfer: Transfer, *, window: timedelta) -> None:
    """Send a payment its provider never heard of, if its window is over and nobody else does."""
    claimed_at = transfer.claimed_at
    if claimed_at is None or timezone.now() - claimed_at <= window:
        _record(transfer, Unknown("the provider has not heard of it yet"))
        return
    try:
        reclaim(actor=WORKER, transfer_id=transfer.pk, claimed_at=claimed_at)
    except AccountFrozen:
        _record(transfer, Unknown("the provider never heard of it, and its account is frozen"))
        return
    except Refusal:
        return  # somebody else did, or it is settled meanwhile
    _send(transfer.pk)


def _pay(transfer: Transfer) -> None:
    """Send the payment and record the answer."""
    provider = provider_of(transfer.provider)
    started = time.monotonic()
    answer = call(provider, order_for(transfer))
    keep_line(transfer, DispatchAct.PAY, answer=answer, seconds=time.monotonic() - started)
    _record(transfer, answer)


@between_failpoints("dispatch.pay")
def call(provider: Provider, order: PaymentOrder, /) -> Accepted | Declined | Unknown:
    """Ask the provider to pay. The only line from which money leaves the house."""
    return provider.pay(order)


def _ask(transfer: Transfer) -> None:
    """Ask how the payment stands; send it again only if the provider never had it."""
    provider = provider_of(transfer.provider)
    started = time.monotonic()
    found = provider.standing(order_for(transfer))
    keep_line(transfer, DispatchAct.INQUIRE, answer=found, seconds=time.monotonic() - started)
    match found:
        case NeverHeard():
            _send_again(transfer, window=timedelta(seconds=provider.resend_after_seconds))
        case Unknown():
            _record(transfer, found)
        case TransferNotice():
            _record_standing(transfer, found)
        case unreachable:
            assert_never(unreachable)


def _record(transfer: Transfer, answer: Accepted | Declined | Unknown) -> None:
    """Run the command for an answer; what the callback told meanwhile is already known."""
    actor = _as_provider(transfer)
    try:
        match answer:
            case Accepted(provider_ref=provider_ref):
                acceptance(actor=actor, transfer_id=transfer.pk, provider_ref=provider_ref)
            case Declined(reason=reason):
                refusal(
                    actor=actor,
                    transfer_id=transfer.pk,
                    reason=reason,
                    occurred_at=timezone.now(),
                )
            case Unknown(because=because):
                doubt(actor=actor, transfer_id=transfer.pk, because=because)
            case unreachable:
                assert_never(unreachable)
    except KNOWN:  # the refusal is written down
        return


def _record_standing(transfer: Transfer, notice: TransferNotice) -> None:
    """Take how the provider says the payment stands; a no is written down by the command.

    What contradicts the books leaves it in doubt, to be asked about later.
    """
    meanings = [notice]
    if notice.state is Standing.RETURNED:
        # Both callbacks were missed: it settled before it was returned.
        meanings.insert(0, replace(notice, state=Standing.SETTLED))
    actor = _as_provider(transfer)
    report = Report(credential=actor.credential, trace_id=transfer.trace_id, meanings=meanings)
    last = inquiry(actor=actor, provider=transfer.provider, reports=[report])[-1]
    if isinstance(last.refusal, Contradiction):
        _record(transfer, Unknown("the provider contradicts the books"))
    if last.refusal and not isinstance(last.refusal, KNOWN):
        raise last.refusal


def _as_provider(transfer: Transfer) -> Actor:
    return Actor(
        kind=ActorKind.PROVIDER,
        id=transfer.provider,
        label=transfer.provider.capitalize(),
        credential="answer",
        grants=PROVIDER_GRANTS,
    )
