"""Reading our calls to providers."""

from django.db.models import QuerySet

from accounts.scopes import visible_books
from audit.actors import Actor
from integrations.models import Dispatch


def visible_dispatches(*, to: Actor) -> QuerySet[Dispatch]:
    """Return the calls `to` may know exist."""
    return visible_books(Dispatch.objects.all(), to=to)
