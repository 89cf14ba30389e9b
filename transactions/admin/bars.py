"""How much of a sum went where, as one small bar with its words beside it."""

from collections.abc import Sequence
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH: Final = 160
HEIGHT: Final = 8
WIDTH_MIN: Final = 2


def bar(parts: Sequence[tuple[str, int, str]]) -> SafeString:
    """Return the parts (kind, amount in minor units, words) of a whole, each as wide as it is.

    A part without words is only drawn. Kinds are `gone`, `kept` and `back`, or `used` and
    `left`: the site's style sheet gives them their colours.
    """
    pieces, x = [], 0
    for (kind, _, _), width in zip(parts, _widths([part[1] for part in parts]), strict=True):
        pieces.append((kind, x, width, HEIGHT))
        x += width
    words = ", ".join(said for _, amount, said in parts if amount and said)
    drawn = format_html_join(
        "", '<rect class="cs-bar-{}" x="{}" y="0" width="{}" height="{}"></rect>', pieces
    )
    return format_html(
        '<span class="cs-bar"><svg width="{}" height="{}" aria-hidden="true">{}</svg>'
        "<span>{}</span></span>",
        WIDTH,
        HEIGHT,
        drawn,
        words,
    )


def _widths(amounts: Sequence[int]) -> list[int]:
    """Return how wide each part is: what is there at all can be seen, and all fit together."""
    whole = sum(amounts)
    widths = [max(WIDTH_MIN, round(WIDTH * each / whole)) if each else 0 for each in amounts]
    widest = widths.index(max(widths))
    widths[widest] -= max(0, sum(widths) - WIDTH)
    return widths
