"""Calls of database functions, several to a statement: one round trip for all that is known.

A command's writes depend on each other only through its own values, so they
travel together. Each call says what the rules it may break mean to a caller.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import psycopg
from django.db import DEFAULT_DB_ALIAS, Error, connections

from audit.constraints import broken_rule
from audit.errors import Refusal

Meaning = Refusal | Callable[[Error], Refusal]
_ENCODER: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, e.g. `ledger_post(%s::jsonb)`, its values, and what its broken rules mean.

    `rules` leads from a constraint's name to the refusal, or to a function
    that makes it from the database's error.
    """

    sql: str
    values: tuple[Any, ...] = ()
    rules: Mapping[str, Meaning] = field(default_factory=dict)


def spell(value: object) -> str:
    """Return `value` as JSON for a database function to read: ids, times and enums as text."""
    return _ENCODER.encode(value).decode()


def send(*calls: Call) -> tuple[Any, ...]:
    """Send `calls` in one statement and return what each returned, in the same order.

    A rule that is broken undoes all of them: it raises the refusal that the
    calls say it means, and any other error as it is.
    """
    if not calls:
        return ()
    try:
        ((*found,),) = ask(
            "SELECT " + ", ".join(call.sql for call in calls),
            [value for call in calls for value in call.values],
        )
    except Error as error:
        refusal = _meant(error, calls=calls)
        if refusal is None:
            raise
        raise refusal from error
    return tuple(found)


def ask(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the rows that `statement` finds, prepared once a connection by the server.

    On Django's own connection and with its errors, but without its cursor:
    spelling the values into the text and reading that again took as long as
    the rest of the way to the database. Only here are statements prepared: the
    ORM's texts hold their values, and would be remembered with them.
    """
    line = connections[DEFAULT_DB_ALIAS]
    line.ensure_connection()
    line.validate_no_broken_transaction()
    with line.wrap_database_errors, psycopg.Cursor(line.connection) as cursor:
        line.connection.prepare_threshold = 0
        try:
            return cursor.execute(statement, values, prepare=True).fetchall()
        finally:
            line.connection.prepare_threshold = None


def wait_no_longer_than(milliseconds: int) -> None:
    """Let this transaction wait no longer than that for a lock, and end in an error then."""
    send(Call(sql="set_config('lock_timeout', %s, true)", values=(f"{milliseconds}ms",)))


def _meant(error: Error, *, calls: Sequence[Call]) -> Refusal | None:
    """Return the refusal that the broken rule stands for, None where it stands for none."""
    rule = broken_rule(error)
    meaning = next((call.rules[rule] for call in calls if rule in call.rules), None)
    return meaning if meaning is None or isinstance(meaning, Refusal) else meaning(error)
