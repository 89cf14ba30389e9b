"""The invariants of the witness: no change without its entry, and none without its change. SQL.

A version belongs to an entry that touches its row, made by the same actor in a transaction that
began before the version and wrote its entry after it. Each query speaks of all guarded tables,
and passes over the log once: a million postings leave more than two million rows here.
"""

from typing import Final

from django.apps import apps

from audit.tables import GUARDED, WITNESSED

# What of a login nobody keeps.
UNVERSIONED: Final = frozenset({"password", "last_login"})
GUARDED_NAMES: Final = ", ".join(f"'{table}'" for table in sorted(GUARDED))
WITNESSED_NAMES: Final = ", ".join(f"'{table}'" for table in sorted(WITNESSED))


def over(template: str, *, tables: frozenset[str] = GUARDED) -> str:
    """Return one query that asks the same of every table, `{versions}` being its history."""
    return " UNION ALL ".join(
        template.format(table=table, versions=table.replace("_", "_historical", 1))
        for table in sorted(tables)
    )


def _as_versioned(alias: str) -> dict[str, str]:
    """Return what a version keeps of a row, by table, as a row of SQL."""
    return {
        model._meta.db_table: ", ".join(  # noqa: SLF001 - Django's own interface
            f"{alias}.{field.column}"
            for field in model._meta.concrete_fields  # noqa: SLF001
            if field.column not in UNVERSIONED
        )
        for model in apps.get_models()
    }


def _newest_versions() -> str:
    """Return the query that compares every guarded row with its newest version."""
    now, kept = _as_versioned("r"), _as_versioned("v")
    return " UNION ALL ".join(
        NEWEST.format(
            table=table,
            versions=table.replace("_", "_historical", 1),
            now=now[table],
            kept=kept[table],
        )
        for table in sorted(GUARDED)
    )


CHANGES: Final = over(
    "SELECT '{table}' AS table_name, id, history_actor, history_date FROM {versions}"
)
# OFFSET keeps it a step of its own: the joins after it must not carry every row's `after` along.
TOUCHES: Final = f"""
    SELECT t.entry_id, t.table_name, t.row_id, t.after <> '{{}}' AS is_change,
        e.actor_ref, e.xact_at, e.recorded_at,
        coalesce(e.outcome, 'not there') AS outcome, e.xact = t.xact AS is_of_one_act,
        CASE WHEN t.table_name IN ({GUARDED_NAMES}) THEN t.row_id::uuid END AS id
    FROM audit_touch AS t LEFT JOIN audit_entry AS e ON e.id = t.entry_id OFFSET 0
"""  # noqa: S608 - made of our own tables' names
# A pair that is of one row and actor, and not of one moment, may still have its better halves.
HAS_ENTRY: Final = """
    EXISTS (
        SELECT FROM audit_touch AS t INNER JOIN audit_entry AS e ON e.id = t.entry_id
        WHERE t.row_id = c.id::text AND t.table_name = c.table_name
            AND e.actor_ref = c.history_actor
            AND c.history_date BETWEEN e.xact_at AND e.recorded_at
    )
"""
HAS_CHANGE: Final = "(s.is_change IS NOT true OR EXISTS ({}))".format(
    over(
        "SELECT FROM {versions} AS h WHERE s.table_name = '{table}' AND h.id = s.id"
        " AND h.history_actor = s.actor_ref"
        " AND h.history_date BETWEEN s.xact_at AND s.recorded_at"
    )
)
NEWEST: Final = """
    SELECT format('{table} %s is not as its newest version says', coalesce(r.id, v.id))
    FROM {table} AS r
    FULL JOIN {versions} AS v ON v.id = r.id
    WHERE (
            CASE WHEN r.id IS NULL THEN v.history_type <> '-'
                WHEN v.id IS NULL OR v.history_type = '-' THEN true
                ELSE ({now}) IS DISTINCT FROM ({kept})
            END
        )
        AND NOT EXISTS (
            SELECT FROM {versions} AS later
            WHERE later.id = v.id
                AND (later.history_date, later.history_id) > (v.history_date, v.history_id)
        )
"""
PRESENT: Final = over(
    "SELECT '{table}' AS table_name, id::text AS row_id FROM {table}", tables=GUARDED | WITNESSED
)

WITNESS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "L8",
        "every change was witnessed in the act that made it, and what was witnessed was changed",
        f"""
        SELECT CASE
            WHEN s.outcome <> 'done' OR NOT s.is_of_one_act
                THEN format('entry %s touches %s %s and is %s',
                    s.entry_id, s.table_name, s.row_id, s.outcome)
            WHEN s.entry_id IS NULL OR NOT ({HAS_ENTRY})
                THEN format('%s %s changed at %s unseen', c.table_name, c.id, c.history_date)
            ELSE format('entry %s changed %s %s in words only',
                s.entry_id, s.table_name, s.row_id)
            END
        FROM ({TOUCHES}) AS s
        FULL JOIN ({CHANGES}) AS c
            ON c.id = s.id AND c.table_name = s.table_name AND c.history_actor = s.actor_ref
        WHERE CASE
            WHEN s.outcome <> 'done' OR NOT s.is_of_one_act THEN true
            WHEN s.entry_id IS NULL THEN true
            WHEN c.id IS NULL THEN s.id IS NOT NULL AND s.is_change
            WHEN c.history_date BETWEEN s.xact_at AND s.recorded_at THEN false
            ELSE NOT ({HAS_ENTRY} AND {HAS_CHANGE})
            END
        """,  # noqa: S608 - made of our own tables' names
    ),
    (
        "L8",
        "a guarded row is as its newest version says",
        _newest_versions(),
    ),
    (
        "L8",
        "a row that an entry touched without a version is there, unless an entry removed it",
        f"""
        SELECT format('%s %s of entry %s is not there', s.table_name, s.row_id, s.entry_id)
        FROM audit_touch AS s
        WHERE (
                s.table_name IN ({WITNESSED_NAMES}) AND s.after IS NOT NULL
                OR s.table_name IN ({GUARDED_NAMES}) AND s.after = '{{}}'
            )
            AND NOT EXISTS (
                SELECT FROM ({PRESENT}) AS p
                WHERE p.table_name = s.table_name AND p.row_id = s.row_id
            )
            AND NOT EXISTS (
                SELECT FROM audit_touch AS removal
                WHERE removal.row_id = s.row_id AND removal.table_name = s.table_name
                    AND removal.after IS NULL
            )
        """,  # noqa: S608 - made of our own tables' names
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
