"""Many decided together end as they would one by one: the same outcomes and the same balances."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import Refusal
from transactions.limits import Cap, Tally, Use
from transactions.money import Money
from transactions.orders import KnownPayee, TransferOrder
from transactions.standing import CLOSED, CREDITS, DEBITS, Standing, move, sides
from transactions.states import LimitKind, LimitWindow

ACCOUNTS = [UUID(int=n) for n in range(1, 5)]
NOBODY = UUID(int=99)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BOOK = UUID(int=1)
PAYEE = KnownPayee(name_id=UUID(int=7), iban_id=UUID(int=8))
most = st.none() | st.integers(0, 300)
often = st.none() | st.integers(0, 4)


@st.composite
def limits(draw: st.DrawFn, *, account: UUID | None) -> list[Cap]:
    """Draw a few limits on an account, or without one on all of its partner's."""
    return [
        Cap(
            limit_id=UUID(int=draw(st.integers(1000, 9999))),
            account_id=account,
            kind=draw(st.sampled_from(LimitKind)),
            window=window,
            amount_max_minor=draw(most),
            count_max=draw(often) if window != LimitWindow.TRANSFER else None,
            amount_used_minor=draw(st.integers(0, 50)) if window != LimitWindow.TRANSFER else 0,
        )
        for window in draw(st.lists(st.sampled_from(LimitWindow), max_size=3))
    ]


@st.composite
def worlds(draw: st.DrawFn) -> dict[UUID, Standing]:
    """Draw a few accounts of one partner: poor or rich, frozen or not, limited or not."""
    found = {}
    shared = draw(limits(account=None))
    for key in ACCOUNTS:
        found[key] = Standing(
            account_id=key,
            book_id=BOOK,
            currency=draw(st.sampled_from(["EUR", "EUR", "EUR", "JPY"])),
            posted_minor=draw(st.integers(0, 300)),
            pending_minor=0,
            floor_minor=draw(st.sampled_from([0, 0, -50])),
            held_back_minor=draw(st.sampled_from([0, 0, 40, 500])),
            frozen=draw(st.sampled_from([0, 0, 0, DEBITS, CREDITS, CLOSED])),
            is_active=draw(st.sampled_from([True, True, True, False])),
            threshold_minor=0,
            told_at=NOW,
            caps=[*draw(limits(account=key)), *shared],
            slice=5,
        )
    return found


@st.composite
def orders(draw: st.DrawFn) -> TransferOrder:
    to = draw(st.sampled_from([*ACCOUNTS, NOBODY, None]))
    return TransferOrder(
        source_id=draw(st.sampled_from([*ACCOUNTS, ACCOUNTS[0], NOBODY])),
        destination_id=to,
        payee=None if to else PAYEE,
        money=Money(draw(st.integers(1, 120)), "EUR"),
    )


class Naive:
    """The oracle: plain dictionaries, written from the words of the promise and not the code."""

    def __init__(self, world: dict[UUID, Standing]) -> None:
        """Copy what the world holds."""
        self.world = world
        self.posted = {key: each.posted_minor for key, each in world.items()}
        self.held = dict.fromkeys(world, 0)
        self.had = {id(cap): cap.amount_used_minor for each in world.values() for cap in each.caps}
        self.sent: list[tuple[UUID, str, int]] = []

    def ask(self, order: TransferOrder) -> str:
        """Move the money, or return the code of the no."""
        code = self.refuses(order)
        if not code:
            amount = order.money.amount_minor
            self.sent.append((order.source_id, kind_of(order), amount))
            if order.destination_id is None:
                self.held[order.source_id] += amount
            else:
                self.posted[order.source_id] -= amount
                self.posted[order.destination_id] += amount
        return code

    def refuses(self, order: TransferOrder) -> str:  # noqa: PLR0911 - one line a rule
        """Return the code of the first rule that the order breaks, empty for none."""
        named = [key for key in (order.source_id, order.destination_id) if key]
        if any(key not in self.world for key in named):
            return "not_found"
        if len(set(named)) < len(named):
            return "invalid"
        if any(self.world[key].currency != "EUR" for key in named):
            return "currency_mismatch"
        if any(self.world[key].frozen == CLOSED for key in named):
            return "account_closed"
        amount, source = order.money.amount_minor, self.world[order.source_id]
        if any(self.passes(cap, order) for cap in source.caps):
            return "limit_exceeded"
        if source.frozen == DEBITS or not source.is_active:
            return "account_frozen"
        if order.destination_id and self.world[order.destination_id].frozen == CREDITS:
            return "account_frozen"
        left = self.posted[order.source_id] - self.held[order.source_id] - amount
        least = source.floor_minor + source.held_back_minor
        return "insufficient_funds" if left < least else ""

    def passes(self, cap: Cap, order: TransferOrder) -> bool:
        """Say whether an order would pass a limit, from the list of all that was sent."""
        if cap.kind not in {"any", kind_of(order)}:
            return False
        counted = [
            amount
            for account, kind, amount in self.sent
            if cap.window != LimitWindow.TRANSFER
            and cap.account_id in {None, account}
            and cap.kind in {"any", kind}
            and self.world[account].currency == self.world[order.source_id].currency
        ]
        most, often = cap.amount_max_minor, cap.count_max
        total = self.had[id(cap)] + sum(counted) + order.money.amount_minor
        return (most is not None and total > most) or (often is not None and len(counted) >= often)


def kind_of(order: TransferOrder) -> str:
    return "payout" if order.destination_id is None else "internal"


@settings(max_examples=300, deadline=None)
@given(worlds(), st.lists(orders(), max_size=40))
def test_taken_together_is_taken_one_by_one(
    world: dict[UUID, Standing], asked: list[TransferOrder]
) -> None:
    naive = Naive(world)
    expected = [naive.ask(order) for order in asked]
    found: list[str] = []
    used: list[Use] = []
    for order in asked:
        try:
            source, destination = sides(
                order.source_id,
                order.destination_id,
                currency=order.money.currency,
                standings=world,
            )
            used += move(
                order.money.amount_minor,
                kind=LimitKind(kind_of(order)),
                source=source,
                destination=destination,
            )
        except Refusal as refusal:
            found.append(refusal.code)
        else:
            found.append("")
    assert found == expected
    assert {key: each.posted_minor for key, each in world.items()} == naive.posted
    assert {key: each.pending_minor for key, each in world.items()} == naive.held
    assert [use for use in used if use.tally.account_id] == [
        counted(order, account_id=order.source_id, slice_=0)
        for order, code in zip(asked, expected, strict=True)
        if not code and any(cap.account_id for cap in world[order.source_id].caps)
    ]
    assert [use for use in used if use.tally.account_id is None] == [
        counted(order, account_id=None, slice_=5)
        for order, code in zip(asked, expected, strict=True)
        if not code and any(cap.account_id is None for cap in world[order.source_id].caps)
    ]


def counted(order: TransferOrder, *, account_id: UUID | None, slice_: int) -> Use:
    """Return what is to be written down of an order that was taken."""
    tally = Tally(
        account_id=account_id,
        book_id=BOOK,
        currency="EUR",
        kind=LimitKind(kind_of(order)),
        day=NOW.date(),
        slice=slice_,
    )
    return Use(tally=tally, account_id=order.source_id, amount_minor=order.money.amount_minor)
