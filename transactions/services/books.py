"""Opening books and accounts: at the console while the house is set up, from then on by two."""

import re
from typing import Final
from uuid import UUID

from accounts.errors import AlreadyAsked, NameTaken
from accounts.models import Account, Approval, Customer, Partner, Portfolio
from accounts.selectors.approvals import access_decided, requests_about
from accounts.selectors.partners import access_customer, access_portfolio
from accounts.services.approvals import ask, consume
from audit.actors import Actor
from audit.canonical import Json
from audit.commands import command
from audit.constraints import refuse_on
from audit.errors import Invalid
from audit.services.recording import record
from transactions.errors import PartnerSuspended
from transactions.ledger.posting import open_balance
from transactions.models import Book, LedgerAccount
from transactions.money import EXPONENTS
from transactions.proposals import (
    ALIAS_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    REASON_CHARACTERS_MAX,
    Opening,
)

OPEN: Final = "transactions.open_account"
ALIAS: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@command
def open_house(*, actor: Actor) -> Book:
    """Open the house's own book, once: money of unknown owners lands there. NameTaken again."""
    with refuse_on({"book_one_house": NameTaken(name="house")}):
        book = Book.objects.create(name="House")
    record("book.opened", actor=actor, target=book, rows=[book])
    return book


@command
def open_book(*, actor: Actor, partner: Partner) -> Book:
    """Open a partner's book."""
    book = Book.objects.create(id=partner.book_id, partner=partner, name=partner.name)
    record("book.opened", actor=actor, target=book, rows=[book])
    return book


@command
def set_up_account(
    *,
    actor: Actor,
    portfolio: Portfolio,
    name: str,
    currency: str,
    alias: str,
    customer: Customer | None = None,
) -> Account:
    """Open an account at the console, where nobody is there yet to agree. Invalid, NameTaken."""
    account = Account(
        partner=portfolio.partner,
        book_id=portfolio.book_id,
        portfolio=portfolio,
        customer=customer,
        name=name,
        currency=currency,
        alias=alias,
    )
    _check(account)
    record("account.opened", actor=actor, target=account, rows=_store(account))
    return account


@command
def request_opening(*, actor: Actor, opening: Opening) -> Approval:
    """Ask that an account be opened. There is none before a second person agrees.

    Refuses with NotFound, Invalid, PartnerSuspended, NameTaken for the alias,
    and AlreadyAsked for an id asked for before, whatever was decided.
    """
    account = _planned(opening, actor=actor)
    if requests_about(account.audit_ref, to=actor).exists():
        raise AlreadyAsked(ref=account.audit_ref)
    if Account.objects.filter(alias=account.alias).exists():
        raise NameTaken(name=account.alias)
    payload = _payload(account, reason=opening.reason)
    approval = ask(
        OPEN,
        actor=actor,
        subject_ref=account.audit_ref,
        book_id=account.book_id,
        payload=payload,
    )
    record(
        "account.opening_requested", actor=actor, target=account, facts=payload, rows=[approval]
    )
    return approval


@command
def open_account(*, actor: Actor, approval_id: UUID) -> Account:
    """Carry out an approval: the account is there, with nothing on it, in the books at once.

    Refuses with PartnerSuspended, StaleApproval, and NameTaken for an alias that another got.
    """
    approval = access_decided(approval_id, action=OPEN, actor=actor)
    opening = _agreed(approval)
    account = _planned(opening, actor=actor)
    consume(approval, payload=_payload(account, reason=opening.reason))
    record(
        "account.opened",
        actor=actor,
        target=account,
        facts={"reason": opening.reason},
        rows=[*_store(account), approval],
    )
    return account


def _planned(opening: Opening, *, actor: Actor) -> Account:
    """Return the account that would be opened, as the world is now, and is not stored yet."""
    portfolio = access_portfolio(opening.portfolio_id, actor=actor)
    key = opening.customer_id
    account = Account(
        id=opening.id,
        partner=portfolio.partner,
        book_id=portfolio.book_id,
        portfolio=portfolio,
        customer=access_customer(key, actor=actor) if key else None,
        name=opening.name,
        currency=opening.currency,
        alias=opening.alias,
    )
    _check(account)
    if not 0 < len(opening.reason.strip()) <= REASON_CHARACTERS_MAX:
        raise Invalid(fields={"reason": f"between 1 and {REASON_CHARACTERS_MAX} characters"})
    if not portfolio.partner.is_active:
        raise PartnerSuspended(partner=portfolio.partner.public_id)
    return account


def _check(account: Account) -> None:
    """Refuse what could not be named, kept or told apart, and somebody else's customer."""
    wrong = {}
    if not (len(account.name.strip()) > 0 and len(account.name) <= NAME_CHARACTERS_MAX):
        wrong["name"] = f"between 1 and {NAME_CHARACTERS_MAX} characters"
    if account.currency not in EXPONENTS:
        wrong["currency"] = "is not one that is kept here"
    if len(account.alias) > ALIAS_CHARACTERS_MAX or not ALIAS.fullmatch(account.alias):
        wrong["alias"] = f"at most {ALIAS_CHARACTERS_MAX} small letters, digits and single dashes"
    if account.customer and account.customer.portfolio_id != account.portfolio_id:
        wrong["customer"] = "is of another portfolio"
    if wrong:
        raise Invalid(fields=wrong)


def _store(account: Account) -> list[Account | LedgerAccount]:
    """Store an account and, under the same id, its side of the books; return both rows."""
    with refuse_on({"accounts_account_alias_key": NameTaken(name=account.alias)}):
        account.save(force_insert=True)
    side = LedgerAccount.objects.create(
        id=account.pk,
        book_id=account.book_id,
        code=f"account:{account.alias}",
        currency=account.currency,
        keeps_balance=True,
    )
    open_balance(side.pk)
    return [account, side]


def _payload(account: Account, *, reason: str) -> dict[str, Json]:
    """Return exactly what a checker is shown. The database compares it with what is stored."""
    customer = account.customer
    return {
        "account": account.public_id,
        "partner": account.partner.name,
        "portfolio": account.portfolio.name,
        "portfolio_key": str(account.portfolio_id),
        "customer": str(customer or ""),
        "customer_key": str(account.customer_id or ""),
        "name": account.name,
        "currency": account.currency,
        "alias": account.alias,
        "reason": reason,
    }


def _agreed(approval: Approval) -> Opening:
    """Return what was asked for, read from what the checker was shown."""
    shown = approval.payload
    customer = str(shown["customer_key"])
    return Opening(
        id=approval.subject_id,
        portfolio_id=UUID(shown["portfolio_key"]),
        customer_id=UUID(customer) if customer else None,
        name=str(shown["name"]),
        currency=str(shown["currency"]),
        alias=str(shown["alias"]),
        reason=str(shown["reason"]),
    )
