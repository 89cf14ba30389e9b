"""Approvals: what was asked, line by line, and a second person's word on it."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant

from accounts.frontdesk.staff import step_up
from accounts.models import Approval
from accounts.selectors.approvals import visible_approvals
from accounts.services.approvals import decide_approval, retry_approval, withdraw_approval
from accounts.states import ApprovalState, Verdict
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin, Step, allowed
from audit.adminparts import (
    EMPTY,
    PlainText,
    action,
    copyable,
    display,
    instant,
    labelled,
    page_of,
    public_id,
    spoken,
    table,
)
from audit.doorbell import ring
from audit.errors import Refusal
from audit.links import PAGES
from transactions.admin.payloads import shown_lines, sums_of, told
from transactions.admin.standings import APPROVAL_COLOURS, APPROVALS
from transactions.money import EXPONENTS, Money
from transactions.selectors.pages import decisions_on
from transactions.services.books import OPEN

CARRY_OUT: Final = "transactions.carry_out_approvals"
IN_VAIN: Final = "Nothing more happens until it is withdrawn, or tried again."


class ShownForm(forms.Form):
    """Carries the hash of what was on screen, so that nobody approves something else."""

    shown_hash = PlainText(max_length=64, widget=forms.HiddenInput)


@admin.register(Approval)
class ApprovalPage(LookOnlyAdmin[Approval]):
    """One row a request for a second person."""

    list_display = ("what", "amount", "state_label", "asked_by", "asked_at", "subject", "shown_id")
    list_filter = ("state",)
    search_fields = ("subject_ref", "payload_hash")
    search_help_text = "Id, or what it is about: exactly as written"
    actions_detail = ("approve", "reject", "retry", "withdraw")
    fieldsets = (
        (None, {"fields": ("standing", "what", "state_label", "asked_by", "asked_at", "subject")}),
        ("What exactly will happen", {"fields": ("lines", "hash")}),
        ("What was decided", {"fields": ("decided", "obstructed")}),
        ("References", {"fields": ("shown_id",)}),
    )
    shown_id = public_id
    state_label = labelled(APPROVAL_COLOURS)

    def scoped(self, queryset: QuerySet[Approval], actor: Actor) -> QuerySet[Approval]:
        """Return those of books the officer may see."""
        del queryset
        return visible_approvals(to=actor)

    @display(description="Where it stands")
    def standing(self, row: Approval) -> str:
        """Say what comes next, and where it was decided in vain, why."""
        if not row.obstacle:
            return APPROVALS[row.state]
        known = Refusal.by_code.get(row.obstacle)
        why = (known.__doc__ or "").strip().splitlines()[0] if known else "A fault of ours."
        next_step = "It is tried again by itself." if row.try_at else IN_VAIN
        return f"{spoken(row.state)}, but it could not be carried out. {why} {next_step}"

    @display(description="In the way")
    def obstructed(self, row: Approval) -> SafeString:
        """Show what kept it from being carried out, code and facts."""
        if not row.obstacle:
            return format_html("{}", EMPTY)
        facts = [("Code", row.obstacle), *told(row.obstacle_facts)]
        return table(["What", "Said"], rows=facts)

    @display(description="Asked")
    def what(self, row: Approval) -> str:
        """Show what would happen."""
        return spoken(row.action.rpartition(".")[2])

    @display(description="Amount")
    def amount(self, row: Approval) -> str:
        """Show how much is asked for."""
        minor, currency = row.payload.get("amount_minor"), row.payload.get("currency")
        is_money = isinstance(minor, int) and currency in EXPONENTS
        return str(Money(minor, currency)) if is_money else sums_of(row) or EMPTY

    @display(description="Asked by")
    def asked_by(self, row: Approval) -> str:
        """Show who asked."""
        return row.maker_label

    @display(description="Asked at")
    def asked_at(self, row: Approval) -> str:
        """Show when."""
        return instant(row.requested_at)

    @display(description="About")
    def subject(self, row: Approval) -> SafeString:
        """Lead to what it is about."""
        if row.action == OPEN and row.state != ApprovalState.USED:
            return format_html("{}", "An account that is not open")
        noun, _, key = row.subject_ref.partition(":")
        if "item" in row.payload:  # an allocation is shown on the page of what it allocates
            noun, key = "suspenseposting", row.payload["item"]
        floor = "accounts" if noun in ("account", "freeze") else "transactions"
        title = PAGES[noun].title if noun in PAGES else spoken(noun)
        return page_of(f"{floor}.{noun}", key, text=title)

    @display(description="Line by line")
    def lines(self, row: Approval) -> SafeString:
        """Show the payload whole."""
        return table(["What", "Value"], rows=shown_lines(row).items())

    @display(description="Hash of these lines")
    def hash(self, row: Approval) -> SafeString:
        """Show what the decision is bound to."""
        return copyable(row.payload_hash)

    @display(description="Decisions")
    def decided(self, row: Approval) -> SafeString:
        """Show who said what, and why."""
        rows = [
            (
                one.checker_label,
                spoken(one.verdict),
                one.reason,
                instant(one.decided_at),
            )
            for one in decisions_on(row)
        ]
        return table(["Who", "Said", "Why", "When"], rows=rows)

    # -- what may be done ----------------------------------------------------------------------

    has_decide_permission = allowed("accounts.decide_approval")
    has_withdraw_permission = allowed("accounts.withdraw_approval")
    has_retry_permission = allowed("accounts.retry_approval")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer to decide what is open, to retry what stands still, to withdraw one's own."""
        row = self.get_object(request, str(object_id))
        if row is None:
            return []
        is_open, is_own = row.state == ApprovalState.OPEN, self.is_own(request, row=row)
        fits = {
            "approve": is_open,
            "reject": is_open,
            "retry": bool(row.obstacle),
            "withdraw": is_own and (is_open or bool(row.obstacle)),
        }
        offered: list[Any] = super().get_actions_detail(request, object_id)
        return [one for one in offered if fits[one.path]]

    def is_own(self, request: HttpRequest, *, row: Approval) -> bool:
        """Say whether whoever looks is who asked, under whichever login."""
        return row.maker_party == self.officer(request).party

    @action(
        description="Approve",
        url_path="approve",
        permissions=["decide"],
        icon="check",
        variant=ActionVariant.PRIMARY,
    )
    @step_up
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say yes to exactly what is shown."""
        return self._decide(request, object_id=object_id, verdict=Verdict.APPROVE)

    @action(
        description="Reject",
        url_path="reject",
        permissions=["decide"],
        icon="close",
        variant=ActionVariant.DANGER,
    )
    @step_up
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say no."""
        return self._decide(request, object_id=object_id, verdict=Verdict.REJECT)

    @action(description="Withdraw", url_path="withdraw", permissions=["withdraw"], icon="undo")
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take one's own request back."""
        return self.confirm_on(
            request,
            object_id=object_id,
            step=lambda row, actor: Step(
                title="Withdraw this request",
                facts=shown_lines(row)
                | {"What it does": "It will not happen; money is released."},
                button="Withdraw",
                act=lambda _: _rung(withdraw_approval(actor=actor, approval_id=row.pk)),
                wants_reason=False,
            ),
        )

    @action(description="Try again", url_path="retry", permissions=["retry"], icon="refresh")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Have it carried out again."""
        does = "Checks everything again, and does it if it still may be done."
        return self.confirm_on(
            request,
            object_id=object_id,
            step=lambda row, actor: Step(
                title="Carry this out again",
                facts=shown_lines(row) | {"In the way": self.standing(row), "What it does": does},
                button="Try again",
                act=lambda _: _rung(retry_approval(actor=actor, approval_id=row.pk)),
                wants_reason=False,
            ),
        )

    def _decide(self, request: HttpRequest, *, object_id: str, verdict: Verdict) -> HttpResponse:
        def step(row: Approval, actor: Actor) -> Step:
            form = ShownForm(request.POST or None, initial={"shown_hash": row.payload_hash})
            return Step(
                title=f"{verdict.label} this request",
                facts={
                    "Asked": self.what(row),
                    "Asked by": row.maker_label,
                    **shown_lines(row),
                    "Hash of these lines": copyable(row.payload_hash),
                },
                button=str(verdict.label),
                act=lambda reason: _rung(
                    decide_approval(
                        actor=actor,
                        approval_id=row.pk,
                        verdict=verdict,
                        reason=reason,
                        shown_hash=form.cleaned_data["shown_hash"],
                    )
                ),
                form=form,
            )

        return self.confirm_on(request, object_id=object_id, step=step)


def _rung(outcome: object) -> object:
    """Ring for whoever carries it out, now that it is decided."""
    ring(CARRY_OUT)
    return outcome
