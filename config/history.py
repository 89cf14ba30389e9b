"""What happened to something, in a page's words: each moment with its links and its changes."""

from collections.abc import Mapping
from typing import Any

from audit.actors import Actor
from audit.links import link_for, name_of
from audit.moments import Kind, Moment, Step, steps
from config.changes import lines_of, table_in_words
from integrations.selectors.traces import timeline_of
from transactions.selectors.currencies import currencies_in


def told(row: Any, *, to: Actor) -> list[dict[str, Any]]:
    """Return a row's timeline, the newest first, ready for its template."""
    moments = timeline_of(row, to=to)
    currencies = currencies_in(moments)
    return [_step(step, to=to, currencies=currencies) for step in reversed(steps(moments))]


def in_words(
    moment: Moment, *, to: Actor, currencies: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    """Return a moment with the pages it leads to, as far as `to` may open them."""
    return {
        "moment": moment,
        "own": link_for(moment.ref, to=to),
        "about": link_for(moment.about, to=to),
        "about_name": name_of(moment.about) if moment.about else "",
        "differences": [
            {"name": table_in_words(each.table), "is_new": each.is_new, "lines": lines}
            for each in moment.differences
            if (lines := list(lines_of(each, currencies=currencies)))
        ],
    }


def _step(step: Step, *, to: Actor, currencies: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    effects = [
        in_words(each, to=to, currencies=currencies)
        for each in step.effects
        if each.kind is not Kind.VERSION
    ]
    return in_words(step.moment, to=to, currencies=currencies) | {"effects": effects}
