"""Freezes: every order to stop an account's money, who stands behind it, and its lifting."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.frontdesk.staff import step_up
from accounts.models import Freeze
from accounts.selectors.freezes import visible_freezes
from accounts.states import FreezeMode, FreezeReason
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin, Step
from audit.adminparts import (
    EMPTY,
    acted,
    action,
    display,
    instant,
    labelled,
    page_of,
    public_id,
    table,
    tag,
)
from transactions.admin.standings import FREEZE_COLOURS
from transactions.money import Money
from transactions.services.freezes import request_lifting

STATE_COLOURS: Final = {"scheduled": "warning", "in_force": "danger", "lifted": "success"}


@admin.register(Freeze)
class FreezePage(LookOnlyAdmin[Freeze]):
    """One row an order."""

    list_display = ("stops", "on", "state_label", "confirmed", "legal_reference", "placed_at")
    list_filter = ("state", "mode", "reason_code")
    search_fields = ("legal_reference",)
    search_help_text = "Id or legal reference: exactly as written"
    actions_detail = ("lift",)
    fieldsets = (
        (None, {"fields": ("standing", "on", "stops", "kind", "reason", "legal_reference")}),
        (
            "When and who",
            {"fields": ("state_label", "placer", "placed_at", "confirmed", "from_when", "until")},
        ),
        ("References", {"fields": ("shown_id",)}),
    )
    shown_id = public_id
    state_label = labelled(STATE_COLOURS)
    placer = acted(of="placed_by", title="Placed by")

    def scoped(self, queryset: QuerySet[Freeze], actor: Actor) -> QuerySet[Freeze]:
        """Return those on accounts the officer may see."""
        del queryset
        return visible_freezes(to=actor)

    @display(description="Where it stands")
    def standing(self, row: Freeze) -> str:
        """Say what it does now, and what comes next."""
        if row.is_over:
            return f"{row.get_state_display()}: it stops nothing any more, and stays on record."
        until = f"until {instant(row.ends_at)}" if row.ends_at else "until two people lift it"
        what = f"{row.get_state_display()}. {what_it_stops(row)}, {until}."
        if row.is_overdue(at=timezone.now()):
            return f"{what} Nobody confirmed it in time. It stays; confirm it or have it lifted."
        if row.confirmed_at is None and row.confirm_by:
            return f"{what} A second person must confirm it by {instant(row.confirm_by)}."
        return what

    @display(description="Account")
    def on(self, row: Freeze) -> SafeString:
        """Lead to the account."""
        return page_of("accounts.account", row.account_id, text=row.account)

    @display(description="Stops")
    def stops(self, row: Freeze) -> str:
        """Say what it stops."""
        return what_it_stops(row)

    @display(description="Kind of reason")
    def kind(self, row: Freeze) -> str:
        """Say why, in the words of the list."""
        return str(FreezeReason(row.reason_code).label)

    @display(description="Second person")
    def confirmed(self, row: Freeze) -> SafeString:
        """Say whether a second person stands behind it."""
        return confirmation_of(row)

    @display(description="From")
    def from_when(self, row: Freeze) -> str:
        """Say since when."""
        return instant(row.starts_at or row.placed_at)

    @display(description="Until")
    def until(self, row: Freeze) -> str:
        """Say when it ended, or will."""
        return instant(row.lifted_at or row.ends_at)

    def has_lift_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Ask the officer's roles."""
        del object_id
        return self.officer(request).may("transactions.request_lifting")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer to lift what is not over."""
        row = self.get_object(request, str(object_id))
        if row is None or row.is_over:
            return []
        offered: list[Any] = super().get_actions_detail(request, object_id)
        return offered

    @action(description="Ask to lift", url_path="lift", permissions=["lift"], icon="lock_open")
    @step_up
    def lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask a second person to lift it."""
        row, actor = self.row_or_404(request, object_id), self.officer(request)
        step = Step(
            title="Ask that this freeze be lifted",
            facts={
                "Account": row.account,
                "Stops": what_it_stops(row),
                "Legal reference": row.legal_reference or EMPTY,
                "What it does": "Asks a second person. The freeze stands until they approve.",
            },
            button="Ask to lift",
            act=lambda why: request_lifting(actor=actor, freeze_id=row.pk, reason=why),
        )
        return self.confirm(request, row=row, step=step)


def linked_account(row: Any, *, key: UUID | None, unnamed: str) -> SafeString:
    """Return a link to a row's account, and beside it whether it is closed or frozen."""
    link = page_of("accounts.account", key, text=getattr(row, "account_name", None) or unnamed)
    if getattr(row, "account_closed", None):
        return format_html("{} {}", link, tag("Closed"))
    mode = FreezeMode(getattr(row, "account_frozen", None) or FreezeMode.NONE)
    if mode is FreezeMode.NONE:
        return link
    return format_html("{} {}", link, tag(f"Frozen: {mode.label}", colour=FREEZE_COLOURS[mode]))


def what_it_stops(row: Freeze) -> str:
    """Say what a freeze stops, with its amount where it holds one back."""
    if row.amount_minor is None:
        return str(FreezeMode(row.mode).label)
    return f"{Money(row.amount_minor, row.account.currency)} is held back"


def confirmation_of(row: Freeze) -> SafeString:
    """Say whether a second person stands behind a freeze, or by when one must."""
    if row.confirmed_at is not None:
        return tag("Confirmed", colour="success")
    if row.is_overdue(at=timezone.now()):
        return tag("Nobody confirmed it in time", colour="danger")
    if row.is_over or row.confirm_by is None:
        return tag("Not confirmed")
    return tag(f"To be confirmed by {instant(row.confirm_by)}", colour="warning")


def show_freezes(freezes: Iterable[Freeze]) -> SafeString:
    """Show freezes as a table: what each stops, until when, and who stands behind it."""
    rows = [
        (
            page_of("accounts.freeze", one.pk, text=what_it_stops(one)),
            one.get_state_display(),
            instant(one.ends_at),
            confirmation_of(one),
        )
        for one in freezes
    ]
    return table(["Stops", "Stands", "Until", "Second person"], rows=rows)
