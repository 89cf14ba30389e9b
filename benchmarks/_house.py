"""The house that the benchmarks measure, and the clock and the table they share."""

import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connections
from django.utils import timezone

from accounts.models import Account, Partner
from accounts.roles import FOUNDER_GRANTS, PROVIDER_GRANTS, SCOPES, scope_grants
from accounts.services.partners import onboard_partner, open_portfolio
from audit.actors import Actor, ActorKind
from audit.typeids import uuid7
from transactions.meanings import Movement, MovementKind
from transactions.services.books import open_account, open_book
from transactions.services.movements import book_movement

FUNDS_MINOR = 10**12
FOUNDER = Actor(
    kind=ActorKind.SYSTEM, id="bench", label="Bench", credential="none", grants=FOUNDER_GRANTS
)
PROVIDER = Actor(
    kind=ActorKind.PROVIDER, id="stripe", label="Stripe", credential="none", grants=PROVIDER_GRANTS
)
Measure = Callable[[float], int]


@dataclass(frozen=True)
class House:
    """A partner with many funded accounts, and the actor that speaks for it."""

    partner: Partner
    accounts: tuple[Account, ...]

    @property
    def client(self) -> Actor:
        """Return the partner's machine."""
        return Actor(
            kind=ActorKind.PARTNER,
            id="bench",
            label="Bench",
            credential="token",
            grants=scope_grants(frozenset(SCOPES)),
            partner_id=self.partner.pk,
            book_id=self.partner.book_id,
        )


def build(*, accounts: int) -> House:
    """Make the house by commands, as the migrator."""
    slug = f"bench-{uuid7().hex[-8:]}"
    partner = onboard_partner(
        actor=FOUNDER, name="Bench", slug=slug, approval_threshold_minor=10**15
    )
    open_book(actor=FOUNDER, partner=partner)
    portfolio = open_portfolio(actor=FOUNDER, partner=partner, name="Bench")
    made = tuple(
        open_account(
            actor=FOUNDER,
            portfolio=portfolio,
            name=f"No {number}",
            currency="EUR",
            alias=f"{slug}-{number}",
        )
        for number in range(accounts)
    )
    for account in made:
        book_movement(actor=PROVIDER, movement=_money_for(account))
    return House(partner=partner, accounts=made)


def login_as(role: str) -> None:
    """Work as a runtime login from now on."""
    connections.close_all()
    passwords = json.loads(os.environ["LOGINS"])
    at = connections["default"].settings_dict
    at.update(USER=f"cs_{role}", PASSWORD=passwords[f"cs_{role}"])


def per_second(measure: Measure, *, processes: int, seconds: float) -> float:
    """Run `measure` in so many processes at once; return how much they did a second, together."""
    connections.close_all()
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        started = time.perf_counter()
        done = sum(pool.map(measure, [seconds] * processes, chunksize=1))
        return done / (time.perf_counter() - started)


def interleave(
    measures: Mapping[str, Callable[[], float]], *, rounds: int
) -> Mapping[str, Sequence[float]]:
    """Measure each in turn, `rounds` times over, so that a noisy minute hits all of them."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            found[name].append(measure())
    return found


def show(title: str, found: Mapping[str, Sequence[float]], *, peer: str) -> None:
    """Print a table: median a second, and the median of each round's ratio to `peer`."""
    print(f"\n{title}")
    print(f"{'':<44}{'a second':>10}{'ratio':>8}   (min to max of the ratio)")
    for name, values in found.items():
        ratios = [value / base for value, base in zip(values, found[peer], strict=True)]
        middle, low, high = statistics.median(ratios), min(ratios), max(ratios)
        print(
            f"{name:<44}{statistics.median(values):>10,.0f}{middle:>8.2f}"
            f"   ({low:.2f} to {high:.2f})"
        )


def _money_for(account: Account) -> Movement:
    return Movement(
        provider="stripe",
        reference=f"txn_{uuid7().hex}",
        kind=MovementKind.CHARGE,
        amount_minor=FUNDS_MINOR,
        fee_minor=0,
        currency="EUR",
        occurred_at=timezone.now(),
        payment_ref=f"ch_{uuid7().hex}",
        subject_ref="bench",
        account_id=account.pk,
    )
