"""The command that writes down what a check of the books found, and what is well again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from audit.actors import Actor
from audit.commands import Batch, command
from audit.constraints import refuse_on
from audit.services.recording import record
from transactions.errors import NothingChanged
from transactions.models import BooksCheck, Finding
from transactions.selectors.changes import Watermark
from transactions.selectors.findings import open_findings

DETAIL_CHARACTERS_MAX: Final = 500
SUBJECT_CHARACTERS_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One violation as a check saw it: the promise's name and words, and what is wrong."""

    invariant: str
    promise: str
    detail: str

    @property
    def subject(self) -> str:
        """Return what it is about: the first two words, such as `account <id>`."""
        return " ".join(self.detail.split()[:2])[:SUBJECT_CHARACTERS_MAX]

    @property
    def identity(self) -> tuple[str, str]:
        """Return what makes it the same breach, however its figures move."""
        return self.promise, self.subject


@command
def note_check(
    *,
    actor: Actor,
    breaches: Sequence[Breach],
    duration_ms: int,
    unsure: frozenset[str] = frozenset(),
    is_full: bool = True,
    began: Watermark | None = None,
) -> Batch:
    """Write down a check of the books and what changed since the last one.

    `books.violated` for each new breach, `books.restored` for each that is gone; one that lasts
    is not told again. `unsure` names promises so broken that not all of it
    was listed: what is not listed of them is not called gone. `began` is where
    the next look may go on from. NothingChanged where another check tells the same at this moment.
    """
    seen = {breach.identity: breach for breach in breaches}
    known = {(each.promise, each.subject): each for each in open_findings(lock=True)}
    BooksCheck.objects.create(
        duration_ms=duration_ms,
        findings=len(seen),
        is_full=is_full,
        began_xact=began.xact if began else None,
        began_at=began.at if began else None,
    )
    fresh = [_opened(breach) for key, breach in seen.items() if key not in known]
    gone = [
        _closed(finding)
        for key, finding in known.items()
        if key not in seen and finding.promise not in unsure
    ]
    for finding in fresh:
        facts = {"invariant": finding.invariant, "promise": finding.promise}
        facts |= {"detail": finding.detail}
        record("books.violated", actor=actor, target=finding, facts=facts, rows=[finding])
    for finding in gone:
        facts = {"invariant": finding.invariant, "detail": finding.detail}
        record("books.restored", actor=actor, target=finding, facts=facts, rows=[finding])
    return Batch([*fresh, *gone])


def _opened(breach: Breach) -> Finding:
    with refuse_on({"finding_one_open": NothingChanged(ref="books")}):
        return Finding.objects.create(
            invariant=breach.invariant,
            promise=breach.promise,
            subject=breach.subject,
            detail=breach.detail[:DETAIL_CHARACTERS_MAX],
            first_seen_at=timezone.now(),
        )


def _closed(finding: Finding) -> Finding:
    finding.gone_at = timezone.now()
    finding.save(update_fields=["gone_at"])
    return finding
