"""The command on many pieces of news at once: decided one after the other, written together."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, assert_never

from audit.actors import Actor
from audit.calls import wait_no_longer_than
from audit.circumstances import under
from audit.commands import Batch, command
from audit.errors import Refusal
from audit.services.recording import flush, record_refusal
from transactions.meanings import (
    DisputeNotice,
    Meaning,
    Movement,
    PaymentNotice,
    PayoutNotice,
    TransferNotice,
)
from transactions.reports import Outcome, Report
from transactions.services.gathering import subjects_of
from transactions.services.movements import book
from transactions.services.notices import dispute_noted, payment_noted, payout_noted
from transactions.services.payouts import payout_told
from transactions.services.subjects import Subjects

# How long many wait for what one of them is about: they hold what the others are about.
PATIENCE_TOGETHER_MS: Final = 250


@command
def take_news(*, actor: Actor, provider: str, reports: Sequence[Report]) -> Batch:
    """Act on reports of one provider in their order, each as if it came alone; write all at once.

    One outcome and one entry a meaning. What is refused changes nothing, and
    ends its report unless it was known already. Where the database refuses what
    was decided, nothing of all this has happened: ask again, with fewer. So it is, soon, where
    somebody else holds what one of many is about; what comes alone waits as any command does.
    """
    if len(reports) > 1:
        wait_no_longer_than(PATIENCE_TOGETHER_MS)
    news = [each for one in reports for each in one.meanings]
    subjects = subjects_of(news, provider=provider, actor=actor)
    outcomes = Batch()
    for report in reports:
        for meaning in report.meanings:
            if subjects.must_write_before(meaning):
                subjects.write()
                flush()
            outcomes.append(_outcome(meaning, report=report, subjects=subjects, actor=actor))
            if outcomes[-1].is_over:
                break
    subjects.write()
    return outcomes


def _outcome(meaning: Meaning, *, report: Report, subjects: Subjects, actor: Actor) -> Outcome:
    """Decide on one meaning, under the trace of what it is about."""
    speaker = replace(actor, credential=report.credential)
    trace_id = subjects.trace_of(meaning) or report.trace_id
    with under(trace_id=trace_id):
        try:
            said, refusal = _decide(meaning, subjects=subjects, actor=speaker), None
        except Refusal as no:
            said, refusal = no.code, no
            ref = str(getattr(no, "ref", ""))
            record_refusal("news.refused", actor=speaker, ref=ref, refusal=no)
    return Outcome(credential=report.credential, trace_id=trace_id, said=said, refusal=refusal)


def _decide(meaning: Meaning, *, subjects: Subjects, actor: Actor) -> str:
    """Decide on one meaning; return what was done, in a word or two."""
    match meaning:
        case Movement():
            book(meaning, subjects=subjects, actor=actor)
            return f"booked {meaning.kind}"
        case PaymentNotice():
            return f"payment {payment_noted(meaning, subjects=subjects, actor=actor).state}"
        case DisputeNotice():
            return f"dispute {dispute_noted(meaning, subjects=subjects, actor=actor).state}"
        case PayoutNotice():
            return f"payout {payout_noted(meaning, subjects=subjects, actor=actor).state}"
        case TransferNotice():
            payout_told(meaning, subjects=subjects, actor=actor)
            return f"transfer {meaning.state}"
        case unreachable:
            assert_never(unreachable)
