"""Partners: the companies whose money we keep books for."""

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.safestring import SafeString

from accounts.models import Partner
from accounts.selectors.pages import visible_partners
from accounts.states import PayeePolicy
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin
from audit.adminparts import copyable, display, public_id


@admin.register(Partner)
class PartnerPage(LookOnlyAdmin[Partner]):
    """One row a partner."""

    list_display = ("name", "slug", "is_active", "threshold", "created_at", "shown_id")
    search_fields = ("name", "slug")
    search_help_text = "Id, name or short name: exactly as written"
    fieldsets = (
        (None, {"fields": ("standing", "name", "slug", "is_active", "threshold", "payees")}),
        ("References", {"fields": ("shown_id", "book", "created_at")}),
    )
    shown_id = public_id

    def scoped(self, queryset: QuerySet[Partner], actor: Actor) -> QuerySet[Partner]:
        """Return all, for those who see every portfolio."""
        del queryset
        return visible_partners(to=actor)

    @display(description="Where it stands")
    def standing(self, row: Partner) -> str:
        """Say what the partner may do."""
        if not row.is_active:
            return "Switched off: its API clients are refused."
        return "Active: its API clients may ask for transfers."

    @display(description="Second person from")
    def threshold(self, row: Partner) -> str:
        """Show from which amount a payout waits, in minor units of any currency."""
        return f"{row.approval_threshold_minor:,} minor units"

    @display(description="Payees")
    def payees(self, row: Partner) -> str:
        """Show whom it may pay, and how long new bank details cool."""
        return (
            f"{PayeePolicy(row.payee_policy).label}; new details cool {row.payee_cooling_hours} h"
        )

    @display(description="Book")
    def book(self, row: Partner) -> SafeString:
        """Show the key of the book."""
        return copyable(row.book_id)
