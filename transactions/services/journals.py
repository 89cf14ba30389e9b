"""Journals by hand: proposed by finance, signed by another, posted exactly as they were shown."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.selectors.approvals import access_decided
from accounts.services.approvals import ask, consume
from accounts.services.mailbox import publish
from audit.actors import Actor
from audit.canonical import Json
from audit.commands import command
from audit.constraints import refuse_on
from audit.errors import Invalid
from audit.services.recording import record
from audit.typeids import typeid
from transactions.errors import AlreadyBooked
from transactions.ledger.accounts import INTERBOOK, SUSPENSE
from transactions.ledger.posting import LINES_MAX, LINES_MIN, Draft, Line, post
from transactions.models import JournalProposal, LedgerAccount, ProposedLine
from transactions.money import AMOUNT_MINOR_MAX
from transactions.proposals import (
    EVIDENCE_CHARACTERS_MAX,
    REASON_CHARACTERS_MAX,
    ManualJournal,
    Move,
)
from transactions.selectors.proposals import (
    access_proposal,
    accounts_named,
    lines_of,
    sums_of,
)
from transactions.services.steps import check_may_leave

POST_MANUAL: Final = "transactions.post_manual_journal"


@command
def propose_manual_journal(*, actor: Actor, journal: ManualJournal) -> JournalProposal:
    """Propose a journal; nothing moves until somebody else has approved exactly these lines.

    Refuses with Invalid (lines that do not balance, an unknown account, no
    grounds), and with AlreadyAsked or AlreadyBooked for an id proposed before.
    """
    keys = {move.account_id for move in journal.moves}
    accounts = accounts_named(keys, book_id=journal.book_id, actor=actor)
    _check(journal, accounts=accounts)
    proposal = JournalProposal(
        id=journal.id,
        book_id=journal.book_id,
        reason=journal.reason,
        evidence=journal.evidence,
        proposed_by=actor.ref,
    )
    lines = [
        ProposedLine(
            proposal=proposal,
            account=accounts[move.account_id],
            position=position,
            amount_minor=move.amount_minor,
        )
        for position, move in enumerate(journal.moves)
    ]
    proposal.approval = ask(
        POST_MANUAL,
        actor=actor,
        subject_ref=proposal.audit_ref,
        book_id=journal.book_id,
        payload=manual_payload(proposal, lines=lines),
    )
    known = AlreadyBooked(origin=proposal.audit_ref)
    with refuse_on({"transactions_journalproposal_pkey": known}):
        proposal.save(force_insert=True)
    ProposedLine.objects.bulk_create(lines)
    rows = [proposal, *lines, proposal.approval]
    record("manual_journal.proposed", actor=actor, target=proposal, rows=rows)
    return proposal


@command
def post_manual_journal(*, actor: Actor, approval_id: UUID) -> JournalProposal:
    """Carry out an approved journal, once: the lines that were shown, and no others.

    Refuses with AlreadyDecided, StaleApproval, AccountFrozen, AccountClosed and
    InsufficientFunds.
    """
    approval = access_decided(approval_id, action=POST_MANUAL, actor=actor)
    proposal = access_proposal(approval.subject_id, actor=actor)
    lines, now = lines_of(proposal), timezone.now()
    consume(approval, payload=manual_payload(proposal, lines=lines))
    givers = [line.account_id for line in lines if line.amount_minor < 0]
    check_may_leave(givers, beside=[line.account_id for line in lines])
    journal_id = post(
        Draft(
            book_id=proposal.book_id,
            purpose="manual",
            subject_ref=proposal.audit_ref,
            origin=f"manual:{proposal.pk}",
            occurred_at=now,
            lines=[
                Line(
                    account_id=line.account_id,
                    amount_minor=line.amount_minor,
                    currency=line.account.currency,
                )
                for line in lines
            ],
        )
    )
    publish(
        "journal.posted",
        book_id=proposal.book_id,
        payload={"id": proposal.public_id, "lines": _told(lines)},
        occurred_at=now,
    )
    record(
        "manual_journal.posted",
        actor=actor,
        target=proposal,
        facts={"journal": journal_id},
        rows=[approval],
        book_id=proposal.book_id,
    )
    return proposal


def manual_payload(proposal: JournalProposal, *, lines: Sequence[ProposedLine]) -> dict[str, Json]:
    """Return exactly what a checker is shown. The database compares `lines` with the postings."""
    return {
        "proposal": proposal.public_id,
        "book": str(proposal.book),
        "lines": [
            {
                "account": str(line.account),
                "key": str(line.account_id),
                "amount_minor": line.amount_minor,
                "currency": line.account.currency,
            }
            for line in lines
        ],
        "reason": proposal.reason,
        "evidence": proposal.evidence,
        "requested_by": proposal.proposed_by,
    }


def _told(lines: Sequence[ProposedLine]) -> list[Json]:
    """Return what a partner is told: the lines on its own accounts."""
    return [
        {
            "account": typeid("acc", line.account_id),
            "amount_minor": line.amount_minor,
            "currency": line.account.currency,
        }
        for line in lines
        if line.account.keeps_balance
    ]


def _check(journal: ManualJournal, *, accounts: dict[UUID, LedgerAccount]) -> None:
    """Refuse a journal that could never be posted, or that says too little."""
    wrong = {
        name: f"between 1 and {most} characters"
        for name, text, most in (
            ("reason", journal.reason, REASON_CHARACTERS_MAX),
            ("evidence", journal.evidence, EVIDENCE_CHARACTERS_MAX),
        )
        if not 0 < len(text.strip()) <= most
    }
    if said := _wrong_lines(journal.moves, accounts=accounts):
        wrong["lines"] = said
    if wrong:
        raise Invalid(fields=wrong)


def _wrong_lines(moves: Sequence[Move], *, accounts: dict[UUID, LedgerAccount]) -> str:
    """Say what is wrong with the lines, empty for nothing."""
    if not LINES_MIN <= len(moves) <= LINES_MAX:
        return f"between {LINES_MIN} and {LINES_MAX} lines"
    if any(move.account_id not in accounts for move in moves):
        return "an account is not of this book"
    codes = [accounts[move.account_id].code for move in moves]
    if any(code == SUSPENSE or code.startswith(INTERBOOK) for code in codes):
        return "suspense and inter-book accounts have acts of their own"
    if any(not 0 < abs(move.amount_minor) <= AMOUNT_MINOR_MAX for move in moves):
        return "an amount is zero or more than the books can hold"
    sums = sums_of(moves, accounts=accounts)
    off = sorted(currency for currency, total in sums.items() if total)
    return f"does not sum to zero in {', '.join(off)}" if off else ""
