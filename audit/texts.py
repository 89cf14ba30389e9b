"""Text that others will read, and sign: it reads in the order in which it is kept. Pure."""

import unicodedata
from typing import Final

# Embeddings, overrides and isolates turn all around that stands behind them ("Trojan Source").
TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Marks of direction: beside letters that run right to left they have a use.
MARKS: Final = frozenset("\u200e\u200f\u061c")
RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})
MISLEADS: Final = "holds an unseen character that changes the order in which it is read"


def misleads(text: str, /) -> bool:
    """Say whether an unseen character may let `text` be read as another text."""
    if text.isprintable():  # which none of them is
        return False
    found = set(text)
    if found & TURNS:
        return True
    letters = found - MARKS
    return letters != found and not any(
        unicodedata.bidirectional(letter) in RIGHT_TO_LEFT for letter in letters
    )
