"""Pieces of the staff's pages: labels, copyable ids, links and small tables. All escape."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from django import forms
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold import decorators

from audit.selectors.entries import names_of
from audit.texts import MISLEADS, misleads

F = TypeVar("F", bound=Callable[..., Any])
EMPTY: Final = "—"
# Where a column says which field names its actor, and a listed row what actors are called.
ACTOR_IN: Final = "actor_in"
NAMES: Final = "_names_of_actors"


class PlainText(forms.CharField):
    """Text that others will read, in the order in which it was written."""

    def validate(self, value: str) -> None:
        """Refuse what may be read as another text."""
        super().validate(value)
        if misleads(value):
            raise forms.ValidationError(f"This {MISLEADS}.")


def amiss_with(reason: str, /) -> str:
    """Say what is wrong with a reason, empty for nothing."""
    if not reason:
        return "Say why: it goes on record with the act."
    return f"This {MISLEADS}." if misleads(reason) else ""


def display(**options: Any) -> Callable[[F], F]:
    """Describe a column or field, as Unfold does, keeping its type."""
    return cast("Callable[[F], F]", decorators.display(**options))


def action(**options: Any) -> Callable[[F], F]:
    """Make a method an action of the page, as Unfold does, keeping its type."""
    return cast("Callable[[F], F]", decorators.action(**options))


def copyable(text: object) -> SafeString:
    """Return an id that one click selects whole."""
    return format_html('<span class="cs-id">{}</span>', text) if text else format_html("{}", EMPTY)


def spoken(word: str) -> str:
    """Return a word of the tables as people say it: `awaiting_approval` -> `Awaiting approval`."""
    return word.replace("_", " ").capitalize()


def page_of(model: str, key: UUID | str | None, *, text: object) -> SafeString:
    """Return a link to a row's page, e.g. `transactions.transfer`; plain text where none is."""
    if key is None:
        return format_html("{}", EMPTY)
    try:
        address = reverse(f"admin:{model.replace('.', '_')}_change", args=[key])
    except NoReverseMatch:
        return format_html("{}", text)
    return link_to(address, text=text)


def link_to(address: str, *, text: object) -> SafeString:
    """Return a link to an address; plain text where there is none."""
    if not address:
        return format_html("{}", text or EMPTY)
    return format_html('<a class="text-link" href="{}">{}</a>', address, text)


def address_of(name: str, key: UUID | str, *, text: object) -> SafeString:
    """Return a link to one of the site's own pages about a row, e.g. `statement`."""
    address = reverse(f"admin:{name}", args=[key])
    return format_html('<a class="text-link" href="{}">{}</a>', address, text)


def table(headings: Sequence[str], *, rows: Iterable[Sequence[object]]) -> SafeString:
    """Return a small table; each cell is escaped unless it is markup already."""
    cells = [(format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows]
    if not cells:
        return format_html("{}", EMPTY)
    return format_html(
        '<div class="cs-scroll" tabindex="0" role="region" aria-label="{}">'
        '<table class="cs-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        ", ".join(headings),
        format_html_join("", "<th>{}</th>", ((heading,) for heading in headings)),
        format_html_join("", "<tr>{}</tr>", cells),
    )


def tag(text: str, *, colour: str = "") -> SafeString:
    """Return a word as a coloured label: success, info, warning or danger; grey for none."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": colour})


def instant(at: datetime | None) -> str:
    """Return a time as all of the staff's screens write it, with its zone."""
    return date_format(at, "DATETIME_FORMAT") if at else EMPTY


def acted(*, of: str, title: str) -> Callable[..., str]:
    """Return a column that says what the actor whose reference is in `of` is called."""

    @display(description=title)
    def name(_: object, row: Any) -> str:
        ref = str(getattr(row, of) or "")
        if not ref:
            return EMPTY
        return str((vars(row).get(NAMES) or names_of([ref]))[ref])

    vars(name)[ACTOR_IN] = of
    return name


def ask_names(rows: Iterable[Any], *, columns: Iterable[object]) -> None:
    """Ask once what all the actors are called whom the `acted` columns of a list will name."""
    fields = [of for column in columns if (of := getattr(column, ACTOR_IN, ""))]
    names = names_of(
        {ref for row in rows for of in fields if (ref := str(getattr(row, of) or ""))}
    )
    for row in rows if names else ():
        vars(row)[NAMES] = names


def labelled(
    colours: Mapping[str, str], *, of: str = "state", title: str = "State"
) -> Callable[..., SafeString]:
    """Return a column that shows the word in `of` as a label in its colour."""

    @display(description=title)
    def label(_: object, row: Any) -> SafeString:
        word = str(getattr(row, of))
        return tag(spoken(word), colour=colours.get(word, ""))

    return label


def sentence(standings: Mapping[str, str], *, of: str = "state") -> Callable[..., str]:
    """Return a field that says in a sentence what the word in `of` means and what comes next."""

    @display(description="Where it stands")
    def standing(_: object, row: Any) -> str:
        word = str(getattr(row, of))
        return standings.get(word, spoken(word))

    described: Callable[..., str] = standing
    return described


@display(description="Id")
def public_id(_: object, row: Any) -> SafeString:
    """Show the public id."""
    return copyable(row.public_id)


@display(description="Trace")
def trace(_: object, row: Any) -> SafeString:
    """Show the trace id."""
    return copyable(row.trace_id)


@display(description="Amount")
def amount(_: object, row: Any) -> SafeString:
    """Show the row's money."""
    return format_html('<span class="cs-money">{}</span>', row.money)
