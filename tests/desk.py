"""The staff's desk for tests: somebody in a role, signed in, and the pages they may open."""

from dataclasses import dataclass
from typing import Any, Final

from django.test import Client
from django.urls import reverse

from accounts.roles import Role
from accounts.services.grants import grant_portfolio
from tests.conftest import STAGE
from tests.factories import Cast
from tests.staff import FOUNDER, Member, invite, sign_in

NAMES: Final = {
    Role.SUPPORT_AGENT: "Sam Sample",
    Role.FINANCE_OPERATOR: "Fiona Figures",
    Role.COMPLIANCE_OFFICER: "Cora Comma",
    Role.AUDITOR: "Arno Abacus",
}


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A signed-in member of staff at a browser."""

    member: Member
    client: Client

    def open(self, page: str, *args: Any, **query: str) -> Any:
        """Read a page by its name, e.g. `transactions_transfer_change`."""
        return self.client.get(reverse(f"admin:{page}", args=args), query)

    def send(self, page: str, *args: Any, **fields: object) -> Any:
        """Send a form to a page, and follow where it leads."""
        return self.client.post(reverse(f"admin:{page}", args=args), fields, follow=True)


def seat(role: Role) -> Desk:
    """Invite somebody in `role` and sign them in."""
    with STAGE.as_role("migrator"):
        member = invite(role, name=NAMES[role])
    client = Client()
    sign_in(client, member)
    return Desk(member=member, client=client)


def grant(desk: Desk, *, company: Cast) -> None:
    """Let somebody see a company's portfolio."""
    with STAGE.as_role("migrator"):
        grant_portfolio(actor=FOUNDER, portfolio=company.portfolio, user=desk.member.user)
