"""Whatever is sent or answered, reading it ends in meanings or in one of three named answers."""

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.providers.base import Ignored, NotYet
from integrations.providers.stripe.mapping import READINGS
from tests.integrations.stripe.cast import Shelf, read, sample, sample_shelf
from transactions.meanings import NotUnderstood

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
KINDS = sorted(READINGS)


def paths_of(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside `value`."""
    inside = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(found for key, each in inside for found in paths_of(each, (*path, key)))]


def planted(root: Any, path: tuple[Any, ...], value: object) -> Any:
    """Return `root` with `value` put at `path`."""
    if not path:
        return value
    copied = copy.copy(root)
    copied[path[0]] = planted(root[path[0]], path[1:], value)
    return copied


@settings(max_examples=300, deadline=None)
@given(data=st.data(), kind=st.sampled_from(KINDS), value=VALUES)
def test_whatever_stands_in_an_event_it_is_read_or_refused(
    data: st.DataObject, kind: str, value: object
) -> None:
    event = sample(kind)
    where = data.draw(st.sampled_from(paths_of(event)))
    body = json.dumps(planted(event, where, value)).encode()
    with contextlib.suppress(NotUnderstood, Ignored, NotYet):
        read(body)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), kind=st.sampled_from(KINDS), value=VALUES)
def test_whatever_stripe_answers_it_is_read_or_refused(
    data: st.DataObject, kind: str, value: object
) -> None:
    shelf = sample_shelf()
    ref = data.draw(st.sampled_from(sorted(shelf.objects)))
    where = data.draw(st.sampled_from(paths_of(shelf.objects[ref])[1:]))
    broken = Shelf(shelf.objects.values())
    broken.objects[ref] = planted(shelf.objects[ref], where, value)
    with contextlib.suppress(NotUnderstood, NotYet):
        read(sample(kind), broken)


@settings(max_examples=300, deadline=None)
@given(body=st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_at_all_are_refused_or_ignored(body: bytes) -> None:
    with pytest.raises((NotUnderstood, Ignored)):
        read(body)
