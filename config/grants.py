"""The grant matrix of `deploy/grants.yaml`: applied to the database, and compared with it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml
from django.conf import settings
from django.db import connection, transaction

RIGHTS: Final = {"r": "SELECT", "i": "INSERT", "u": "UPDATE", "d": "DELETE"}
ARCHIVE: Final = "archive"
LOGINS: Final = ("admin", "api", "callbacks", "worker", "sealer", "auditor", "backup")
CELL: Final = re.compile(r"(?P<rights>[riud]+)(\((?P<columns>[\w,]+)\))?")
# Months are moved there by functions of cs_definer; nobody at runtime looks in but the auditor.
OF_ARCHIVE: Final = (
    "REVOKE ALL ON SCHEMA archive FROM {logins}, PUBLIC",
    "REVOKE ALL ON ALL TABLES IN SCHEMA archive FROM {logins}, PUBLIC",
    "GRANT USAGE ON SCHEMA archive TO cs_auditor, cs_backup",
)
VERSION_TABLES: Final = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    " AND relkind = 'r' AND relname ~ '_historical'"
)


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One right of one login on one thing (`table`, `table(column)` or `function()`)."""

    login: str
    right: str
    thing: str


def wanted() -> set[Grant]:
    """Return every right of the matrix, for the tables and functions that exist."""
    page = yaml.safe_load((settings.BASE_DIR / "deploy" / "grants.yaml").read_text())
    present = _names("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    found = {
        grant
        for table, cells in page["tables"].items()
        if table in present
        for grant in _of_table(table, cells)
    }
    found |= {
        Grant(login, "SELECT", table)
        for table in _names(VERSION_TABLES)
        for login in page["versions"]
    }
    found |= {
        Grant(login, "EXECUTE", f"{function}()")
        for function, logins in page["functions"].items()
        for login in logins
    }
    found |= {
        Grant(login, "SELECT", f"{ARCHIVE}.{table}")
        for table in _archived()
        for login in page[ARCHIVE]
    }
    return found


def actual() -> set[Grant]:
    """Return every right the runtime logins hold in this database, by the catalogue."""
    tables = _rows(
        "SELECT substr(r.rolname, 4), a.privilege_type,"
        " CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,"
        " LATERAL aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee"
        " WHERE n.nspname IN ('public', 'archive') AND c.relkind IN ('r', 'p', 'v')"
        " AND r.rolname = ANY(%s)"
    )
    columns = _rows(
        "SELECT substr(r.rolname, 4), a.privilege_type, c.relname || '(' || t.attname || ')'"
        " FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid,"
        " LATERAL aclexplode(t.attacl) a JOIN pg_roles r ON r.oid = a.grantee"
        " WHERE c.relnamespace = 'public'::regnamespace AND r.rolname = ANY(%s)"
    )
    functions = _rows(
        "SELECT substr(r.rolname, 4), a.privilege_type, p.proname || '()'"
        " FROM pg_proc p, LATERAL aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee"
        " WHERE p.pronamespace = 'public'::regnamespace AND r.rolname = ANY(%s)"
    )
    return {Grant(*row) for row in (*tables, *columns, *functions)}


def apply() -> None:
    """Make the database's grants those of the matrix, in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        logins = ", ".join(f"cs_{login}" for login in LOGINS)
        for kind in ("TABLES", "SEQUENCES", "ROUTINES"):
            cursor.execute(f"REVOKE ALL ON ALL {kind} IN SCHEMA public FROM {logins}, PUBLIC")
        for statement in OF_ARCHIVE:
            cursor.execute(statement.format(logins=logins))
        for right, thing, logins in _statements():
            cursor.execute(f"GRANT {right} ON {thing} TO {logins}")
        for kind in ("TABLES", "SEQUENCES"):
            cursor.execute(f"GRANT SELECT ON ALL {kind} IN SCHEMA public, archive TO cs_backup")


def differences() -> list[str]:
    """Return one line for every right too many or too few; empty when all is as written."""
    want, have = wanted(), {grant for grant in actual() if grant.login != "backup"}
    many = [f"too many: {g.login} has {g.right} on {g.thing}" for g in sorted(have - want)]
    few = [f"missing: {g.login} lacks {g.right} on {g.thing}" for g in sorted(want - have)]
    return many + few + _open_to_all()


def _of_table(table: str, cells: Mapping[str, str]) -> Iterator[Grant]:
    for login, cell in cells.items():
        match = CELL.fullmatch(cell)
        if match is None:
            raise ValueError(f"{table}: {login}: {cell!r} is no right")
        columns = (match["columns"] or "").split(",")
        for letter in match["rights"]:
            for column in columns if letter == "u" else [""]:
                yield Grant(login, RIGHTS[letter], f"{table}({column})" if column else table)


def _statements() -> Iterator[tuple[str, str, str]]:
    """Return (right, thing, logins) as SQL spells them."""
    for grant in sorted(wanted()):
        name, _, column = grant.thing.rstrip(")").partition("(")
        if grant.right == "EXECUTE":
            yield "EXECUTE", f"ROUTINE public.{name}", f"cs_{grant.login}"
        else:
            right = f"{grant.right} ({column})" if column else grant.right
            table = name if "." in name else f"public.{name}"
            yield right, table, f"cs_{grant.login}"


def _open_to_all() -> list[str]:
    """Return the routines anybody may call: there must be none."""
    rows = _names(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND (proacl IS NULL OR EXISTS (SELECT 1 FROM aclexplode(proacl) WHERE grantee = 0))"
    )
    return [f"open to all: {name}()" for name in sorted(rows)]


def _archived() -> set[str]:
    """Return the tables of months that were put away."""
    return _names(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'archive' AND c.relkind = 'r'"
    )


def _rows(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [[f"cs_{login}" for login in LOGINS]])
        return list(cursor.fetchall())


def _names(sql: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {name for (name,) in cursor.fetchall()}
