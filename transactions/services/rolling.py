"""Keeping what is derived small and close to the present. Derived rows: no acts, no entries."""

from typing import Final

from django.db import connection

# So few that a round ends well within a statement's time, whatever else the machine does.
POSTINGS_A_ROUND: Final = 5_000
ROUNDS_MAX: Final = 40


def roll_up() -> int:
    """Roll up what was posted since the last time; return how many postings that were.

    In rounds, each a short transaction of its own. Twice at once does no harm: the
    second finds the first at it and does nothing.
    """
    taken = 0
    for _ in range(ROUNDS_MAX):
        with connection.cursor() as cursor:
            cursor.execute("SELECT ledger_roll_up(%s)", [POSTINGS_A_ROUND])
            count = int(cursor.fetchone()[0])
        taken += count
        if count < POSTINGS_A_ROUND:
            break
    return taken


def fold_limits() -> int:
    """Bring the slices of past days' limits together; return how many counters they became."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT limits_fold()")
        return int(cursor.fetchone()[0])


def start_over() -> int:
    """Roll everything up anew, however long it takes; return how many postings that were.

    For the owner's login: after a restore into another cluster, or where cells are in doubt.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SELECT ledger_start_over()")
        return int(cursor.fetchone()[0])
