"""Accounts: whose money it is, how much, and whether it may move."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import EmptyFieldListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant

from accounts.frontdesk.staff import step_up
from accounts.models import Account
from accounts.scopes import visible_accounts
from accounts.selectors.freezes import freezes_not_over
from accounts.states import FreezeMode
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin, Step, allowed
from audit.adminparts import (
    action,
    address_of,
    display,
    instant,
    page_of,
    public_id,
    table,
    tag,
)
from audit.selectors.entries import names_of
from transactions.admin.account_forms import FloorForm, FreezeForm
from transactions.admin.balances import kept
from transactions.admin.desks import ask_with_form
from transactions.admin.freezes import show_freezes
from transactions.admin.limit_forms import LimitForm
from transactions.admin.limits import limit_step, show_limits
from transactions.admin.openings import opening_wanted
from transactions.admin.pending import show_pending
from transactions.admin.standings import FREEZE_COLOURS, FREEZES
from transactions.money import Money
from transactions.selectors.consents import standing_consents
from transactions.selectors.limits import limits_on
from transactions.selectors.pages import payouts_stopped_by_a_freeze
from transactions.services.accounts import request_closing, request_floor, request_reopening
from transactions.services.freezes import CONFIRM_WITHIN, freeze_account
from transactions.services.limits import request_limit


@admin.register(Account)
class AccountPage(LookOnlyAdmin[Account]):
    """One row an account."""

    list_display = (
        "name",
        "partner",
        "customer_link",
        "currency",
        "status_label",
        "alias",
        "shown_id",
    )
    list_filter = ("freeze_mode", ("closed_at", EmptyFieldListFilter))
    list_select_related = ("partner", "customer__name")
    search_fields = ("alias", "name")
    search_help_text = "Id, alias or name: exactly as written"
    empty_sentence = (
        "Finance asks for one with “Open an account”, and a second person approves it."
    )
    actions_list = ("new_account",)
    actions_detail = ("freeze", "limit", "floor", "close", "reopen")
    fieldsets = (
        (None, {"fields": ("standing", "name", "partner", "portfolio", "customer_link")}),
        (
            "Money",
            {"fields": ("posted", "reserved", "held_back", "lowest", "available", "statement")},
        ),
        ("What stops it", {"fields": ("status_label", "freezes_shown")}),
        ("What may leave it", {"fields": ("limits",)}),
        ("Proposed and not decided", {"fields": ("proposed",)}),
        ("References", {"fields": ("shown_id", "alias", "payers", "created_at")}),
    )
    shown_id = public_id
    posted = kept("posted_minor", title="Balance")
    reserved = kept("pending_minor", title="Reserved")
    held_back = kept("held_back_minor", title="Held back")
    available = kept("available_minor", title="Available")

    def scoped(self, queryset: QuerySet[Account], actor: Actor) -> QuerySet[Account]:
        """Return those the officer may see."""
        del queryset
        return visible_accounts(to=actor)

    @display(description="Customer")
    def customer_link(self, row: Account) -> SafeString:
        """Lead to the customer, masked."""
        return page_of("accounts.customer", row.customer_id, text=row.customer)

    @display(description="Manual journals")
    def proposed(self, row: Account) -> SafeString:
        """Show what waits for a second person."""
        return show_pending(row.pk)

    @display(description="Statement")
    def statement(self, row: Account) -> SafeString:
        """Lead to the statement, and to how it stood on any day."""
        return address_of("statement", row.pk, text="Statement and balance as of any day")

    @display(description="May stand as low as")
    def lowest(self, row: Account) -> str:
        """Show the floor."""
        return str(Money(row.floor_minor, row.currency))

    @display(description="Freezes")
    def freezes_shown(self, row: Account) -> SafeString:
        """Show each freeze that stops something or will, and who stands behind it."""
        return show_freezes(freezes_not_over(row.pk))

    @display(description="Limits")
    def limits(self, row: Account) -> SafeString:
        """Show its limits and its partner's, and what is used of each."""
        return show_limits((row.currency, cap) for cap in limits_on(row))

    @display(description="Partners that may pay in")
    def payers(self, row: Account) -> SafeString:
        """Show the partners that may pay into it by its alias."""
        consents = standing_consents(row.pk)
        names = names_of({one.given_by for one in consents})
        rows = [(one.payer, instant(one.given_at), names[one.given_by]) for one in consents]
        return table(["Partner", "Since", "By"], rows=rows)

    @display(description="Where it stands")
    def standing(self, row: Account) -> str:
        """Say what may happen to its money; an alarm first."""
        if row.closed_at is not None:
            return f"Closed since {instant(row.closed_at)}. No money arrives or leaves."
        now = timezone.now()
        is_alarm = any(one.is_overdue(at=now) for one in freezes_not_over(row.pk))
        alarm = "A freeze on it was not confirmed in time. " if is_alarm else ""
        return f"{alarm}{FREEZES[row.freeze_mode]}"

    @display(description="Status")
    def status_label(self, row: Account) -> SafeString:
        """Show whether it is active, closed, or what of it is frozen."""
        if row.closed_at is not None:
            return tag("Closed")
        return tag(FreezeMode(row.freeze_mode).label, colour=FREEZE_COLOURS[row.freeze_mode])

    # -- what may be done ----------------------------------------------------------------------

    has_open_permission = allowed("transactions.request_opening")
    has_freeze_permission = allowed("transactions.freeze_account")
    has_limit_permission = allowed("transactions.request_limit")
    has_floor_permission = allowed("transactions.request_floor")
    has_close_permission = allowed("transactions.request_closing")
    has_reopen_permission = allowed("transactions.request_reopening")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer to reopen what is closed, and everything else on what is open."""
        row = self.get_object(request, str(object_id))
        if row is None:
            return []
        offered: list[Any] = super().get_actions_detail(request, object_id)
        is_closed = row.closed_at is not None
        return [one for one in offered if (one.path == "reopen") == is_closed]

    @action(
        description="Open an account",
        url_path="new",
        permissions=["open"],
        icon="add",
        variant=ActionVariant.PRIMARY,
    )
    @step_up
    def new_account(self, request: HttpRequest) -> HttpResponse:
        """Ask for an account; a second person approves it."""
        wanted = opening_wanted(request.POST or None, actor=self.officer(request))
        return ask_with_form(self, request, wanted=wanted)

    @action(
        description="Freeze",
        url_path="freeze",
        permissions=["freeze"],
        icon="ac_unit",
        variant=ActionVariant.DANGER,
    )
    @step_up
    def freeze(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Stop the account's money at once."""
        row, actor = self.row_or_404(request, object_id), self.officer(request)
        form = FreezeForm(
            request.POST or None, initial={"mode": FreezeMode.DEBITS}, currency=row.currency
        )
        count, total = payouts_stopped_by_a_freeze(row.pk)
        by = instant(timezone.now() + CONFIRM_WITHIN)
        step = Step(
            title="Freeze this account",
            facts={
                **self._facts(row),
                "Stands now": self.standing(row),
                "Payouts not sent yet": f"{count}, together {Money(total, row.currency)}",
                "What it does": "Stops the money at once, for API and staff alike. What leaves is"
                " stopped with the payouts not sent yet. Payouts already sent cannot be stopped.",
                "Who must confirm": f"A second compliance officer, by {by}. Without it the freeze"
                " stays and an alarm is raised. Only two people lift it.",
            },
            button="Freeze",
            act=lambda why: freeze_account(
                actor=actor,
                account_id=row.pk,
                mode=form.mode_chosen,
                reason=why[:200],
                legal_reference=form.cleaned_data["legal_reference"],
                terms=form.terms,
            ),
            form=form,
        )
        return self.confirm(request, row=row, step=step)

    @action(description="Ask for a limit", url_path="limit", permissions=["limit"], icon="speed")
    @step_up
    def limit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for a limit on what may leave the account."""
        row, actor = self.row_or_404(request, object_id), self.officer(request)
        form = LimitForm(request.POST or None, currency=row.currency)
        step = limit_step(
            form,
            facts={**self._facts(row), "Limits now": self.limits(row)},
            act=lambda why: request_limit(
                actor=actor, account_id=row.pk, reason=why, **form.terms
            ),
        )
        return self.confirm(request, row=row, step=step)

    @action(description="Ask for a floor", url_path="floor", permissions=["floor"], icon="height")
    @step_up
    def floor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask that the account may stand below zero, or no longer."""
        row, actor = self.row_or_404(request, object_id), self.officer(request)
        form = FloorForm(request.POST or None, currency=row.currency)
        step = Step(
            title="Ask for an agreed overdraft",
            facts={
                **self._facts(row),
                "May stand as low as": self.lowest(row),
                "What it does": "Asks a second person. Nothing changes until they approve.",
            },
            button="Ask",
            act=lambda why: request_floor(
                actor=actor,
                account_id=row.pk,
                floor_minor=form.cleaned_data["overdraft"],
                reason=why,
            ),
            form=form,
        )
        return self.confirm(request, row=row, step=step)

    @action(description="Ask to close", url_path="close", permissions=["close"], icon="lock")
    @step_up
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask that the account be closed."""
        row, actor = self.row_or_404(request, object_id), self.officer(request)
        step = Step(
            title="Ask that this account be closed",
            facts={
                **self._facts(row),
                "What it does": "Asks a second person. Once they approve, and if it is empty then,"
                " no money arrives or leaves. It stays on record and can be reopened.",
            },
            button="Ask to close",
            act=lambda why: request_closing(actor=actor, account_id=row.pk, reason=why),
        )
        return self.confirm(request, row=row, step=step)

    @action(description="Ask to reopen", url_path="reopen", permissions=["reopen"], icon="undo")
    @step_up
    def reopen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask that the account be opened again."""
        row, actor = self.row_or_404(request, object_id), self.officer(request)
        step = Step(
            title="Ask that this account be opened again",
            facts={**self._facts(row), "What it does": "Asks a second person."},
            button="Ask to reopen",
            act=lambda why: request_reopening(actor=actor, account_id=row.pk, reason=why),
        )
        return self.confirm(request, row=row, step=step)

    def _facts(self, row: Account) -> dict[str, object]:
        """Return what every act on an account is shown with."""
        return {
            "Account": row,
            "Partner": row.partner,
            "Balance": self.posted(row),
            "Reserved": self.reserved(row),
        }
