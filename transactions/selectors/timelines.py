"""What this floor adds to a timeline: journals with their amounts, and what belongs to what."""

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from typing import Final

from accounts.models import Approval
from accounts.selectors.approvals import visible_approvals
from audit.actors import Actor
from audit.moments import Kind, Moment
from audit.selectors.timelines import Thread, source
from transactions.models import Dispute, Journal, LedgerAccount, Payment, Posting
from transactions.money import Money
from transactions.selectors.ledger import visible_journals
from transactions.selectors.payments import visible_disputes, visible_payments, visible_payouts
from transactions.selectors.transfers import visible_transfers

JOURNALS_MAX: Final = 100
KIN_MAX: Final = 50
LATE: Final = timedelta(minutes=1)


@source
def journals(thread: Thread, to: Actor) -> Iterator[Moment]:
    """Return the journals about what is on the thread, each with its lines in words."""
    names = [*thread.refs, *_provider_names(thread, to=to)]
    asked = (
        Journal.objects.filter(subject_ref__in=names),
        Journal.objects.filter(trace_id__in=list(thread.traces)),
        Journal.objects.filter(pk__in=thread.keys("journal")),
    )
    found = {row.pk: row for rows in asked for row in rows.order_by("-id")[:JOURNALS_MAX]}
    lines = _lines(found)
    for journal in sorted(found.values(), key=lambda row: row.pk)[-JOURNALS_MAX:]:
        yield Moment(
            at=journal.recorded_at,
            kind=Kind.JOURNAL,
            ref=journal.audit_ref,
            title=f"Booked: {journal.purpose.replace('_', ' ')}",
            about=journal.subject_ref,
            said="; ".join([*lines.get(journal.pk, ()), *_past(journal)]),
            xact=journal.xact,
        )


def _past(journal: Journal) -> Iterator[str]:
    """Say when it happened, where that was not when it was booked."""
    if journal.recorded_at - journal.occurred_at > LATE:
        yield f"happened {journal.occurred_at:%-d %b %Y, %H:%M} UTC"


def _lines(journal_ids: Collection[object]) -> dict[object, list[str]]:
    """Return each journal's postings in words, what arrives first."""
    postings = list(Posting.objects.filter(journal_id__in=list(journal_ids)).order_by("id"))
    codes = {
        row.pk: row.code
        for row in LedgerAccount.objects.filter(pk__in={each.account_id for each in postings})
    }
    found: dict[object, list[str]] = {}
    for each in sorted(postings, key=lambda posting: -posting.amount_minor):
        sign = "+" if each.amount_minor > 0 else ""
        line = f"{sign}{Money(each.amount_minor, each.currency)} {codes[each.account_id]}"
        found.setdefault(each.journal_id, []).append(line)
    return found


def _provider_names(thread: Thread, *, to: Actor) -> list[str]:
    """Return how the ledger names a provider's payouts to our bank."""
    payouts = visible_payouts(to=to).filter(pk__in=thread.keys("providerpayout"))
    return [f"{each.provider}:{each.reference}" for each in payouts]


def kin_of(thread: Thread, *, to: Actor) -> Thread:
    """Return `thread` with what belongs to it: of an approval its transfer, of a payment its
    disputes, of a journal its subject, and the reverse; only what `to` may know exists.
    """  # noqa: D205 - one sentence
    refs, traces = set(thread.refs), set(thread.traces)
    for row in _kin(thread, to=to):
        refs.add(row.audit_ref)
        traces.add(getattr(row, "trace_id", ""))
        refs |= _named_by(row)
    return Thread(refs=frozenset(refs), traces=frozenset(traces - {""}))


def _kin(thread: Thread, *, to: Actor) -> Iterable[Payment | Dispute | Approval | Journal]:
    by_trace = list(thread.traces)
    transfers, payments = visible_transfers(to=to), visible_payments(to=to)
    yield from transfers.filter(pk__in=thread.keys("transfer"))[:KIN_MAX]  # type: ignore[misc]
    yield from transfers.filter(trace_id__in=by_trace)[:KIN_MAX]  # type: ignore[misc]
    approvals = visible_approvals(to=to)
    yield from approvals.filter(pk__in=thread.keys("approval"))[:KIN_MAX]
    yield from approvals.filter(subject_ref__in=list(thread.refs))[:KIN_MAX]
    yield from visible_journals(to=to).filter(pk__in=thread.keys("journal"))[:KIN_MAX]
    yield from visible_payouts(to=to).filter(pk__in=thread.keys("providerpayout"))  # type: ignore[misc]
    disputes = visible_disputes(to=to)
    known = list(disputes.filter(pk__in=thread.keys("dispute"))[:KIN_MAX])
    paid = {
        *payments.filter(pk__in=thread.keys("payment"))[:KIN_MAX],
        *payments.filter(trace_id__in=by_trace)[:KIN_MAX],
        *payments.filter(
            provider__in={each.provider for each in known},
            reference__in={each.payment_ref for each in known},
        ),
    }
    yield from paid
    yield from known
    yield from disputes.filter(payment_ref__in={each.reference for each in paid})[:KIN_MAX]


def _named_by(row: object) -> set[str]:
    """Return the references that a row itself carries."""
    match row:
        case Approval() | Journal():
            return {row.subject_ref}
        case _:
            approval = getattr(row, "approval_id", None)
            return {f"approval:{approval}"} if approval else set()
