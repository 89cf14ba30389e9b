"""Hanging effects on acts, folding what was said twice, and drawing who led to what."""

from datetime import UTC, datetime, timedelta
from typing import Any

from audit.moments import Difference, Kind, Moment, steps, without_repeats
from config.picture import drawn

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def moment(second: int, kind: Kind, ref: str, **details: Any) -> Moment:
    at = NOON + timedelta(seconds=second)
    return Moment(at=at, kind=kind, ref=ref, title=details.pop("title", ref), **details)


def act(second: int, ref: str, **details: Any) -> Moment:
    return moment(second, Kind.ENTRY, ref, **details)


def new(row: str) -> Difference:
    return Difference(table="transactions_payment", row=row, is_new=True, changes=())


def test_an_effect_hangs_on_the_act_of_its_transaction_whatever_the_order() -> None:
    first, second = act(1, "entry:1", xact=7), act(5, "entry:2", xact=8)
    journal = moment(4, Kind.JOURNAL, "journal:1", xact=8)
    letter = moment(2, Kind.LETTER, "letter:1", xact=7)

    found = steps([second, journal, letter, first])

    assert [step.moment.ref for step in found] == ["entry:1", "entry:2"]
    assert [step.effects for step in found] == [(letter,), (journal,)]


def test_of_many_acts_in_one_transaction_an_effect_hangs_on_the_one_that_had_it() -> None:
    paid, kept = (
        act(number, f"entry:{number}", xact=7, about=f"payment:{number}", differences=(new(row),))
        for number, row in ((1, "p1"), (2, "p2"))
    )
    refused = act(3, "entry:3", xact=7, about="payment:p1")
    version = moment(4, Kind.VERSION, "version:1", xact=7, about="payment:p1")
    letter = moment(5, Kind.LETTER, "letter:1", xact=7, about="evt_1")

    found = steps([paid, kept, refused, version, letter])

    assert [step.effects for step in found] == [(version,), (letter,), ()]


def test_an_effect_without_its_act_is_not_lost() -> None:
    alone = moment(1, Kind.VERSION, "version:1", xact=9)
    assert next(iter(steps([alone, act(2, "entry:1", xact=7)]))).moment == alone


def test_what_one_callback_repeats_is_one_line_and_the_rest_stays() -> None:
    said = [
        act(2, "entry:2", cause="callback:1", is_repeat=True),
        act(3, "entry:3", cause="callback:2", is_repeat=True),
        act(4, "entry:4", cause="callback:1", is_repeat=True),
        act(5, "entry:5", cause="callback:1"),
    ]
    kept = without_repeats(said)
    assert [each.ref for each in kept] == ["entry:2", "entry:3", "entry:5"]
    assert [each.said for each in kept] == ["2 things, all known before", "Known before", ""]


def test_lines_lead_from_the_cause_and_from_nothing_that_came_between() -> None:
    cause = moment(1, Kind.CALLBACK, "callback:1")
    other = moment(2, Kind.CALLBACK, "callback:2")
    booked = act(3, "entry:1", xact=7, cause="callback:1")
    journal = moment(3, Kind.JOURNAL, "journal:1", xact=7)

    picture = drawn([cause, other, booked, journal])

    place = {node.moment.ref: node for node in picture.nodes}
    assert len(picture.lines) == 2
    starts = [line.partition("H")[0] for line in picture.lines]
    box = picture.box_width
    assert set(starts) == {
        f"M{place['callback:1'].x + box} {place['callback:1'].middle}",
        f"M{place['entry:1'].x + box} {place['entry:1'].middle}",
    }
    assert [node.number for node in picture.nodes] == [1, 2, 3, 4]
