"""What an example is played on: a company, and a page that says what acts did to its books."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar
from uuid import UUID

from audit.models import Entry
from tests import factories
from tests.factories import Cast
from transactions.models import Balance, Journal, LedgerAccount, Posting
from transactions.money import Money

R = TypeVar("R")
HOLDING_MINOR: Final = 100_00
ACCOUNT_WIDTH: Final = 42
MONEY_WIDTH: Final = 11
Standings = dict[UUID, tuple[int, int]]


def _company() -> Cast:
    return factories.cast(holding_minor=HOLDING_MINOR)


@dataclass
class Scene:
    """The company Acme, whose `giver` holds 100.00 EUR and `taker` nothing; and the house."""

    company: Cast = field(default_factory=_company)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin after what it took to set the scene."""
        self.books = {
            self.company.partner.book_id: "Acme's book",
            factories.house().pk: "the house's book",
        }
        self._found: Standings = {}
        self._found = self._standings()
        self._before = self._standings()
        self._told = self._newest(Journal), self._newest(Entry)

    @property
    def said(self) -> str:
        """Return the page."""
        return "\n".join(self.lines) + "\n"

    def act(self, what: str, do: Callable[[], R]) -> R:
        """Do something, and write down what it was and all that it did to the books."""
        result = do()
        self.lines += [*([""] if self.lines else []), what]
        self.lines += [f"  {line}" for line in self._news()]
        self._before = self._standings()
        self._told = self._newest(Journal), self._newest(Entry)
        return result

    def _news(self) -> Iterator[str]:
        """Say which commands ran, what they posted, and how the accounts stand now."""
        journals, entries = self._told
        acts = Entry.objects.filter(id__gt=entries, book_id__in=self.books).order_by("id")
        yield "by " + ", ".join(dict.fromkeys(each.command for each in acts))
        posted = Journal.objects.filter(id__gt=journals, book_id__in=self.books).order_by("id")
        for journal in posted:
            yield from self._journal(journal)
        if not posted:
            yield "no journal"
        yield from self._moved()

    def _journal(self, journal: Journal) -> Iterator[str]:
        """Say what a journal moves: out of an account is its debit, into one its credit."""
        about = f"{journal.purpose}, {self.books[journal.book_id]}"
        if journal.reverses is not None:
            about += f", undoes {Journal.objects.get(pk=journal.reverses).purpose}"
        yield f"{about:{ACCOUNT_WIDTH}}{'debit':>{MONEY_WIDTH}}{'credit':>{MONEY_WIDTH}}".rstrip()
        lines = Posting.objects.filter(journal_id=journal.pk)
        named = [(line.amount_minor > 0, self._name(line.account_id), line) for line in lines]
        for _, said, line in sorted(named, key=lambda each: each[:2]):
            name = f"  {said}"
            amount = Money(abs(line.amount_minor), line.currency).figures(grouped=True)
            column = MONEY_WIDTH if line.amount_minor < 0 else 2 * MONEY_WIDTH
            yield f"{name:{ACCOUNT_WIDTH}}{amount:>{column}}"

    def _moved(self) -> Iterator[str]:
        """Say how each account stands that stands otherwise than before."""
        for key, (posted, pending) in sorted(self._standings().items(), key=self._place):
            if self._before.get(key, (0, 0)) == (posted, pending):
                continue
            currency = LedgerAccount.objects.get(pk=key).currency
            reserved = f", {Money(pending, currency).figures(grouped=True)} of it reserved"
            figures = Money(posted, currency).figures(grouped=True)
            yield f"{self._name(key)} stands at {figures}{reserved if pending else ''}"

    def _place(self, standing: tuple[UUID, tuple[int, int]]) -> tuple[int, str]:
        account = LedgerAccount.objects.get(pk=standing[0])
        return list(self.books).index(account.book_id), self._name(account.pk)

    def _name(self, account_id: UUID) -> str:
        """Return an account's code and currency as the document calls them."""
        account = LedgerAccount.objects.get(pk=account_id)
        company = self.company
        known = {company.giver.pk: "account:giver", company.taker.pk: "account:taker"}
        code = known.get(account_id, account.code.replace(company.partner.slug, "acme"))
        return f"{code} {account.currency}"

    def _standings(self) -> Standings:
        """Return what is on each account of the books, and what of it is reserved.

        What was on the books' own accounts before is another example's, and not counted.
        """
        accounts = LedgerAccount.objects.filter(book_id__in=self.books)
        summed = accounts.filter(keeps_balance=False).values("pk")
        sums: Standings = {}
        for line in Posting.objects.filter(account_id__in=summed):
            sums[line.account_id] = (sums.get(line.account_id, (0, 0))[0] + line.amount_minor, 0)
        kept = Balance.objects.filter(account__in=accounts)
        return {
            key: (total - self._found.get(key, (0, 0))[0], 0) for key, (total, _) in sums.items()
        } | {each.pk: (each.posted_minor, each.pending_minor) for each in kept}

    def _newest(self, model: type[Journal | Entry]) -> UUID:
        newest = model._default_manager.order_by("id").last()
        return newest.pk if newest else UUID(int=0)
