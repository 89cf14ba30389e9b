"""Money between partners: by alias and consent alone, two journals as one, nothing else told."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from django.db import Error, connection, transaction
from pytest_django import DjangoDbBlocker

from accounts.models import Letter
from accounts.roles import Role
from accounts.states import FreezeMode
from audit.errors import NotFound, Refusal
from tests import factories, four_eyes
from tests.books import assert_books_hold, moved, stands_at
from tests.conftest import STAGE
from tests.factories import Cast
from tests.races.crowd import at_once
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

pytestmark = pytest.mark.role("api")


@pytest.fixture(scope="module")
def payer(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Cast]:
    """A partner that pays, with real commits."""
    with django_db_blocker.unblock():
        STAGE.enter("api")
        yield factories.cast()
        STAGE.reclone()


@pytest.fixture
def taker(payer: Cast) -> Cast:
    """Another partner, fresh for each test, that lets the first pay into its taker."""
    made = factories.cast()
    factories.consent(made, payer=payer)
    return made


def pay(payer: Cast, order: PartnerOrder) -> Transfer:
    return request_partner_transfer(actor=payer.actor, order=order, origin=factories.origin())


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


def withdrawn(taker: Cast) -> dict[str, Any]:
    for consent in LedgerAccount.objects.get(pk=taker.taker.pk).consents.all():
        withdraw_payer(actor=taker.actor, consent_id=consent.pk)
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


@pytest.mark.parametrize("theirs", ["giver", "taker"])
def test_the_database_lets_nobody_take_or_push_money_without_consent(
    payer: Cast, theirs: str
) -> None:
    """A captured API process speaks for its own book only, even past our commands."""
    victim = factories.cast()
    factories.between(payer, victim)
    withdrawn(victim)
    amount = 5 if theirs == "taker" else -5
    journals, spelled = _passage(payer, victim, to=theirs, amount=amount)
    with pytest.raises(Error, match="ledger_no_consent"):
        _pass_raw(payer, values=[json.dumps(journals), json.dumps(spelled)])


@pytest.mark.parametrize(
    ("of_journal", "of_line"),
    [({}, {"release": 5}), ({}, {"release": -5}), ({"purpose": "manual"}, {})],
)
def test_consent_lets_money_arrive_and_do_nothing_else(
    payer: Cast, taker: Cast, of_journal: dict[str, Any], of_line: dict[str, Any]
) -> None:
    """What is reserved there stays so, and a journal there is what it is called."""
    pay(payer, factories.partner_order(payer, to=taker.taker))  # opens the clearing accounts
    journals, lines = _passage(payer, taker, to="taker", amount=5)
    values = [json.dumps(journals), json.dumps(lines)]
    _pass_raw(payer, values=values)  # control: without them it passes
    journals, lines = _passage(payer, taker, to="taker", amount=5)
    journals[1] |= of_journal
    lines[3] |= of_line
    with pytest.raises(Error, match="ledger_no_consent"):
        _pass_raw(payer, values=[json.dumps(journals), json.dumps(lines)])


def test_from_the_threshold_on_nothing_leaves_on_one_signature(taker: Cast) -> None:
    giver = factories.cast(threshold_minor=1_000)
    factories.consent(taker, payer=giver)
    order = factories.partner_order(giver, to=taker.taker, amount_minor=1_000)
    with pytest.raises(SignatureNeeded) as refused:
        pay(giver, order)
    assert refused.value.facts() == {"threshold_minor": 1_000}
    pay(giver, replace(order, money=replace(order.money, amount_minor=999)))
    assert stands_at(taker.taker.pk) == (999, 0)


def _passage(
    payer: Cast, victim: Cast, *, to: str, amount: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the two journals of a passage as a captured process would spell them."""
    far, near = (
        LedgerAccount.objects.get(book=here.partner.book_id, code=f"interbook:{there}").pk
        for here, there in ((payer, victim.partner.slug), (victim, payer.partner.slug))
    )
    journals = [
        {
            "book": str(book_id),
            "purpose": "partner_transfer",
            "subject": "arrival:x",
            "origin": factories.origin(),
            "trace": "",
            "occurred_at": "2026-01-01T00:00:00Z",
        }
        for book_id in (payer.partner.book_id, victim.partner.book_id)
    ]
    lines = [
        (1, payer.giver.pk, -amount),
        (1, far, amount),
        (2, near, -amount),
        (2, getattr(victim, to).pk, amount),
    ]
    spelled = [
        {"journal": number, "account": str(key), "amount": minor, "currency": "EUR"}
        for number, key, minor in lines
    ]
    return journals, spelled


def _pass_raw(payer: Cast, *, values: list[str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.book', %s, true)", [str(payer.partner.book_id)])
        cursor.execute("SELECT ledger_pass(%s::jsonb, %s::jsonb)", values)
