"""From any id one can paste to everything that one cause led to, in order of time."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from accounts.models import Letter
from accounts.roles import SEES_EVERY_PORTFOLIO_GRANT
from accounts.scopes import visible_books
from accounts.selectors import timelines as _letters  # noqa: F401 - adds what that floor knows
from audit.actors import Actor
from audit.models import Entry
from audit.moments import Moment
from audit.selectors.timelines import Thread, moments_of
from integrations.models import Callback
from integrations.selectors import timelines  # noqa: F401 - adds what this floor knows
from integrations.selectors.search import Hit, found_by, key_in
from transactions.selectors.batches import is_of_batch
from transactions.selectors.timelines import kin_of

TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
TRACES_MAX: Final = 12
MOMENTS_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What was pasted, what it names, and what happened to all of it."""

    term: str
    hits: Sequence[Hit]
    traces: Sequence[str]
    moments: Sequence[Moment]


def trace_of_term(term: str, *, to: Actor) -> Trace:
    """Return everything on the traces of what `term` names, as far as `to` may know of it.

    Those who see only some portfolios get what happened to the things they see; a whole trace
    may touch others.
    """
    text = term.strip()
    hits = found_by(text, to=to)
    seeds = Thread(
        refs=frozenset(hit.ref for hit in hits), traces=frozenset(_traces_named(text, to=to))
    )
    thread = _whole(seeds, to=to)
    return Trace(
        term=text,
        hits=hits,
        traces=sorted(thread.traces),
        moments=_read(thread, to=to),
    )


def timeline_of(row: Any, *, to: Actor) -> Sequence[Moment]:
    """Return what happened to one row that `to` may see, its approvals and calls with it.

    A batch's trace is that of thousands of transfers, so it is not followed from any of them.
    """
    ref = getattr(row, "audit_ref", f"{row._meta.model_name}:{row.pk}")  # noqa: SLF001
    own = _apart(Thread(refs=frozenset({ref}), traces=frozenset({getattr(row, "trace_id", "")})))
    noun = ref.partition(":")[0]
    thread = kin_of(own, to=to) if noun in {"transfer", "payment", "dispute"} else own
    return _read(_within(_apart(thread), to=to), to=to)


def _apart(thread: Thread) -> Thread:
    """Return a thread without the traces of batches."""
    traces = frozenset(each for each in thread.traces if each and not is_of_batch(each))
    return replace(thread, traces=traces)


def _whole(seeds: Thread, *, to: Actor) -> Thread:
    """Follow a thread from thing to trace and back again until it has both, or twice at most."""
    thread = kin_of(kin_of(seeds, to=to), to=to)
    if to.may(SEES_EVERY_PORTFOLIO_GRANT):
        callbacks = Callback.objects.filter(pk__in=thread.keys("callback"))
        more = set(callbacks.values_list("trace_id", flat=True))
        thread = kin_of(Thread(refs=thread.refs, traces=thread.traces | more), to=to)
    return _within(thread, to=to)


def _within(thread: Thread, *, to: Actor) -> Thread:
    """Follow whole traces only for those who see every portfolio."""
    traces = sorted(thread.traces)[:TRACES_MAX] if to.may(SEES_EVERY_PORTFOLIO_GRANT) else ()
    return Thread(refs=thread.refs, traces=frozenset(traces))


def _read(thread: Thread, *, to: Actor) -> Sequence[Moment]:
    if not thread.refs and not thread.traces:
        return []
    return sorted(moments_of(thread, to=to), key=lambda each: (each.at, each.ref))[-MOMENTS_MAX:]


def _traces_named(text: str, *, to: Actor) -> Iterable[str]:
    """Return the trace that `text` is, or that an entry or a letter of that id belongs to."""
    found = {text.lower()} if TRACE_ID.fullmatch(text.lower()) else set[str]()
    for key in _keys(text, "evt"):
        letters = visible_books(Letter.objects.filter(pk=key), to=to)
        found |= set(letters.values_list("trace_id", flat=True))
    for key in _keys(text, "ent"):
        if to.may("audit.view_entry"):
            found |= set(Entry.objects.filter(pk=key).values_list("trace_id", flat=True))
    return found


def _keys(text: str, prefix: str, /) -> list[UUID]:
    key = key_in(text, prefix=prefix)
    return [key] if key else []
