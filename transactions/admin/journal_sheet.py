"""A new manual journal: lines by code, their sums, what would come of them, and asking for it."""

import json
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.errors import AlreadyAsked
from audit.actors import Actor
from audit.adminparts import PlainText
from audit.errors import Invalid, Refusal
from audit.typeids import uuid7
from transactions.admin.amounts import read_signed_money
from transactions.admin.desks import Desk, address
from transactions.admin.effects import show_effects
from transactions.errors import AlreadyBooked
from transactions.models import Book, LedgerAccount
from transactions.money import EXPONENTS, Money
from transactions.proposals import (
    EVIDENCE_CHARACTERS_MAX,
    REASON_CHARACTERS_MAX,
    ManualJournal,
    Move,
)
from transactions.selectors.proposals import (
    accounts_called,
    accounts_in_book,
    books_to_choose_from,
    effects,
    sums_of,
)
from transactions.services.journals import propose_manual_journal

ROWS: Final = 4
ROWS_MAX: Final = 64
NAMES_MAX: Final = 500
TEMPLATE: Final = "admin/transactions/journalproposal/new.html"


class HeadForm(forms.Form):
    """What a journal rests on. `number` makes it one, however often it is sent."""

    number = forms.UUIDField(widget=forms.HiddenInput)
    reason = PlainText(
        label="Why",
        max_length=REASON_CHARACTERS_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text="The second person and the auditor read this.",
    )
    evidence = PlainText(
        label="Evidence",
        max_length=EVIDENCE_CHARACTERS_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text="Where it is kept: a ticket, a document's name, an address.",
    )


class LineForm(forms.Form):
    """One line: an account by its code, and an amount with its sign. Empty counts for nothing."""

    account = PlainText(
        required=False,
        max_length=130,
        widget=UnfoldAdminTextInputWidget(
            attrs={"list": "book_accounts", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    amount = PlainText(
        required=False,
        max_length=30,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "class": "cs-amount"}),
    )

    def __init__(self, *args: Any, known: dict[str, LedgerAccount], **kwargs: Any) -> None:
        """Know the book's accounts by what people call them; say which line this is."""
        super().__init__(*args, **kwargs)
        self.known = known
        number = int(str(self.prefix).rpartition("-")[2]) + 1
        for name, field in self.fields.items():
            field.widget.attrs["aria-label"] = f"{name.capitalize()} of line {number}"

    def clean(self) -> dict[str, Any]:
        """Find the account and read the amount in its currency; both, or neither."""
        found = super().clean() or {}
        name, amount = found.get("account", ""), found.get("amount", "")
        account = self.known.get(name)
        if account is None:
            if name or amount:
                self.add_error("account", "No account of this book is called so.")
            return found
        try:
            money = read_signed_money(amount, currency=account.currency)
        except ValueError as error:
            self.add_error("amount", str(error))
            return found
        found["move"] = Move(account_id=account.pk, amount_minor=money.amount_minor)
        return found


@dataclass
class Sheet:
    """The head and lines of one journal being written."""

    head: HeadForm
    lines: list[LineForm]
    known: dict[str, LedgerAccount]

    def is_valid(self) -> bool:
        """Check head and every line, so that all that is wrong is shown at once."""
        return all([self.head.is_valid(), *(line.is_valid() for line in self.lines)])

    @property
    def moves(self) -> list[Move]:
        """Return the lines that say something."""
        found = [line.cleaned_data.get("move") for line in self.lines]
        return [move for move in found if move is not None]

    @property
    def accounts(self) -> dict[UUID, LedgerAccount]:
        """Return the accounts by key."""
        return {account.pk: account for account in self.known.values()}

    def journal(self, book: Book) -> ManualJournal:
        """Return the journal that a valid sheet spells."""
        head = self.head.cleaned_data
        return ManualJournal(
            id=head["number"],
            book_id=book.pk,
            moves=self.moves,
            reason=head["reason"],
            evidence=head["evidence"],
        )


def write_journal(page: Desk, request: HttpRequest) -> HttpResponse:
    """Show the sheet, then what would happen, then ask once and lead to the proposal."""
    actor = page.officer(request)
    context: dict[str, Any] = {
        **page.admin_site.each_context(request),
        "opts": page.model._meta,  # noqa: SLF001 - Django's own interface
        "title": "New manual journal",
        "back": address(page),
        "exponents": json.dumps(EXPONENTS),
    }
    book = _chosen_book(request, actor=actor)
    if book is None:
        context["books"] = books_to_choose_from(to=actor)
        return TemplateResponse(request, TEMPLATE, context)
    sheet = _sheet(request, book=book, actor=actor)
    context |= {"book": book, "sheet": sheet, "names": _names(book, actor=actor)}
    step = request.POST.get("step", "")
    if step in ("preview", "submit") and sheet.is_valid():
        context |= _shown(sheet)
        if step == "submit" and context["shown"]:
            return _ask(page, request, sheet=sheet, book=book, context=context)
    return TemplateResponse(request, TEMPLATE, context)


def _chosen_book(request: HttpRequest, *, actor: Actor) -> Book | None:
    """Return the book in the address, None where none is chosen yet."""
    if "book" not in request.GET:
        return None
    books = {str(book.pk): book for book in books_to_choose_from(to=actor)}
    if request.GET["book"] not in books:
        raise Http404
    return books[request.GET["book"]]


def _sheet(request: HttpRequest, *, book: Book, actor: Actor) -> Sheet:
    """Return the sheet as it was typed; without complaints where it is only being written."""
    step = request.POST.get("step", "")
    typed = request.POST if request.method == "POST" else None
    rows = _rows(request) + (ROWS if step == "more" else 0)
    names = [request.POST.get(f"line-{row}-account", "").strip() for row in range(rows)]
    known = accounts_called(names, book_id=book.pk, to=actor)
    is_checked = step in ("preview", "submit")
    lines = [
        LineForm(
            typed if is_checked else None,
            prefix=f"line-{row}",
            known=known,
            initial=_typed(request, f"line-{row}-", "account", "amount"),
        )
        for row in range(min(rows, ROWS_MAX))
    ]
    head = HeadForm(
        typed if is_checked else None,
        initial={"number": uuid7()} | _typed(request, "", "number", "reason", "evidence"),
    )
    return Sheet(head=head, lines=lines, known=known)


def _typed(request: HttpRequest, prefix: str, *names: str) -> dict[str, Any]:
    found = {name: request.POST.get(f"{prefix}{name}", "") for name in names}
    return {name: text for name, text in found.items() if text}


def _rows(request: HttpRequest) -> int:
    """Return how many lines the sheet has, at least `ROWS`."""
    said = request.POST.get("lines", "")
    return max(ROWS, min(int(said), ROWS_MAX)) if said.isdecimal() else ROWS


def _names(book: Book, *, actor: Actor) -> list[str]:
    return [str(account) for account in accounts_in_book(book.pk, to=actor)[:NAMES_MAX]]


def _shown(sheet: Sheet) -> dict[str, Any]:
    """Return what would happen, or that it does not add up."""
    sums = sums_of(sheet.moves, accounts=sheet.accounts)
    left = [str(Money(total, currency)) for currency, total in sums.items() if total]
    off = f"Does not add up: {', '.join(left)} is left over." if left else ""
    if len(sheet.moves) < 2:  # noqa: PLR2004 - money leaves somewhere and arrives elsewhere
        off = "A journal has at least two lines."
    return {
        "off": off,
        "shown": not off,
        "effects": show_effects(effects(sheet.moves, accounts=sheet.accounts)),
    }


def _ask(
    page: Desk, request: HttpRequest, *, sheet: Sheet, book: Book, context: dict[str, Any]
) -> HttpResponse:
    """Propose it; a sheet sent twice leads to the same proposal."""
    journal, said = sheet.journal(book), "Asked for. A second person must approve it."
    try:
        propose_manual_journal(actor=page.officer(request), journal=journal)
    except (AlreadyAsked, AlreadyBooked):
        said = "This was asked for already, and only once."
    except Refusal as refusal:
        fields = refusal.fields.values() if isinstance(refusal, Invalid) else ()
        context["refused"] = " ".join([refusal.title, *fields])
        return TemplateResponse(request, TEMPLATE, context)
    page.message_user(request, said, messages.SUCCESS)
    return HttpResponseRedirect(address(page, journal.id))
