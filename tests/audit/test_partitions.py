"""The months ahead have their partitions, and making them twice makes none twice."""

import pytest

from audit.tasks import make_partitions

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.role("worker")]


def test_the_worker_finds_the_next_months_made() -> None:
    assert make_partitions() == 0
