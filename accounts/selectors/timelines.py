"""What this floor adds to a timeline: the letters that partners were left."""

from collections.abc import Iterable
from typing import Final

from accounts.models import Letter
from audit.actors import Actor
from audit.moments import Kind, Moment
from audit.selectors.timelines import Thread, source

LETTERS_MAX: Final = 200
# What told a partner more of one kind than that told it of a batch.
ONE_BY_ONE_MAX: Final = 5


@source
def letters(thread: Thread, to: Actor) -> Iterable[Moment]:
    """Return the letters left in the transactions of the entries found; many of a kind as one."""
    del to
    found = Letter.objects.filter(book_id__in=thread.books, xact__in=thread.xacts)
    kinds: dict[tuple[int, str], list[Letter]] = {}
    for letter in found.order_by("id")[:LETTERS_MAX]:
        kinds.setdefault((letter.xact, letter.type), []).append(letter)
    for alike in kinds.values():
        if len(alike) > ONE_BY_ONE_MAX:
            yield _told(alike[0], said=f"Many letters, the first {alike[0].public_id}")
            continue
        for letter in alike:
            yield _told(letter, said=letter.public_id)


def _told(letter: Letter, *, said: str) -> Moment:
    return Moment(
        at=letter.recorded_at,
        kind=Kind.LETTER,
        ref=f"letter:{letter.pk}",
        title=f"Partner told: {letter.type}",
        about=letter.public_id,
        said=said,
        xact=letter.xact,
    )
