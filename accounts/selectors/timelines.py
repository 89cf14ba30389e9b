"""What this floor adds to a timeline: the letters that partners were left."""

from collections.abc import Iterable
from typing import Final

from accounts.models import Letter
from audit.actors import Actor
from audit.moments import Kind, Moment
from audit.selectors.timelines import Thread, source

LETTERS_MAX: Final = 200


@source
def letters(thread: Thread, to: Actor) -> Iterable[Moment]:
    """Return the letters left in the transactions of the entries found."""
    del to
    found = Letter.objects.filter(book_id__in=thread.books, xact__in=thread.xacts)
    for letter in found.order_by("id")[:LETTERS_MAX]:
        yield Moment(
            at=letter.recorded_at,
            kind=Kind.LETTER,
            ref=f"letter:{letter.pk}",
            title=f"Partner told: {letter.type}",
            about=letter.public_id,
            said=letter.public_id,
            xact=letter.xact,
        )
