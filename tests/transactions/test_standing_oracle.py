"""Many decided together end as they would one by one: the same outcomes and the same balances."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import Refusal
from transactions.money import Money
from transactions.orders import KnownPayee, TransferOrder
from transactions.standing import CLOSED, CREDITS, DEBITS, Cap, Standing, move, sides
from transactions.states import LimitWindow

ACCOUNTS = [UUID(int=n) for n in range(1, 5)]
NOBODY = UUID(int=99)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAYEE = KnownPayee(name_id=UUID(int=7), iban_id=UUID(int=8))


@st.composite
def worlds(draw: st.DrawFn) -> dict[UUID, Standing]:
    """Draw a few accounts: poor or rich, frozen or not, with a limit a day or a transfer."""
    found = {}
    for key in ACCOUNTS:
        caps = [
            Cap(window=window, most_minor=draw(st.integers(0, 300)), used_minor=0)
            for window in LimitWindow
            if draw(st.booleans())
        ]
        found[key] = Standing(
            account_id=key,
            book_id=UUID(int=1),
            currency=draw(st.sampled_from(["EUR", "EUR", "EUR", "JPY"])),
            posted_minor=draw(st.integers(0, 300)),
            pending_minor=0,
            floor_minor=draw(st.sampled_from([0, 0, -50])),
            held_back_minor=draw(st.sampled_from([0, 0, 40, 500])),
            frozen=draw(st.sampled_from([0, 0, 0, DEBITS, CREDITS, CLOSED])),
            is_active=draw(st.sampled_from([True, True, True, False])),
            threshold_minor=0,
            told_at=NOW,
            caps=caps,
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
        self.sent = dict.fromkeys(world, 0)

    def ask(self, order: TransferOrder) -> str:
        """Move the money, or return the code of the no."""
        code = self.refuses(order)
        if not code:
            amount = order.money.amount_minor
            self.sent[order.source_id] += amount
            if order.destination_id is None:
                self.held[order.source_id] += amount
            else:
                self.posted[order.source_id] -= amount
                self.posted[order.destination_id] += amount
        return code

    def refuses(self, order: TransferOrder) -> str:  # noqa: C901, PLR0911 - one line a rule
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
        for cap in source.caps:
            sent = self.sent[order.source_id] if cap.window == LimitWindow.DAY else 0
            if sent + amount > cap.most_minor:
                return "limit_exceeded"
        if source.frozen == DEBITS or not source.is_active:
            return "account_frozen"
        if order.destination_id and self.world[order.destination_id].frozen == CREDITS:
            return "account_frozen"
        left = self.posted[order.source_id] - self.held[order.source_id] - amount
        least = source.floor_minor + source.held_back_minor
        return "insufficient_funds" if left < least else ""


@settings(max_examples=300, deadline=None)
@given(worlds(), st.lists(orders(), max_size=40))
def test_taken_together_is_taken_one_by_one(
    world: dict[UUID, Standing], asked: list[TransferOrder]
) -> None:
    naive = Naive(world)
    expected = [naive.ask(order) for order in asked]
    found = []
    for order in asked:
        try:
            source, destination = sides(
                order.source_id,
                order.destination_id,
                currency=order.money.currency,
                standings=world,
            )
            move(order.money.amount_minor, source=source, destination=destination)
        except Refusal as refusal:
            found.append(refusal.code)
        else:
            found.append("")
    assert found == expected
    assert {key: each.posted_minor for key, each in world.items()} == naive.posted
    assert {key: each.pending_minor for key, each in world.items()} == naive.held
