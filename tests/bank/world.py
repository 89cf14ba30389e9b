"""The bank's world: one partner, eight hot accounts in each of two currencies, the world outside.

Money outside stands on the account that mirrors the provider, below zero as it may.
"""

from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.models import Account, Partner
from accounts.roles import FOUNDER_GRANTS, PROVIDER_GRANTS, SCOPES, SYSTEM_GRANTS, scope_grants
from accounts.services.partners import onboard_partner, open_portfolio
from audit.actors import Actor, ActorKind
from audit.typeids import uuid7
from tests.bank.checker import Books, JournalRow, TransferRow
from transactions.models import Balance, Book, Journal, LedgerAccount, Posting, Transfer
from transactions.selectors.invariants import violations
from transactions.services.books import open_book, open_house, set_up_account
from transactions.services.imports import import_opening

CURRENCIES: Final = ("EUR", "JPY")
HOT_ACCOUNTS: Final = 8
HELD_MINOR: Final = 100
THRESHOLD_MINOR: Final = 10**12
FOUNDER: Final = Actor(
    kind=ActorKind.SYSTEM, id="founder", label="Founder", credential="-", grants=FOUNDER_GRANTS
)
WORKER: Final = Actor(
    kind=ActorKind.SYSTEM, id="worker", label="Worker", credential="-", grants=SYSTEM_GRANTS
)
PROVIDER: Final = Actor(
    kind=ActorKind.PROVIDER, id="testbank", label="Bank", credential="-", grants=PROVIDER_GRANTS
)
# All that there is, read at one instant: hot accounts, and what stands outside.
TOTALS: Final = """
SELECT a.currency, sum(coalesce(b.posted_minor, p.moved))::bigint,
    min(least(b.posted_minor - b.pending_minor, b.pending_minor))::bigint
FROM transactions_ledgeraccount AS a
LEFT JOIN transactions_balance AS b ON b.account_id = a.id
LEFT JOIN LATERAL (
    SELECT coalesce(sum(amount_minor), 0) AS moved
    FROM transactions_posting WHERE account_id = a.id
) AS p ON b.account_id IS NULL
WHERE a.book_id = %s AND a.code <> 'bank:opening'
GROUP BY a.currency
"""


@dataclass(frozen=True)
class World:
    """Who is there, and how much there is."""

    partner: Partner
    accounts: dict[str, tuple[Account, ...]]

    @property
    def client(self) -> Actor:
        """Return the partner's machine."""
        return Actor(
            kind=ActorKind.PARTNER,
            id=f"client-{self.partner.slug}",
            label=self.partner.name,
            credential="token",
            grants=scope_grants(frozenset(SCOPES)),
            partner_id=self.partner.pk,
            book_id=self.partner.book_id,
        )

    @property
    def totals(self) -> dict[str, int]:
        """Return what each currency has summed to since the beginning."""
        return {name: len(found) * HELD_MINOR for name, found in self.accounts.items()}


def create() -> World:
    """Make the world by commands, as the migrator."""
    if not Book.objects.filter(partner__isnull=True).exists():
        open_house(actor=FOUNDER)
    partner = onboard_partner(
        actor=FOUNDER,
        name="Jepsen & Co",
        slug=f"bank-{uuid7().hex[-8:]}",
        approval_threshold_minor=THRESHOLD_MINOR,
    )
    open_book(actor=FOUNDER, partner=partner)
    portfolio = open_portfolio(actor=FOUNDER, partner=partner, name="Hot")
    made: dict[str, list[Account]] = defaultdict(list)
    for currency in CURRENCIES:
        for number in range(HOT_ACCOUNTS):
            name = f"{currency.lower()}-{number}"
            account = set_up_account(
                actor=FOUNDER,
                portfolio=portfolio,
                name=name,
                currency=currency,
                alias=f"{partner.slug}-{name}",
            )
            import_opening(
                actor=FOUNDER,
                account=account,
                amount_minor=HELD_MINOR,
                occurred_at=timezone.now(),
            )
            made[currency].append(account)
    return World(partner=partner, accounts={name: tuple(found) for name, found in made.items()})


def read_totals(world: World) -> tuple[tuple[tuple[str, int], ...], int]:
    """Return each currency's total and the least that any account can spend, at one instant."""
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, [world.partner.book_id])
        rows = cursor.fetchall()
    return tuple(sorted((row[0], row[1]) for row in rows)), min(row[2] for row in rows)


def final_books(world: World) -> Books:
    """Read every row of the world's book, as the migrator."""
    book_id = world.partner.book_id
    names = {account.pk: str(account.pk) for account in chain(*world.accounts.values())}
    hot = LedgerAccount.objects.filter(book_id=book_id, keeps_balance=True)
    return Books(
        openings=dict.fromkeys(names.values(), HELD_MINOR),
        balances={
            str(row.pk): (row.posted_minor, row.pending_minor)
            for row in Balance.objects.filter(account_id__in=hot.values("pk"))
        },
        transfers=[
            TransferRow(
                id=str(row.pk),
                reference=row.reference,
                state=row.state,
                source=str(row.source_id),
                destination=str(row.destination_id or ""),
                amount_minor=row.amount_minor,
            )
            for row in Transfer.objects.filter(book_id=book_id)
        ],
        journals=_journals(book_id, names=names),
        totals=world.totals,
        violations=violations(),
    )


def _journals(book_id: UUID, *, names: dict[UUID, str]) -> list[JournalRow]:
    """Return every journal but the openings; what is not a hot account is the world outside."""
    lines: dict[UUID, list[tuple[str, int]]] = defaultdict(list)
    for posting in Posting.objects.filter(book_id=book_id).iterator():
        lines[posting.journal_id].append((names.get(posting.account_id, ""), posting.amount_minor))
    return [
        JournalRow(
            id=str(row.pk),
            transfer=row.subject_ref.removeprefix("transfer:"),
            purpose=row.purpose,
            lines=tuple(lines[row.pk]),
        )
        for row in Journal.objects.filter(book_id=book_id).exclude(purpose="opening").iterator()
    ]
