"""The month's end: what stands where nothing should, since when, and what is under way."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timesince import timesince
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.frontdesk.staff import officer, step_up
from audit.adminparts import instant
from audit.errors import Refusal
from transactions.admin.charts import amounts_over_time
from transactions.models import Book
from transactions.money import Money
from transactions.selectors.archive import answered, archived_month, next_to_leave
from transactions.selectors.clocks import settled_at
from transactions.selectors.months import (
    Standing,
    closed_month,
    ends_of_months,
    standings,
    under_way,
)
from transactions.selectors.trial import (
    TrialBalance,
    access_book,
    closed_trial_balances,
    listed_books,
    trial_balances,
)
from transactions.services.months import close_month
from transactions.states import Clock

PERMISSION: Final = "transactions.view_monthend"
MONTHS: Final = 12
CLOSE: Final = "transactions.close_month"


class MonthForm(forms.Form):
    """Which book, which month, by which clock."""

    book = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    month = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    clock = forms.ChoiceField(choices=Clock.choices, widget=UnfoldAdminSelectWidget)

    def __init__(
        self, *args: Any, books: Sequence[Book], ends: Sequence[datetime], **kwargs: Any
    ) -> None:
        """Offer `books` and the months before `ends`, the newest first."""
        super().__init__(*args, **kwargs)
        self.ends = {f"{last_day(end):%Y-%m}": end for end in ends}
        choices = {
            "book": [(str(book.pk), book.name) for book in books],
            "month": [(key, f"{last_day(end):%B %Y}") for key, end in reversed(self.ends.items())],
        }
        for name, offered in choices.items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]


def month_end(request: HttpRequest) -> HttpResponse:
    """Show a book at the end of the chosen month."""
    actor = officer(request)
    if not actor.may(PERMISSION):
        raise PermissionDenied
    books, ends = listed_books(to=actor), ends_of_months(count=MONTHS)
    form = MonthForm(request.GET or _latest(books, ends=ends), books=books, ends=ends)
    context: dict[str, Any] = {"title": "Month-end", "form": form}
    if form.is_valid():
        found = form.cleaned_data
        book = access_book(found["book"], actor=actor)
        end, clock = form.ends[found["month"]], Clock(found["clock"])
        context |= _state(end, may_close=actor.may(CLOSE))
        if context["archived"]:
            context |= _kept(book, end=end)
        else:
            until = [each for each in answered(ends, clock=clock) if each <= end]
            context |= _shown(book, ends=until or [end], clock=clock)
    context["under_way"] = [
        {"row": each, "amount": str(Money(each.amount_minor, each.currency))}
        for each in under_way()
    ]
    context |= admin.site.each_context(request)
    return TemplateResponse(request, "admin/transactions/month_end.html", context)


@step_up
def close(request: HttpRequest) -> HttpResponse:
    """Close a month, and return to it."""
    actor = officer(request)
    if not actor.may(CLOSE):
        raise PermissionDenied
    ends = ends_of_months(count=MONTHS)
    form = MonthForm(request.POST, books=listed_books(to=actor), ends=ends)
    if request.method != "POST" or not form.is_valid():
        raise Http404
    month = first_day(form.ends[form.cleaned_data["month"]])
    try:
        closed = close_month(actor=actor, month=month)
    except Refusal as refusal:
        messages.error(request, refusal.title)
    else:
        messages.success(request, f"{closed} is closed: {closed.accounts} accounts.")
    return HttpResponseRedirect(f"{reverse('admin:month_end')}?{urlencode(form.cleaned_data)}")


def first_day(end: datetime) -> date:
    """Return the first day of the month before its end."""
    return last_day(end).date().replace(day=1)


def last_day(end: datetime) -> datetime:
    """Return a moment of the last day before the end of a month."""
    return end - timedelta(days=1)


def _latest(books: Sequence[Book], *, ends: Sequence[datetime]) -> dict[str, Any]:
    book = str(books[0].pk) if books else ""
    return {"book": book, "month": f"{last_day(ends[-1]):%Y-%m}", "clock": Clock.RECORDED.value}


def _shown(book: Book, *, ends: Sequence[datetime], clock: Clock) -> dict[str, Any]:
    """Return what the page shows of a book and a month."""
    end = ends[-1]
    found = standings(book, ends=ends, clock=clock)
    balances = trial_balances(book, at=end - timedelta(microseconds=1), clock=clock)
    return {
        **_named(book, end=end),
        "clock": clock.value,
        "trials": _trials(balances),
        "standings": [_standing(each, end=end) for each in found if each.balances_minor[-1]],
        "charts": _charts(found, ends=ends),
    }


def _last_month() -> str:
    """Return the last complete month, which always stays."""
    return f"{last_day(ends_of_months(count=1)[0]):%Y-%m}"


def _kept(book: Book, *, end: datetime) -> dict[str, Any]:
    """Return what the page shows of a month that was put away: what was kept when it closed."""
    kept = closed_trial_balances(book, month=first_day(end))
    return {**_named(book, end=end), "clock": "", "trials": _trials(kept)}


def _named(book: Book, *, end: datetime) -> dict[str, Any]:
    day = last_day(end)
    return {"book": book, "month": f"{day:%B %Y}", "day": f"{day:%Y-%m-%d}"}


def _trials(balances: Sequence[TrialBalance]) -> list[dict[str, Any]]:
    return [
        {
            "currency": each.currency,
            "accounts": len(each.lines),
            "debit": str(Money(each.debit_minor, each.currency)),
            "credit": str(Money(each.credit_minor, each.currency)),
            "is_even": each.is_even,
        }
        for each in balances
    ]


def _state(end: datetime, *, may_close: bool) -> dict[str, Any]:
    """Return whether a month is closed, may be closed now, or is not settled yet."""
    month = first_day(end)
    closed, is_settled = closed_month(month), end <= settled_at()
    if closed is not None:
        text, tone = f"Closed {instant(closed.closed_at)}", "success"
    elif is_settled:
        text, tone = "Settled, not closed", "info"
    else:
        text, tone = "Not settled yet", "warning"
    return {
        "state": {"text": text, "tone": tone},
        "closed": closed,
        "archived": archived_month(month),
        "may_leave": closed is not None and next_to_leave() == f"{month:%Y-%m}" < _last_month(),
        "key": f"{month:%Y-%m}",
        "may_close": may_close and closed is None and is_settled,
    }


def _standing(standing: Standing, *, end: datetime) -> dict[str, Any]:
    account, since = standing.account, standing.since
    return {
        "account": account,
        "amount": str(Money(standing.balances_minor[-1], account.currency)),
        "since": since,
        "age": timesince(since, end, depth=1) if since else "",
    }


def _charts(found: Sequence[Standing], *, ends: Sequence[datetime]) -> list[dict[str, Any]]:
    """Return a chart a currency of what stood at each month's end; none where nothing ever did."""
    labels = [f"{last_day(end):%b %Y}" for end in ends]
    moved = [each for each in found if any(each.balances_minor)]
    currencies = dict.fromkeys(each.account.currency for each in moved)
    return [
        {"currency": currency}
        | amounts_over_time(
            labels,
            series=[
                (each.account.code, each.balances_minor)
                for each in moved
                if each.account.currency == currency
            ],
            currency=currency,
        )
        for currency in currencies
        if len(ends) > 1
    ]
