"""The home page: what needs me, how money moved, what happened last."""

import json
from typing import Any, Final

from django.http import HttpRequest

from accounts.frontdesk.staff import officer
from accounts.roles import SEES_EVERY_PORTFOLIO_GRANT
from audit.actors import Actor
from audit.adminparts import link_to
from audit.links import link_for, name_of
from audit.selectors.entries import latest_entries
from audit.selectors.timelines import act_in_words
from config.books import standing
from config.queues import QUEUES, card
from transactions.money import EXPONENTS, Money
from transactions.selectors.overview import daily_flow

FLOW_DAYS: Final = 90
CHARTS_MAX: Final = 2
ENTRIES_SHOWN: Final = 10


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures this officer may see; each part is left out where the role does not open it.

    Sums over the whole house are for those who see every portfolio.
    """
    actor = officer(request)
    sees_all = actor.may(SEES_EVERY_PORTFOLIO_GRANT)
    queues = [card(queue) for queue in QUEUES if sees_all and actor.may(queue.permission)]
    may_read_log = actor.may("audit.view_entry")
    return context | {
        "title": "Home",
        "books": standing() if actor.may("transactions.view_finding") else None,
        "queues": queues,
        "flows": [_chart(*flow) for flow in _flows()] if sees_all else [],
        "sees_all": sees_all,
        "flow_days": FLOW_DAYS,
        "entries": _latest(actor) if may_read_log else [],
        "may_read_log": may_read_log,
    }


def _latest(actor: Actor) -> list[dict[str, Any]]:
    """Return the newest entries in words, each with the page of what it is about."""
    return [
        {
            "entry": entry,
            "act": act_in_words(entry),
            "refusal": entry.code.replace("_", " "),
            "about": link_to(link_for(entry.target_ref, to=actor), text=name_of(entry.target_ref)),
        }
        for entry in latest_entries(limit=ENTRIES_SHOWN)
    ]


def _flows() -> list[tuple[str, list[Any]]]:
    return list(daily_flow(days=FLOW_DAYS).items())[:CHARTS_MAX]


def _chart(currency: str, days: list[Any]) -> dict[str, Any]:
    """Return one currency's chart for Unfold, and its sums in words.

    Heights are whole units, which is enough to look at; the words are exact.
    """
    unit = 10 ** EXPONENTS[currency]
    came, left = sum(row[1] for row in days), sum(row[2] for row in days)
    data = {
        "labels": [f"{row[0]:%-d %b}" for row in days],
        "datasets": [
            _bars("In", [row[1] // unit for row in days], color="var(--color-primary-600)"),
            _bars("Out", [-(row[2] // unit) for row in days], color="var(--color-base-400)"),
        ],
    }
    return {
        "currency": currency,
        "came": str(Money(came, currency)),
        "left": str(Money(left, currency)),
        "data": json.dumps(data),
        "options": json.dumps(OPTIONS),
    }


def _bars(label: str, heights: list[int], *, color: str) -> dict[str, Any]:
    return {"label": label, "data": heights, "backgroundColor": color, "borderRadius": 2}


OPTIONS: Final[dict[str, Any]] = {
    "animation": False,
    "maintainAspectRatio": False,
    "interaction": {"mode": "index", "intersect": False},
    "plugins": {"legend": {"display": False}},
    "datasets": {"bar": {"categoryPercentage": 0.9, "barPercentage": 0.85}},
    "scales": {
        "x": {
            "stacked": True,
            "grid": {"display": False},
            "border": {"display": False},
            "ticks": {"maxTicksLimit": 8, "maxRotation": 0, "color": "#8b93a1"},
        },
        "y": {
            "stacked": True,
            "border": {"display": False, "dash": [4, 4]},
            "ticks": {"maxTicksLimit": 5, "color": "#8b93a1"},
        },
    },
}
