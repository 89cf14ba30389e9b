"""Reading what the ledger tells of accounts and their limits, as values."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec

from transactions.fees import FeeRate, FeeTerms
from transactions.limits import Cap, cap_as_told
from transactions.standing import Standing

NAMES = (
    "account_id",
    "book_id",
    "currency",
    "posted_minor",
    "pending_minor",
    "floor_minor",
    "held_back_minor",
    "frozen",
    "is_active",
    "threshold_minor",
    "told_at",
)


def read_standings(rows: Iterable[tuple[Any, ...]]) -> dict[UUID, Standing]:
    """Return the rows of `ledger_stand` by account; a partner's limits are shared by its own."""
    found: dict[UUID, Standing] = {}
    shared: dict[tuple[UUID, str], list[Cap]] = {}
    for *plain, own, partners, slice_, fees in rows:
        standing = Standing(
            **dict(zip(NAMES, plain, strict=True)),
            caps=_caps(own),
            slice=slice_,
            fees={each["kind"]: _rate(each) for each in msgspec.json.decode(fees or "[]")},
        )
        found[standing.account_id] = standing
        if partners is not None and (standing.book_id, standing.currency) not in shared:
            shared[standing.book_id, standing.currency] = _caps(partners)
    for standing in found.values():
        standing.caps += shared.get((standing.book_id, standing.currency), ())
    return found


def _caps(spelled: str | None) -> list[Cap]:
    return [cap_as_told(each) for each in msgspec.json.decode(spelled or "[]")]


def _rate(told: Mapping[str, Any]) -> FeeRate:
    """Return one fee in force."""
    return FeeRate(
        rule_id=UUID(told["rule"]),
        account_id=UUID(told["account"]),
        terms=FeeTerms(
            flat_minor=told["flat"],
            bps=told["bps"],
            minimum_minor=told["least"],
            cap_minor=told["most"],
        ),
    )
