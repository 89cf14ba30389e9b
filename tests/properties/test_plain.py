"""The quick spelling of an entry is the one spelling, whatever is in it."""

from datetime import UTC, datetime
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit.canonical import NotCanonical, canonical, canonical_of_plain
from audit.history import plain
from transactions.states import TransferState

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.fractions(),
    st.uuids(),
    st.binary(max_size=8),
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(TransferState),
    TEXTS,
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(TEXTS | st.integers(), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(VALUES)
@example({"\ufb33": 1, "\U0001f600": 2})  # sorted by UTF-16 units, not by code points
@example("\\u0000")  # six characters, no NUL
@example(2**80)
def test_the_quick_spelling_is_the_canonical_one(value: object) -> None:
    told = plain(value)
    assert canonical_of_plain(told).encode() == canonical(told)


@pytest.mark.parametrize("value", ["a\x00b", {"\x00": 1}, "\ud800", ["\udfff"]])
def test_what_has_no_spelling_has_no_quick_one(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical_of_plain(plain(value))


def test_values_become_plain_as_they_are_shown() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    key = UUID("018f0000-0000-7000-8000-000000000000")
    assert plain({"at": at, "on": at.date(), "key": key, "raw": b"\x01", 1: Fraction(3, 2)}) == {
        "at": "2026-01-02T03:04:05.000006Z",
        "on": "2026-01-02",
        "key": str(key),
        "raw": "01",
        "1": "3/2",
    }
    assert plain(TransferState.SETTLED) == "settled"
    assert type(plain(TransferState.SETTLED)) is str
