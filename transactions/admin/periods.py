"""The forms that say which part of the books is meant: a period or a day, a clock, a book."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget

from transactions.errors.archive import InstantArchived
from transactions.models import Book
from transactions.statements import Period
from transactions.states import Clock

FIRST_DAY: Final = date(1970, 1, 1)
LAST_DAY: Final = date(2999, 12, 31)
A_DAY: Final = timedelta(days=1)
TICK: Final = timedelta(microseconds=1)


class DayField(forms.DateField):
    """A day in UTC, chosen with the browser's own calendar."""

    def __init__(self, **kwargs: Any) -> None:
        """Show it as browsers want it."""
        looks = {"type": "date", "class": "cs-input"}
        super().__init__(widget=forms.DateInput(format="%Y-%m-%d", attrs=looks), **kwargs)

    def clean(self, value: Any) -> date | None:
        """Take only days that the books can be asked about."""
        day: date | None = super().clean(value)
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise forms.ValidationError(f"Choose a day from {FIRST_DAY} to {LAST_DAY}.")
        return day


def _clock() -> forms.ChoiceField:
    return forms.ChoiceField(choices=Clock.choices, widget=UnfoldAdminSelectWidget)


class PeriodForm(forms.Form):
    """A statement's period, both days included."""

    since = DayField(label="From")
    until = DayField(label="Up to and including")
    clock = _clock()

    def clean(self) -> dict[str, Any]:
        """Insist on a beginning before the end."""
        found = super().clean() or {}
        if found.get("since") and found.get("until") and found["until"] < found["since"]:
            self.add_error("until", "This is before the period begins.")
        return found

    @property
    def period(self) -> Period:
        """Return the period that a valid form spells."""
        found = self.cleaned_data
        return Period(
            since=midnight(found["since"]),
            until=midnight(found["until"] + A_DAY),
            clock=Clock(found["clock"]),
        )


class DayForm(forms.Form):
    """A book at the end of a day."""

    book = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    day = DayField(label="At the end of")
    clock = _clock()

    def __init__(self, *args: Any, books: Sequence[Book], **kwargs: Any) -> None:
        """Offer `books`."""
        super().__init__(*args, **kwargs)
        self.fields["book"].choices = [(str(book.pk), book.name) for book in books]  # type: ignore[attr-defined]

    @property
    def at(self) -> datetime:
        """Return the last instant of the day."""
        return midnight(self.cleaned_data["day"] + A_DAY) - TICK

    @property
    def by(self) -> Clock:
        """Return the clock."""
        return Clock(self.cleaned_data["clock"])


def said_of(refusal: InstantArchived) -> str:
    """Say from which day on a page can be asked."""
    first = datetime.fromisoformat(refusal.answered_from)
    return f"{refusal.title} The books answer from {first:%-d %B %Y} on, by this clock."


def this_month() -> dict[str, Any]:
    """Return the days of this month up to today, by the clock of the books."""
    today = timezone.now().date()
    return {"since": today.replace(day=1), "until": today, "clock": Clock.RECORDED.value}


def midnight(day: date) -> datetime:
    """Return the beginning of a day in UTC."""
    return datetime.combine(day, time(), tzinfo=UTC)
