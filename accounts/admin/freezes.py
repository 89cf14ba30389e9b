"""Freezes: every order to stop an account's money."""

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.safestring import SafeString

from accounts.models import Freeze
from accounts.selectors.pages import visible_freezes
from accounts.states import FreezeMode
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin
from audit.adminparts import copyable, display, page_of, public_id, tag


@admin.register(Freeze)
class FreezePage(LookOnlyAdmin[Freeze]):
    """One row an order."""

    list_display = ("on", "stops", "in_force", "reason", "legal_reference", "placed_at")
    list_filter = ("mode",)
    search_fields = ("legal_reference",)
    search_help_text = "Id or legal reference: exactly as written"
    fieldsets = (
        (None, {"fields": ("standing", "on", "stops", "reason", "legal_reference")}),
        ("When and who", {"fields": ("in_force", "placed_at", "lifted_at", "placed")}),
        ("References", {"fields": ("shown_id",)}),
    )
    shown_id = public_id

    def scoped(self, queryset: QuerySet[Freeze], actor: Actor) -> QuerySet[Freeze]:
        """Return those on accounts the officer may see."""
        del queryset
        return visible_freezes(to=actor)

    @display(description="Where it stands")
    def standing(self, row: Freeze) -> str:
        """Say whether it still stops money."""
        if row.lifted_at is not None:
            return "Lifted: it stops nothing any more, and stays on record."
        return f"In force. {FreezeMode(row.mode).label} until it is lifted."

    @display(description="Account")
    def on(self, row: Freeze) -> SafeString:
        """Lead to the account."""
        return page_of("accounts.account", row.account_id, text=row.account)

    @display(description="Stops")
    def stops(self, row: Freeze) -> str:
        """Say what it stops."""
        return str(FreezeMode(row.mode).label)

    @display(description="In force")
    def in_force(self, row: Freeze) -> SafeString:
        """Say whether it stands."""
        return (
            tag("Lifted", colour="success") if row.lifted_at else tag("In force", colour="danger")
        )

    @display(description="Placed by")
    def placed(self, row: Freeze) -> SafeString:
        """Show who ordered it."""
        return copyable(row.placed_by)
