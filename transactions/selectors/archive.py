"""What was put away: which months, from where on the clocks answer, and what may leave next."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from django.db import Error, connection, transaction
from django.utils import timezone

from audit.constraints import broken_rule
from transactions.errors.archive import InstantArchived, JournalArchived
from transactions.models import ArchivedMonth, ClosedMonth, JournalOrigin
from transactions.states import Clock

OPEN_SUSPENSE: Final = """
SELECT count(*) FROM ledger_lines_of(%s) AS p
INNER JOIN transactions_ledgeraccount AS a ON a.id = p.account_id
LEFT JOIN transactions_suspensetally AS t ON t.id = p.id
LEFT JOIN transactions_journal AS j ON j.id = p.journal_id
LEFT JOIN LATERAL (
    SELECT sum(u.amount_minor) AS total FROM transactions_journal AS same
    INNER JOIN transactions_posting AS u ON u.journal_id = same.id
    WHERE same.subject_ref = j.subject_ref AND same.purpose <> 'allocation'
        AND u.account_id = p.account_id AND u.amount_minor < 0
) AS back ON true
WHERE a.code = 'suspense' AND p.amount_minor > 0
    AND p.amount_minor - coalesce(t.allocated_minor, 0) + coalesce(back.total, 0) > 0
"""
PARTS: Final = """
SELECT right(relname, 7) FROM pg_class
WHERE relname LIKE 'transactions\\_posting\\_y%%' AND relkind = 'r' ORDER BY relname
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Where the books begin: journals with lower ids are put away, and earlier instants too."""

    before: UUID
    occurred_from: datetime
    recorded_from: datetime

    def answers_from(self, clock: Clock) -> datetime:
        """Return the first instant that may be asked about."""
        return self.occurred_from if clock is Clock.OCCURRED else self.recorded_from


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthState:
    """One month that has a table: closed or not, put away or not."""

    month: date
    closed: ClosedMonth | None
    archived: ArchivedMonth | None

    @property
    def is_away(self) -> bool:
        """Say whether its rows are out of the books."""
        return self.archived is not None and self.archived.is_away


def line() -> Line | None:
    """Return where the books begin; None where everything is there."""
    newest = ArchivedMonth.objects.filter(is_away=True).order_by("-month").first()
    if newest is None:
        return None
    return Line(
        before=newest.before,
        occurred_from=newest.occurred_until,
        recorded_from=newest.recorded_until,
    )


def answered(instants: Sequence[datetime], *, clock: Clock) -> Sequence[datetime]:
    """Return those of the instants that the books can be asked about, by `clock`."""
    begins = line()
    return [at for at in instants if begins is None or at >= begins.answers_from(clock)]


def archived_month(month: date) -> ArchivedMonth | None:
    """Return a month that is away; None where it is in the books."""
    return ArchivedMonth.objects.filter(month=month, is_away=True).first()


def months() -> Sequence[MonthState]:
    """Return every month up to this one that has a table, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(PARTS)
        names = [str(name) for (name,) in cursor.fetchall()]
    closed: Mapping[date, ClosedMonth] = ClosedMonth.objects.in_bulk()
    archived = {each.month: each for each in ArchivedMonth.objects.all()}
    found = sorted(datetime.strptime(name, "%Ym%m").replace(tzinfo=UTC).date() for name in names)
    today = timezone.now().date()
    return [
        MonthState(month=month, closed=closed.get(month), archived=archived.get(month))
        for month in found
        if month <= today
    ]


def next_to_leave() -> str:
    """Return the oldest month that is here, as 2025-03; empty where none is."""
    here = [each for each in months() if not each.is_away]
    return f"{here[0].month:%Y-%m}" if here else ""


def next_to_return() -> str:
    """Return the newest month that is away, as 2025-03; empty where none is."""
    away = [each for each in months() if each.is_away]
    return f"{away[-1].month:%Y-%m}" if away else ""


def open_suspense_of(month: date) -> int:
    """Return how many items that came in a month still wait in suspense. For the owner's login."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN_SUSPENSE, [month])
        return int(cursor.fetchone()[0])


def journal_to_undo(origin: str) -> UUID | None:
    """Return the id of the journal that `origin` caused; JournalArchived where it is away."""
    found = JournalOrigin.objects.filter(pk=origin).values_list("journal_id", flat=True).first()
    begins = line()
    if found is not None and begins is not None and found < begins.before:
        raise JournalArchived(origin=origin)
    return found


def journals_to_undo(origins: Collection[str]) -> dict[str, UUID]:
    """Return the ids of the journals that these origins caused, but for those that are away."""
    if not origins:
        return {}
    rows = JournalOrigin.objects.filter(pk__in=list(origins))
    found = dict(rows.values_list("origin", "journal_id"))
    begins = line() if found else None
    return {origin: key for origin, key in found.items() if not begins or key >= begins.before}


@contextmanager
def asking(clock: Clock) -> Iterator[None]:
    """Let the block ask how accounts stood by `clock`; InstantArchived where that is away."""
    try:
        with transaction.atomic():
            yield
    except Error as error:
        if broken_rule(error) != "instant_archived":
            raise
        since = error.__cause__.diag.message_detail  # type: ignore[union-attr]
        raise InstantArchived(
            clock=clock.value, answered_from=datetime.fromisoformat(since).isoformat()
        ) from error
