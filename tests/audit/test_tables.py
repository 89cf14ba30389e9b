"""audit/tables.py against the catalogue: one class a table, and each class defended as it says."""

import re
from typing import Any

import pytest
from django.db import connection

from audit.tables import APPEND_ONLY, BOOKKEEPING, GUARDED, WITNESSED
from config.grants import LOGINS

pytestmark = pytest.mark.django_db
RUNTIME = [f"cs_{login}" for login in LOGINS]
CHANGES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")


def rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Ask the catalogue."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def tables(condition: str) -> set[str]:
    """Return the tables of ours for which a condition on pg_class holds."""
    found = rows(
        "SELECT relname FROM pg_class AS c WHERE relnamespace = 'public'::regnamespace"
        f" AND relkind IN ('r', 'p') AND {condition}"
    )
    return {name for (name,) in found}


def triggers(name: str) -> set[str]:
    """Return the tables, partitions included, that have a trigger of this name, switched on."""
    found = rows(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = %s AND tgenabled = 'O'",
        name,
    )
    return {table for (table,) in found}


def versions() -> set[str]:
    """Return the tables that keep versions."""
    return tables(r"relname LIKE '%%\_historical%%'")


def partitions() -> set[str]:
    """Return the parts of partitioned tables."""
    return tables("relispartition")


def test_every_table_is_in_exactly_one_class() -> None:
    classes = (GUARDED, WITNESSED, APPEND_ONLY, frozenset(BOOKKEEPING))
    everything = [name for each in classes for name in each]
    assert len(everything) == len(set(everything))
    assert set(everything) == tables("NOT relispartition") - versions()


def test_every_bookkeeping_table_has_its_reason() -> None:
    assert all(len(reason) > 10 for reason in BOOKKEEPING.values())


def test_guarded_tables_demand_a_witness_at_commit() -> None:
    """Those without versions row by row; the others by way of what their versions say is owed."""
    demanding = WITNESSED | {"audit_debt"}
    assert triggers("witnessed") == demanding
    deferred = rows(
        "SELECT tgrelid::regclass::text FROM pg_trigger"
        " WHERE tgname = 'witnessed' AND tgdeferrable AND tginitdeferred AND tgenabled = 'O'"
    )
    assert {table for (table,) in deferred} == demanding
    silent = rows(
        "SELECT c.relname FROM pg_class AS c INNER JOIN pg_proc AS p"
        " ON p.proname = c.relname || '_versions' WHERE c.relname = ANY(%s)"
        " AND (length(p.prosrc) - length(replace(p.prosrc, 'INTO public.audit_debt', '')))"
        " / length('INTO public.audit_debt') <> 3",
        sorted(GUARDED),
    )
    assert not silent


@pytest.mark.parametrize("event", ["insert", "update", "delete"])
def test_guarded_tables_keep_every_version_in_their_own_history(event: str) -> None:
    kept = rows(
        r"SELECT tgrelid::regclass::text, split_part(encode(tgargs, 'escape'), '\000', 1)"
        " FROM pg_trigger WHERE tgname = 'versioned_' || %s AND tgenabled = 'O'",
        event,
    )
    assert dict(kept) == {table: table.replace("_", "_historical", 1) for table in GUARDED}
    assert set(dict(kept).values()) == versions()


def test_a_version_holds_every_column_of_its_row() -> None:
    """What `audit_versions_again` is for: a column added later is versioned as well."""
    missed = rows(
        "SELECT c.relname, a.attname FROM pg_attribute AS a INNER JOIN pg_class AS c"
        " ON c.oid = a.attrelid INNER JOIN pg_proc AS p ON p.proname = c.relname || '_versions'"
        " WHERE c.relname = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped"
        r" AND p.prosrc !~ ('n\.\"?' || a.attname || '\M')",
        sorted(GUARDED),
    )
    assert set(missed) == {("accounts_user", name) for name in ("last_login", "password")}


def test_append_only_tables_their_partitions_and_all_versions_refuse_changes() -> None:
    # Parent and partition each have their own: a statement fires only those of the table it names.
    assert tables("relkind = 'p'") < APPEND_ONLY
    assert triggers("append_only") == APPEND_ONLY | partitions() | versions()


def test_there_are_partitions_for_this_month_and_the_next_three() -> None:
    for parent in tables("relkind = 'p'"):
        for ahead in range(4):
            ((name,),) = rows(
                "SELECT to_char((now() AT TIME ZONE 'UTC') + make_interval(months => %s),"
                " 'YYYYmMM')",
                ahead,
            )
            assert f"{parent}_y{name}" in partitions()


@pytest.mark.parametrize("login", RUNTIME)
def test_no_runtime_login_writes_what_is_append_only(login: str) -> None:
    kept = APPEND_ONLY | partitions() | versions()
    may = rows(
        "SELECT t, r FROM unnest(%s::text[]) AS t, unnest(%s::text[]) AS r"
        " WHERE has_table_privilege(%s, t, r)"
        " OR r IN ('INSERT', 'UPDATE') AND has_any_column_privilege(%s, t, r)",
        sorted(kept),
        list(CHANGES),
        login,
        login,
    )
    assert may == []


@pytest.mark.parametrize("login", RUNTIME)
def test_no_runtime_login_owns_anything_or_may_become_an_owner(login: str) -> None:
    assert rows("SELECT relname FROM pg_class WHERE relowner = %s::regrole", login) == []
    assert rows("SELECT proname FROM pg_proc WHERE proowner = %s::regrole", login) == []
    assert (
        rows(
            "SELECT rolname FROM pg_roles WHERE rolname <> %s AND pg_has_role(%s, oid, 'MEMBER')",
            login,
            login,
        )
        == []
    )
    structure = ("TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")
    may = rows(
        "SELECT relname, r FROM pg_class, unnest(%s::text[]) AS r"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND has_table_privilege(%s, oid, r)",
        list(structure),
        login,
    )
    assert may == []


def test_every_definer_function_is_owned_by_nobody_who_signs_in_and_has_a_fixed_path() -> None:
    found = rows(
        "SELECT proname, rolname, rolcanlogin::text, array_to_string(proconfig, ',')"
        " FROM pg_proc INNER JOIN pg_roles ON pg_roles.oid = proowner"
        " WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    )
    assert found
    for name, owner, may_sign_in, path in found:
        assert (owner, may_sign_in) == ("cs_definer", "false"), name
        assert re.match(r"search_path=pg_catalog(, public)?, pg_temp(,|$)", path), name
