"""The checker must be able to fail: histories and books with one thing wrong, each found."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.bank.checker import Books, JournalRow, TransferRow, check
from tests.bank.history import Answer, Asked, Event, History, Kind, Phase

OPENINGS = {"a": 100, "b": 100}
TOTALS = {"EUR": 200}


def ordered(kind: Kind, *, amount_minor: int) -> Asked:
    to = "b" if kind is Kind.TRANSFER else ""
    return Asked(kind=kind, source="a", destination=to, amount_minor=amount_minor, currency="EUR")


def event(name: str, asked: Asked, phase: Phase = Phase.DONE, **answer: Any) -> Event:
    answered = Answer(**answer)
    return Event(operation=name, phase=phase, at=float(len(name)), asked=asked, answer=answered)


def about(kind: Kind, transfer: str) -> Asked:
    return Asked(kind=kind, transfer=transfer)


MOVED = ordered(Kind.TRANSFER, amount_minor=3)
SET_ASIDE = ordered(Kind.RESERVE, amount_minor=5)
EVENTS = [
    event("move", MOVED, Phase.ASKED),
    event("move", MOVED, Phase.UNSURE),
    event("move", MOVED, transfer="t1", is_known=True),
    event("too-much", ordered(Kind.TRANSFER, amount_minor=500), Phase.REFUSED, code="no_funds"),
    event("paid", SET_ASIDE, transfer="t2"),
    event("paid-settled", about(Kind.SETTLE, "t2"), transfer="t2"),
    event("paid-settled-too", about(Kind.SETTLE, "t2"), transfer="t2", is_known=True),
    event("back", SET_ASIDE, transfer="t3"),
    event("back-settled", about(Kind.SETTLE, "t3"), transfer="t3"),
    event("back-returned", about(Kind.RETURN, "t3"), transfer="t3"),
    event("off", SET_ASIDE, transfer="t4"),
    event("off-cancelled", about(Kind.CANCEL, "t4"), transfer="t4"),
    event("waits", SET_ASIDE, transfer="t5"),
    event("read", Asked(kind=Kind.READ), totals=(("EUR", 200),), least_minor=0),
    event("same", Asked(kind=Kind.RESEND, again="move"), transfer="t1", is_known=True),
    event(
        "other",
        Asked(kind=Kind.RESEND, again="move", is_changed=True),
        Phase.REFUSED,
        code="key_reused",
    ),
]


def row(
    key: str, reference: str, state: str, *, to: str = "", amount_minor: int = 5
) -> TransferRow:
    return TransferRow(
        id=key,
        reference=reference,
        state=state,
        source="a",
        destination=to,
        amount_minor=amount_minor,
    )


def booked(key: str, transfer: str, purpose: str, *lines: tuple[str, int]) -> JournalRow:
    return JournalRow(id=key, transfer=transfer, purpose=purpose, lines=lines)


BOOKS = Books(
    openings=OPENINGS,
    balances={"a": (92, 5), "b": (103, 0)},
    transfers=[
        row("t1", "move", "settled", to="b", amount_minor=3),
        row("t2", "paid", "settled"),
        row("t3", "back", "returned"),
        row("t4", "off", "cancelled"),
        row("t5", "waits", "accepted"),
    ],
    journals=[
        booked("j1", "t1", "internal", ("a", -3), ("b", 3)),
        booked("j2", "t2", "payout", ("a", -5), ("", 5)),
        booked("j3", "t3", "payout", ("a", -5), ("", 5)),
        booked("j4", "t3", "payout_return", ("", -5), ("a", 5)),
    ],
    totals=TOTALS,
)
Fake = Callable[[list[Event], Books], tuple[list[Event], Books]]


def without(name: str, *, phase: Phase = Phase.DONE) -> Fake:
    return lambda events, books: (
        [e for e in events if (e.operation, e.phase) != (name, phase)],
        books,
    )


def told(name: str, **answer: Any) -> Fake:
    """Let an operation have been answered otherwise."""

    def fake(events: list[Event], books: Books) -> tuple[list[Event], Books]:
        return [
            replace(e, answer=replace(e.answer, **answer)) if e.operation == name else e
            for e in events
        ], books

    return fake


def in_books(**changes: Any) -> Fake:
    return lambda events, books: (events, replace(books, **changes))


def rows_changed(key: str, **changes: Any) -> Fake:
    return in_books(
        transfers=[replace(r, **changes) if r.id == key else r for r in BOOKS.transfers]
    )


def journals(*keys: str) -> list[JournalRow]:
    return [journal for journal in BOOKS.journals if journal.id in keys]


CORRUPTED: dict[str, tuple[str, Fake]] = {
    "an acknowledged transfer is not there": (
        "lost",
        in_books(transfers=BOOKS.transfers[1:], journals=BOOKS.journals[1:]),
    ),
    "an acknowledged transfer has no journal": (
        "lost",
        in_books(journals=journals("j2", "j3", "j4")),
    ),
    "a journal moved another amount": (
        "lost",
        in_books(
            journals=[booked("j1", "t1", "internal", ("a", -4), ("b", 4)), *BOOKS.journals[1:]]
        ),
    ),
    "a transfer has another amount": ("lost", rows_changed("t1", amount_minor=4)),
    "an acknowledged cancellation did not last": ("lost", rows_changed("t4", state="accepted")),
    "an acknowledged settlement did not last": ("lost", rows_changed("t2", state="dispatched")),
    "one key made two transfers": (
        "twice",
        in_books(transfers=[*BOOKS.transfers, row("t6", "move", "settled", to="b")]),
    ),
    "one settlement was booked twice": (
        "twice",
        in_books(journals=[*BOOKS.journals, booked("j5", "t2", "payout", ("a", -5), ("", 5))]),
    ),
    "a journal nobody asked for": (
        "alien",
        in_books(journals=[*BOOKS.journals, booked("j5", "t9", "internal", ("a", -1), ("b", 1))]),
    ),
    "a transfer nobody asked for": (
        "alien",
        in_books(transfers=[*BOOKS.transfers, row("t6", "who", "accepted")]),
    ),
    "a refused transfer was done": (
        "alien",
        in_books(transfers=[*BOOKS.transfers, row("t6", "too-much", "settled", to="b")]),
    ),
    "a settlement nobody was told of": ("alien", without("back-settled")),
    "a read saw another total": ("wrong_totals", told("read", totals=(("EUR", 199),))),
    "a read missed a currency": ("wrong_totals", told("read", totals=())),
    "a read saw less than nothing": ("negative", told("read", least_minor=-1)),
    "an account ends below zero": (
        "negative",
        in_books(balances={"a": (92, 93), "b": (103, 0)}),
    ),
    "a balance is off by one": ("off", in_books(balances={"a": (91, 5), "b": (103, 0)})),
    "a reservation was forgotten": ("off", in_books(balances={"a": (92, 0), "b": (103, 0)})),
    "a repeated key was done anew": ("misjudged", told("same", transfer="t9")),
    "a changed repetition was taken": (
        "misjudged",
        told("other", code="", transfer="t1"),
    ),
    "an operation was never answered": (
        "unresolved",
        lambda events, books: ([*events, event("late", MOVED, Phase.UNSURE)], books),
    ),
    "an invariant is broken": ("violations", in_books(violations=["L1 sums: j1"])),
}


def test_a_good_history_has_nothing_wrong() -> None:
    assert check(History(EVENTS), books=BOOKS).counts() == dict.fromkeys(
        check(History(), books=BOOKS).counts(), 0
    )


@pytest.mark.parametrize("name", CORRUPTED)
def test_what_is_corrupted_is_found(name: str) -> None:
    kind, corrupt = CORRUPTED[name]
    events, books = corrupt(EVENTS, BOOKS)
    found = check(History(events), books=books)
    assert getattr(found, kind), f"{name} was not found: {found}"
    assert not found.is_clean


def test_every_kind_of_finding_has_a_corruption_that_shows_it() -> None:
    assert {kind for kind, _ in CORRUPTED.values()} == set(check(History(), books=BOOKS).counts())
