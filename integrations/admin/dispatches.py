"""Calls to providers: what we asked, and what they answered."""

from typing import Final

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.safestring import SafeString

from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin
from audit.adminparts import copyable, display, labelled, page_of, sentence, trace
from integrations.models import Dispatch
from integrations.selectors.dispatches import visible_dispatches
from integrations.states import DispatchAct, DispatchAnswer

COLOURS: Final[dict[str, str]] = {
    DispatchAnswer.ACCEPTED: "info",
    DispatchAnswer.DECLINED: "danger",
    DispatchAnswer.UNKNOWN: "danger",
    DispatchAnswer.NEVER_HEARD: "warning",
    DispatchAnswer.SETTLED: "success",
    DispatchAnswer.RETURNED: "warning",
}
STANDINGS: Final[dict[str, str]] = {
    DispatchAnswer.ACCEPTED: "The provider took it and will say later how it ended.",
    DispatchAnswer.DECLINED: "The provider refused it for good. The transfer failed.",
    DispatchAnswer.UNKNOWN: "No clear answer came, so it may have been done. The provider is"
    " asked again until it says.",
    DispatchAnswer.NEVER_HEARD: "The provider knows of no such payment. It is sent again under"
    " the same key, so it cannot be paid twice.",
    DispatchAnswer.SETTLED: "The provider says it is paid.",
    DispatchAnswer.RETURNED: "The provider says it was paid and came back.",
}


@admin.register(Dispatch)
class DispatchPage(LookOnlyAdmin[Dispatch]):
    """One row a call."""

    list_display = ("asked", "answer_label", "detail", "transfer", "took", "called_at", "provider")
    list_filter = ("act", "answer")
    search_fields = ("transfer_id", "trace_id")
    search_help_text = "Key, transfer's key or trace: exactly as written"
    fieldsets = (
        (None, {"fields": ("standing", "asked", "answer_label", "detail", "transfer")}),
        ("References", {"fields": ("provider", "called_at", "took", "key", "shown_trace")}),
    )
    shown_trace = trace
    standing = sentence(STANDINGS, of="answer")
    answer_label = labelled(COLOURS, of="answer", title="Answer")

    def scoped(self, queryset: QuerySet[Dispatch], actor: Actor) -> QuerySet[Dispatch]:
        """Return those of books the officer may see."""
        del queryset
        return visible_dispatches(to=actor)

    @display(description="Asked")
    def asked(self, row: Dispatch) -> str:
        """Show what we asked."""
        return str(DispatchAct(row.act).label)

    @display(description="Transfer")
    def transfer(self, row: Dispatch) -> SafeString:
        """Lead to the transfer."""
        return page_of("transactions.transfer", row.transfer_id, text="Open")

    @display(description="Took")
    def took(self, row: Dispatch) -> str:
        """Show how long the answer took."""
        return f"{row.duration_ms:,} ms"

    @display(description="Key")
    def key(self, row: Dispatch) -> SafeString:
        """Show the key."""
        return copyable(row.pk)
