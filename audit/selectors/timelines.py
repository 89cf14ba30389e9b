"""Everything that happened to something, from whichever floor wrote it down.

Each floor adds what it knows with `@source`; the pages import those modules, so
a process that serves pages has all of them.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.apps import apps
from django.db.models import Model

from audit.actors import Actor, ActorKind
from audit.errors import Refusal
from audit.history import Witnessed
from audit.links import reference_of
from audit.models import Entry, Touch
from audit.moments import Change, Difference, Kind, Moment, Tone
from audit.selectors.entries import entries_about, names_of, spoken, touches_of

VERSIONS_MAX: Final = 100
ROWS_MAX: Final = 60
# Facts that say in a person's words why or what.
SAYING: Final = ("reason", "note", "because", "detail")
# What a provider is told when it says what is known: the everyday no.
REPEATS: Final = frozenset({"nothing_changed", "already_booked"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """What belongs together: things by reference, and traces for those who may follow them.

    `books` and `xacts` are those of the entries found, `rows` what they touched.
    """

    refs: frozenset[str]
    traces: frozenset[str] = frozenset()
    books: frozenset[Any] = frozenset()
    xacts: frozenset[int] = frozenset()
    rows: frozenset[tuple[str, str]] = frozenset()

    def keys(self, noun: str) -> list[str]:
        """Return the keys of the things of one kind."""
        return [ref.partition(":")[2] for ref in self.refs if ref.startswith(f"{noun}:")]


Source = Callable[[Thread, Actor], Iterable[Moment]]
SOURCES: Final[list[Source]] = []


def source(read: Source) -> Source:
    """Let `read` add what its floor knows to every timeline."""
    SOURCES.append(read)
    return read


def moments_of(thread: Thread, *, to: Actor) -> list[Moment]:
    """Return what happened along `thread`, as far as `to` may know of it."""
    entries = entries_about(thread.refs, traces=thread.traces)
    touches = touches_of(entries)
    whole = replace(
        thread,
        books=frozenset(entry.book_id for entry in entries if entry.book_id),
        xacts=frozenset(entry.xact for entry in entries),
        rows=frozenset((t.table_name, t.row_id) for each in touches.values() for t in each),
    )
    moments = [_moment(entry, touches=touches.get(entry.pk, ())) for entry in entries]
    moments += _versions(whole.rows, entries=entries, touches=touches)
    for read in SOURCES:
        moments += read(whole, to)
    return moments


def differences_of(touches: Iterable[Touch]) -> tuple[Difference, ...]:
    """Return what an entry changed, row by row and field by field."""
    return tuple(
        Difference(
            table=touch.table_name,
            row=touch.row_id,
            is_new=touch.before is None,
            changes=_changes(touch.before or {}, after=touch.after or {}),
        )
        for touch in touches
    )


def _changes(before: Mapping[str, Any], *, after: Mapping[str, Any]) -> tuple[Change, ...]:
    return tuple(
        Change(field=name, before=before.get(name), after=after.get(name))
        for name in dict.fromkeys([*before, *after])
        if name not in before or name not in after or before[name] != after[name]
    )


def _moment(entry: Entry, *, touches: Sequence[Touch]) -> Moment:
    said = spoken(entry)
    credential = str(said["actor"].get("credential", ""))
    is_refused = entry.outcome == "refused"
    is_repeat = is_refused and entry.actor_kind == ActorKind.PROVIDER and entry.code in REPEATS
    return Moment(
        at=entry.recorded_at,
        kind=Kind.ENTRY,
        ref=f"entry:{entry.pk}",
        title=act_in_words(entry),
        about=entry.target_ref,
        who=entry.actor_label,
        said=_refusal_in_words(entry.code) if is_refused else saying(said["facts"]),
        # A provider that says the same twice is refused each time, and nothing is wrong.
        tone=Tone.BAD if is_refused and not is_repeat else Tone.PLAIN,
        is_repeat=is_repeat,
        differences=differences_of(touches),
        xact=entry.xact,
        cause=credential if credential.startswith("callback:") else "",
    )


def act_in_words(entry: Entry) -> str:
    """Return what was done, or what was asked and refused, in plain words."""
    is_refused = entry.outcome == "refused"
    noun, _, act = entry.action.rpartition(".")
    words = (noun if act == "refused" else act) if is_refused else entry.action
    text = words.replace(".", " ").replace("_", " ").capitalize()
    return f"{text}: refused" if is_refused else text


def saying(facts: Mapping[str, Any]) -> str:
    """Return what the actor said about it, where something was said."""
    return next((str(facts[name]) for name in SAYING if facts.get(name)), "")


def _refusal_in_words(code: str) -> str:
    known = Refusal.by_code.get(code)
    return (known.__doc__ or code).strip().splitlines()[0] if known else code


def _versions(
    rows: Collection[tuple[str, str]],
    *,
    entries: Sequence[Entry],
    touches: Mapping[Any, list[Touch]],
) -> list[Moment]:
    """Return every kept version of the rows, each under the transaction that made it."""
    models = _versioned()
    found = []
    for table, row in sorted(rows)[:ROWS_MAX]:
        model = models.get(table)
        if model is None:
            continue
        touching = [
            entry
            for entry in entries
            if any((t.table_name, t.row_id) == (table, row) for t in touches.get(entry.pk, ()))
        ]
        found += _versions_of(model, row=row, touching=touching)
    names = names_of({each.who for each in found if ":" in each.who})
    return [replace(each, who=names.get(each.who, each.who)) for each in found]


def _versions_of(model: Any, *, row: str, touching: Sequence[Entry]) -> list[Moment]:
    table, noun = model._meta.db_table, str(model._meta.verbose_name)  # noqa: SLF001
    found = []
    kept = model.history.filter(id=row).order_by("history_date", "history_id")[:VERSIONS_MAX]
    for number, version in enumerate(kept, start=1):
        at = version.history_date
        act = next((e for e in touching if e.xact_at <= at <= e.recorded_at), None)
        found.append(
            Moment(
                at=at,
                kind=Kind.VERSION,
                ref=f"version:{version.history_id}",
                title=f"{noun.capitalize()}, version {number}",
                about=reference_of(table, row=row),
                who=act.actor_label if act else version.history_actor,
                said=version.history_change_reason or getattr(version, "state", ""),
                xact=act.xact if act else None,
            )
        )
    return found


def _versioned() -> dict[str, type[Model]]:
    """Return the models whose rows keep their versions, by table."""
    return {
        model._meta.db_table: model  # noqa: SLF001 - Django's own interface
        for model in apps.get_models()
        if issubclass(model, Witnessed) and hasattr(model, "history")
    }
