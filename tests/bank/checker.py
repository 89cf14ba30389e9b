"""Compares what clients were told with what the books say at the end. Pure.

The history alone says what must be there: an acknowledged operation once, a refused one never,
and nothing that nobody asked for.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields

from tests.bank.history import MOVING, History, Kind, Phase, Story

PURPOSE = {Kind.TRANSFER: "internal", Kind.SETTLE: "payout", Kind.RETURN: "payout_return"}
# What an operation adds to its source, to its destination, and to what its source has reserved.
EFFECTS = {
    Kind.TRANSFER: (-1, 1, 0),
    Kind.RESERVE: (0, 0, 1),
    Kind.CANCEL: (0, 0, -1),
    Kind.SETTLE: (-1, 0, -1),
    Kind.RETURN: (1, 0, 0),
}
SIGN = {"internal": 1, "payout": 1, "payout_return": -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRow:
    """A transfer as the database has it; `reference` is the operation that asked for it."""

    id: str
    reference: str
    state: str
    source: str
    destination: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """A journal and what it moved on each account, by name."""

    id: str
    transfer: str
    purpose: str
    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """All rows at the end. `openings` and `balances` (posted, reserved) by account."""

    openings: Mapping[str, int]
    balances: Mapping[str, tuple[int, int]]
    transfers: Sequence[TransferRow]
    journals: Sequence[JournalRow]
    totals: Mapping[str, int]
    violations: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that is wrong, each as one sentence. All empty: the books held."""

    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    alien: list[str] = field(default_factory=list)
    wrong_totals: list[str] = field(default_factory=list)
    negative: list[str] = field(default_factory=list)
    off: list[str] = field(default_factory=list)
    misjudged: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return how many there are of each kind."""
        return {each.name: len(getattr(self, each.name)) for each in fields(self)}

    @property
    def is_clean(self) -> bool:
        """Say whether there is nothing wrong."""
        return not any(self.counts().values())


def check(history: History, *, books: Books) -> Findings:
    """Return all that is wrong between `history` and `books`."""
    stories = list(history.stories())
    return Findings(
        lost=list(_lost(stories, books=books)),
        twice=list(_twice(books)),
        alien=list(_alien(stories, books=books)),
        wrong_totals=list(_wrong_totals(stories, books=books)),
        negative=list(_negative(stories, books=books)),
        off=list(_off(stories, books=books)),
        misjudged=list(_misjudged(stories)),
        unresolved=[
            f"{story.operation} was never answered"
            for story in stories
            if story.phase in {Phase.ASKED, Phase.UNSURE}
        ],
        violations=list(books.violations),
    )


def _lost(stories: Sequence[Story], *, books: Books) -> Iterator[str]:
    """Yield what was acknowledged and is not in the books as it was acknowledged."""
    transfers = {row.id: row for row in books.transfers}
    journals = {(row.transfer, row.purpose): row for row in books.journals}
    for story in stories:
        if not story.is_done or story.asked.kind not in MOVING:
            continue
        row = transfers.get(story.answer.transfer)
        if row is None or not _is_as_asked(row, story=story):
            yield f"{story.operation} was told of {story.answer.transfer}, the row is {row}"
        elif purpose := PURPOSE.get(story.asked.kind):
            journal = journals.get((row.id, purpose))
            if journal is None or sorted(journal.lines) != _lines_of(row, purpose=purpose):
                yield f"{story.operation} was acknowledged, its journal is {journal}"


def _is_as_asked(row: TransferRow, *, story: Story) -> bool:
    """Say whether a transfer is what an acknowledged operation asked for, and where it stands."""
    asked = story.asked
    if asked.kind in {Kind.TRANSFER, Kind.RESERVE}:
        wanted = (story.operation, asked.source, asked.destination, asked.amount_minor)
        return wanted == (row.reference, row.source, row.destination, row.amount_minor)
    states = {
        Kind.CANCEL: {"cancelled"},
        Kind.SETTLE: {"settled", "returned"},
        Kind.RETURN: {"returned"},
    }
    return asked.transfer == row.id and row.state in states[asked.kind]


def _lines_of(row: TransferRow, *, purpose: str) -> list[tuple[str, int]]:
    """Return the lines that move a transfer's money; the far side of a payout is ''."""
    amount = SIGN[purpose] * row.amount_minor
    return sorted([(row.source, -amount), (row.destination, amount)])


def _twice(books: Books) -> Iterator[str]:
    """Yield what one operation caused more than once."""
    asked_for = Counter(row.reference for row in books.transfers)
    booked = Counter((row.transfer, row.purpose) for row in books.journals)
    yield from (f"{name} made {times} transfers" for name, times in asked_for.items() if times > 1)
    yield from (f"{what} was booked {times} times" for what, times in booked.items() if times > 1)


def _alien(stories: Sequence[Story], *, books: Books) -> Iterator[str]:
    """Yield what is in the books though nobody asked for it, or though it was refused."""
    done = {story.operation for story in stories if story.is_done}
    moves = {
        (story.answer.transfer, PURPOSE[story.asked.kind])
        for story in stories
        if story.is_done and story.asked.kind in PURPOSE
    }
    for row in books.transfers:
        if row.reference not in done:
            yield f"transfer {row.id} of {row.reference!r} was never acknowledged"
    for journal in books.journals:
        if (journal.transfer, journal.purpose) not in moves:
            yield f"journal {journal.id} ({journal.purpose}) was never acknowledged"


def _wrong_totals(stories: Sequence[Story], *, books: Books) -> Iterator[str]:
    """Yield the reads that saw another total than there has been all the time."""
    for story in stories:
        is_read = story.is_done and story.asked.kind is Kind.READ
        if is_read and dict(story.answer.totals) != dict(books.totals):
            yield f"{story.operation} read {dict(story.answer.totals)}"


def _negative(stories: Sequence[Story], *, books: Books) -> Iterator[str]:
    """Yield who was seen with less than nothing to spend."""
    for story in stories:
        if story.answer.least_minor < 0:
            yield f"{story.operation} read {story.answer.least_minor}"
    for account, (posted, reserved) in books.balances.items():
        if reserved < 0 or posted < reserved:
            yield f"{account} ends with {posted}, of it {reserved} reserved"


def _off(stories: Sequence[Story], *, books: Books) -> Iterator[str]:
    """Yield the accounts that do not end as the acknowledged operations say."""
    posted: dict[str, int] = defaultdict(int, books.openings)
    reserved: dict[str, int] = defaultdict(int)
    payouts = {s.answer.transfer: s.asked for s in stories if s.asked.kind is Kind.RESERVE}
    # Two clients may be told of one settlement; it moves money once.
    acts = {(s.asked.kind, s.answer.transfer): s for s in stories if s.is_done}
    for (kind, transfer), story in acts.items():
        if kind in EFFECTS:
            asked = payouts.get(transfer, story.asked)
            from_source, to_destination, set_aside = EFFECTS[kind]
            posted[asked.source] += from_source * asked.amount_minor
            posted[asked.destination] += to_destination * asked.amount_minor
            reserved[asked.source] += set_aside * asked.amount_minor
    for account, found in books.balances.items():
        wanted = (posted[account], reserved[account])
        if found != wanted:
            yield f"{account} ends with {found}, the acknowledged operations make {wanted}"


def _misjudged(stories: Sequence[Story]) -> Iterator[str]:
    """Yield the keys sent again that got another answer than the first, or none of a changed."""
    first = {story.operation: story for story in stories}
    for story in stories:
        if story.asked.kind is not Kind.RESEND or story.phase in {Phase.ASKED, Phase.UNSURE}:
            continue
        before = first[story.asked.again]
        if story.asked.is_changed:
            is_right = (story.phase, story.answer.code) == (Phase.REFUSED, "key_reused")
        else:
            was = (before.phase, before.answer.transfer, before.answer.code)
            is_right = was == (story.phase, story.answer.transfer, story.answer.code)
        if not is_right:
            yield f"{story.operation} repeated {before.operation}: {story.phase} {story.answer}"
