"""A journal by hand: proposed by one, signed by another, posted exactly as it was shown, once."""

from typing import Any

import pytest
from django.db import DatabaseError

from accounts.errors import AlreadyAsked, OwnRequest
from accounts.models import Approval
from accounts.roles import Role
from accounts.services.approvals import withdraw_approval
from accounts.states import ApprovalState, FreezeMode, Verdict
from audit.actors import Actor
from audit.errors import Invalid, NotFound, NotPermitted
from audit.typeids import uuid7
from tests import factories
from tests.books import assert_books_hold, moved, stands_at
from tests.conftest import STAGE
from tests.factories import Cast, committed
from tests.four_eyes import carry_out, commit, decide, outcomes, post_raw
from transactions.models import Journal, JournalProposal, LedgerAccount, Posting
from transactions.proposals import ManualJournal, Move
from transactions.rounds.approvals import CLERK
from transactions.selectors.proposals import pending_lines_on
from transactions.services.freezes import freeze_account
from transactions.services.journals import post_manual_journal, propose_manual_journal
from transactions.states import TransferState

__all__ = ["committed"]
pytestmark = pytest.mark.usefixtures("committed")
FINANCE = factories.colleague(Role.FINANCE_OPERATOR)


@pytest.fixture
def cast() -> Cast:
    """A partner with money on one account."""
    return factories.cast()


def journal(company: Cast, *amounts: int, **changes: Any) -> ManualJournal:
    """Return a journal over the giver, the taker and the opening account, in that order."""
    opening = LedgerAccount.objects.get(book_id=company.partner.book_id, keeps_balance=False)
    keys = (company.giver.pk, company.taker.pk, opening.pk)
    facts: dict[str, Any] = {
        "id": uuid7(),
        "book_id": company.partner.book_id,
        "moves": [
            Move(account_id=key, amount_minor=amount)
            for key, amount in zip(keys, amounts or (-500, 300, 200), strict=False)
        ],
        "reason": "booked on the wrong account",
        "evidence": "FIN-17",
    }
    return ManualJournal(**{**facts, **changes})


def proposed(company: Cast, *amounts: int, by: Actor = FINANCE) -> JournalProposal:
    """Return a journal that waits for a second person."""
    return propose_manual_journal(actor=by, journal=journal(company, *amounts))


def test_what_was_approved_is_posted_line_by_line_and_once(cast: Cast) -> None:
    waiting = proposed(cast)
    assert stands_at(cast.taker.pk) == (0, 0)
    assert carry_out(waiting.approval).state == ApprovalState.USED
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR - 500, 0)
    assert stands_at(cast.taker.pk) == (300, 0)
    posted = Journal.objects.get(subject_ref=waiting.audit_ref)
    assert (posted.purpose, posted.origin) == ("manual", f"manual:{waiting.pk}")
    assert Posting.objects.filter(journal_id=posted.pk).count() == 3
    assert_books_hold()


@pytest.mark.parametrize("verdict", [Verdict.REJECT])
def test_what_was_rejected_is_kept_and_moves_nothing(cast: Cast, verdict: Verdict) -> None:
    waiting = proposed(cast)
    assert carry_out(waiting.approval, verdict=verdict).try_at is None
    assert JournalProposal.objects.filter(pk=waiting.pk).exists()
    assert stands_at(cast.taker.pk) == (0, 0)
    assert_books_hold()


def test_a_pending_journal_is_seen_on_the_accounts_it_would_touch(cast: Cast) -> None:
    waiting = proposed(cast)
    assert [line.proposal_id for line in pending_lines_on(cast.taker.pk)] == [waiting.pk]
    withdraw_approval(actor=FINANCE, approval_id=waiting.approval_id)
    assert pending_lines_on(cast.taker.pk) == []


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        ((-500, 300, 100), "does not sum to zero in EUR"),
        ((-500,), "between 2 and 64 lines"),
        ((-500, 500, 0), "an amount is zero"),
        ((-(2**63), 2**63), "more than the books can hold"),
    ],
)
def test_a_journal_that_could_never_be_posted_is_not_proposed(
    cast: Cast, amounts: tuple[int, ...], said: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        proposed(cast, *amounts)
    assert said in refusal.value.fields["lines"]


def test_a_journal_without_grounds_is_not_proposed(cast: Cast) -> None:
    with pytest.raises(Invalid) as refusal:
        propose_manual_journal(actor=FINANCE, journal=journal(cast, reason=" ", evidence=""))
    assert set(refusal.value.fields) == {"reason", "evidence"}


def test_another_books_account_does_not_exist_here(cast: Cast) -> None:
    stranger = factories.cast().giver
    moves = [Move(account_id=cast.giver.pk, amount_minor=-5)]
    moves.append(Move(account_id=stranger.pk, amount_minor=5))
    with pytest.raises(Invalid, match="not of this book"):
        propose_manual_journal(actor=FINANCE, journal=journal(cast, moves=moves))


def test_the_same_sheet_sent_twice_is_one_proposal(cast: Cast) -> None:
    once = journal(cast)
    propose_manual_journal(actor=FINANCE, journal=once)
    with pytest.raises(AlreadyAsked):
        propose_manual_journal(actor=FINANCE, journal=once)


# -- ways round the second person -------------------------------------------------------------


def test_nobody_signs_their_own_journal_under_any_login(cast: Cast) -> None:
    waiting = proposed(cast)
    second_login = factories.colleague(person_id=FINANCE.person_id)
    with pytest.raises(OwnRequest):
        decide(waiting.approval, by=second_login)


@pytest.mark.parametrize("role", sorted(Role))
def test_no_role_both_proposes_and_posts(cast: Cast, role: Role) -> None:
    waiting = proposed(cast)
    with pytest.raises(NotPermitted):
        post_manual_journal(actor=factories.colleague(role), approval_id=waiting.approval_id)


def test_an_approval_of_another_act_posts_nothing(cast: Cast) -> None:
    payout = factories.payout(cast, state=TransferState.AWAITING_APPROVAL)
    assert payout.approval is not None
    decide(payout.approval)
    with STAGE.as_role("worker"), pytest.raises(NotFound):
        post_manual_journal(actor=CLERK, approval_id=payout.approval.pk)


def test_of_many_workers_at_once_one_posts(cast: Cast) -> None:
    waiting = proposed(cast)
    decide(waiting.approval)
    with STAGE.as_role("worker"):
        said = outcomes(lambda: post_manual_journal(actor=CLERK, approval_id=waiting.approval_id))
    assert said == ["already_decided"] * 3 + ["done"]
    assert stands_at(cast.taker.pk) == (300, 0)
    assert_books_hold()


def test_a_freeze_after_the_approval_stops_it_and_says_so(cast: Cast) -> None:
    waiting = proposed(cast)
    decide(waiting.approval)
    factories.set_up(freeze_account)(
        actor=factories.colleague(),
        account_id=cast.taker.pk,
        mode=FreezeMode.CREDITS,
        reason="sanctions",
        legal_reference="L-1",
    )
    with STAGE.as_role("worker"), pytest.raises(Exception, match="account_frozen"):
        post_manual_journal(actor=CLERK, approval_id=waiting.approval_id)
    assert Approval.objects.get(pk=waiting.approval_id).state == ApprovalState.APPROVED
    assert_books_hold()


ADD_A_LINE = """
WITH line AS (
    INSERT INTO transactions_proposedline (id, proposal_id, account_id, position, amount_minor)
    SELECT uuidv7(), l.proposal_id, l.account_id, l.position + 10, l.amount_minor
    FROM transactions_proposedline AS l WHERE l.proposal_id = %s RETURNING id
)
SELECT audit_record(jsonb_build_array(jsonb_build_object('body', jsonb_build_object(
    'trace', '', 'command', 'x.y', 'action', 'x', 'outcome', 'done', 'facts', '{}'::jsonb,
    'actor', jsonb_build_object('ref', 'staff:x', 'label', 'x'), 'target', '',
    'touches', (SELECT jsonb_agg(jsonb_build_object(
        'table', 'transactions_proposedline', 'row', id, 'before', NULL, 'after', '{}'::jsonb))
        FROM line))::text)))
"""


def test_lines_slipped_in_after_the_approval_are_named_and_not_posted(cast: Cast) -> None:
    waiting = proposed(cast, -500, 500)
    decide(waiting.approval)
    commit(ADD_A_LINE, waiting.pk)
    stuck = carry_out_again(waiting)
    assert (stuck.state, stuck.obstacle) == (ApprovalState.APPROVED, "stale_approval")
    shown, now = stuck.obstacle_facts["changed"]["lines"]
    assert (len(shown), len(now)) == (2, 4)
    assert stands_at(cast.taker.pk) == (0, 0)


def carry_out_again(waiting: JournalProposal) -> Approval:
    """Let the worker try what is decided."""
    from transactions.rounds.approvals import carry_out_approvals

    with STAGE.as_role("worker"):
        carry_out_approvals()
    return Approval.objects.get(pk=waiting.approval_id)


def forged(waiting: JournalProposal, **changes: str) -> dict[str, str]:
    """Return the journal of a proposal, as somebody would write it who does not ask."""
    return {
        "book": str(waiting.book_id),
        "purpose": "manual",
        "subject": waiting.audit_ref,
        "origin": f"manual:{waiting.pk}",
        **changes,
    }


@pytest.mark.parametrize("role", ["admin", "api", "worker"])
def test_no_login_posts_by_hand_what_nobody_signed(cast: Cast, role: str) -> None:
    waiting = proposed(cast, -500, 500)
    lines = [(cast.giver.pk, -500), (cast.taker.pk, 500)]
    with STAGE.as_role(role), pytest.raises(DatabaseError, match="journal_signed"):
        post_raw(forged(waiting), lines=lines)


@pytest.mark.parametrize(
    ("amounts", "origin"),
    [((-900, 900), None), ((-500, 500), "manual:again"), ((-250, -250, 500), None)],
)
def test_a_signature_covers_its_own_lines_and_its_own_origin(
    cast: Cast, amounts: tuple[int, ...], origin: str | None
) -> None:
    waiting = proposed(cast, -500, 500)
    carry_out(waiting.approval)
    lines = [
        *((cast.giver.pk, amount) for amount in amounts[:-1]),
        (cast.taker.pk, amounts[-1]),
    ]
    changes = {"origin": origin} if origin else {"origin": "manual:other"}
    with STAGE.as_role("worker"), pytest.raises(DatabaseError, match="journal_signed"):
        post_raw(forged(waiting, **changes), lines=lines)
    assert moved(cast.partner.book_id)
    assert_books_hold()


@pytest.mark.parametrize("role", ["admin", "worker", "migrator"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transactions_journalproposal SET reason = 'x' WHERE id = %s",
        "DELETE FROM transactions_journalproposal WHERE id = %s",
        "UPDATE transactions_proposedline SET amount_minor = 1 WHERE proposal_id = %s",
        "DELETE FROM transactions_proposedline WHERE proposal_id = %s",
    ],
)
def test_what_was_submitted_is_never_edited(cast: Cast, role: str, statement: str) -> None:
    waiting = proposed(cast)
    with (
        STAGE.as_role(role),
        pytest.raises(DatabaseError, match=r"permission denied|proposal_fixed"),
    ):
        commit(statement, waiting.pk)
