"""The Test Bank's forms: what it accepts as a payment, or as a wish for its behaviour. Pure."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from config.sandbox.doubles.testbank_lies import Lie, Pace

AMOUNT_MINOR_MAX = 2**63 - 1
TEXT = re.compile(r"[^\x00-\x1f\x7f]{1,140}")
REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,64}")
CURRENCY = re.compile(r"[A-Z]{3}")
IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}")
KEY = re.compile(r"[\x21-\x7e]{1,255}")


class BadForm(ValueError):
    """A form that the bank sends back; its text names the field."""


def order_of(body: object) -> dict[str, Any]:
    """Read a payment order: exactly the known fields, each within its bounds."""
    order = _exactly(body, {"reference", "amount_minor", "currency", "destination"}, where="order")
    _text(order["reference"], form=REFERENCE, where="reference")
    _text(order["currency"], form=CURRENCY, where="currency")
    amount = order["amount_minor"]
    if type(amount) is not int or not 0 < amount <= AMOUNT_MINOR_MAX:
        raise BadForm("amount_minor")
    destination = _exactly(order["destination"], {"name", "iban"}, where="destination")
    _text(destination["name"], form=TEXT, where="destination.name")
    _text(destination["iban"], form=IBAN, where="destination.iban")
    return order


def key_of(header: str | None) -> str:
    """Read an idempotency key."""
    return _text(header, form=KEY, where="Idempotency-Key")


def mood_of(body: object, *, pace: Pace) -> dict[str, Any]:
    """Read a wish: `{lies, reference?, times?, pace?}`; `lies: []` means be honest again."""
    if not isinstance(body, dict) or body.keys() - {"lies", "reference", "times", "pace"}:
        raise BadForm("behaviour")
    times = body.get("times")
    if times is not None and (type(times) is not int or times < 1):
        raise BadForm("times")
    reference = body.get("reference")
    if reference is not None:
        _text(reference, form=REFERENCE, where="reference")
    try:
        lies = sorted(Lie(lie) for lie in body.get("lies") or [])
        pace.changed(wishes := body.get("pace") or {})
    except (TypeError, ValueError, AttributeError) as failure:
        raise BadForm(str(failure)) from failure
    return {
        "id": uuid4().hex,
        "lies": lies,
        "reference": reference,
        "times": times,
        "pace": wishes,
    }


def seconds_of(body: object) -> float:
    """Read how far to advance: `{days?, seconds?}`, forward only."""
    if not isinstance(body, dict) or not body or body.keys() - {"days", "seconds"}:
        raise BadForm("advance")
    numbers = [body.get("days", 0), body.get("seconds", 0)]
    if not all(type(number) in {int, float} and number >= 0 for number in numbers):
        raise BadForm("advance")
    return float(numbers[0] * 86_400 + numbers[1])


def _exactly(body: object, names: set[str], *, where: str) -> dict[str, Any]:
    if not isinstance(body, Mapping) or body.keys() != names:
        raise BadForm(where)
    return dict(body)


def _text(value: object, *, form: re.Pattern[str], where: str) -> str:
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise BadForm(where)
    return value
