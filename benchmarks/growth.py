"""What does a transfer cost once 20 million postings are behind it, against empty books?

The same house in two databases: in ours its accounts have their opening alone, in the other each
has a past that was loaded below the commands (POSTINGS says how much of it in all). Peer: ours.
"""

from functools import partial
from typing import Final

from benchmarks._loader import POSTINGS, past
from benchmarks._table import Bar, interleave, judge, show
from benchmarks._transfers import Runs

PROCESSES: Final = 4
EMPTY: Final = "with empty books"
GROWN: Final = f"after {POSTINGS:,} postings"
BARS: Final = (Bar(row=EMPTY, peer=GROWN, most=1.2),)


def main() -> bool:
    """Measure, print, and say whether every bar is met."""
    behind = past()
    empty, grown = Runs([behind.house]), Runs([behind.house], database=behind.grown)
    found = interleave(
        {
            EMPTY: partial(empty.race, processes=PROCESSES),
            GROWN: partial(grown.race, processes=PROCESSES),
        }
    )
    show(f"request_transfer, {PROCESSES} processes", found, peers=(EMPTY, GROWN))
    return judge(found, BARS, wrong=[*empty.wrong(), *grown.wrong()])
