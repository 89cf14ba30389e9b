"""Files of transfers: uploaded, foreseen, signed whole by another, and carried out as signed."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from django.db import DatabaseError

from accounts.errors import AlreadyAsked
from accounts.models import IdempotencyKey
from accounts.roles import Role
from accounts.states import ApprovalState, Verdict
from audit.errors import Invalid, NotFound, NotPermitted
from audit.models import Entry
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.conftest import STAGE
from tests.factories import Cast, committed, file_row
from tests.four_eyes import carry_out, commit, decide
from transactions.errors import FileKnown
from transactions.models import BatchFile, BatchItem, Transfer, TransferBatch
from transactions.money import Money
from transactions.rounds.batches import carry_out_batches
from transactions.services import batches, files, items
from transactions.services.files import (
    BatchTerms,
    Upload,
    propose_batch,
    start_batch,
    upload_batch_file,
)
from transactions.services.payees import retire_payee
from transactions.services.rehearsals import Rehearsal, rehearse
from transactions.states import BatchState, ItemOutcome, TransferState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]
As = Callable[[str], AbstractContextManager[None]]
FINANCE = Role.FINANCE_OPERATOR


def foreseen(file: BatchFile, as_role: As) -> Rehearsal:
    with as_role("admin"):
        return rehearse(file, actor=factories.colleague(FINANCE))


def carried_out(file: BatchFile, *, is_atomic: bool = False) -> TransferBatch:
    """Let somebody else approve the file, and the worker do what was approved."""
    used = carry_out(factories.batch_asked_for(file, is_atomic=is_atomic))
    assert used.state == ApprovalState.USED, used.obstacle_facts
    carry_out_batches()
    return TransferBatch.objects.get(origin=file.origin)


def outcomes(batch: TransferBatch) -> list[tuple[str, str]]:
    found = BatchItem.objects.filter(batch=batch).order_by("number")
    return list(found.values_list("outcome", "code"))


@pytest.fixture
def company() -> Cast:
    """A partner with 10,000.00 EUR on one account, and a payee that two people registered."""
    return factories.cast()


def test_what_is_foreseen_is_what_comes_of_it(company: Cast, as_role: As) -> None:
    known, new = factories.registered(company), factories.registered(company)
    file = factories.batch_file(
        company,
        file_row(company, amount="9000.00"),
        file_row(company, amount="900", payee=known),
        file_row(company, amount="2000.00"),
        file_row(company, amount="50.00", payee=new),
    )
    before = foreseen(file, as_role)
    assert stands_at(company.giver.pk) == (factories.RICH_MINOR, 0)
    assert not TransferBatch.objects.filter(origin=file.origin).exists()
    giver = next(each for each in before.changes if each.account_id == company.giver.pk)
    assert (giver.before, giver.after) == (Money(10_000_00, "EUR"), Money(50_00, "EUR"))
    batch = carried_out(file)
    said = [(each.word, each.refusal.code if each.refusal else "") for each in before.rows]
    assert said == outcomes(batch)
    assert [code for _, code in said] == ["", "", "insufficient_funds", ""]
    posted, pending = stands_at(company.giver.pk)
    assert posted - pending == giver.after.amount_minor
    assert_books_hold()


def test_a_signed_payout_waits_for_no_third_person_however_large(company: Cast) -> None:
    payee = factories.registered(company)
    large = Money(company.partner.approval_threshold_minor * 2, "EUR")
    file = factories.batch_file(company, file_row(company, amount=large.figures(), payee=payee))
    batch = carried_out(file)
    made = Transfer.objects.get(trace_id=batch.trace_id)
    assert (made.state, made.approval_id) == (TransferState.ACCEPTED, None)
    assert made.payee_iban_id == payee.iban_id
    assert_books_hold()


def test_the_batch_goes_on_in_the_name_of_whoever_asked(company: Cast) -> None:
    asker = factories.colleague(FINANCE)
    file = factories.batch_file(company, by=asker)
    carry_out(factories.batch_asked_for(file, by=asker))
    carry_out_batches()
    batch = TransferBatch.objects.get(origin=file.origin)
    made = Transfer.objects.get(trace_id=batch.trace_id)
    assert {batch.requested_by, made.requested_by} == {asker.ref}
    told = Entry.objects.get(action="transfer.requested", trace_id=batch.trace_id)
    assert (told.actor_ref, told.actor_label) == (asker.ref, asker.label)


def test_all_or_none_with_one_no_moves_nothing(company: Cast, as_role: As) -> None:
    rows = (file_row(company), file_row(company, amount="20000.00"))
    file = factories.batch_file(company, *rows)
    assert [each.row.number for each in foreseen(file, as_role).refused] == [3]
    batch = carried_out(file, is_atomic=True)
    assert (batch.state, batch.refused_number) == (BatchState.REFUSED, 2)
    assert stands_at(company.giver.pk) == (factories.RICH_MINOR, 0)


def test_the_same_rows_are_one_file_and_a_row_in_another_file_is_done_once(
    company: Cast, as_role: As
) -> None:
    row, other = file_row(company, key="INV-2026-0001"), file_row(company, key="INV-2026-0002")
    first = factories.batch_file(company, row)
    with pytest.raises(FileKnown):
        factories.batch_file(company, row)
    carried_out(first)
    with pytest.raises(AlreadyAsked):
        factories.batch_asked_for(first)
    changed = file_row(company, amount="11.00", key="INV-2026-0001")
    for again, word in ((row, ItemOutcome.REPLAYED), (changed, ItemOutcome.REFUSED)):
        file = factories.batch_file(company, other, again)
        assert foreseen(file, as_role).rows[1].word is word
    assert outcomes(carried_out(file)) == [("done", ""), ("refused", "key_reused")]
    assert stands_at(company.taker.pk) == (20_00, 0)
    assert_books_hold()


def test_keys_of_one_partners_files_are_not_anothers(company: Cast) -> None:
    stranger = factories.cast()
    for each in (company, stranger):
        batch = carried_out(factories.batch_file(each, file_row(each, key="INV-2026-0001")))
        assert outcomes(batch) == [("done", "")]
    kept = IdempotencyKey.objects.filter(
        scope__endswith="CSV transfers", book_id=company.partner.book_id
    )
    assert [one.route for one in kept] == [("CSV", "transfers")]


def test_a_payee_changed_or_retired_in_between_makes_the_approval_stale(company: Cast) -> None:
    payee = factories.registered(company)
    asked = factories.batch_asked_for(
        factories.batch_file(company, file_row(company, payee=payee))
    )
    with STAGE.as_role("migrator"):
        retire_payee(actor=factories.colleague(FINANCE), payee_id=payee.pk, reason="gone")
    stale = carry_out(asked)
    assert (stale.state, stale.obstacle) == (ApprovalState.APPROVED, "stale_approval")
    assert stale.obstacle_facts["changed"]["payees"] == [1, 0]
    assert not TransferBatch.objects.filter(approval=asked).exists()


def test_a_payee_that_is_not_registered_any_more_is_foreseen_as_refused(
    company: Cast, as_role: As
) -> None:
    payee = factories.registered(company)
    file = factories.batch_file(company, file_row(company, payee=payee))
    with STAGE.as_role("migrator"):
        retire_payee(actor=factories.colleague(FINANCE), payee_id=payee.pk, reason="gone")
    (row,) = foreseen(file, as_role).refused
    assert row.refusal is not None
    assert row.refusal.code == "payee_not_registered"


def test_a_rejected_file_may_be_asked_for_again(company: Cast) -> None:
    file = factories.batch_file(company)
    rejected = carry_out(factories.batch_asked_for(file), verdict=Verdict.REJECT)
    assert rejected.state == ApprovalState.REJECTED
    assert carried_out(file).state == BatchState.FINISHED


def test_only_finance_uploads_and_asks_and_says_why(company: Cast, as_role: As) -> None:
    file = factories.batch_file(company)
    officer = factories.colleague(Role.COMPLIANCE_OFFICER)
    with pytest.raises(NotPermitted):
        factories.batch_asked_for(file, by=officer)
    with pytest.raises(NotPermitted):
        factories.batch_file(company, file_row(company), by=officer)
    unsaid = BatchTerms(is_atomic=False, reference="", reason=" ")
    with as_role("admin"), pytest.raises(Invalid):
        propose_batch(actor=factories.colleague(FINANCE), file_id=file.pk, terms=unsaid)


def test_a_file_of_one_partner_names_nothing_of_anothers(company: Cast) -> None:
    stranger = factories.cast()
    file = factories.batch_file(stranger)
    upload = Upload(
        id=file.pk, partner_id=company.partner.pk, name="x.csv", file_sha256="", rows=file.rows
    )
    with STAGE.as_role("migrator"), pytest.raises(NotFound):
        upload_batch_file(actor=factories.colleague(FINANCE), upload=upload)
    twice = replace(upload, partner_id=stranger.partner.pk, rows=[*file.rows, *file.rows])
    with STAGE.as_role("migrator"), pytest.raises(Invalid):
        upload_batch_file(actor=factories.colleague(FINANCE), upload=twice)


TAMPERED: dict[str, Callable[[dict[str, Any]], None]] = {
    "another amount": lambda item: item.update(amount_minor=1_001),
    "another account": lambda item: item.update(destination_id=item["source_id"]),
    "another key": lambda item: item.update(key_hash="\\x00"),
    "another reference": lambda item: item.update(reference="x"),
    "another item": lambda item: item.update(number=2),
}


@pytest.mark.parametrize("change", TAMPERED)
def test_a_captured_worker_carries_out_nothing_but_what_was_signed(
    change: str, company: Cast
) -> None:
    asked = factories.batch_asked_for(factories.batch_file(company))
    decide(asked)
    spelled = items._spelled

    def bent(*given: Any) -> dict[str, Any]:
        item = spelled(*given)
        TAMPERED[change](item)
        return item

    with (
        patch.object(items, "_spelled", bent),
        pytest.raises(DatabaseError, match="batch_signed"),
    ):
        start_batch(actor=factories.SYSTEM, approval_id=asked.pk)
    assert not TransferBatch.objects.filter(approval=asked).exists()


@pytest.mark.parametrize("name", ["requested_by", "is_atomic", "approval_id", "origin"])
def test_a_batch_in_the_name_of_staff_is_as_it_was_signed(name: str, company: Cast) -> None:
    asked = factories.batch_asked_for(factories.batch_file(company))
    decide(asked)
    other = {
        "requested_by": factories.colleague().ref,
        "is_atomic": True,
        "approval_id": None,
        "origin": factories.origin(),
    }[name]
    real = batches.accept

    def bent(batch: TransferBatch, **given: Any) -> TransferBatch:
        setattr(batch, name, other)
        return real(batch, **given)

    with (
        patch.object(files, "accept", bent),
        pytest.raises(DatabaseError, match="batch_signed"),
    ):
        start_batch(actor=factories.SYSTEM, approval_id=asked.pk)


@pytest.mark.parametrize("number", [0, 2])
def test_no_item_joins_a_batch_after_it_was_signed(number: int, company: Cast) -> None:
    asked = factories.batch_asked_for(factories.batch_file(company))
    decide(asked)
    batch = start_batch(actor=factories.SYSTEM, approval_id=asked.pk)
    with pytest.raises(DatabaseError, match="batch_items_counted"):
        commit(
            "INSERT INTO transactions_batchitem"
            " SELECT (jsonb_populate_record(i, jsonb_build_object("
            "'id', uuidv7(), 'number', %s::int, 'key_hash', '\\x00'))).*"
            " FROM transactions_batchitem AS i WHERE batch_id = %s",
            number,
            batch.pk,
        )


def test_a_file_is_never_changed_by_any_login(company: Cast, as_role: As) -> None:
    file = factories.batch_file(company)
    for role in ("admin", "worker", "api", "migrator"):
        with (
            as_role(role),
            pytest.raises(DatabaseError, match=r"proposal_fixed|permission denied"),
        ):
            commit("UPDATE transactions_batchfile SET content = '[]' WHERE id = %s", file.pk)
