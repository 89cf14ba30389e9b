"""How much of a sum went where, as one small bar with its words beside it."""

from collections.abc import Sequence
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH: Final = 160
HEIGHT: Final = 8


def bar(parts: Sequence[tuple[str, int, str]]) -> SafeString:
    """Return the parts (kind, amount in minor units, words) of a whole, each as wide as it is.

    Kinds are `gone`, `kept` and `back`, or `used` and `left`: the site's style sheet gives
    them their colours.
    """
    whole = sum(amount for _, amount, _ in parts)
    pieces, x = [], 0
    for kind, amount, _ in parts:
        width = round(WIDTH * amount / whole) if whole else 0
        pieces.append((kind, x, width, HEIGHT))
        x += width
    words = ", ".join(said for _, amount, said in parts if amount)
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
