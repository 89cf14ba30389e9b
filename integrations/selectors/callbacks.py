"""Reading the inbox."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.scopes import visible_books
from audit.actors import Actor, ActorKind
from audit.errors import NotFound
from integrations.models import Callback


def visible_callbacks(*, to: Actor) -> QuerySet[Callback]:
    """Return the callbacks `to` may know exist: they are nobody's until they are understood."""
    if to.kind is ActorKind.PARTNER:
        return Callback.objects.none()
    return visible_books(Callback.objects.all(), to=to)


def access_callback(callback_id: UUID, *, actor: Actor, lock: bool = False) -> Callback:
    """Return one callback `actor` may see, or refuse as if it did not exist."""
    found = visible_callbacks(to=actor)
    if lock:
        found = found.select_for_update(no_key=True, of=("self",))
    callback = found.filter(pk=callback_id).first()
    if callback is None:
        raise NotFound(ref=f"callback:{callback_id}")
    return callback
