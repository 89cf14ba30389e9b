"""Batches: many transfers asked for at once, how far they are, and what came of each."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.frontdesk.staff import step_up
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin, Step, allowed
from audit.adminparts import (
    EMPTY,
    action,
    display,
    instant,
    labelled,
    page_of,
    public_id,
    sentence,
    spoken,
    table,
    trace,
)
from transactions.admin.payments import StateFilter
from transactions.admin.progress import bar_of, progress_of
from transactions.admin.standings import BATCH_COLOURS, BATCHES, ITEM_COLOURS, ITEMS
from transactions.admin.statements import taken_away
from transactions.models import BatchItem, TransferBatch
from transactions.selectors.batches import (
    items_for_pages,
    listed_items,
    visible_batches,
)
from transactions.selectors.files import file_of_batch
from transactions.services.exports import export_batch
from transactions.states import BatchState, ItemOutcome, ItemState

ITEMS_SHOWN_MAX: Final = 50


class BatchStateFilter(StateFilter):
    """The states of batches."""

    words = tuple(BatchState.values)


class OutcomeFilter(StateFilter):
    """The outcomes of items."""

    title = "outcome"
    parameter_name = "outcome__exact"
    words = tuple(ItemOutcome.values)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the chosen outcome; an unknown one finds nothing."""
        del request
        return queryset.filter(outcome=self.value()) if self.value() else queryset


class BatchFilter(admin.SimpleListFilter):
    """The one batch that a link from its page names; offers no others to choose from."""

    title = "batch"
    parameter_name = "batch__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the one that is named."""
        del model_admin
        named = request.GET.get(self.parameter_name, "")
        return [(named, "The batch you came from")] if named else [("", "From a batch's page")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the named batch; what names none finds nothing."""
        del request
        named = self.value()
        if not named:
            return queryset
        try:
            return queryset.filter(batch_id=UUID(named))
        except ValueError:
            return queryset.none()


@admin.register(TransferBatch)
class BatchPage(LookOnlyAdmin[TransferBatch]):
    """One row a batch, newest first."""

    class Media:
        """Progress shows itself while it is made."""

        js = ("countersign/live.js",)

    list_display = (
        "size",
        "state_label",
        "how_far",
        "reference",
        "asked_by",
        "asked",
        "shown_id",
    )
    list_filter = (BatchStateFilter, "is_atomic")
    search_fields = ("reference", "trace_id", "origin")
    search_help_text = "Id, reference or trace: exactly as written"
    empty_sentence = (
        "A partner sends up to 10,000 transfers at once to POST /v1/transfer-batches."
        " Each batch shows here how far it is and what came of each transfer. So does a file that"
        " finance uploaded, once a second person has approved it."
    )
    actions_detail = ("results",)
    fieldsets = (
        (None, {"fields": ("standing", "state_label", "progress", "size", "kind", "reference")}),
        ("What came of it", {"fields": ("counts", "why_not", "refusals", "all_items")}),
        (
            "References",
            {"fields": ("shown_id", "asked_by", "asked", "ended", "came_of", "shown_trace")},
        ),
    )
    has_results_permission = allowed("transactions.export_batch")
    shown_id = public_id
    shown_trace = trace
    standing = sentence(BATCHES)
    state_label = labelled(BATCH_COLOURS)

    def scoped(self, queryset: QuerySet[TransferBatch], actor: Actor) -> QuerySet[TransferBatch]:
        """Return those of books the officer may see."""
        del queryset
        return visible_batches(to=actor)

    @display(description="Transfers")
    def size(self, row: TransferBatch) -> str:
        """Show how many were asked for."""
        return f"{row.item_count:,}"

    @display(description="Progress")
    def progress(self, row: TransferBatch) -> SafeString:
        """Show how far it is, as a bar and in words, and when it last went on."""
        return progress_of(row)

    @display(description="Progress")
    def how_far(self, row: TransferBatch) -> SafeString:
        """Show how far it is, as a bar and in numbers."""
        return bar_of(row)

    @display(description="Kind")
    def kind(self, row: TransferBatch) -> str:
        """Say whether one no undoes all."""
        return "All or none" if row.is_atomic else "Each by itself"

    @display(description="Asked by")
    def asked_by(self, row: TransferBatch) -> str:
        """Show who asked."""
        return row.requested_label

    @display(description="Asked for")
    def asked(self, row: TransferBatch) -> str:
        """Show when it was asked for."""
        return instant(row.requested_at)

    @display(description="Ended")
    def ended(self, row: TransferBatch) -> str:
        """Show when it was over."""
        return instant(row.finished_at)

    @display(description="Counts")
    def counts(self, row: TransferBatch) -> SafeString:
        """Show how many ended how."""
        counts = (row.done_count, row.refused_count, row.replayed_count, row.pending_count)
        return table(
            ["Done", "Refused", "Done before", "Waiting"], rows=[[f"{n:,}" for n in counts]]
        )

    @display(description="Refused because")
    def why_not(self, row: TransferBatch) -> str:
        """Say which item undid an atomic batch, and why."""
        if row.refused_number is None:
            return "Not refused as a whole"
        return f"{_place(row, row.refused_number)}: {spoken(row.refused_code)}"

    @display(description="First refusals")
    def refusals(self, row: TransferBatch) -> SafeString:
        """Show the first items that were refused."""
        items = listed_items(row, state=ItemState.REFUSED, after=None, limit=ITEMS_SHOWN_MAX)
        cells = [[_place(row, each.number), each.money, _why(each)] for each in items]
        return table(["Which", "Amount", "Why not"], rows=cells)

    @display(description="Came of")
    def came_of(self, row: TransferBatch) -> SafeString | str:
        """Lead to the file that staff uploaded."""
        file = file_of_batch(row)
        if file is None:
            return "A request of the partner's"
        return page_of("transactions.batchfile", file.pk, text=file.name)

    @action(
        description="Download results",
        url_path="results",
        permissions=["results"],
        icon="download",
    )
    @step_up
    def results(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give a copy away, each item with what came of it, on record."""
        row = self.row_or_404(request, object_id)
        if request.method == "POST":
            return taken_away(export_batch(actor=self.officer(request), batch_id=row.pk))
        return self.confirm(request, row=row, step=RESULTS)

    @display(description="All items")
    def all_items(self, row: TransferBatch) -> SafeString:
        """Lead to the list of the items."""
        page = reverse("admin:transactions_batchitem_changelist")
        return format_html(
            '<a class="text-link" href="{}?batch__id__exact={}">Each item of this batch</a>',
            page,
            row.pk,
        )


RESULTS: Final = Step(
    title="Download the results",
    facts={
        "What it does": "Gives you every transfer of this batch as CSV, with what came of it."
        " That a copy was taken is on record, with its fingerprint."
    },
    button="Download",
    act=lambda _: None,
    wants_reason=False,
)


@admin.register(BatchItem)
class ItemPage(LookOnlyAdmin[BatchItem]):
    """One row an item: what it asked for and what came of it."""

    list_display = ("place", "money_shown", "state_label", "why_not", "made", "reference")
    list_filter = (OutcomeFilter, BatchFilter)
    search_fields = ("reference",)
    search_help_text = "Reference: exactly as written"
    fieldsets = (
        (None, {"fields": ("standing", "state_label", "money_shown", "why_not", "made")}),
        ("What was asked", {"fields": ("in_batch", "place", "kind", "reference")}),
    )
    standing = sentence(ITEMS)
    state_label = labelled(ITEM_COLOURS)

    def scoped(self, queryset: QuerySet[BatchItem], actor: Actor) -> QuerySet[BatchItem]:
        """Return those of batches the officer may see."""
        del queryset
        return items_for_pages(to=actor)

    @display(description="Item")
    def place(self, row: BatchItem) -> str:
        """Show its number."""
        return f"{row.number:,}"

    @display(description="Amount")
    def money_shown(self, row: BatchItem) -> str:
        """Show the amount."""
        return str(row.money)

    @display(description="Why not")
    def why_not(self, row: BatchItem) -> str:
        """Say why it was refused."""
        return _why(row)

    @display(description="Transfer")
    def made(self, row: BatchItem) -> SafeString:
        """Lead to the transfer."""
        name = row.transfer.public_id if row.transfer else ""
        return page_of("transactions.transfer", row.transfer_id, text=name)

    @display(description="Batch")
    def in_batch(self, row: BatchItem) -> SafeString:
        """Lead to the batch."""
        return page_of("transactions.transferbatch", row.batch_id, text=row.batch.public_id)


def _place(batch: TransferBatch, number: int) -> str:
    """Return how people find an item: by its number, or by its row in the file it came of."""
    is_of_file = batch.origin.startswith("file:")
    return f"Row {number + 1:,} of the file" if is_of_file else f"Item {number:,}"


def _why(item: BatchItem) -> str:
    return item.refusal.title if item.refusal else EMPTY
