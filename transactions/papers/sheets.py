"""A statement as PDF, the same bytes each time: no clock, no random id, and the fonts bundled."""

import io
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from audit.typeids import typeid
from transactions.money import Money
from transactions.papers.plain import transfer_of
from transactions.papers.tables import instant
from transactions.statements import Statement, StatementLine
from transactions.states import Clock

PLAIN: Final = "Vera"
BOLD: Final = "VeraBd"
SIZE: Final = 7
PAGE: Final = landscape(A4)
WIDTH, HEIGHT = (int(side) for side in PAGE)
MARGIN: Final = 36
LEADING: Final = 11
LINES_A_PAGE: Final = 42
TOP: Final = HEIGHT - MARGIN
# Where each column begins; the last two are figures and end there.
COLUMNS: Final = (
    ("Occurred (UTC)", MARGIN),
    ("Recorded (UTC)", 152),
    ("What", 268),
    ("Transfer", 372),
    ("Posting", 530),
)
FIGURES: Final = (("Amount", 736), ("Balance", WIDTH - MARGIN))
CLOCKS: Final = {
    Clock.OCCURRED: "by when it happened",
    Clock.RECORDED: "by when it was written down",
}


def statement_pdf(statement: Statement) -> bytes:
    """Return a statement as PDF, A4 across."""
    _glyphs()
    paper = io.BytesIO()
    canvas = Canvas(paper, pagesize=PAGE, invariant=1, pageCompression=1)
    canvas.setTitle(f"Statement of {statement.code}")
    canvas.setCreator("Countersign")
    rows = _rows(statement)
    parts = [rows[at : at + LINES_A_PAGE] for at in range(0, len(rows), LINES_A_PAGE)]
    for number, part in enumerate(parts, start=1):
        _head(canvas, statement=statement, page=f"Page {number} of {len(parts)}")
        for index, draw in enumerate(part):
            draw(canvas, TOP - 74 - index * LEADING)
        canvas.showPage()
    canvas.save()
    return paper.getvalue()


def legible(text: str) -> str:
    """Return text as the bundled font can show it: what it lacks stands as its code point."""
    known = _glyphs()
    return "".join(c if ord(c) in known else f"[U+{ord(c):04X}]" for c in text)


Row = Callable[[Canvas, int], None]


def _rows(statement: Statement) -> Sequence[Row]:
    currency, period = statement.currency, statement.period
    opening = _sum("Opening", instant(period.since), statement.opening_minor, currency=currency)
    closing = _sum("Closing", instant(period.until), statement.closing_minor, currency=currency)
    return [opening, *(_line(line, currency=currency) for line in statement.lines), closing]


def _sum(word: str, at: str, amount_minor: int, *, currency: str) -> Row:  # noqa: PLR0917 - a row
    def draw(canvas: Canvas, height: int) -> None:
        canvas.setFont(BOLD, SIZE)
        canvas.drawString(COLUMNS[0][1], height, at)
        canvas.drawString(COLUMNS[2][1], height, word)
        canvas.drawRightString(FIGURES[1][1], height, str(Money(amount_minor, currency)))

    return draw


def _line(line: StatementLine, *, currency: str) -> Row:
    texts = (
        instant(line.occurred_at),
        instant(line.recorded_at),
        legible(line.purpose.replace("_", " ").capitalize())[:24],
        transfer_of(line) or "",
        typeid("pst", line.posting_id),
    )
    figures = (line.amount_minor, line.balance_minor)

    def draw(canvas: Canvas, height: int) -> None:
        canvas.setFont(PLAIN, SIZE)
        for (_, at), text in zip(COLUMNS, texts, strict=True):
            canvas.drawString(at, height, text)
        for (_, at), amount in zip(FIGURES, figures, strict=True):
            canvas.drawRightString(at, height, Money(amount, currency).figures(grouped=True))

    return draw


def _head(canvas: Canvas, *, statement: Statement, page: str) -> None:
    period, currency = statement.period, statement.currency
    canvas.setFont(BOLD, 12)
    canvas.drawString(MARGIN, TOP, f"Statement of {legible(statement.code)}")
    canvas.setFont(PLAIN, SIZE)
    canvas.drawRightString(WIDTH - MARGIN, TOP, page)
    moved = f"In {Money(statement.in_minor, currency)}, out {Money(statement.out_minor, currency)}"
    final = "Final" if statement.is_final else "Not final: more may still be written down before"
    said = (
        f"{typeid('acc', statement.account_id)}, {currency}",
        f"{instant(period.since)} to before {instant(period.until)}, {CLOCKS[period.clock]}",
        f"{moved}. {final}{'' if statement.is_final else ' its end'}.",
    )
    for index, text in enumerate(said):
        canvas.drawString(MARGIN, TOP - 16 - index * LEADING, text)
    canvas.setFont(BOLD, SIZE)
    for word, at in COLUMNS:
        canvas.drawString(at, TOP - 58, word)
    for word, at in FIGURES:
        canvas.drawRightString(at, TOP - 58, word)
    canvas.line(MARGIN, TOP - 62, WIDTH - MARGIN, TOP - 62)


@cache
def _glyphs() -> frozenset[int]:
    """Register the fonts, once a process, and return what they can show."""
    plain = TTFont(PLAIN, "Vera.ttf")
    registerFont(plain)
    registerFont(TTFont(BOLD, "VeraBd.ttf"))
    return frozenset(plain.face.charToGlyph)
