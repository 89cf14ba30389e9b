"""Uploading a file of transfers: it is understood whole, or answered row by row."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import Partner
from accounts.selectors.pages import visible_partners
from audit.actors import Actor
from audit.errors import Refusal
from audit.typeids import uuid7
from transactions.admin.desks import Desk, address
from transactions.errors import FileKnown
from transactions.files import BYTES_MAX, COLUMNS, ROWS_MAX, FileRow, Problem, read_file, shown
from transactions.selectors.files import file_with_rows, rows_understood
from transactions.services.files import Upload, upload_batch_file

TEMPLATE: Final = "admin/transactions/batchfile/upload.html"
PROBLEMS_SHOWN_MAX: Final = 100
EXAMPLE: Final = (
    COLUMNS,
    ("acme-pay-01-eur", "1250.00", "EUR", "INV-2026-0412", "acme-pay-04-eur", "", "November"),
    ("acme-pay-01-eur", "80.00", "EUR", "INV-2026-0413", "", "Northwind Foods", "Order 17"),
)


class UploadForm(forms.Form):
    """A file, and whose transfers it holds. `number` makes it one, however often it is sent."""

    number = forms.UUIDField(widget=forms.HiddenInput)
    partner = forms.ChoiceField(
        widget=UnfoldAdminSelectWidget, help_text="All accounts and payees in the file are theirs."
    )
    file = forms.FileField(
        label="CSV file",
        max_length=120,
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv", "class": "cs-file"}),
        help_text=f"UTF-8, commas or semicolons, at most {ROWS_MAX:,} transfers and"
        f" {BYTES_MAX // 1024 // 1024} MiB.",
    )

    def __init__(self, *args: Any, partners: Sequence[Partner], **kwargs: Any) -> None:
        """Offer `partners`."""
        super().__init__(*args, **kwargs)
        self.known = {str(partner.pk): partner for partner in partners}
        field: Any = self.fields["partner"]
        field.choices = [
            ("", "Choose a partner"),
            *((key, one.name) for key, one in self.known.items()),
        ]

    @property
    def owner(self) -> Partner:
        """Return the partner that a valid form names."""
        return self.known[self.cleaned_data["partner"]]


def take_upload(page: Desk, request: HttpRequest) -> HttpResponse:
    """Show the form; keep a file that is understood and lead to it, or say what is wrong."""
    actor = page.officer(request)
    form = UploadForm(
        request.POST or None,
        request.FILES or None,
        partners=list(visible_partners(to=actor)),
        initial={"number": uuid7()},
    )
    context: dict[str, Any] = {
        **page.admin_site.each_context(request),
        "opts": page.model._meta,  # noqa: SLF001 - Django's own interface
        "title": "Upload a file of transfers",
        "form": form,
        "example": EXAMPLE,
        "back": address(page),
    }
    if request.method == "POST" and form.is_valid():
        raw = form.cleaned_data["file"].read(BYTES_MAX + 1)
        rows, problems = _understood(raw, partner=form.owner, actor=actor)
        if not problems:
            return _keep(page, request, form=form, rows=rows, raw=raw, context=context)
        context |= _told(problems, name=form.cleaned_data["file"].name)
    return TemplateResponse(request, TEMPLATE, context)


def _understood(
    raw: bytes, *, partner: Partner, actor: Actor
) -> tuple[list[FileRow], list[Problem]]:
    """Return the rows of a file, and everything that is wrong with any of them, in order."""
    read, misspelled = read_file(raw)
    rows, unknown = rows_understood(read, book_id=partner.book_id, actor=actor)
    return rows, sorted(misspelled + unknown, key=lambda problem: problem.row)


def _told(problems: Sequence[Problem], *, name: str) -> dict[str, Any]:
    """Return what the page says of a file that was not kept."""
    return {
        "file_name": shown(name),
        "problems": problems[:PROBLEMS_SHOWN_MAX],
        "problem_count": len(problems),
        "hidden": max(len(problems) - PROBLEMS_SHOWN_MAX, 0),
    }


def _keep(
    page: Desk,
    request: HttpRequest,
    *,
    form: UploadForm,
    rows: Sequence[FileRow],
    raw: bytes,
    context: dict[str, Any],
) -> HttpResponse:
    """Keep the file and lead to it; one that was kept before leads to the first."""
    actor = page.officer(request)
    upload = Upload(
        id=form.cleaned_data["number"],
        partner_id=form.owner.pk,
        name=shown(form.cleaned_data["file"].name),
        file_sha256=sha256(raw).hexdigest(),
        rows=rows,
    )
    try:
        key, said = upload_batch_file(actor=actor, upload=upload).pk, "Read. Nothing has moved."
    except FileKnown as refusal:
        known = file_with_rows(refusal.rows_sha256, book_id=form.owner.book_id, to=actor)
        if known is None:
            return TemplateResponse(request, TEMPLATE, context | {"refused": refusal.title})
        key, said = known.pk, f"{refusal.title} This is it."
    except Refusal as refusal:
        return TemplateResponse(request, TEMPLATE, context | {"refused": refusal.title})
    page.message_user(request, said, messages.SUCCESS)
    return HttpResponseRedirect(address(page, key))
