"""One valid thing each, made by commands: a state is reached, never set.

Every function works as the migrator's login, so tests that use them really commit: a module does
so with the fixture `committed`, one test with `django_db(transaction=True)`. What they return may
then be used as any other login.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from hashlib import sha256
from itertools import count
from time import sleep
from typing import Any, Final, ParamSpec, TypeVar
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db.transaction import atomic
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.keys import hash_of, route_scope
from accounts.models import Account, Approval, Customer, IdempotencyKey, Partner, Portfolio
from accounts.roles import (
    FOUNDER_GRANTS,
    PROVIDER_GRANTS,
    SCOPES,
    SYSTEM_GRANTS,
    Role,
    grants_of,
    scope_grants,
)
from accounts.services.approvals import decide_approval, note_obstacle
from accounts.services.partners import (
    onboard_partner,
    open_portfolio,
    register_customer,
    set_payee_policy,
)
from accounts.services.staff import invite_staff
from accounts.states import PayeePolicy, Verdict
from audit.actors import Actor, ActorKind
from audit.calls import Call, send
from audit.canonical import fingerprint
from audit.circumstances import current, under
from audit.services.recording import flush, record, witnessing
from audit.typeids import uuid7
from config.sandbox.cast import payee
from transactions.errors import NothingChanged
from transactions.fees import FeeTerms
from transactions.files import read_file
from transactions.meanings import Movement, MovementKind, PaymentNotice, PaymentState
from transactions.models import (
    BatchFile,
    Book,
    Conversion,
    FeeRule,
    Hold,
    Journal,
    JournalProposal,
    Limit,
    PayInConsent,
    RegisteredPayee,
    SuspenseAllocation,
    Transfer,
    TransferBatch,
)
from transactions.money import Money
from transactions.orders import HoldOrder, PartnerOrder, Payee, TransferOrder
from transactions.proposals import Allocation, Exchange, ManualJournal, Move, Opening
from transactions.selectors.files import rows_understood
from transactions.selectors.suspense import Item, open_suspense
from transactions.services import holds, schedules
from transactions.services.batches import request_batch
from transactions.services.books import open_book, open_house, set_up_account
from transactions.services.consents import allow_payer
from transactions.services.conversions import propose_conversion
from transactions.services.dispatching import (
    claim_transfer,
    fail_transfer,
    note_doubt,
    reject_transfer,
    release_transfer,
    return_transfer,
    settle_transfer,
)
from transactions.services.fees import FeeProposal, adopt_fee_rule, propose_fee_rule
from transactions.services.files import BatchTerms, Upload, propose_batch, upload_batch_file
from transactions.services.holds import create_hold
from transactions.services.imports import import_opening
from transactions.services.items import KeyedOrder
from transactions.services.journals import propose_manual_journal
from transactions.services.limits import (
    Maxima,
    request_limit,
    request_partner_limit,
    set_limit,
)
from transactions.services.partner_transfers import request_partner_transfer
from transactions.services.payees import activate_payee, propose_payee
from transactions.services.schedules import schedule_transfer
from transactions.services.suspense import propose_allocation
from transactions.services.transfers import cancel_transfer, request_transfer
from transactions.states import LimitKind, LimitWindow, TransferKind, TransferState

P = ParamSpec("P")
R = TypeVar("R")

THRESHOLD_MINOR: Final = 100_000
RICH_MINOR: Final = 1_000_000
FILE_HEAD: Final = "source_account,destination_account,payee,amount,currency,reference,key"
numbers = count(1)

FOUNDER: Final = Actor(
    kind=ActorKind.SYSTEM,
    id="founder",
    label="Founder",
    credential="console",
    grants=FOUNDER_GRANTS,
)
SYSTEM: Final = Actor(
    kind=ActorKind.SYSTEM,
    id="worker",
    label="Worker",
    credential="process",
    grants=SYSTEM_GRANTS,
)


@pytest.fixture(scope="module")
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let the tests of a module really commit, side by side in one database.

    Cheaper than a fresh database for each; so a test looks only at what it made itself.
    """
    from tests.conftest import STAGE  # pytest imports it first, under this name

    with django_db_blocker.unblock():
        yield
        STAGE.reclone()


def set_up(func: Callable[P, R]) -> Callable[P, R]:
    """Run a factory as the migrator's login."""

    @wraps(func)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        from tests.conftest import STAGE  # pytest imports it first, under this name

        with STAGE.as_role("migrator"):
            return func(*args, **kwargs)

    return run


# -- actors -----------------------------------------------------------------------------------


def provider(slug: str = "stripe") -> Actor:
    """Return a provider."""
    return Actor(
        kind=ActorKind.PROVIDER,
        id=slug,
        label=slug.capitalize(),
        credential="callback:test",
        grants=PROVIDER_GRANTS,
    )


def speaker(partner: Partner) -> Actor:
    """Return a partner's machine with every scope."""
    return Actor(
        kind=ActorKind.PARTNER,
        id=str(uuid7()),
        label=partner.name,
        credential="oauth:test",
        grants=scope_grants(frozenset(SCOPES)),
        partner_id=partner.pk,
        book_id=partner.book_id,
    )


def colleague(role: Role = Role.COMPLIANCE_OFFICER, *, person_id: UUID | None = None) -> Actor:
    """Return somebody with a role and no row: enough for commands that look nobody up."""
    key = uuid7()
    return Actor(
        kind=ActorKind.STAFF,
        id=str(key),
        label=f"{role.value}-{key.hex[-4:]}@countersign.example",
        credential="session:test",
        grants=grants_of(frozenset({role})),
        person_id=person_id or uuid7(),
    )


@set_up
def officer(role: Role = Role.COMPLIANCE_OFFICER) -> Actor:
    """Return somebody with a role, a login and a person."""
    number = next(numbers)
    user = invite_staff(
        actor=FOUNDER,
        name=f"Officer {number}",
        email=f"officer{number}@countersign.example",
        password=f"correct horse {number} battery",
        roles=frozenset({role}),
    )
    return Actor(
        kind=ActorKind.STAFF,
        id=str(user.pk),
        label=user.email,
        credential="session:test",
        grants=grants_of(frozenset({role})),
        person_id=user.person_id,
    )


# -- houses -----------------------------------------------------------------------------------


@set_up
def house() -> Book:
    """Return the house's own book, opened at the first call."""
    return Book.objects.filter(partner__isnull=True).first() or open_house(actor=FOUNDER)


@set_up
def partner(*, threshold_minor: int = THRESHOLD_MINOR) -> Partner:
    """Return a partner with an open book."""
    number = next(numbers)
    made = onboard_partner(
        actor=FOUNDER,
        name=f"Partner {number}",
        slug=f"partner-{number}",
        approval_threshold_minor=threshold_minor,
    )
    open_book(actor=FOUNDER, partner=made)
    return made


@set_up
def changed(row: Partner | Portfolio, **fields: Any) -> None:
    """Change a row, witnessed, as an act would that has not been built."""
    fresh = type(row).objects.get(pk=row.pk)
    with under(), atomic(), witnessing("tests.change_row", actor=FOUNDER):
        acts = "set_config('app.actor', %s, true), set_config('app.trace', %s, true)"
        send(Call(sql=acts, values=(FOUNDER.ref, current().trace_id)))
        for name, value in fields.items():
            setattr(fresh, name, value)
        fresh.save(update_fields=list(fields))
        record("row.changed", actor=FOUNDER, target=fresh, rows=[fresh])
        flush()


@set_up
def opening(within: Portfolio | None = None, **details: Any) -> Opening:
    """Return an account of a portfolio, its partner's own, that might be asked for."""
    number = next(numbers)
    wanted: dict[str, Any] = {
        "id": uuid7(),
        "portfolio_id": (within or portfolio()).pk,
        "customer_id": None,
        "name": f"Savings {number}",
        "currency": "EUR",
        "alias": f"savings-{number}",
        "reason": "Contract of 1 March, §4",
    }
    return Opening(**{**wanted, **details})


@set_up
def portfolio(owner: Partner | None = None) -> Portfolio:
    """Return a portfolio of a partner."""
    return open_portfolio(
        actor=FOUNDER, partner=owner or partner(), name=f"Portfolio {next(numbers)}"
    )


@set_up
def customer(within: Portfolio | None = None) -> Customer:
    """Return a customer whose name is in the vault."""
    return register_customer(
        actor=FOUNDER,
        portfolio=within or portfolio(),
        name="Erika Mustermann",
        email="erika@post.example",
    )


@set_up
def account(
    within: Portfolio | None = None, *, currency: str = "EUR", holding_minor: int = RICH_MINOR
) -> Account:
    """Return an account with money in it."""
    number = next(numbers)
    made = set_up_account(
        actor=FOUNDER,
        portfolio=within or portfolio(),
        name=f"Account {number}",
        currency=currency,
        alias=f"account-{number}",
    )
    if holding_minor:
        import_opening(
            actor=FOUNDER,
            account=made,
            amount_minor=holding_minor,
            occurred_at=timezone.now() - timedelta(days=100),
        )
    return made


@set_up
def limit(on: Account | Partner, **terms: Any) -> Limit:
    """Return a limit on an account, or on all of a partner's in EUR, agreed to by two."""
    return set_limit(actor=SYSTEM, approval_id=agreed_limit(on, **terms).pk)


@set_up
def agreed_limit(
    on: Account | Partner,
    *,
    kind: LimitKind = LimitKind.ANY,
    window: LimitWindow = LimitWindow.TRANSFER,
    amount_max_minor: int | None = None,
    count_max: int | None = None,
) -> Approval:
    """Return an approval of a limit that nobody has set yet."""
    terms: dict[str, Any] = {
        "actor": colleague(Role.FINANCE_OPERATOR),
        "kind": kind,
        "window": window,
        "maxima": Maxima(amount_minor=amount_max_minor, count=count_max),
        "reason": "their contract",
    }
    if isinstance(on, Account):
        asked = request_limit(account_id=on.pk, **terms)
    else:
        asked = request_partner_limit(partner_id=on.pk, currency="EUR", **terms)
    decide_approval(
        actor=colleague(),
        approval_id=asked.pk,
        verdict=Verdict.APPROVE,
        reason="seen",
        shown_hash=asked.payload_hash,
    )
    return asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """One partner, the machine that speaks for it, and two accounts of the same portfolio."""

    partner: Partner
    portfolio: Portfolio
    actor: Actor
    giver: Account
    taker: Account


@set_up
def cast(
    *,
    holding_minor: int = RICH_MINOR,
    currency: str = "EUR",
    threshold_minor: int = THRESHOLD_MINOR,
) -> Cast:
    """Return a partner with an account that has money and one that has none, and the house."""
    house()
    within = portfolio(partner(threshold_minor=threshold_minor))
    return Cast(
        partner=within.partner,
        portfolio=within,
        actor=speaker(within.partner),
        giver=account(within, currency=currency, holding_minor=holding_minor),
        taker=account(within, currency=currency, holding_minor=0),
    )


# -- transfers --------------------------------------------------------------------------------


def somebody() -> Payee:
    """Return a payee outside the house."""
    return payee("Joe Bloggs", number=next(numbers))


def order(
    giver: Account,
    *,
    amount_minor: int = 1_000,
    to: Account | None = None,
    payee: Payee | None = None,
    **details: Any,
) -> TransferOrder:
    """Return an order out of an account: to another account where one is given, else a payout."""
    return TransferOrder(
        source_id=giver.pk,
        destination_id=to.pk if to else None,
        payee=None if to else payee or somebody(),
        money=Money(amount_minor, giver.currency),
        **details,
    )


def staff_order(company: Cast, **details: Any) -> TransferOrder:
    """Return an order that staff may ask for: a payout of the giver to a registered payee."""
    known = somebody()
    registered(company, details=known)
    return order(company.giver, payee=known, **details)


def origin() -> str:
    """Return a cause that nothing else has."""
    return f"key:{uuid7().hex}"


@set_up
def internal(company: Cast, *, amount_minor: int = 1_000) -> Transfer:
    """Return a transfer that moved from the giver to the taker."""
    return request_transfer(
        actor=company.actor,
        order=order(company.giver, amount_minor=amount_minor, to=company.taker),
        origin=origin(),
    )


@set_up
def consent(taker: Cast, *, payer: Cast) -> PayInConsent:
    """Let one company pay into another's taker."""
    return allow_payer(actor=taker.actor, account_id=taker.taker.pk, payer=payer.partner.slug)


def partner_order(
    payer: Cast, *, to: Account, amount_minor: int = 1_000, **details: Any
) -> PartnerOrder:
    """Return an order out of a company's giver to another partner's account."""
    return PartnerOrder(
        source_id=payer.giver.pk,
        alias=to.alias,
        money=Money(amount_minor, payer.giver.currency),
        **details,
    )


@set_up
def between(payer: Cast, taker: Cast, *, amount_minor: int = 1_000) -> Transfer:
    """Return a transfer that moved from one company's giver to another's taker."""
    if not PayInConsent.objects.filter(account_id=taker.taker.pk, withdrawn_at=None).exists():
        consent(taker, payer=payer)
    return request_partner_transfer(
        actor=payer.actor,
        order=partner_order(payer, to=taker.taker, amount_minor=amount_minor),
        origin=origin(),
    )


@set_up
def proposed_fee(
    company: Cast,
    terms: FeeTerms,
    *,
    kind: TransferKind = TransferKind.INTERNAL,
    by: Actor | None = None,
) -> FeeRule:
    """Return a fee rule that waits for a second person."""
    return propose_fee_rule(
        actor=by or colleague(Role.FINANCE_OPERATOR),
        proposal=FeeProposal(
            id=uuid7(),
            partner_id=company.partner.pk,
            kind=kind,
            currency=company.giver.currency,
            terms=terms,
            reason="as agreed in their contract",
        ),
    )


@set_up
def fee(company: Cast, terms: FeeTerms, *, kind: TransferKind = TransferKind.INTERNAL) -> FeeRule:
    """Return a fee rule that two people put in force."""
    rule = proposed_fee(company, terms, kind=kind)
    signed(rule.approval)
    return adopt_fee_rule(actor=SYSTEM, approval_id=rule.approval_id)


@set_up
def scheduled(
    company: Cast, what: TransferOrder, *, ahead: timedelta = timedelta(milliseconds=5)
) -> Transfer:
    """Return a transfer that waits for its time, which comes at once unless `ahead` says more."""
    with patch.object(schedules, "AHEAD_MIN", timedelta.min):
        return schedule_transfer(
            actor=company.actor,
            order=what,
            execute_at=timezone.now() + ahead,
            origin=origin(),
        )


@set_up
def batch(
    company: Cast, *orders: KeyedOrder, is_atomic: bool = False, reference: str = "wages"
) -> TransferBatch:
    """Return a batch that was taken in; of one small transfer where no orders are given."""
    return request_batch(
        actor=company.actor,
        orders=orders or [keyed(order(company.giver, to=company.taker))],
        is_atomic=is_atomic,
        reference=reference,
        key_scope=key_scope(company),
        origin=origin(),
    )


def keyed(what: TransferOrder, *, key: str = "") -> KeyedOrder:
    """Return an order for a batch, under a key that nobody used unless one is given."""
    key = key or uuid7().hex
    return KeyedOrder(order=what, key_hash=hash_of(key), fingerprint=fingerprint({"of": key}))


def key_scope(company: Cast) -> str:
    """Return where the keys of a company's transfers count."""
    return route_scope(company.actor, method="POST", path="/v1/transfers")


@set_up
def payout(
    company: Cast,
    *,
    state: TransferState = TransferState.ACCEPTED,
    amount_minor: int | None = None,
) -> Transfer:
    """Return a payout in a state, led there by the commands that lead there."""
    needs_two = state in (TransferState.AWAITING_APPROVAL, TransferState.REJECTED)
    amount = amount_minor or (company.partner.approval_threshold_minor if needs_two else 1_000)
    asked = request_transfer(
        actor=company.actor,
        order=order(company.giver, amount_minor=amount),
        origin=origin(),
    )
    if asked.state == TransferState.AWAITING_APPROVAL and state is not asked.state:
        asked = _signed(asked, verdict=_verdict(state))
    _STEPS.get(state, _nothing)(asked)
    return Transfer.objects.get(pk=asked.pk)


def _verdict(state: TransferState) -> Verdict:
    return Verdict.REJECT if state is TransferState.REJECTED else Verdict.APPROVE


def _signed(asked: Transfer, *, verdict: Verdict) -> Transfer:
    """Let a second person decide, and the decision be carried out."""
    assert asked.approval is not None
    decide_approval(
        actor=colleague(),
        approval_id=asked.approval.pk,
        verdict=verdict,
        reason="looked at it",
        shown_hash=asked.approval.payload_hash,
    )
    act = release_transfer if verdict is Verdict.APPROVE else reject_transfer
    return act(actor=SYSTEM, transfer_id=asked.pk)


def _nothing(_: Transfer) -> None:
    """Leave it where it is."""


def _claim(asked: Transfer) -> None:
    while claim_transfer(actor=SYSTEM).pk != asked.pk:
        """Older ones are claimed first: another test left them."""


@set_up
def nothing_waits() -> None:
    """Let no accepted payout of another test wait to be claimed."""
    with suppress(NothingChanged):
        while claim_transfer(actor=SYSTEM) is not None:
            """Until the last is gone."""


def _doubt(asked: Transfer) -> None:
    _claim(asked)
    note_doubt(actor=provider("testbank"), transfer_id=asked.pk, because="no answer")


def _settle(asked: Transfer) -> None:
    _claim(asked)
    settle_transfer(
        actor=provider("testbank"),
        transfer_id=asked.pk,
        provider_ref=f"pay_{next(numbers)}",
        occurred_at=timezone.now(),
    )


def _fail(asked: Transfer) -> None:
    _claim(asked)
    fail_transfer(
        actor=provider("testbank"),
        transfer_id=asked.pk,
        reason="account_closed",
        occurred_at=timezone.now(),
    )


def _return(asked: Transfer) -> None:
    _settle(asked)
    give_back(asked)


@set_up
def settle(asked: Transfer) -> None:
    """Let the bank settle a payout."""
    _settle(asked)


@set_up
def give_back(paid: Transfer) -> None:
    """Let the bank return a payout that it had settled."""
    return_transfer(
        actor=provider("testbank"),
        transfer_id=paid.pk,
        reason="returned_by_beneficiary",
        occurred_at=timezone.now(),
    )


def _cancel(asked: Transfer) -> None:
    cancel_transfer(actor=SYSTEM.holding("transactions.cancel_transfer"), transfer_id=asked.pk)


_STEPS: Final[dict[TransferState, Callable[[Transfer], None]]] = {
    TransferState.DISPATCHED: _claim,
    TransferState.UNKNOWN: _doubt,
    TransferState.SETTLED: _settle,
    TransferState.FAILED: _fail,
    TransferState.RETURNED: _return,
    TransferState.CANCELLED: _cancel,
}


# -- holds ------------------------------------------------------------------------------------


@set_up
def hold(
    company: Cast,
    *,
    amount_minor: int = 1_000,
    lasts: timedelta = timedelta(days=1),
    is_for_taker: bool = True,
    **details: Any,
) -> Hold:
    """Return money of the giver set aside, for the taker unless captures are to say for whom.

    One that `lasts` less than a minute is for those who wait until it has expired.
    """
    with patch.object(holds, "LASTS_MIN", timedelta.min):
        return create_hold(
            actor=company.actor,
            order=HoldOrder(
                source_id=company.giver.pk,
                destination_id=company.taker.pk if is_for_taker else None,
                money=Money(amount_minor, company.giver.currency),
                expires_at=timezone.now() + lasts,
                **details,
            ),
            origin=origin(),
        )


def expired_hold(company: Cast, *, amount_minor: int = 1_000) -> Hold:
    """Return a hold whose time is up, and that nobody has come by for yet."""
    made = hold(company, amount_minor=amount_minor, lasts=timedelta(milliseconds=5))
    pass_by(made.expires_at)
    return made


def pass_by(at: datetime | None) -> None:
    """Wait until an instant has passed."""
    while at is not None and timezone.now() <= at:
        sleep(0.01)


# -- keys -------------------------------------------------------------------------------------


@set_up
def used_key(
    company: Cast, *, made: Transfer, key: str = "", client_id: str = "", answer: bytes = b"{}"
) -> IdempotencyKey:
    """Return the row that is kept of a key under which a transfer was asked for."""
    return IdempotencyKey.objects.create(
        book_id=company.partner.book_id,
        scope=f"{company.partner.pk}:{client_id or company.actor.id}:POST /v1/transfers",
        key_hash=sha256((key or made.public_id).encode()).digest(),
        fingerprint=answer,
        resource=f"/v1/transfers/{made.public_id}",
        status=201,
        answer=answer,
    )


# -- what a provider says ---------------------------------------------------------------------


def charge(
    taker: Account | None,
    *,
    amount_minor: int = 10_000,
    fee_minor: int = 175,
    currency: str = "EUR",
    at: datetime | None = None,
    **changes: Any,
) -> Movement:
    """Return a payment's money that reached our balance with the provider; nobody's for None."""
    number = next(numbers)
    facts: dict[str, Any] = {
        "provider": "stripe",
        "reference": f"txn_{number}",
        "kind": MovementKind.CHARGE,
        "amount_minor": amount_minor,
        "fee_minor": fee_minor,
        "currency": currency,
        "occurred_at": at or timezone.now(),
        "payment_ref": f"ch_{number}",
        "subject_ref": f"ch_{number}",
        "account_id": taker.pk if taker else None,
    }
    return Movement(**{**facts, **changes})


def after(
    first: Movement, *, kind: MovementKind, amount_minor: int, fee_minor: int = 0
) -> Movement:
    """Return a later movement of the same payment, such as its refund."""
    number = next(numbers)
    return charge(
        None,
        kind=kind,
        amount_minor=amount_minor,
        fee_minor=fee_minor,
        currency=first.currency,
        payment_ref=first.payment_ref,
        subject_ref=f"sub_{number}",
    )


def notice(
    taker: Account | None, *, state: PaymentState = PaymentState.SUCCEEDED, **changes: Any
) -> PaymentNotice:
    """Return how a payment stands."""
    number = next(numbers)
    facts: dict[str, Any] = {
        "provider": "stripe",
        "reference": f"ch_{number}",
        "intent_ref": f"pi_{number}",
        "state": state,
        "amount_minor": 10_000,
        "refunded_minor": 0,
        "currency": "EUR",
        "occurred_at": timezone.now(),
        "account_id": taker.pk if taker else None,
        "failure_code": None,
    }
    return PaymentNotice(**{**facts, **changes})


# -- what finance proposes --------------------------------------------------------------------


@set_up
def manual_journal(company: Cast, *, by: Actor | None = None) -> JournalProposal:
    """Return a journal from the giver to the taker that waits for a second person."""
    amounts = ((company.giver, -500), (company.taker, 500))
    return propose_manual_journal(
        actor=by or colleague(Role.FINANCE_OPERATOR),
        journal=ManualJournal(
            id=uuid7(),
            book_id=company.partner.book_id,
            moves=[Move(account_id=one.pk, amount_minor=minor) for one, minor in amounts],
            reason="booked on the wrong account",
            evidence="FIN-17",
        ),
    )


@set_up
def conversion(
    company: Cast, *, to: Account, by: Actor | None = None, **changes: Any
) -> Conversion:
    """Return a proposal to change 100.00 EUR of the giver into yen, at 163.25."""
    facts: dict[str, Any] = {
        "id": uuid7(),
        "source_id": company.giver.pk,
        "destination_id": to.pk,
        "sold_minor": 10_000,
        "bought_minor": 16_325,
        "rate": "163.25",
        "reason": "asked for by the partner",
        "evidence": "FX-17",
    }
    return propose_conversion(
        actor=by or colleague(Role.FINANCE_OPERATOR), exchange=Exchange(**{**facts, **changes})
    )


@set_up
def payee_policy(
    company: Cast, policy: PayeePolicy = PayeePolicy.ANY, *, cooling_hours: int = 0
) -> None:
    """Set what a partner's register of payees means."""
    set_payee_policy(
        actor=FOUNDER, partner_id=company.partner.pk, policy=policy, cooling_hours=cooling_hours
    )


@set_up
def proposed_payee(
    company: Cast, *, details: Payee | None = None, by: Actor | None = None
) -> Approval:
    """Return the open request to register a payee."""
    payee = propose_payee(
        actor=by or colleague(Role.FINANCE_OPERATOR),
        payee_id=uuid7(),
        partner_id=company.partner.pk,
        alias=f"Supplier {next(numbers)}",
        details=details or somebody(),
        reason="their contract",
    )
    return Approval.objects.get(subject_ref=payee.audit_ref)


@set_up
def registered(
    company: Cast, *, details: Payee | None = None, cooling_hours: int = 0
) -> RegisteredPayee:
    """Return a payee that two people registered just now."""
    policy = Partner.objects.get(pk=company.partner.pk).payee_policy
    payee_policy(company, PayeePolicy(policy), cooling_hours=cooling_hours)
    asked = proposed_payee(company, details=details)
    signed(asked)
    return activate_payee(actor=SYSTEM, approval_id=asked.pk)


@set_up
def signed(approval: Approval) -> Approval:
    """Let somebody else approve what they were shown."""
    return decide_approval(
        actor=colleague(),
        approval_id=approval.pk,
        verdict=Verdict.APPROVE,
        reason="looked at it",
        shown_hash=approval.payload_hash,
    )


@set_up
def allocation(company: Cast, *, item: Item, **changes: Any) -> SuspenseAllocation:
    """Return a proposal to give all of a suspense item to the taker."""
    facts: dict[str, Any] = {
        "id": uuid7(),
        "posting_id": item.id,
        "account_id": company.taker.pk,
        "amount_minor": item.amount_minor,
        "reason": "the payer named order 17 on the phone",
    }
    return propose_allocation(
        actor=colleague(Role.FINANCE_OPERATOR), allocation=Allocation(**{**facts, **changes})
    )


@set_up
def obstruct(approval: Approval) -> Approval:
    """Approve a request that then cannot be carried out for good."""
    signed(approval)
    return note_obstacle(
        actor=SYSTEM,
        approval_id=approval.pk,
        code="account_frozen",
        facts={"account": "acc_x"},
        may_pass=False,
    )


def suspense_of(movement: Movement) -> Item:
    """Return the suspense item that a movement of nobody's left."""
    journal = Journal.objects.get(origin=movement.origin)
    (item,) = (
        one for one in open_suspense(limit=1_000, to=colleague()) if one.journal_id == journal.pk
    )
    return item


# -- files of transfers -----------------------------------------------------------------------


@set_up
def batch_file(
    company: Cast, *rows: str, head: str = FILE_HEAD, by: Actor | None = None
) -> BatchFile:
    """Return an uploaded file with these rows; of one small transfer where none are given."""
    text = "\n".join([head, *(rows or [file_row(company)])])
    read, problems = read_file(text.encode())
    finance = by or colleague(Role.FINANCE_OPERATOR)
    found, unknown = rows_understood(read, book_id=company.partner.book_id, actor=finance)
    assert not problems + unknown
    return upload_batch_file(
        actor=finance,
        upload=Upload(
            id=uuid7(),
            partner_id=company.partner.pk,
            name="wages.csv",
            file_sha256=sha256(text.encode()).hexdigest(),
            rows=found,
        ),
    )


def file_row(
    company: Cast, *, amount: str = "10.00", payee: RegisteredPayee | None = None, key: str = ""
) -> str:
    """Return a row from the giver: to the taker, or to a registered payee where one is given."""
    to = f",{payee.alias}" if payee else f"{company.taker.alias},"
    key = key or f"key-{uuid7().hex}"
    return f"{company.giver.alias},{to},{amount},{company.giver.currency},pay,{key}"


@set_up
def batch_asked_for(
    file: BatchFile, *, is_atomic: bool = False, by: Actor | None = None
) -> Approval:
    """Return the open request to carry a file out."""
    return propose_batch(
        actor=by or colleague(Role.FINANCE_OPERATOR),
        file_id=file.pk,
        terms=BatchTerms(is_atomic=is_atomic, reference="wages", reason="month's end"),
    )
