"""Partners: the companies whose money we keep books for."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from accounts.frontdesk.staff import step_up
from accounts.models import Partner
from accounts.selectors.pages import visible_partners
from accounts.states import PayeePolicy
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin, allowed
from audit.adminparts import action, copyable, display, public_id
from transactions.admin.limit_forms import PartnerLimitForm
from transactions.admin.limits import limit_step, show_limits
from transactions.selectors.limits import currencies_of, limits_of_partner
from transactions.services.limits import request_partner_limit


@admin.register(Partner)
class PartnerPage(LookOnlyAdmin[Partner]):
    """One row a partner."""

    list_display = ("name", "slug", "is_active", "threshold", "created_at", "shown_id")
    search_fields = ("name", "slug")
    search_help_text = "Id, name or short name: exactly as written"
    actions_detail = ("limit",)
    fieldsets = (
        (None, {"fields": ("standing", "name", "slug", "is_active", "threshold", "payees")}),
        ("Limits on all of its accounts", {"fields": ("limits",)}),
        ("References", {"fields": ("shown_id", "book", "created_at")}),
    )
    shown_id = public_id
    has_limit_permission = allowed("transactions.request_partner_limit")

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

    @display(description="Limits")
    def limits(self, row: Partner) -> SafeString:
        """Show what may leave at most, and what has."""
        return show_limits(limits_of_partner(row))

    @display(description="Book")
    def book(self, row: Partner) -> SafeString:
        """Show the key of the book."""
        return copyable(row.book_id)

    @action(description="Ask for a limit", url_path="limit", permissions=["limit"], icon="speed")
    @step_up
    def limit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for a limit on all of the partner's accounts in a currency."""
        row, actor = self.row_or_404(request, object_id), self.officer(request)
        form = PartnerLimitForm(request.POST or None, currencies=currencies_of(row))
        step = limit_step(
            form,
            facts={"Partner": row, "Limits now": self.limits(row)},
            act=lambda why: request_partner_limit(
                actor=actor, partner_id=row.pk, reason=why, **form.terms
            ),
        )
        return self.confirm(request, row=row, step=step)
