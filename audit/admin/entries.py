"""The audit log: who did what, when, and from what to what."""

from typing import Final

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.safestring import SafeString

from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin
from audit.adminparts import (
    EMPTY,
    copyable,
    display,
    instant,
    labelled,
    sentence,
    spoken,
    table,
    trace,
)
from audit.models import Entry
from audit.selectors.entries import touches_of

CHANGES_MAX: Final = 200
STANDINGS: Final[dict[str, str]] = {
    "done": "This was done, and everything it changed is listed below. The log is never edited.",
    "refused": "This was refused, so nothing was changed. The attempt stays on record.",
}


@admin.register(Entry)
class EntryPage(LookOnlyAdmin[Entry]):
    """One row an act or a refusal."""

    list_display = ("when", "who", "what", "outcome_label", "target")
    list_filter = ("outcome",)
    search_fields = ("target_ref", "actor_ref", "trace_id")
    search_help_text = "Key, target, actor or trace: exactly as written"
    fieldsets = (
        (None, {"fields": ("standing", "what", "outcome_label", "who", "target")}),
        ("What changed", {"fields": ("changes",)}),
        (
            "References",
            {"fields": ("key", "when", "command", "code", "actor", "shown_trace")},
        ),
    )
    shown_trace = trace
    standing = sentence(STANDINGS, of="outcome")
    outcome_label = labelled(
        {"done": "success", "refused": "danger"}, of="outcome", title="Outcome"
    )

    def scoped(self, queryset: QuerySet[Entry], actor: Actor) -> QuerySet[Entry]:
        """Return the whole log to those who may read it."""
        return queryset if actor.may("audit.view_entry") else queryset.none()

    @display(description="When")
    def when(self, row: Entry) -> str:
        """Show when it was written down."""
        return instant(row.recorded_at)

    @display(description="Who")
    def who(self, row: Entry) -> str:
        """Show what the actor was called."""
        return row.actor_label

    @display(description="What")
    def what(self, row: Entry) -> str:
        """Show the act in words."""
        noun, _, verb = row.action.partition(".")
        said = f"{spoken(noun)} {verb.replace('_', ' ')}"
        return f"{said}: {row.code.replace('_', ' ')}" if row.code else said

    @display(description="About")
    def target(self, row: Entry) -> SafeString:
        """Show what it is about."""
        return copyable(row.target_ref)

    @display(description="Actor")
    def actor(self, row: Entry) -> SafeString:
        """Show who it was, as the log spells it."""
        return copyable(row.actor_ref)

    @display(description="Key")
    def key(self, row: Entry) -> SafeString:
        """Show the key."""
        return copyable(row.pk)

    @display(description="From what to what")
    def changes(self, row: Entry) -> SafeString:
        """Show each changed field before and after, bounded."""
        lines = [
            (touch.table_name.partition("_")[2], field.replace("_", " "), before, after)
            for touch in touches_of([row]).get(row.pk, [])
            for field, before, after in _differences(touch.before, after=touch.after)
        ]
        return table(["Row", "Field", "Before", "After"], rows=lines[:CHANGES_MAX])


def _differences(
    before: dict[str, object] | None, *, after: dict[str, object] | None
) -> list[tuple[str, object, object]]:
    """Return (field, before, after) of what differs; a new row had nothing before."""
    old, new = before or {}, after or {}
    return [
        (name, _shown(old.get(name)), _shown(new.get(name)))
        for name in sorted(old | new)
        if old.get(name) != new.get(name)
    ]


def _shown(value: object) -> object:
    return EMPTY if value in (None, "") else value
