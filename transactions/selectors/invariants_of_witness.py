"""The invariants of the witness: no change without its entry, and none without its change. SQL.

A version belongs to an entry that touches its row, made by the same actor in a transaction that
began before the version and wrote its entry after it. Each query speaks of all guarded tables.
"""

from typing import Final

from audit.tables import GUARDED, WITNESSED

# What a version says besides the row, and what of a login nobody keeps.
VERSION_ONLY: Final = (
    "'{history_id,history_date,history_type,history_change_reason,history_user_id,"
    "history_actor,history_trace_id}'::text []"
)
UNVERSIONED: Final = "'{password,last_login}'::text []"


def _over(template: str, *, tables: frozenset[str] = GUARDED) -> str:
    """Return one query that asks the same of every table, `{versions}` being its history."""
    return " UNION ALL ".join(
        template.format(table=table, versions=table.replace("_", "_historical", 1))
        for table in sorted(tables)
    )


SEEN: Final = """
    seen AS MATERIALIZED (
        SELECT t.entry_id, t.table_name, t.row_id, t.after, e.actor_ref, e.xact_at, e.recorded_at
        FROM audit_touch AS t
        INNER JOIN audit_entry AS e ON e.id = t.entry_id
        WHERE e.outcome = 'done'
    )
"""
CHANGES: Final = "changes AS MATERIALIZED ({})".format(
    _over(
        "SELECT '{table}' AS table_name, id::text AS row_id, history_actor, history_date"
        " FROM {versions}"
    )
)
PRESENT: Final = "present AS MATERIALIZED ({})".format(
    _over(
        "SELECT '{table}' AS table_name, id::text AS row_id FROM {table}",
        tables=GUARDED | WITNESSED,
    )
)
IS_OF_ONE_ACT: Final = """
    s.table_name = c.table_name AND s.row_id = c.row_id AND s.actor_ref = c.history_actor
    AND c.history_date BETWEEN s.xact_at AND s.recorded_at
"""
GUARDED_NAMES: Final = ", ".join(f"'{table}'" for table in sorted(GUARDED))
KNOWN_NAMES: Final = ", ".join(f"'{table}'" for table in sorted(GUARDED | WITNESSED))

WITNESS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "L8",
        "every version of a guarded row was witnessed in the transaction that made it",
        f"""
        WITH {SEEN}, {CHANGES}
        SELECT format('%s %s changed at %s unseen', c.table_name, c.row_id, c.history_date)
        FROM changes AS c WHERE NOT EXISTS (SELECT FROM seen AS s WHERE {IS_OF_ONE_ACT})
        """,  # noqa: S608 - made of our own tables' names
    ),
    (
        "L8",
        "a guarded row is as its last version says",
        _over(
            """
            SELECT format('{table} %s is not as its last version says', coalesce(r.id, v.id))
            FROM {table} AS r
            FULL JOIN (
                SELECT DISTINCT ON (id) * FROM {versions}
                ORDER BY id, history_date DESC, history_id DESC
            ) AS v ON v.id = r.id
            WHERE (r.id IS NULL) IS DISTINCT FROM (v.history_type = '-')
                OR r.id IS NOT NULL AND v.history_type <> '-'
                AND to_jsonb(r) - UNVERSIONED <> to_jsonb(v) - VERSION_ONLY
            """
        )
        .replace("VERSION_ONLY", VERSION_ONLY)
        .replace("UNVERSIONED", UNVERSIONED),
    ),
    (
        "L8",
        "every row that an entry touched is there, unless an entry removed it",
        f"""
        WITH {SEEN}, {PRESENT}
        SELECT format('%s %s of entry %s is not there', s.table_name, s.row_id, s.entry_id)
        FROM seen AS s
        WHERE s.table_name IN ({KNOWN_NAMES}) AND s.after IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM present AS p
                WHERE p.table_name = s.table_name AND p.row_id = s.row_id
            )
            AND NOT EXISTS (
                SELECT FROM seen AS removal
                WHERE removal.table_name = s.table_name AND removal.row_id = s.row_id
                    AND removal.after IS NULL
            )
        """,  # noqa: S608 - made of our own tables' names
    ),
    (
        "L8",
        "every change an entry tells of was made",
        f"""
        WITH {SEEN}, {CHANGES}
        SELECT format('entry %s changed %s %s in words only', s.entry_id, s.table_name, s.row_id)
        FROM seen AS s
        WHERE s.table_name IN ({GUARDED_NAMES}) AND s.after <> '{{}}'
            AND NOT EXISTS (SELECT FROM changes AS c WHERE {IS_OF_ONE_ACT})
        """,  # noqa: S608 - made of our own tables' names
    ),
    (
        "L8",
        "every touch has its entry, and only an act that was done touches rows",
        """
        SELECT format('entry %s touches %s %s and is %s',
            t.entry_id, t.table_name, t.row_id, coalesce(e.outcome, 'not there'))
        FROM audit_touch AS t
        LEFT JOIN audit_entry AS e ON e.id = t.entry_id
        WHERE e.outcome IS DISTINCT FROM 'done' OR e.xact <> t.xact
        """,
    ),
    (
        "L8",
        "every journal was posted in a transaction that wrote an entry",
        """
        SELECT format('journal %s was posted unseen', j.id)
        FROM transactions_journal AS j
        WHERE NOT EXISTS (
            SELECT FROM audit_entry AS e WHERE e.xact = j.xact AND e.outcome = 'done'
        )
        """,
    ),
)
