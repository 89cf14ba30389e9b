"""The Test Bank's lies, in one table, and what each makes of a payment's news. Pure.

A lie is asked for by writing its name, in capitals, into the destination's name
("Jane DROP RETURN Doe"), or for the next payments by `POST /_control/behaviour`. Lies combine.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from random import Random
from typing import Self

DUPLICATE_COPIES = 3
RETURN_AFTER_SECONDS = 2 * 24 * 3600


class Lie(StrEnum):
    """One way in which a bank is not a textbook."""

    DELAY = "DELAY"
    DUPLICATE = "DUPLICATE"
    SHUFFLE = "SHUFFLE"
    DROP = "DROP"
    SLOW_ANSWER = "SLOW-ANSWER"
    ERROR_AFTER = "ERROR-AFTER"
    TIMEOUT_AFTER = "TIMEOUT-AFTER"
    NEVER_HEARD = "NEVER-HEARD"
    FORGETFUL = "FORGETFUL"
    DECLINE = "DECLINE"
    FAIL = "FAIL"
    RETURN = "RETURN"


WHAT_EACH_DOES: Mapping[Lie, str] = {
    Lie.DELAY: "the callback comes delay_seconds late; look-up knows at once",
    Lie.DUPLICATE: "every callback is sent three times under one event id, at the same moment",
    Lie.SHUFFLE: "callbacks come last first (returned, settled, accepted), at random moments",
    Lie.DROP: "no callback is ever sent; only look-up tells",
    Lie.SLOW_ANSWER: "the payment is made and answered 201 after slow_seconds",
    Lie.ERROR_AFTER: "the payment is made, then answered 500",
    Lie.TIMEOUT_AFTER: "the payment is made, then nothing is answered",
    Lie.NEVER_HEARD: "not made, answered 500, no such reference; made once the window has passed",
    Lie.FORGETFUL: "made, answered 500, but look-up denies it until the window has passed",
    Lie.DECLINE: "answered 422 account_blocked; nothing is made",
    Lie.FAIL: "accepted, then payment.failed account_closed instead of payment.settled",
    Lie.RETURN: "settled, then payment.returned, dated two days later",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long things take at the bank. `return_seconds` below zero: only after an advance."""

    settle_seconds: float = 0.3
    delay_seconds: float = 5.0
    shuffle_seconds: float = 2.0
    return_seconds: float = 1.0
    slow_seconds: float = 2.0
    silence_seconds: float = 30.0
    window_seconds: float = 5.0

    def changed(self, wishes: Mapping[str, object]) -> Self:
        """Return this pace with some numbers changed; raises ValueError naming a bad one."""
        known = {field.name for field in fields(self)}
        numbers: dict[str, float] = {}
        for name, wish in wishes.items():
            if name not in known or isinstance(wish, bool) or not isinstance(wish, int | float):
                raise ValueError(f"pace.{name}: not one of {sorted(known)} with a number")
            numbers[name] = float(wish)
        return type(self)(**{name: getattr(self, name) for name in known} | numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One event in a payment's life and how it is told. Instants are the bank's, in seconds."""

    id: str
    type: str
    occurred_at: float
    due_at: float
    copies: int
    reason: str | None

    @property
    def visible_at(self) -> float:
        """Return from when look-up shows it."""
        return min(self.occurred_at, self.due_at)


def lies_in(name: str) -> frozenset[Lie]:
    """Return the lies that a destination's name asks for."""
    return frozenset(lie for lie in Lie if lie.value in name)


def plan(lies: Iterable[Lie], *, payment_id: str, now: float, pace: Pace) -> tuple[News, ...]:
    """Say everything that will happen to a payment made now, and when it will be told."""
    lies = frozenset(lies)
    life = _life(lies, now=now, pace=pace)
    moments = _moments(lies, life=life, payment_id=payment_id, now=now, pace=pace)
    copies = 0 if Lie.DROP in lies else DUPLICATE_COPIES if Lie.DUPLICATE in lies else 1
    suffix = payment_id.removeprefix("pay_")
    return tuple(
        News(
            id=f"evt_{suffix}_{number}",
            type=f"payment.{state}",
            occurred_at=occurred_at,
            due_at=due_at,
            copies=copies,
            reason=reason,
        )
        for number, ((state, occurred_at, reason), due_at) in enumerate(
            zip(life, moments, strict=True), 1
        )
    )


Life = list[tuple[str, float, str | None]]


def _life(lies: frozenset[Lie], *, now: float, pace: Pace) -> Life:
    """Return what becomes of the payment, in order: state, when, why."""
    settled_at = now + pace.settle_seconds
    life: Life = [("accepted", now, None)] if Lie.SHUFFLE in lies else []
    if Lie.FAIL in lies:
        return [*life, ("failed", settled_at, "account_closed")]
    life.append(("settled", settled_at, None))
    if Lie.RETURN in lies:
        life.append(("returned", settled_at + RETURN_AFTER_SECONDS, "returned_by_beneficiary"))
    return life


def _moments(
    lies: frozenset[Lie], *, life: Life, payment_id: str, now: float, pace: Pace
) -> list[float]:
    """Return when each event is told."""
    late = pace.delay_seconds if Lie.DELAY in lies else 0.0
    if Lie.SHUFFLE in lies:
        seeded = Random(payment_id)  # noqa: S311 - a schedule, not a secret
        start = now + pace.settle_seconds + late
        waits = (seeded.uniform(0, pace.shuffle_seconds) for _ in life)
        return sorted((start + wait for wait in waits), reverse=True)
    settled_at = now + pace.settle_seconds + late
    returned_in = pace.return_seconds if pace.return_seconds >= 0 else RETURN_AFTER_SECONDS
    return [settled_at if state != "returned" else settled_at + returned_in for state, *_ in life]
