"""The invariants of the witness: no change without its entry, and none without its change. SQL.

A version belongs to an entry that touches its row, made by the same actor in a transaction that
began before the version and wrote its entry after it. One query speaks of all guarded tables.
"""

from typing import Final

from audit.tables import GUARDED, WITNESSED

VERSION_ONLY: Final = (
    "'{history_id,history_date,history_type,history_change_reason,history_user_id,"
    "history_actor,history_trace_id}'::text []"
)
# A login's password and last sign-in are kept by nobody.
UNVERSIONED: Final = "'{password,last_login}'::text []"


def _versions_of(table: str) -> str:
    """Return the name of the table that keeps another's versions."""
    return table.replace("_", "_historical", 1)


def _over(template: str, *, tables: frozenset[str]) -> str:
    """Return one query that asks the same of every table."""
    return " UNION ALL ".join(
        template.format(
            table=table, versions=_versions_of(table), only=VERSION_ONLY, unversioned=UNVERSIONED
        )
        for table in sorted(tables)
    )


WITNESS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "L8",
        "every version of a guarded row was witnessed in the transaction that made it",
        _over(
            """
            SELECT format('{table} %s changed at %s unseen', v.id, v.history_date)
            FROM {versions} AS v
            WHERE NOT EXISTS (
                SELECT FROM audit_touch AS t
                INNER JOIN audit_entry AS e ON e.id = t.entry_id
                WHERE t.row_id = v.id::text AND t.table_name = '{table}' AND e.outcome = 'done'
                    AND e.actor_ref = v.history_actor
                    AND v.history_date BETWEEN e.xact_at AND e.recorded_at
            )
            """,
            tables=GUARDED,
        ),
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
                AND to_jsonb(r) - {unversioned} <> to_jsonb(v) - {only}
            """,
            tables=GUARDED,
        ),
    ),
    (
        "L8",
        "every row that an entry touched is there, unless an entry removed it",
        _over(
            """
            SELECT format('{table} %s of entry %s is not there', t.row_id, t.entry_id)
            FROM audit_touch AS t
            LEFT JOIN {table} AS r ON r.id::text = t.row_id
            WHERE t.table_name = '{table}' AND r.id IS NULL AND t.after IS NOT NULL
                AND NOT EXISTS (
                    SELECT FROM audit_touch AS removal
                    WHERE removal.row_id = t.row_id AND removal.table_name = '{table}'
                        AND removal.after IS NULL
                )
            """,
            tables=GUARDED | WITNESSED,
        ),
    ),
    (
        "L8",
        "every change an entry tells of was made",
        _over(
            """
            SELECT format('entry %s changed {table} %s in words only', e.id, t.row_id)
            FROM audit_touch AS t
            INNER JOIN audit_entry AS e ON e.id = t.entry_id
            WHERE t.table_name = '{table}' AND t.after <> '{{}}' AND NOT EXISTS (
                SELECT FROM {versions} AS v
                WHERE v.id = t.row_id::uuid AND v.history_actor = e.actor_ref
                    AND v.history_date BETWEEN e.xact_at AND e.recorded_at
            )
            """,
            tables=GUARDED,
        ),
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
