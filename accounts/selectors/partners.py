"""Reading partners, as commands need them."""

from uuid import UUID

from accounts.models import Partner
from accounts.selectors.pages import visible_partners
from audit.actors import Actor
from audit.errors import NotFound


def access_partner(partner_id: UUID, *, actor: Actor) -> Partner:
    """Return one partner `actor` may see, or refuse as if it did not exist."""
    found = visible_partners(to=actor).filter(pk=partner_id).first()
    if found is None:
        raise NotFound(ref=f"partner:{partner_id}")
    return found
