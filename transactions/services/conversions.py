"""Changing money into another currency: quoted by finance, signed by another, posted as shown."""

from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.selectors.approvals import access_decided
from accounts.services.approvals import ask, consume
from accounts.services.mailbox import publish
from audit.actors import Actor
from audit.canonical import Json
from audit.commands import command
from audit.constraints import refuse_on
from audit.errors import Invalid
from audit.services.recording import record
from audit.typeids import typeid
from transactions.errors import AlreadyBooked
from transactions.ledger.accounts import FX, newly_opened, system_account
from transactions.ledger.posting import Draft, Line, post
from transactions.models import Conversion, LedgerAccount
from transactions.money import AMOUNT_MINOR_MAX, Money
from transactions.proposals import EVIDENCE_CHARACTERS_MAX, REASON_CHARACTERS_MAX, Exchange
from transactions.rates import read_rate
from transactions.selectors.conversions import access_conversion
from transactions.selectors.ledger import access_ledger_account
from transactions.services.steps import check_may_leave

POST_CONVERSION: Final = "transactions.post_conversion"
PURPOSE: Final = "conversion"


@command
def propose_conversion(*, actor: Actor, exchange: Exchange) -> Conversion:
    """Propose to change money of one account into another's currency; nothing moves yet.

    Refuses with NotFound, Invalid (accounts of two books or one currency, amounts
    that are not each other's at the quoted rate, no grounds), and with
    AlreadyAsked or AlreadyBooked for an id proposed before.
    """
    source = access_ledger_account(exchange.source_id, actor=actor)
    destination = access_ledger_account(exchange.destination_id, actor=actor)
    _check(exchange, source=source, destination=destination)
    conversion = Conversion(
        id=exchange.id,
        book=source.book,
        source=source,
        destination=destination,
        sold_minor=exchange.sold_minor,
        bought_minor=exchange.bought_minor,
        rate=exchange.rate,
        reason=exchange.reason,
        evidence=exchange.evidence,
        proposed_by=actor.ref,
    )
    conversion.approval = ask(
        POST_CONVERSION,
        actor=actor,
        subject_ref=conversion.audit_ref,
        book_id=conversion.book_id,
        payload=conversion_payload(conversion),
    )
    known = AlreadyBooked(origin=conversion.audit_ref)
    with refuse_on({"transactions_conversion_pkey": known}):
        conversion.save(force_insert=True)
    rows = [conversion, conversion.approval]
    record("conversion.proposed", actor=actor, target=conversion, rows=rows)
    return conversion


@command
def post_conversion(*, actor: Actor, approval_id: UUID) -> Conversion:
    """Carry out an approved conversion, once: one journal that sums to zero in each currency.

    Refuses with AlreadyDecided, StaleApproval, AccountFrozen, AccountClosed and
    InsufficientFunds.
    """
    approval = access_decided(approval_id, action=POST_CONVERSION, actor=actor)
    conversion = access_conversion(approval.subject_id, actor=actor)
    consume(approval, payload=conversion_payload(conversion))
    check_may_leave([conversion.source_id], beside=[conversion.destination_id])
    sold, bought = (
        system_account(FX, book_id=conversion.book_id, currency=money.currency)
        for money in (conversion.sold, conversion.bought)
    )
    now = timezone.now()
    journal_id = post(
        Draft(
            book_id=conversion.book_id,
            purpose=PURPOSE,
            subject_ref=conversion.audit_ref,
            origin=f"{PURPOSE}:{conversion.pk}",
            occurred_at=now,
            lines=[
                _line(conversion.source_id, -conversion.sold),
                _line(sold.pk, conversion.sold),
                _line(bought.pk, -conversion.bought),
                _line(conversion.destination_id, conversion.bought),
            ],
        )
    )
    publish(
        "conversion.posted",
        book_id=conversion.book_id,
        payload=_told(conversion),
        occurred_at=now,
    )
    record(
        "conversion.posted",
        actor=actor,
        target=conversion,
        facts={"journal": journal_id},
        rows=[approval, *newly_opened(sold, bought)],
        book_id=conversion.book_id,
    )
    return conversion


def conversion_payload(conversion: Conversion) -> dict[str, Json]:
    """Return exactly what a checker is shown."""
    sides = (
        (conversion.source, -conversion.sold),
        (conversion.destination, conversion.bought),
    )
    return {
        "conversion": conversion.public_id,
        "book": str(conversion.book),
        "lines": [
            {
                "account": str(account),
                "key": str(account.pk),
                "amount_minor": money.amount_minor,
                "currency": money.currency,
            }
            for account, money in sides
        ],
        "rate": conversion.quote,
        "reason": conversion.reason,
        "evidence": conversion.evidence,
        "requested_by": conversion.proposed_by,
    }


def _told(conversion: Conversion) -> dict[str, Json]:
    """Return what a partner is told."""
    return {
        "id": conversion.public_id,
        "source_account": typeid("acc", conversion.source_id),
        "destination_account": typeid("acc", conversion.destination_id),
        "sold_minor": conversion.sold_minor,
        "sold_currency": conversion.source.currency,
        "bought_minor": conversion.bought_minor,
        "bought_currency": conversion.destination.currency,
        "rate": conversion.rate,
    }


def _line(account_id: UUID, money: Money, /) -> Line:
    return Line(account_id=account_id, amount_minor=money.amount_minor, currency=money.currency)


def _check(exchange: Exchange, *, source: LedgerAccount, destination: LedgerAccount) -> None:
    """Refuse an exchange that could never be posted, or that says too little."""
    wrong = {
        name: f"between 1 and {most} characters"
        for name, text, most in (
            ("reason", exchange.reason, REASON_CHARACTERS_MAX),
            ("evidence", exchange.evidence, EVIDENCE_CHARACTERS_MAX),
        )
        if not 0 < len(text.strip()) <= most
    }
    if source.book_id != destination.book_id:
        wrong["destination"] = "is of another book"
    elif source.currency == destination.currency:
        wrong["destination"] = f"is kept in {source.currency}, too"
    elif said := _wrong_rate(exchange, source=source, destination=destination):
        wrong["rate"] = said
    if wrong:
        raise Invalid(fields=wrong)


def _wrong_rate(exchange: Exchange, *, source: LedgerAccount, destination: LedgerAccount) -> str:
    """Say where the amounts are not each other's at the quoted rate, empty where they are."""
    if not all(
        0 < each <= AMOUNT_MINOR_MAX for each in (exchange.sold_minor, exchange.bought_minor)
    ):
        return "an amount is zero or more than the books can hold"
    try:
        rate = read_rate(exchange.rate)
    except ValueError as error:
        return str(error)
    sold = Money(exchange.sold_minor, source.currency)
    due = rate.of(sold, into=destination.currency)
    if due.amount_minor == exchange.bought_minor:
        return ""
    return f"at this rate {sold} is {due}, not {Money(exchange.bought_minor, due.currency)}"
