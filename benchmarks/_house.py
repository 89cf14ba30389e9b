"""The house that the benchmarks measure: partners with funded accounts, and who acts for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.models import Account, Partner
from accounts.roles import (
    FOUNDER_GRANTS,
    PROVIDER_GRANTS,
    SCOPES,
    SYSTEM_GRANTS,
    Role,
    grants_of,
    scope_grants,
)
from accounts.services.approvals import decide_approval
from accounts.services.partners import onboard_partner, open_portfolio
from accounts.states import Verdict
from audit.actors import Actor, ActorKind
from audit.typeids import uuid7
from transactions.services.books import open_book, set_up_account
from transactions.services.imports import import_opening
from transactions.services.limits import Maxima, request_limit, set_limit
from transactions.states import LimitKind, LimitWindow

ACCOUNTS: Final = 64
FUNDS_MINOR: Final = 10**12
FOUNDER: Final = Actor(
    kind=ActorKind.SYSTEM, id="bench", label="Bench", credential="none", grants=FOUNDER_GRANTS
)
CLERK: Final = Actor(
    kind=ActorKind.SYSTEM, id="clerk", label="Clerk", credential="none", grants=SYSTEM_GRANTS
)
PROVIDER: Final = Actor(
    kind=ActorKind.PROVIDER, id="stripe", label="Stripe", credential="none", grants=PROVIDER_GRANTS
)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A partner with funded, limited accounts, and the actor that speaks for it."""

    partner: Partner
    accounts: tuple[Account, ...]
    client: Actor

    @property
    def book_id(self) -> UUID:
        """Return the partner's book."""
        found: UUID = self.accounts[0].book_id
        return found


def build(*, accounts: int = ACCOUNTS) -> House:
    """Make a house by commands, as the migrator."""
    slug = f"bench-{uuid7().hex[-8:]}"
    partner = onboard_partner(
        actor=FOUNDER, name="Bench", slug=slug, approval_threshold_minor=10**15
    )
    open_book(actor=FOUNDER, partner=partner)
    portfolio = open_portfolio(actor=FOUNDER, partner=partner, name="Bench")
    made = tuple(
        set_up_account(
            actor=FOUNDER,
            portfolio=portfolio,
            name=f"No {number}",
            currency="EUR",
            alias=f"{slug}-{number}",
        )
        for number in range(accounts)
    )
    for account in made:
        _endow(account)
    return House(partner=partner, accounts=made, client=_client_of(partner))


def build_several(*, houses: int, accounts: int = ACCOUNTS) -> Sequence[House]:
    """Make several houses that share so many accounts out among them."""
    return [build(accounts=accounts // houses) for _ in range(houses)]


def _endow(account: Account) -> None:
    """Bring the account's opening balance, and limit what it may send."""
    import_opening(
        actor=FOUNDER, account=account, amount_minor=FUNDS_MINOR, occurred_at=timezone.now()
    )
    for window in LimitWindow:
        asked = request_limit(
            actor=_staff(Role.FINANCE_OPERATOR),
            account_id=account.pk,
            kind=LimitKind.ANY,
            window=window,
            maxima=Maxima(amount_minor=FUNDS_MINOR),
            reason="bench",
        )
        decide_approval(
            actor=_staff(Role.COMPLIANCE_OFFICER),
            approval_id=asked.pk,
            verdict=Verdict.APPROVE,
            reason="bench",
            shown_hash=asked.payload_hash,
        )
        set_limit(actor=CLERK, approval_id=asked.pk)


def _staff(role: Role) -> Actor:
    """Return somebody in a job."""
    return Actor(
        kind=ActorKind.STAFF,
        id=str(uuid7()),
        label=role.label,
        credential="none",
        grants=grants_of(frozenset({role})),
        person_id=uuid7(),
    )


def _client_of(partner: Partner) -> Actor:
    """Return the partner's machine."""
    return Actor(
        kind=ActorKind.PARTNER,
        id=str(partner.pk),
        label="Bench",
        credential="token",
        grants=scope_grants(frozenset(SCOPES)),
        partner_id=partner.pk,
        book_id=partner.book_id,
    )
