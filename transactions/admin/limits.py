"""Limits: what may leave at most, how much of it is used, and asking for another."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.frontdesk.staff import step_up
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin, Step
from audit.adminparts import EMPTY, action, display, page_of, public_id, table, tag
from transactions.admin.bars import bar
from transactions.admin.limit_forms import LimitForm
from transactions.limits import Cap, cap_as_told
from transactions.models import Limit
from transactions.money import Money
from transactions.selectors.limits import limits_for_pages
from transactions.services.limits import request_limit, request_partner_limit
from transactions.states import LimitKind, LimitScope, LimitWindow

ASKS: Final = (
    "Asks a second person. Nothing changes until they approve; then what left in the"
    " window before counts at once."
)


@admin.register(Limit)
class LimitPage(LookOnlyAdmin[Limit]):
    """One row a limit."""

    list_display = ("what", "on", "most", "used", "state_label")
    list_filter = ("kind", "window", "currency")
    search_fields = ("account__code",)
    search_help_text = "Id or the account's code: exactly as written"
    actions_detail = ("ask",)
    fieldsets = (
        (None, {"fields": ("standing", "what", "on", "state_label", "most", "used")}),
        ("References", {"fields": ("shown_id", "approved")}),
    )
    shown_id = public_id
    empty_sentence = "No limit was ever asked for where you may look."

    def scoped(self, queryset: QuerySet[Limit], actor: Actor) -> QuerySet[Limit]:
        """Return those on accounts and partners the officer may see."""
        del queryset
        return limits_for_pages(to=actor)

    @display(description="Where it stands")
    def standing(self, row: Limit) -> str:
        """Say what it does now."""
        if not row.is_in_force:
            return "Allows everything: no maximum is agreed, or it waits for a second person."
        if row.scope is LimitScope.PARTNER:
            return f"Counts what leaves all of the partner's accounts in {row.currency} together."
        return "Counts what leaves this account."

    @display(description="What it limits")
    def what(self, row: Limit) -> str:
        """Say what leaves, and in which window."""
        return str(row)

    @display(description="On")
    def on(self, row: Any) -> SafeString:
        """Lead to the account, or name the partner."""
        if row.account_id:
            return page_of("accounts.account", row.account_id, text=row.account_name)
        return format_html("All of {} in {}", row.partner_name, row.currency)

    @display(description="At most")
    def most(self, row: Limit) -> str:
        """Say what it allows."""
        return said_most(row.amount_max_minor, row.count_max, currency=row.currency)

    @display(description="Used so far")
    def used(self, row: Any) -> SafeString:
        """Show how much of it is used."""
        return bars(cap_as_told(row.told), currency=row.currency) if row.told else _none()

    @display(description="State")
    def state_label(self, row: Limit) -> SafeString:
        """Show whether it forbids anything."""
        return tag("In force", colour="success") if row.is_in_force else tag("Allows everything")

    @display(description="Agreed to in")
    def approved(self, row: Limit) -> SafeString:
        """Lead to the approval it rests on."""
        return page_of("accounts.approval", row.changed_under_id, text="The last approval")

    def has_ask_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Ask the officer's roles."""
        del object_id
        return self.officer(request).may("transactions.request_limit")

    @action(description="Ask to change", url_path="ask", permissions=["ask"], icon="speed")
    @step_up
    def ask(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask a second person for other maxima, or for none."""
        row, actor = self.row_or_404(request, object_id), self.officer(request)
        form = LimitForm(
            request.POST or None,
            currency=row.currency,
            initial={"kind": row.kind, "window": row.window},
        )
        for name in ("kind", "window"):
            form.fields[name].disabled = True
        step = limit_step(
            form,
            facts={"Limit": row, "On": self.on(row), "At most now": self.most(row)},
            act=lambda why: self._asked(row, actor=actor, form=form, reason=why),
        )
        return self.confirm(request, row=row, step=step)

    @staticmethod
    def _asked(row: Any, *, actor: Actor, form: LimitForm, reason: str) -> object:
        if row.account_id:
            return request_limit(
                actor=actor, account_id=row.account_id, reason=reason, **form.terms
            )
        return request_partner_limit(
            actor=actor,
            partner_id=row.partner_id,
            currency=row.currency,
            reason=reason,
            **form.terms,
        )


def limit_step(form: LimitForm, *, facts: dict[str, object], act: Callable[[str], object]) -> Step:
    """Return the step that asks for a limit, wherever it is asked for."""
    return Step(
        title="Ask for a limit",
        facts={**facts, "What it does": ASKS},
        button="Ask",
        act=act,
        form=form,
        done="asked; a second person decides.",
    )


def show_limits(limits: Iterable[tuple[str, Cap]]) -> SafeString:
    """Return limits, each with its currency, as a table with what is used of each as a bar."""
    rows = [
        (
            page_of("transactions.limit", cap.limit_id, text=LimitKind(cap.kind).label),
            LimitWindow(cap.window).label,
            f"All accounts in {currency}" if cap.account_id is None else "This account",
            said_most(cap.amount_max_minor, cap.count_max, currency=currency),
            bars(cap, currency=currency),
        )
        for currency, cap in limits
    ]
    return table(["What", "Window", "Counts", "At most", "Used so far"], rows=rows)


def said_most(amount: int | None, count: int | None, *, currency: str) -> str:
    """Say the most that a limit allows."""
    said = [str(Money(amount, currency))] if amount is not None else []
    said += [_times(count)] if count is not None else []
    return " and ".join(said) or "Anything"


def bars(cap: Cap, *, currency: str) -> SafeString:
    """Show what is used of a limit, and what is left, as one bar for each thing it counts."""
    if cap.window is LimitWindow.TRANSFER:
        return _none()
    drawn = []
    if cap.amount_left_minor is not None:
        used, left = (Money(n, currency) for n in (cap.amount_used_minor, cap.amount_left_minor))
        drawn.append(_bar(used.amount_minor, left.amount_minor, said=(str(used), str(left))))
    if cap.count_left is not None:
        said = (_times(cap.count_used), f"{cap.count_left:,}")
        drawn.append(_bar(cap.count_used, cap.count_left, said=said))
    return format_html_join("", "<div>{}</div>", ((each,) for each in drawn))


def _bar(used: int, left: int, *, said: tuple[str, str]) -> SafeString:
    return bar([("gone", used, f"{said[0]} used"), ("kept", left, f"{said[1]} left")])


def _times(count: int) -> str:
    return f"{count:,} {'time' if count == 1 else 'times'}"


def _none() -> SafeString:
    return format_html("{}", EMPTY)
