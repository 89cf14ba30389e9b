"""Opening books and accounts."""

from accounts.errors import NameTaken
from accounts.models import Account, Customer, Partner, Portfolio
from audit.actors import Actor
from audit.commands import command
from audit.constraints import refuse_on
from audit.services.recording import record
from transactions.ledger.posting import open_balance
from transactions.models import Book, LedgerAccount


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
def open_account(
    *,
    actor: Actor,
    portfolio: Portfolio,
    name: str,
    currency: str,
    alias: str,
    customer: Customer | None = None,
) -> Account:
    """Open an account and, under the same id, its side of the ledger. NameTaken for its alias."""
    with refuse_on({"accounts_account_alias_key": NameTaken(name=alias)}):
        account = Account.objects.create(
            partner=portfolio.partner,
            book_id=portfolio.book_id,
            portfolio=portfolio,
            customer=customer,
            name=name,
            currency=currency,
            alias=alias,
        )
    ledger_side = LedgerAccount.objects.create(
        id=account.pk,
        book_id=portfolio.book_id,
        code=f"account:{alias}",
        currency=currency,
        keeps_balance=True,
    )
    open_balance(ledger_side.pk)
    record(
        "account.opened",
        actor=actor,
        target=account,
        rows=[account, ledger_side],
        book_id=account.book_id,
    )
    return account
