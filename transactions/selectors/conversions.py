"""Reading conversions."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.scopes import visible_books
from audit.actors import Actor
from audit.errors import NotFound
from transactions.models import Conversion


def visible_conversions(*, to: Actor) -> QuerySet[Conversion]:
    """Return the conversions `to` may know exist, each with its request and its accounts."""
    found = Conversion.objects.select_related("approval", "book", "source", "destination")
    return visible_books(found, to=to)


def access_conversion(conversion_id: UUID, *, actor: Actor) -> Conversion:
    """Return one conversion `actor` may see, or refuse as if it did not exist."""
    found = visible_conversions(to=actor).filter(pk=conversion_id).first()
    if found is None:
        raise NotFound(ref=f"conversion:{conversion_id}")
    return found
