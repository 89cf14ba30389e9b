"""A file of transfers at the desk: read, foreseen, asked for, signed, carried out, taken away."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import Approval, Letter
from accounts.roles import Role
from accounts.selectors.timelines import ONE_BY_ONE_MAX
from audit.models import Entry
from audit.moments import Kind
from audit.typeids import uuid7
from integrations.selectors.traces import timeline_of
from tests import factories
from tests.conftest import STAGE
from tests.desk import Desk, seat
from tests.factories import FILE_HEAD, Cast, file_row
from tests.staff import age_proofs
from transactions.files import BYTES_MAX
from transactions.models import BatchFile, Transfer, TransferBatch
from transactions.rounds.approvals import carry_out_approvals
from transactions.rounds.batches import carry_out_batches

pytestmark = pytest.mark.django_db(transaction=True)
UPLOAD = "transactions_batchfile_upload"


@pytest.fixture
def company(transactional_db: None) -> Cast:
    """A partner with money."""
    return factories.cast()


def upload(desk: Desk, company: Cast, *rows: str, raw: bytes = b"", **changes: object) -> Any:
    content = raw or "\n".join([FILE_HEAD, *rows]).encode()
    fields = {
        "number": uuid7(),
        "partner": company.partner.pk,
        "file": SimpleUploadedFile("wages.csv", content, content_type="text/csv"),
        **changes,
    }
    return desk.send(UPLOAD, **fields)


def said(answer: Any) -> str:
    return " ".join(str(one) for one in answer.context["messages"])


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def works(*acts: Any) -> None:
    with STAGE.as_role("worker"):
        for act in acts:
            act()


def test_a_file_goes_from_the_desk_to_the_books_and_back_as_csv(company: Cast) -> None:
    finance, checker = seat(Role.FINANCE_OPERATOR), seat(Role.COMPLIANCE_OFFICER)
    shown = upload(finance, company, file_row(company), file_row(company, amount="20000.00"))
    file = BatchFile.objects.get()
    assert shown.redirect_chain[-1][0] == reverse(
        "admin:transactions_batchfile_change", args=[file.pk]
    )
    for words in (
        "1 transfer would be done and 1 refused",
        "because of row 3",
        "does not hold enough available money",
        "9,990.00 EUR",
        file.rows_sha256,
    ):
        assert words in text_of(shown), words
    asked = finance.send(
        "transactions_batchfile_propose", file.pk, carried_out="each", reason="month's end"
    )
    assert "A second person must approve it" in said(asked)
    request = Approval.objects.get(subject_ref=file.audit_ref)
    page = text_of(checker.open("accounts_approval_change", request.pk))
    asker = f'{finance.member.user.email} <span class="cs-id">staff:{finance.member.user_id}'
    for words in ("20,010.00 EUR", "each by itself", file.rows_sha256, asker, "would happen now"):
        assert words in page, words
    checker.send(
        "accounts_approval_approve", request.pk, reason="seen", shown_hash=request.payload_hash
    )
    works(carry_out_approvals, carry_out_batches)
    batch = TransferBatch.objects.get(origin=file.origin)
    assert "2 of 2" in text_of(finance.open("transactions_batchfile_change", file.pk))
    assert "wages.csv" in text_of(finance.open("transactions_transferbatch_change", batch.pk))
    copy = finance.send("transactions_transferbatch_results", batch.pk)
    assert copy["Content-Disposition"] == f'attachment; filename="{batch.public_id}.csv"'
    first, second = csv.DictReader(io.StringIO(text_of(copy)))
    assert (first["row"], first["outcome"], first["amount"]) == ("2", "done", "10.00")
    assert first["transfer"].startswith("trf_")
    assert (second["key"], second["code"]) == (file.rows[1].key, "insufficient_funds")
    assert Entry.objects.filter(action="batch.exported").count() == 1


def test_a_wrong_file_is_answered_row_by_row_and_not_kept(company: Cast) -> None:
    desk, stranger = seat(Role.FINANCE_OPERATOR), factories.cast()
    shown = text_of(
        upload(
            desk,
            company,
            file_row(company, amount="1,25"),
            file_row(stranger),
            f"{company.giver.alias},,Nobody Inc,1.00,EUR,,<script>key</script>",
        )
    )
    assert "3 things to mend" in shown
    assert "no account of this partner is called" in shown
    assert "No registered payee of this partner is called “Nobody Inc”" in shown
    assert "<script>key" not in shown
    assert not BatchFile.objects.exists()


def test_a_file_that_is_too_large_or_none_is_said_so(company: Cast) -> None:
    desk = seat(Role.FINANCE_OPERATOR)
    assert "larger than 2 MiB" in text_of(upload(desk, company, raw=b"x" * (BYTES_MAX + 1)))
    assert "There is no transfer in this file" in text_of(upload(desk, company))
    assert "This field is required" in text_of(upload(desk, company, file=""))
    assert "lost its number" in text_of(upload(desk, company, file_row(company), number="x"))
    assert not BatchFile.objects.exists()


def test_the_same_file_leads_to_the_first_one(company: Cast) -> None:
    desk, row = seat(Role.FINANCE_OPERATOR), file_row(company)
    first = upload(desk, company, row)
    bom = b"\xef\xbb\xbf" + f"{FILE_HEAD}\r\n{row}".replace(",", ";").encode()
    second = upload(desk, company, raw=bom)
    assert first.redirect_chain[-1] == second.redirect_chain[-1]
    assert "uploaded before. This is it." in said(second)
    assert BatchFile.objects.count() == 1


def test_pages_are_headed_by_what_they_show_as_it_is_spelled(company: Cast) -> None:
    desk = seat(Role.FINANCE_OPERATOR)
    shown = " ".join(text_of(upload(desk, company, file_row(company))).split())
    assert "> wages.csv, 1 transfers <" in shown
    assert "> Files of transfers <" in shown
    listed = text_of(desk.open("transactions_batchfile_changelist"))
    assert "<title>Files of transfers |" in " ".join(listed.split()).replace("<title> ", "<title>")


def test_what_a_spreadsheet_would_run_is_taken_away_as_text(company: Cast) -> None:
    desk = seat(Role.FINANCE_OPERATOR)
    row = file_row(company, key="=HYPERLINK(1)").replace(",pay,", ",@SUM(A1),")
    upload(desk, company, row)
    file = BatchFile.objects.get()
    (copied,) = csv.DictReader(
        io.StringIO(text_of(desk.send("transactions_batchfile_copy", file.pk)))
    )
    assert (copied["key"], copied["reference"]) == ("'=HYPERLINK(1)", "'@SUM(A1)")
    assert copied["would_be"] == "done"


def test_only_finance_uploads_and_asks_and_with_a_fresh_code(company: Cast) -> None:
    file = factories.batch_file(company)
    pages: dict[str, tuple[Any, ...]] = {UPLOAD: (), "transactions_batchfile_propose": (file.pk,)}
    auditor, officer = seat(Role.AUDITOR), seat(Role.COMPLIANCE_OFFICER)
    finance = seat(Role.FINANCE_OPERATOR)
    for page, keys in pages.items():
        for desk in (auditor, officer):
            assert desk.open(page, *keys).status_code == 403, page
            assert desk.send(page, *keys, reason="x").status_code == 403, page
    support = seat(Role.SUPPORT_AGENT)
    assert support.open("transactions_batchfile_changelist").status_code == 403
    assert auditor.open("transactions_batchfile_change", file.pk).status_code == 200
    age_proofs(finance.client, seconds=301)
    for page, keys in pages.items():
        assert finance.open(page, *keys).status_code == 302, page


def test_a_row_that_was_refused_for_good_says_what_to_do(company: Cast) -> None:
    desk, poor = seat(Role.FINANCE_OPERATOR), file_row(company, amount="20000.00")
    factories.signed(factories.batch_asked_for(factories.batch_file(company, poor)))
    works(carry_out_approvals, carry_out_batches)
    shown = text_of(upload(desk, company, file_row(company), poor))
    assert "This very row was refused before, for good" in shown


def test_a_page_shows_what_is_under_way_and_that_nobody_carries_it_on(
    company: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, file = seat(Role.FINANCE_OPERATOR), factories.batch_file(company)

    def shown() -> str:
        return text_of(desk.open("transactions_batchfile_change", file.pk))

    factories.signed(factories.batch_asked_for(file))
    assert 'data-live="approved"' in shown()
    works(carry_out_approvals)
    assert 'data-live="accepted"' in shown()
    assert "0 of 1, went on" in shown()
    monkeypatch.setattr("transactions.admin.progress.QUIET", timedelta(0))
    assert "It has not gone on since" in shown()
    works(carry_out_batches)
    assert 'data-live=""' in shown()
    assert "carried out: the batch says what came of each row" in shown()


def test_a_timeline_of_a_batch_and_of_each_of_its_transfers_is_about_itself(company: Cast) -> None:
    rows = [file_row(company) for _ in range(ONE_BY_ONE_MAX + 2)]
    file = factories.batch_file(company, *rows)
    factories.signed(factories.batch_asked_for(file))
    works(carry_out_approvals, carry_out_batches)
    reader = factories.colleague(Role.FINANCE_OPERATOR)
    first, second, *_ = Transfer.objects.order_by("pk")
    told = timeline_of(first, to=reader)
    assert first.audit_ref in {each.about for each in told}
    assert second.audit_ref not in {each.about for each in told}
    of_batch = timeline_of(TransferBatch.objects.get(origin=file.origin), to=reader)
    acts = [each.title for each in of_batch if each.kind is Kind.ENTRY]
    assert "Transfer requested" not in acts
    letter = Letter.objects.filter(type="transfer.settled").earliest("pk")
    assert [each.said for each in of_batch if each.title == f"Partner told: {letter.type}"] == [
        f"Many letters, the first {letter.public_id}"
    ]
