"""Customers, masked: who they are is in the vault."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.models import Account, Customer
from accounts.selectors.pages import accounts_of, customers_for_pages
from accounts.states import AccountStatus, FreezeMode
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin
from audit.adminparts import display, instant, page_of, public_id, table


@admin.register(Customer)
class CustomerPage(LookOnlyAdmin[Customer]):
    """One row a customer."""

    list_display = ("masked_name", "masked_email", "partner", "portfolio", "since", "shown_id")
    search_help_text = "Id: exactly as written"
    fieldsets = (
        (None, {"fields": ("standing", "masked_name", "masked_email", "partner", "portfolio")}),
        ("Accounts", {"fields": ("accounts",)}),
        ("References", {"fields": ("shown_id", "since")}),
    )
    shown_id = public_id

    def scoped(self, queryset: QuerySet[Customer], actor: Actor) -> QuerySet[Customer]:
        """Return those of portfolios the officer may see."""
        del queryset
        return customers_for_pages(to=actor)

    def get_object(  # noqa: PLR0917 - Django's signature
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Customer | None:
        """Read the accounts too, as whoever is looking may see them."""
        row: Customer | None = super().get_object(request, object_id, from_field)
        if row is not None:
            vars(row)["shown_accounts"] = accounts_of(row, to=self.officer(request))
        return row

    @display(description="Where it stands")
    def standing(self, row: Customer) -> str:
        """Say why so little is shown."""
        del row
        return "Name and e-mail are kept sealed in the vault and shown masked here."

    @display(description="Name")
    def masked_name(self, row: Customer) -> str:
        """Show the mask."""
        return row.name.masked

    @display(description="E-mail")
    def masked_email(self, row: Customer) -> str:
        """Show the mask."""
        return row.email.masked

    @display(description="Partner")
    def partner(self, row: Customer) -> str:
        """Show whose customer it is."""
        return row.portfolio.partner.name

    @display(description="Customer since")
    def since(self, row: Customer) -> str:
        """Show since when."""
        return instant(row.created_at)

    @display(description="Accounts")
    def accounts(self, row: Customer) -> SafeString:
        """Lead to the accounts."""
        rows = [
            (page_of("accounts.account", one.pk, text=one), _stands(one))
            for one in vars(row)["shown_accounts"]
        ]
        return table(["Account", "Stands"], rows=rows)


def _stands(one: Account) -> str:
    """Say whether an account is active or closed, or what of it is frozen."""
    is_frozen = one.status is AccountStatus.FROZEN
    return str(FreezeMode(one.freeze_mode).label if is_frozen else one.status.label)
