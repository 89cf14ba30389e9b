"""The statement of one account: on the page, as of any day, and as a copy to take away."""

from typing import Any, Final
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.frontdesk.staff import officer, step_up
from audit.actors import Actor
from audit.adminparts import instant, page_of, spoken
from audit.errors import NotFound, Refusal
from transactions.admin.charts import amounts_over_time
from transactions.admin.periods import PeriodForm, said_of, this_month
from transactions.errors import StatementTooLong
from transactions.errors.archive import InstantArchived
from transactions.models import LedgerAccount
from transactions.money import Money
from transactions.papers import PAPERS, File
from transactions.selectors.clocks import balances_at
from transactions.selectors.statements import access_books_account, statement_of
from transactions.services.exports import export_statement
from transactions.statements import Statement
from transactions.states import Clock

PERMISSION: Final = "transactions.view_ledgeraccount"
EXPORT: Final = "transactions.export_statement"
SHOWN_MAX: Final = 200


def statement(request: HttpRequest, *, account_id: UUID) -> HttpResponse:
    """Show an account's statement over the chosen period; 404 if out of scope."""
    actor = officer(request)
    account = _account(account_id, actor=actor)
    form = PeriodForm(request.GET or this_month())
    context: dict[str, Any] = {
        "title": f"Statement of {account}",
        "account": account,
        "back": reverse("admin:transactions_ledgeraccount_change", args=[account.pk]),
        "form": form,
        "may_export": actor.may(EXPORT),
        "papers": [(form, form.upper()) for form in PAPERS],
    }
    if form.is_valid():
        context |= _shown(account, form=form)
    context |= admin.site.each_context(request)
    return TemplateResponse(request, "admin/transactions/statement.html", context)


@step_up
def export(request: HttpRequest, *, account_id: UUID) -> HttpResponse:
    """Give a copy away, on record; what was refused is said on the statement's page."""
    actor = officer(request)
    account = _account(account_id, actor=actor)
    form = PeriodForm(request.POST)
    paper = request.POST.get("paper", "")
    if request.method != "POST" or not form.is_valid() or paper not in PAPERS:
        raise Http404
    try:
        copy = export_statement(actor=actor, account_id=account.pk, period=form.period, form=paper)
    except Refusal as refusal:
        messages.error(request, refusal.title)
        return HttpResponseRedirect(reverse("admin:statement", args=[account.pk]))
    return taken_away(copy)


def taken_away(copy: File) -> HttpResponse:
    """Return a file as a download."""
    answer = HttpResponse(copy.body, content_type=copy.media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{copy.name}"'
    return answer


def _account(account_id: UUID, *, actor: Actor) -> LedgerAccount:
    if not actor.may(PERMISSION):
        raise PermissionDenied
    try:
        return access_books_account(account_id, actor=actor)
    except NotFound as error:
        raise Http404 from error


def _shown(account: LedgerAccount, *, form: PeriodForm) -> dict[str, Any]:
    """Return what the page shows of a valid period."""
    at_end: dict[str, str] = {}
    try:
        for clock in Clock:
            at_end[clock.label] = str(
                Money(_at_end(account, form=form, clock=clock), account.currency)
            )
        found = statement_of(account, period=form.period)
    except StatementTooLong as refusal:
        return {"refused": f"{refusal.title} There are {refusal.lines:,}.", "at_end": at_end}
    except InstantArchived as refusal:
        return {"refused": said_of(refusal), "at_end": at_end}
    return {
        "statement": found,
        "at_end": at_end,
        "sums": _sums(found),
        "rows": [_row(line, currency=found.currency) for line in found.lines[:SHOWN_MAX]],
        "hidden": max(len(found.lines) - SHOWN_MAX, 0),
        "chart": _chart(found),
    }


def _at_end(account: LedgerAccount, *, form: PeriodForm, clock: Clock) -> int:
    return balances_at([account.pk], at=form.period.last_instant, clock=clock)[account.pk]


def _sums(found: Statement) -> dict[str, str]:
    figures = {
        "Opening": found.opening_minor,
        "In": found.in_minor,
        "Out": found.out_minor,
        "Closing": found.closing_minor,
    }
    return {name: str(Money(amount, found.currency)) for name, amount in figures.items()}


def _row(line: Any, *, currency: str) -> dict[str, Any]:
    return {
        "occurred": instant(line.occurred_at),
        "recorded": instant(line.recorded_at),
        "what": page_of("transactions.journal", line.journal_id, text=spoken(line.purpose)),
        "amount": Money(line.amount_minor, currency).figures(grouped=True),
        "balance": Money(line.balance_minor, currency).figures(grouped=True),
    }


def _chart(found: Statement) -> dict[str, str] | None:
    """Return the balance after each line, where there are enough lines to make a shape."""
    if len(found.lines) < 2:  # noqa: PLR2004 - a line needs two points
        return None
    is_occurred = found.period.clock is Clock.OCCURRED
    times = [line.occurred_at if is_occurred else line.recorded_at for line in found.lines]
    return amounts_over_time(
        [f"{at:%-d %b %H:%M}" for at in times],
        series=[("Balance", [line.balance_minor for line in found.lines])],
        currency=found.currency,
    )
