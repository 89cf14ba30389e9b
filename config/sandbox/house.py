"""A partner as it was opened in the demo world, and the actors that act there."""

from dataclasses import dataclass, field
from typing import Final

from accounts.models import Account, Partner, Portfolio
from accounts.roles import FOUNDER_GRANTS, PROVIDER_GRANTS, SCOPES, scope_grants
from accounts.services.clients import RegisteredClient
from audit.actors import Actor, ActorKind

CLIENT_NAME: Final = "Back end"
FOUNDER: Final = Actor(
    kind=ActorKind.SYSTEM,
    id="founder",
    label="Founder",
    credential="console",
    grants=FOUNDER_GRANTS,
)


def provider(slug: str) -> Actor:
    """Return a provider as it speaks in former books."""
    return Actor(
        kind=ActorKind.PROVIDER,
        id=slug,
        label=slug.capitalize(),
        credential="import",
        grants=PROVIDER_GRANTS,
    )


@dataclass(slots=True, kw_only=True)
class House:
    """One partner: its portfolios, its accounts, and the client that speaks for it."""

    partner: Partner
    client: RegisteredClient
    portfolios: dict[str, Portfolio]
    accounts: list[Account] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        """Return the partner's machine, as its token would name it."""
        return Actor(
            kind=ActorKind.PARTNER,
            id=str(self.client.id),
            label=f"{self.partner.name} / {CLIENT_NAME}",
            credential=f"oauth:{self.client.client_id}:world",
            grants=scope_grants(frozenset(SCOPES)),
            partner_id=self.partner.pk,
            book_id=self.partner.book_id,
        )

    def purse(self, currency: str, *, number: int = 0) -> Account:
        """Return one of its accounts in a currency, in the order in which they were opened."""
        return [each for each in self.accounts if each.currency == currency][number]
