"""What a command asks is prepared by the server, and nothing else is."""

import pytest
from django.db import connection

from audit.calls import ask

PREPARED = "SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%a question'"


@pytest.mark.django_db
def test_a_question_is_prepared_and_a_text_of_the_orm_is_not_remembered() -> None:
    for number in (1, 2):
        assert ask("SELECT %s::int -- a question", [number]) == [(number,)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", ["a sealed name"])
        cursor.execute(PREPARED)
        assert cursor.fetchall() == [("SELECT $1::int -- a question",)]
    assert connection.connection.prepare_threshold is None
