"""T17 and T18 for Stripe: mutated deliveries are never taken, and the window is exact."""

import random
import time
from datetime import UTC, datetime, timedelta

import pytest

from integrations.providers.base import Forged, Genuine, Verdict
from integrations.providers.stripe.inbound import StripeInbound
from integrations.providers.stripe.signature import signature_header

SECRET = "whsec_test_secret"
AT = 1_700_000_000
NOW = datetime.fromtimestamp(AT, tz=UTC)
BODY = (
    b'{"id":"evt_1","object":"event","type":"charge.succeeded","data":{"object":{"amount":100}}}'
)
HEADER = signature_header(BODY, at=AT, secret=SECRET)
SECONDS_P99_MAX = 0.020

Case = tuple[str, bytes, str, datetime]


def judge(header: str, body: bytes, secret: str, now: datetime) -> Verdict:
    headers = {"Stripe-Signature": header}
    return StripeInbound().verify(headers=headers, body=body, secrets=[secret], now=now)


def bent(text: str, dice: random.Random) -> str:
    """Return `text` with one character changed, dropped, doubled or cut after."""
    place = dice.randrange(len(text))
    other = chr(dice.choice([dice.randrange(1, 128), dice.randrange(128, 0x11000)]))
    return dice.choice(
        [
            text[:place] + other + text[place + 1 :],
            text[:place] + text[place + 1 :],
            text[:place] + other + text[place:],
            text[:place] + text[place] + text[place:],
            text[:place],
            text[::-1],
            text.upper(),
        ]
    )


def bent_bytes(body: bytes, dice: random.Random) -> bytes:
    """Return `body` with one bit, byte or length changed."""
    place = dice.randrange(len(body))
    bit = bytes([body[place] ^ (1 << dice.randrange(8))])
    return dice.choice(
        [
            body[:place] + bit + body[place + 1 :],
            body[:place] + body[place + 1 :],
            body[:place] + dice.randbytes(1) + body[place:],
            body[:place],
            body + b" ",
            b"\xef\xbb\xbf" + body,
        ]
    )


def mutation(dice: random.Random) -> Case:
    """Return one delivery that differs from the genuine one in one respect."""
    match dice.randrange(4):
        case 0:
            return bent(HEADER, dice), BODY, SECRET, NOW
        case 1:
            return HEADER, bent_bytes(BODY, dice), SECRET, NOW
        case 2:
            return HEADER, BODY, bent(SECRET, dice), NOW
        case _:
            off = timedelta(seconds=dice.choice([-1, 1]) * dice.randrange(301, 10**8))
            return HEADER, BODY, SECRET, NOW + off


def accepted(count: int, *, seed: int) -> tuple[list[Case], float]:
    """Judge `count` mutations; return those wrongly taken and the 99th percentile in seconds."""
    dice = random.Random(seed)  # noqa: S311 - a replayable test, not a secret
    taken, took = [], []
    for _ in range(count):
        case = mutation(dice)
        if case == (HEADER, BODY, SECRET, NOW):
            continue
        started = time.perf_counter()
        found = judge(*case)
        took.append(time.perf_counter() - started)
        if isinstance(found, Genuine):
            taken.append(case)
    return taken, sorted(took)[len(took) * 99 // 100]


def test_the_delivery_that_is_mutated_here_is_genuine() -> None:
    assert judge(HEADER, BODY, SECRET, NOW) == Genuine(
        event_id="evt_1", event_type="charge.succeeded"
    )


def test_t17_five_hundred_mutations_are_all_forged() -> None:
    taken, p99 = accepted(500, seed=17)
    assert taken == []
    assert p99 < SECONDS_P99_MAX


@pytest.mark.full
@pytest.mark.parametrize("seed", range(4))
def test_t17_ten_thousand_mutations_are_all_forged(seed: int) -> None:
    taken, p99 = accepted(10_000, seed=1_000 + seed)
    assert taken == []
    assert p99 < SECONDS_P99_MAX


@pytest.mark.parametrize(
    ("seconds", "is_taken"),
    [
        (-301, False),
        (-300, True),
        (-299, True),
        (0, True),
        (299, True),
        (300, True),
        (301, False),
    ],
)
def test_t18_the_window_is_exact_on_both_sides(*, seconds: int, is_taken: bool) -> None:
    found = judge(HEADER, BODY, SECRET, NOW + timedelta(seconds=seconds))
    assert isinstance(found, Genuine if is_taken else Forged)


def test_t18_a_fraction_past_the_window_is_past_it() -> None:
    late = NOW + timedelta(seconds=300, microseconds=1)
    assert isinstance(judge(HEADER, BODY, SECRET, late), Forged)
