"""A backup carries months that were put away, and they can be taken in where it came back."""

from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command

from config.backups import READER, back_up
from tests.aging import OLD, company_of_three_months
from tests.house.test_backups import EMPTY, address, restore
from tests.house.test_backups import empty as empty  # noqa: PLC0414 - a fixture
from transactions.models import ArchivedMonth

pytestmark = [pytest.mark.role("migrator"), pytest.mark.django_db(transaction=True)]
PART = f"archive.transactions_posting_y{OLD:%Ym%m}"
MAY = "SELECT has_table_privilege(%s, %s, 'SELECT')"
MAKES = "SELECT has_database_privilege(%s, current_database(), 'CREATE')"


@pytest.mark.usefixtures("empty")
def test_months_that_were_put_away_come_back_where_a_backup_is_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company_of_three_months()
    call_command("months", "detach", f"{OLD:%Y-%m}", reason="Disk is full")
    postings = ArchivedMonth.objects.get().postings
    fingerprint = back_up(address(READER), folder=tmp_path / "made")
    monkeypatch.setenv("RESTORE_URL", address("cs_migrator"))
    said = restore(tmp_path / "made", into=EMPTY, fingerprint=fingerprint)
    assert "All invariants hold." in said
    with psycopg.connect(address("cs_migrator", database=EMPTY), autocommit=True) as server:
        assert server.execute(f"SELECT count(*) FROM {PART}").fetchone() == (postings,)
        for login in ("cs_auditor", "cs_backup"):
            assert server.execute(MAY, [login, PART]).fetchone() == (True,)
        assert server.execute(MAY, ["cs_admin", PART]).fetchone() == (False,)
        # What the functions that post look up.
        read = ["cs_definer", "transactions_ledgeraccount"]
        assert server.execute(MAY, read).fetchone() == (True,)
        # Its schema came back by what the administrator may: it makes none of its own.
        assert server.execute(MAKES, ["cs_definer"]).fetchone() == (False,)
