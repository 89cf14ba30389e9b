"""The trial balance: every account of a book at the end of a day, in two columns that agree."""

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts.frontdesk.staff import officer, step_up
from audit.actors import Actor
from audit.errors import Refusal
from transactions.admin.periods import DayForm, said_of
from transactions.admin.statements import taken_away
from transactions.errors.archive import InstantArchived
from transactions.models import Book
from transactions.money import Money
from transactions.selectors.trial import TrialBalance, access_book, listed_books, trial_balances
from transactions.services.exports import export_trial_balance
from transactions.states import Clock

PERMISSION: Final = "transactions.view_trialbalance"
EXPORT: Final = "transactions.export_trial_balance"
CUSTOMERS_SHOWN_MAX: Final = 50


def trial_balance(request: HttpRequest) -> HttpResponse:
    """Show a book's trial balance on the chosen day."""
    actor = _seated(request)
    books = listed_books(to=actor)
    form = DayForm(request.GET or _today(books), books=books)
    context: dict[str, Any] = {
        "title": "Trial balance",
        "form": form,
        "may_export": actor.may(EXPORT),
    }
    if form.is_valid():
        book = access_book(form.cleaned_data["book"], actor=actor)
        context |= {"book": book} | _balances(book, form=form)
    context |= admin.site.each_context(request)
    return TemplateResponse(request, "admin/transactions/trial_balance.html", context)


@step_up
def export(request: HttpRequest) -> HttpResponse:
    """Give a copy away, on record."""
    actor = _seated(request)
    form = DayForm(request.POST, books=listed_books(to=actor))
    if request.method != "POST" or not form.is_valid():
        raise Http404
    if not actor.may(EXPORT):
        raise PermissionDenied
    book = access_book(form.cleaned_data["book"], actor=actor)
    try:
        copy = export_trial_balance(actor=actor, book_id=book.pk, at=form.at, clock=form.by)
    except Refusal as refusal:
        messages.error(request, refusal.title)
        return HttpResponseRedirect(reverse("admin:trial_balance"))
    return taken_away(copy)


def _balances(book: Book, *, form: DayForm) -> dict[str, Any]:
    """Return what the page shows of a valid day, or why it cannot."""
    try:
        found = trial_balances(book, at=form.at, clock=form.by)
    except InstantArchived as refusal:
        return {"refused": said_of(refusal)}
    return {"balances": [_shown(each) for each in found]}


def _seated(request: HttpRequest) -> Actor:
    actor = officer(request)
    if not actor.may(PERMISSION):
        raise PermissionDenied
    return actor


def _today(books: Any) -> dict[str, Any]:
    book = str(books[0].pk) if books else ""
    return {"book": book, "day": timezone.now().date(), "clock": Clock.RECORDED.value}


def _shown(balance: TrialBalance) -> dict[str, Any]:
    """Return one currency's table: ours, the largest customers', the rest in sum."""
    ours = [line for line in balance.lines if not line.is_customers]
    theirs = sorted(
        (line for line in balance.lines if line.is_customers),
        key=lambda line: -abs(line.balance_minor),
    )
    rest = theirs[CUSTOMERS_SHOWN_MAX:]
    rows: list[dict[str, Any]] = [
        {"key": line.account_id, "code": line.code}
        | _columns(line.debit_minor, line.credit_minor, currency=balance.currency)
        for line in [*ours, *theirs[:CUSTOMERS_SHOWN_MAX]]
    ]
    if rest:
        debit, credit = (
            sum(line.debit_minor for line in rest),
            sum(line.credit_minor for line in rest),
        )
        rows.append(
            {"code": f"{len(rest):,} more accounts"}
            | _columns(debit, credit, currency=balance.currency)
        )
    return {
        "currency": balance.currency,
        "rows": rows,
        "is_even": balance.is_even,
        "total": _columns(balance.debit_minor, balance.credit_minor, currency=balance.currency),
    }


def _columns(debit_minor: int, credit_minor: int, *, currency: str) -> dict[str, str]:
    return {
        name: Money(amount, currency).figures(grouped=True) if amount else ""
        for name, amount in (("debit", debit_minor), ("credit", credit_minor))
    }
