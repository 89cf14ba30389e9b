"""Journals: balanced movements of money, with their lines."""

from collections.abc import Iterable

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin
from audit.adminparts import EMPTY, copyable, display, instant, page_of, spoken, table, trace
from transactions.models import Journal
from transactions.money import Money
from transactions.selectors.pages import (
    ShownJournal,
    journals_for_pages,
    named_postings,
    reversals_of,
)

SUBJECTS = {
    "transfer": "transactions.transfer",
    "hold": "transactions.hold",
    "payment": "transactions.payment",
    "journalproposal": "transactions.journalproposal",
}


def journals_table(journals: Iterable[ShownJournal]) -> SafeString:
    """Return journals as a table, each with the way to its page."""
    rows = [
        (
            page_of("transactions.journal", each.pk, text=each.name),
            each.money,
            instant(each.occurred_at),
            copyable(each.trace_id),
        )
        for each in journals
    ]
    return table(["Journal", "Amount", "When", "Trace"], rows=rows)


@admin.register(Journal)
class JournalPage(LookOnlyAdmin[Journal]):
    """One row a journal."""

    list_display = ("what", "amount", "subject", "happened", "written", "cause")
    search_fields = ("subject_ref", "origin", "trace_id")
    search_help_text = "Key, subject, origin or trace: exactly as written"
    fieldsets = (
        (None, {"fields": ("standing", "what", "amount", "subject", "happened", "written")}),
        ("Postings", {"fields": ("lines",)}),
        ("References", {"fields": ("key", "cause", "undoes", "undone_by", "shown_trace")}),
    )
    shown_trace = trace

    def scoped(self, queryset: QuerySet[Journal], actor: Actor) -> QuerySet[Journal]:
        """Return all, or those that post to an account the officer may see."""
        del queryset
        return journals_for_pages(to=actor)

    def get_object(  # noqa: PLR0917 - Django's signature
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Journal | None:
        """Read the lines too, as whoever is looking may see them."""
        row: Journal | None = super().get_object(request, object_id, from_field)
        if row is not None:
            actor = self.officer(request)
            vars(row)["named"] = named_postings(row, to=actor)
            vars(row)["reversals"] = reversals_of(row, to=actor)
        return row

    @display(description="Where it stands")
    def standing(self, row: Journal) -> str:
        """Say what a journal is."""
        del row
        return (
            "Written once and never changed. Its lines add up to zero; a mistake is undone by"
            " another journal that names this one."
        )

    @display(description="What")
    def what(self, row: Journal) -> str:
        """Show why money moved."""
        return spoken(row.purpose)

    @display(description="Amount")
    def amount(self, row: Journal) -> str:
        """Show the largest line."""
        minor, currency = getattr(row, "amount_minor", None), getattr(row, "currency", "")
        return str(Money(minor, currency)) if minor is not None else EMPTY

    @display(description="About")
    def subject(self, row: Journal) -> SafeString:
        """Lead to what it is about."""
        noun, _, key = row.subject_ref.partition(":")
        page = SUBJECTS.get(noun)
        return page_of(page, key, text=spoken(noun)) if page else copyable(row.subject_ref)

    @display(description="Happened")
    def happened(self, row: Journal) -> str:
        """Show when the money moved."""
        return instant(row.occurred_at)

    @display(description="Written down")
    def written(self, row: Journal) -> str:
        """Show when we wrote it down."""
        return instant(row.recorded_at)

    @display(description="Origin")
    def cause(self, row: Journal) -> SafeString:
        """Show what caused it, once."""
        return copyable(row.origin)

    @display(description="Key")
    def key(self, row: Journal) -> SafeString:
        """Show the key."""
        return copyable(row.pk)

    @display(description="Undoes")
    def undoes(self, row: Journal) -> SafeString:
        """Lead to the journal that this one undoes."""
        return page_of("transactions.journal", row.reverses, text="The journal it undoes")

    @display(description="Undone by")
    def undone_by(self, row: Journal) -> SafeString:
        """Show the journals that undo this one, in whole or part."""
        return journals_table(vars(row)["reversals"])

    @display(description="Postings")
    def lines(self, row: Journal) -> SafeString:
        """Show the lines, bounded."""
        rows = [
            (
                page_of("transactions.ledgeraccount", line.account_id, text=name)
                if name
                else "Another account",
                line.money,
                Money(line.balance_after_minor, line.currency)
                if name and line.balance_after_minor is not None
                else EMPTY,
            )
            for line, name in vars(row)["named"]
        ]
        return table(["Account", "Amount", "Balance after"], rows=rows)
