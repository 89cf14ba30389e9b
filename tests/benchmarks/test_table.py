"""Bars are met by the median of the rounds' own ratios, and never by unsound books."""

import pytest

from benchmarks import _table
from benchmarks._table import Bar, judge, ratios

FOUND = {"ours": [10.0, 90.0, 30.0], "peer": [20.0, 100.0, 100.0]}
LOW = Bar(row="ours", peer="peer", least=0.5)
HIGH = Bar(row="ours", peer="peer", least=0.51)


@pytest.fixture(autouse=True)
def _enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_table, "ROUNDS", _table.ROUNDS_MIN)


def test_each_round_is_compared_with_itself() -> None:
    assert ratios(FOUND, row="ours", peer="peer") == [0.5, 0.9, 0.3]


def test_the_median_round_decides_and_one_missed_bar_fails_all() -> None:
    assert judge(FOUND, [LOW], wrong=[])
    assert not judge(FOUND, [LOW, HIGH], wrong=[])


def test_a_limit_is_missed_from_above() -> None:
    assert judge(FOUND, [Bar(row="ours", peer="peer", most=0.5)], wrong=[])
    assert not judge(FOUND, [Bar(row="ours", peer="peer", most=0.49)], wrong=[])


def test_a_figure_from_unsound_books_counts_for_nothing() -> None:
    assert not judge(FOUND, [LOW], wrong=["one transfer is there twice"])


def test_fewer_than_five_rounds_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_table, "ROUNDS", 4)
    assert not judge(FOUND, [LOW], wrong=[])
