"""Amounts over time for Unfold's charts. Heights are whole units: the words are exact."""

import json
from collections.abc import Sequence
from typing import Any, Final

from transactions.money import EXPONENTS

COLOURS: Final = (
    "var(--color-primary-600)",
    "var(--color-base-400)",
    "var(--color-orange-500)",
    "var(--color-green-500)",
)
OPTIONS: Final[dict[str, Any]] = {
    "animation": False,
    "maintainAspectRatio": False,
    "interaction": {"mode": "index", "intersect": False},
    "scales": {
        "x": {
            "grid": {"display": False},
            "border": {"display": False},
            "ticks": {"maxTicksLimit": 8, "maxRotation": 0, "color": "#8b93a1"},
        },
        "y": {
            "border": {"display": False, "dash": [4, 4]},
            "ticks": {"maxTicksLimit": 5, "color": "#8b93a1"},
        },
    },
}


def amounts_over_time(
    labels: Sequence[str], *, series: Sequence[tuple[str, Sequence[int]]], currency: str
) -> dict[str, str]:
    """Return data and options of a chart of amounts in minor units, as lines or as bars."""
    unit = 10 ** EXPONENTS[currency]
    data = {
        "labels": list(labels),
        "datasets": [
            {
                "label": name,
                "data": [amount // unit for amount in amounts],
                "borderColor": COLOURS[index % len(COLOURS)],
                "backgroundColor": COLOURS[index % len(COLOURS)],
                "borderWidth": 2,
                "pointRadius": 0,
                "stepped": True,
            }
            for index, (name, amounts) in enumerate(series)
        ],
    }
    legend = {"plugins": {"legend": {"display": len(series) > 1, "labels": {"color": "#8b93a1"}}}}
    return {"data": json.dumps(data), "options": json.dumps(OPTIONS | legend)}
