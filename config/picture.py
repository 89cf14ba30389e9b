"""A trace as a picture: four lanes, one row a step, time from top to bottom. Pure geometry."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from audit.moments import Kind, Moment, Step, steps, without_repeats

LANES: Final = ("Outside world", "Us", "What it changed", "Partner")
LANE_OF: Final = {
    Kind.CALLBACK: 0,
    Kind.CALL: 0,
    Kind.ENTRY: 1,
    Kind.VERSION: 2,
    Kind.JOURNAL: 2,
    Kind.LETTER: 3,
}
GUTTER: Final = 76
LANE_WIDTH: Final = 242
BOX_WIDTH: Final = 218
BOX_HEIGHT: Final = 46
ROW_HEIGHT: Final = 64
HEAD_HEIGHT: Final = 40
# The lane says so already.
SAID_BY_LANE: Final = re.compile(r"^(Booked|Partner told): ")
TITLE_CHARACTERS_MAX: Final = 29
TEXT_CHARACTERS_MAX: Final = 34


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One moment as a box; `number` is its place in the list below the picture."""

    moment: Moment
    number: int
    lane: int
    x: int
    y: int

    @property
    def title(self) -> str:
        """Return what fits into the box's first line."""
        return _cut(SAID_BY_LANE.sub("", self.moment.title), TITLE_CHARACTERS_MAX)

    @property
    def text(self) -> str:
        """Return what fits into its second line."""
        return _cut(self.moment.said or self.moment.who, TEXT_CHARACTERS_MAX)

    @property
    def middle(self) -> int:
        """Return the height of the box's middle."""
        return self.y + BOX_HEIGHT // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Boxes, the lines between them, and the lanes they stand in."""

    width: int
    height: int
    nodes: Sequence[Node]
    lines: Sequence[str]
    times: Sequence[Node]
    lanes: Sequence[tuple[str, int]]
    lane_width: int = LANE_WIDTH
    box_width: int = BOX_WIDTH
    box_height: int = BOX_HEIGHT


def drawn(moments: Sequence[Moment]) -> Picture:
    """Return the picture of moments: each step on a row with what it left behind beside it.

    A line leads from a callback to each act that it led to, from an act to what it changed, and
    to an act that nobody outside caused from the act before it.
    """
    rows: list[list[Node]] = []
    height = 0
    for step in steps(without_repeats(moments)):
        placed, deep = _row(step, row=height, number=sum(map(len, rows)) + 1)
        rows.append(placed)
        height += deep
    return Picture(
        width=GUTTER + LANE_WIDTH * len(LANES),
        height=HEAD_HEIGHT + ROW_HEIGHT * max(height, 1),
        nodes=[node for placed in rows for node in placed],
        lines=list(_lines(rows)),
        times=[placed[0] for placed in rows],
        lanes=[(name, GUTTER + LANE_WIDTH * lane) for lane, name in enumerate(LANES)],
    )


def _lines(rows: Sequence[Sequence[Node]]) -> Iterator[str]:
    """Return the path of every line between boxes, those to one act from one cause apart."""
    causes = {placed[0].moment.ref: placed[0] for placed in rows if placed[0].lane == 0}
    call: Node | None = None
    act: Node | None = None
    for head, *effects in rows:
        yield from (_between(head, each) for each in effects)
        if head.moment.kind is Kind.CALL:
            call = head
        elif head.moment.kind is Kind.ENTRY:
            before = causes.get(head.moment.cause) or call or act
            if before is not None:
                yield _between(before, head)
            call, act = None, head


def _row(step: Step, *, row: int, number: int) -> tuple[list[Node], int]:
    """Place a step and its effects; a lane with several of them takes rows of its own."""
    deep = dict.fromkeys(range(len(LANES)), 0)
    nodes = []
    for offset, moment in enumerate((step.moment, *step.effects)):
        lane = LANE_OF[moment.kind]
        nodes.append(
            Node(
                moment=moment,
                number=number + offset,
                lane=lane,
                x=GUTTER + LANE_WIDTH * lane + (LANE_WIDTH - BOX_WIDTH) // 2,
                y=HEAD_HEIGHT + ROW_HEIGHT * (row + deep[lane]),
            )
        )
        deep[lane] += 1
    return nodes, max(deep.values())


def _between(one: Node, other: Node, /) -> str:
    """Return the path of a line from one box to another."""
    if one.lane == other.lane:
        x = one.x + 12
        return f"M{x} {one.y + BOX_HEIGHT}V{other.y}"
    is_right = other.lane > one.lane
    start = one.x + (BOX_WIDTH if is_right else 0)
    end = other.x + (0 if is_right else BOX_WIDTH)
    # Lines of different causes turn at different places, so that they can be told apart.
    turn = end - 6 - 5 * (one.number % 4) if is_right else end + 14
    return f"M{start} {one.middle}H{turn}V{other.middle}H{end}"


def _cut(text: str, most: int, /) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
