"""Files of transfers: what they hold, what would come of them, and asking for them."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import lazy
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.frontdesk.staff import step_up
from accounts.states import ApprovalState
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin, Step, allowed
from audit.adminparts import (
    EMPTY,
    PlainText,
    action,
    copyable,
    display,
    instant,
    page_of,
    public_id,
    spoken,
    tag,
)
from transactions.admin.progress import nothing_yet, progress_of
from transactions.admin.rehearsals import (
    show_changes,
    show_refused,
    show_rows,
    show_totals,
    show_verdict,
)
from transactions.admin.standings import APPROVAL_COLOURS, FILES
from transactions.admin.statements import taken_away
from transactions.admin.uploads import take_upload
from transactions.files import REFERENCE_CHARACTERS_MAX
from transactions.models import BatchFile
from transactions.selectors.files import (
    batch_of_file,
    files_for_pages,
    is_taken,
    names_in,
    request_about,
)
from transactions.services.exports import export_batch_file
from transactions.services.files import BatchTerms, propose_batch
from transactions.services.rehearsals import rehearse

NEW: Final = "new"
OVER: Final = "over"
WORDS: Final = {NEW: "Not asked for", "used": "Became a batch", OVER: "Carried out"}
FORESIGHT: Final = ("verdict", "totals", "refused", "changes")


class TermsForm(forms.Form):
    """How a file is to be carried out."""

    carried_out = forms.ChoiceField(
        label="If one transfer is refused",
        choices=[
            ("", "Choose"),
            ("each", "Each by itself: the others are done all the same"),
            ("all", "All or none: nothing moves"),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    reference = PlainText(
        max_length=REFERENCE_CHARACTERS_MAX,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="What the partner reads on the batch.",
    )

    def terms(self, reason: str) -> BatchTerms:
        """Return the terms that a valid form spells."""
        found = self.cleaned_data
        is_atomic = found["carried_out"] == "all"
        return BatchTerms(is_atomic=is_atomic, reference=found["reference"], reason=reason)


@admin.register(BatchFile)
class BatchFilePage(LookOnlyAdmin[BatchFile]):
    """One row a file."""

    class Media:
        """Progress shows itself while it is made."""

        js = ("countersign/live.js",)

    list_display = ("name", "size", "book", "state_label", "uploaded", "uploader")
    search_fields = ("name", "file_sha256", "rows_sha256")
    search_help_text = "Id, file name or hash: exactly as written"
    empty_sentence = (
        "Upload up to 10,000 transfers as CSV with “Upload a file”. It is read and shown with all"
        " that would come of it; nothing moves before a second person has approved it."
    )
    actions_list = ("upload",)
    actions_detail = ("propose", "copy")
    fieldsets = (
        (None, {"fields": ("standing", "state_label", "size", "book", "batch")}),
        ("What would happen now", {"fields": FORESIGHT}),
        ("Its transfers", {"fields": ("first_rows",)}),
        (
            "References",
            {"fields": ("shown_id", "asked", "uploaded", "uploader", "hash", "file_hash")},
        ),
    )
    shown_id = public_id
    has_upload_permission = allowed("transactions.upload_batch_file")
    has_propose_permission = allowed("transactions.propose_batch")
    has_copy_permission = allowed("transactions.export_batch_file")

    def scoped(self, queryset: QuerySet[BatchFile], actor: Actor) -> QuerySet[BatchFile]:
        """Return those of books the officer may see."""
        del queryset
        return files_for_pages(to=actor)

    def get_object(  # noqa: PLR0917 - Django's signature
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> BatchFile | None:
        """Read what was asked and what came of it; the rest is foreseen where it is shown."""
        row: BatchFile | None = super().get_object(request, object_id, from_field)
        if row is not None:
            vars(row)["asked"] = request_about(row)
            vars(row)["batch"] = batch_of_file(row)
        return row

    def get_fieldsets(self, request: HttpRequest, obj: BatchFile | None = None) -> Any:
        """Foresee what has not happened yet, and leave that out where it has."""
        if obj is None or vars(obj)["batch"] is not None:
            return [group for group in self.fieldsets if group[1]["fields"] is not FORESIGHT]
        vars(obj).setdefault("rehearsal", rehearse(obj, actor=self.officer(request)))
        return self.fieldsets

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer to ask for what is neither asked for nor done."""
        row = self.get_object(request, str(object_id))
        if row is None:
            return []
        offered: list[Any] = super().get_actions_detail(request, object_id)
        fits = {"propose": not is_taken(row), "copy": vars(row)["batch"] is None}
        return [one for one in offered if fits[one.path]]

    @display(description="Transfers")
    def size(self, row: BatchFile) -> str:
        """Show how many it holds."""
        return f"{row.row_count:,}"

    @display(description="Where it stands")
    def standing(self, row: BatchFile) -> str:
        """Say what comes next."""
        return FILES[_state(row)]

    @display(description="State")
    def state_label(self, row: BatchFile) -> SafeString:
        """Show how far its approval is."""
        state = _state(row)
        colour = APPROVAL_COLOURS.get("used" if state == OVER else state, "")
        return tag(WORDS.get(state, spoken(state)), colour=colour)

    @display(description="Uploaded")
    def uploaded(self, row: BatchFile) -> str:
        """Show when."""
        return instant(row.uploaded_at)

    @display(description="Uploaded by")
    def uploader(self, row: BatchFile) -> str:
        """Show who."""
        return row.uploaded_label

    @display(description="What came of it")
    def batch(self, row: BatchFile) -> SafeString:
        """Lead to the batch, once there is one."""
        if made := vars(row)["batch"]:
            return progress_of(made, text=made.public_id)
        state = _state(row)
        return nothing_yet(awaited=state if state == ApprovalState.APPROVED else "")

    @display(description="In short")
    def verdict(self, row: BatchFile) -> SafeString:
        """Say whether anything is in the way."""
        return show_verdict(vars(row)["rehearsal"])

    @display(description="Sums")
    def totals(self, row: BatchFile) -> SafeString:
        """Show the sums by currency."""
        return show_totals(vars(row)["rehearsal"])

    @display(description="Would be refused")
    def refused(self, row: BatchFile) -> SafeString | str:
        """Show which rows, and why."""
        return show_refused(vars(row)["rehearsal"])

    @display(description="Accounts")
    def changes(self, row: BatchFile) -> SafeString:
        """Show how each account would stand, less what is reserved."""
        return show_changes(vars(row)["rehearsal"])

    @display(description="First rows")
    def first_rows(self, row: BatchFile) -> SafeString:
        """Show the first rows as they were understood."""
        rows = row.rows
        return show_rows(rows, names=names_in(rows))

    @display(description="Approval")
    def asked(self, row: BatchFile) -> SafeString | str:
        """Lead to the request for a second person."""
        asked = vars(row)["asked"]
        return page_of("accounts.approval", asked.pk, text=asked.public_id) if asked else EMPTY

    @display(description="SHA-256 of its rows, which is signed")
    def hash(self, row: BatchFile) -> SafeString:
        """Show what a decision is bound to."""
        return copyable(row.rows_sha256)

    @display(description="SHA-256 of the file")
    def file_hash(self, row: BatchFile) -> SafeString:
        """Show the hash of the file as it was uploaded."""
        return copyable(row.file_sha256)

    @action(
        description="Upload a file",
        url_path="upload",
        permissions=["upload"],
        icon="upload_file",
        variant=ActionVariant.PRIMARY,
    )
    @step_up
    def upload(self, request: HttpRequest) -> HttpResponse:
        """Read a file and show what would come of it."""
        return take_upload(self, request)

    @action(
        description="Ask for these transfers",
        url_path="propose",
        permissions=["propose"],
        icon="approval",
        variant=ActionVariant.PRIMARY,
    )
    @step_up
    def propose(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask a second person to approve all of it."""
        form = TermsForm(request.POST or None)
        return self.confirm_on(
            request,
            object_id=object_id,
            step=lambda row, actor: Step(
                title="Ask for these transfers",
                facts={
                    "File": row.name,
                    "Transfers": self.size(row),
                    "As the books stand now": _foreseen(row, actor=actor),
                    "Hash of its rows": copyable(row.rows_sha256),
                    "What it does": "Asks a second person. Once they have approved exactly these"
                    " rows, they are carried out, each decided on when it is its turn.",
                },
                button="Ask for these transfers",
                act=lambda why: propose_batch(actor=actor, file_id=row.pk, terms=form.terms(why)),
                form=form,
                done="asked for. A second person must approve it.",
            ),
        )

    @action(description="Download", url_path="copy", permissions=["copy"], icon="download")
    @step_up
    def copy(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give a copy away, each row with what would come of it, on record."""
        row = self.row_or_404(request, object_id)
        if request.method == "POST":
            return taken_away(export_batch_file(actor=self.officer(request), file_id=row.pk))
        return self.confirm(request, row=row, step=COPY)


COPY: Final = Step(
    title="Download this file",
    facts={
        "What it does": "Gives you every row as CSV, with what would come of it now."
        " That a copy was taken is on record, with its fingerprint."
    },
    button="Download",
    act=lambda _: None,
    wants_reason=False,
)


def _foreseen(row: BatchFile, *, actor: Actor) -> SafeString:
    """Return what would happen, found out where it is shown: a long file takes a while."""
    shown: SafeString = lazy(lambda: show_verdict(rehearse(row, actor=actor)), SafeString)()
    return shown


def _state(row: BatchFile) -> str:
    """Return how far its approval is, or on its own page, that its batch is over."""
    batch = vars(row).get("batch")
    return OVER if batch and batch.is_over else str(vars(row)["asked_state"] or NEW)
