"""Who may see which portfolio: the only place that writes guardian's grants."""

from django.contrib.auth.models import Permission

from accounts.models import Portfolio, PortfolioUserPerm, User
from accounts.scopes import VIEW_PORTFOLIO
from audit.actors import Actor
from audit.commands import command
from audit.services.recording import record


@command
def grant_portfolio(*, actor: Actor, portfolio: Portfolio, user: User) -> PortfolioUserPerm:
    """Let a login see everything in a portfolio."""
    permission = Permission.objects.get(
        codename=VIEW_PORTFOLIO, content_type__app_label="accounts"
    )
    grant: PortfolioUserPerm = PortfolioUserPerm.objects.create(
        content_object=portfolio, user=user, permission=permission
    )
    record(
        "portfolio.granted",
        actor=actor,
        target=portfolio,
        facts={"to": user.audit_ref},
        rows=[grant],
    )
    return grant
