"""Money between partners: by alias and consent alone, two journals as one, nothing else told."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from accounts.models import Letter
from accounts.roles import Role
from accounts.states import FreezeMode
from audit.errors import NotFound, Refusal
from tests import factories, four_eyes
from tests.books import assert_books_hold, moved, stands_at
from tests.conftest import STAGE
from tests.factories import Cast
from tests.races.crowd import at_once
from tests.transactions.partner_pair import pay, payer, taker, withdrawn
from transactions.errors import (
    AccountFrozen,
    AlreadyBooked,
    CurrencyMismatch,
    DestinationUnavailable,
    InsufficientFunds,
    LimitExceeded,
    NothingChanged,
    NotReversible,
    SignatureNeeded,
)
from transactions.models import Journal, LedgerAccount, Posting, Transfer
from transactions.orders import PartnerOrder
from transactions.services.consents import allow_payer, withdraw_payer
from transactions.services.freezes import freeze_account
from transactions.services.partner_transfers import request_partner_transfer
from transactions.services.reversals import request_reversal, reverse_transfer
from transactions.states import TransferKind, TransferState

__all__ = ["payer", "taker"]
pytestmark = pytest.mark.role("api")


def test_it_is_two_journals_that_inter_book_clearing_joins(payer: Cast, taker: Cast) -> None:
    before = stands_at(payer.giver.pk)[0]
    made = pay(payer, factories.partner_order(payer, to=taker.taker, amount_minor=700))
    assert (made.state, made.kind) == (TransferState.SETTLED, TransferKind.PARTNER)
    assert stands_at(payer.giver.pk)[0] == before - 700
    assert stands_at(taker.taker.pk) == (700, 0)
    assert moved(payer.partner.book_id)[f"interbook:{taker.partner.slug}"] == 700
    assert moved(taker.partner.book_id)[f"interbook:{payer.partner.slug}"] == -700
    there = Journal.objects.get(origin=f"{made.audit_ref}:settled")
    arrived = Journal.objects.get(origin=f"{made.audit_ref}:settled:in")
    assert there.book_id == payer.partner.book_id
    assert (arrived.book_id, arrived.xact) == (taker.partner.book_id, there.xact)
    assert_books_hold()


def test_each_partner_is_told_what_is_its_own(payer: Cast, taker: Cast) -> None:
    order = factories.partner_order(payer, to=taker.taker, reference="invoice 7")
    made = pay(payer, order)
    to_payer, to_taker = (
        Letter.objects.filter(book_id=company.partner.book_id).latest("id")
        for company in (payer, taker)
    )
    assert to_payer.type == "transfer.settled"
    assert to_taker.type == "transfer.received"
    assert to_taker.payload == {
        "account": taker.taker.public_id,
        "payer": payer.partner.slug,
        "amount_minor": 1_000,
        "currency": "EUR",
        "reference": "invoice 7",
    }
    assert taker.taker.public_id not in json.dumps(to_payer.payload)
    assert made.public_id not in json.dumps(to_taker.payload)


def frozen(taker: Cast) -> dict[str, Any]:
    with STAGE.as_role("admin"):
        freeze_account(
            actor=factories.colleague(),
            account_id=taker.taker.pk,
            mode=FreezeMode.CREDITS,
            reason="test",
            legal_reference="",
        )
    return {"alias": taker.taker.alias}


OBSTACLES: dict[str, Callable[[Cast], dict[str, Any]]] = {
    "there is no such alias": lambda _: {"alias": "nobody-s"},
    "its owner never consented": lambda taker: {"alias": taker.giver.alias},
    "its owner consents no longer": withdrawn,
    "it is frozen": frozen,
    "it is in another currency": lambda taker: {
        "alias": factories.account(taker.portfolio, currency="JPY", holding_minor=0).alias
    },
}


@pytest.mark.parametrize("why", OBSTACLES)
def test_whatever_keeps_the_other_account_from_taking_it_reads_the_same(
    payer: Cast, taker: Cast, why: str
) -> None:
    named = OBSTACLES[why](taker)
    order = replace(factories.partner_order(payer, to=taker.taker), **named)
    with pytest.raises(DestinationUnavailable) as refused:
        pay(payer, order)
    assert refused.value.facts() == named


def test_an_alias_of_ones_own_is_no_other_partners(payer: Cast) -> None:
    allow_payer(actor=payer.actor, account_id=payer.taker.pk, payer=payer.partner.slug)
    with pytest.raises(DestinationUnavailable):
        pay(payer, factories.partner_order(payer, to=payer.taker))


def test_consent_to_one_partner_is_none_to_another(payer: Cast, taker: Cast) -> None:
    stranger = factories.cast()
    with pytest.raises(DestinationUnavailable):
        pay(stranger, factories.partner_order(stranger, to=taker.taker))


def test_giving_consent_tells_nothing_about_who_there_is(payer: Cast) -> None:
    known = allow_payer(actor=payer.actor, account_id=payer.giver.pk, payer="no-such-partner")
    assert known.withdrawn_at is None
    with pytest.raises(NothingChanged):
        allow_payer(actor=payer.actor, account_id=payer.giver.pk, payer="no-such-partner")
    with pytest.raises(NotFound):
        allow_payer(actor=payer.actor, account_id=factories.cast().giver.pk, payer="x")


def test_a_consent_is_withdrawn_once_and_only_by_its_owner(payer: Cast, taker: Cast) -> None:
    (consent,) = LedgerAccount.objects.get(pk=taker.taker.pk).consents.all()
    with pytest.raises(NotFound):
        withdraw_payer(actor=payer.actor, consent_id=consent.pk)
    withdraw_payer(actor=taker.actor, consent_id=consent.pk)
    with pytest.raises(NothingChanged):
        withdraw_payer(actor=taker.actor, consent_id=consent.pk)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"amount": 10**12}, InsufficientFunds),
        ({"source": "theirs"}, NotFound),
        ({"currency": "USD"}, CurrencyMismatch),
    ],
)
def test_what_is_wrong_on_ones_own_side_is_said(
    payer: Cast, taker: Cast, changes: dict[str, Any], refusal: type[Refusal]
) -> None:
    order = factories.partner_order(payer, to=taker.taker)
    if "amount" in changes:
        order = replace(order, money=replace(order.money, amount_minor=changes["amount"]))
    if "currency" in changes:
        order = replace(order, money=replace(order.money, currency=changes["currency"]))
    if "source" in changes:
        order = replace(order, source_id=taker.giver.pk)
    with pytest.raises(refusal):
        pay(payer, order)


def test_limits_and_freezes_of_the_giver_hold(taker: Cast) -> None:
    giver = factories.cast()
    factories.consent(taker, payer=giver)
    factories.limit(giver.giver, amount_max_minor=999)
    order = factories.partner_order(giver, to=taker.taker)
    with pytest.raises(LimitExceeded):
        pay(giver, order)
    with STAGE.as_role("admin"):
        freeze_account(
            actor=factories.colleague(),
            account_id=giver.giver.pk,
            mode=FreezeMode.DEBITS,
            reason="test",
            legal_reference="",
        )
    with pytest.raises(AccountFrozen):
        pay(giver, replace(order, money=replace(order.money, amount_minor=1)))


def test_one_origin_pays_once(payer: Cast, taker: Cast) -> None:
    order, origin = factories.partner_order(payer, to=taker.taker), factories.origin()
    request_partner_transfer(actor=payer.actor, order=order, origin=origin)
    with pytest.raises(AlreadyBooked):
        request_partner_transfer(actor=payer.actor, order=order, origin=origin)
    assert stands_at(taker.taker.pk) == (1_000, 0)


def test_the_giver_cannot_take_it_back_and_two_of_ours_can(payer: Cast, taker: Cast) -> None:
    made = pay(payer, factories.partner_order(payer, to=taker.taker))
    with pytest.raises(NotReversible):
        reverse_transfer(
            actor=payer.actor, transfer_id=made.pk, origin=factories.origin(), reason="oops"
        )
    for amount, state in ((400, TransferState.SETTLED), (600, TransferState.REVERSED)):
        with STAGE.as_role("admin"):
            asked = request_reversal(
                actor=factories.colleague(Role.FINANCE_OPERATOR),
                transfer_id=made.pk,
                amount_minor=amount,
                reason="paid by mistake, the receiver agrees",
            )
        four_eyes.carry_out(asked)
        made = Transfer.objects.get(pk=made.pk)
        assert made.state == state
    assert stands_at(taker.taker.pk) == (0, 0)
    assert f"interbook:{payer.partner.slug}" not in moved(taker.partner.book_id)
    assert Letter.objects.filter(book_id=taker.partner.book_id).latest("id").type == (
        "transfer.taken_back"
    )
    assert_books_hold()


def test_money_for_one_is_paid_once_however_many_ask(taker: Cast) -> None:
    giver = factories.cast(holding_minor=1_000)
    factories.consent(taker, payer=giver)
    order = factories.partner_order(giver, to=taker.taker, amount_minor=600)
    said = at_once([partial(pay, giver, order)] * 4)
    assert Counter(said) == {"done": 1, "insufficient_funds": 3}
    assert stands_at(taker.taker.pk) == (600, 0)
    assert_books_hold()


def test_two_that_pay_each_other_at_once_never_deadlock(payer: Cast, taker: Cast) -> None:
    there = factories.partner_order(payer, to=taker.taker, amount_minor=5)
    back = PartnerOrder(
        source_id=taker.giver.pk, alias=payer.taker.alias, money=there.money, reference="back"
    )
    factories.consent(payer, payer=taker)
    said = at_once([partial(pay, payer, there), partial(pay, taker, back)] * 4)
    assert set(said) == {"done"}
    assert_books_hold()


def test_nothing_arrives_after_a_consent_was_withdrawn(payer: Cast, taker: Cast) -> None:
    order = factories.partner_order(payer, to=taker.taker, amount_minor=1)
    (consent,) = LedgerAccount.objects.get(pk=taker.taker.pk).consents.all()
    acts = [partial(pay, payer, order)] * 3
    at_once([*acts, partial(withdraw_payer, actor=taker.actor, consent_id=consent.pk), *acts])
    withdrawn_at = LedgerAccount.objects.get(pk=taker.taker.pk).consents.get().withdrawn_at
    arrived = Posting.objects.filter(account_id=taker.taker.pk).values_list(
        "journal_id", flat=True
    )
    late = Journal.objects.filter(pk__in=arrived, recorded_at__gt=withdrawn_at)
    # The instant is taken under the lock that arrivals wait for.
    assert not late.exists()


def test_from_the_threshold_on_nothing_leaves_on_one_signature(taker: Cast) -> None:
    giver = factories.cast(threshold_minor=1_000)
    factories.consent(taker, payer=giver)
    order = factories.partner_order(giver, to=taker.taker, amount_minor=1_000)
    with pytest.raises(SignatureNeeded) as refused:
        pay(giver, order)
    assert refused.value.facts() == {"threshold_minor": 1_000}
    pay(giver, replace(order, money=replace(order.money, amount_minor=999)))
    assert stands_at(taker.taker.pk) == (999, 0)
