"""Books of any size, made below the commands: what two real transfers left, copied by their owner.

An internal transfer and a settled payout are made by the commands that make them; every row they
left is then copied set-based, under new keys, with running balances that really run. Triggers are
off meanwhile, so a million postings take a minute or two instead of hours. One transfer in
`PAYOUT_EVERY` is a payout, which leaves three entries, five touches and five versions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from accounts.roles import PROVIDER_GRANTS, SYSTEM_GRANTS
from audit.actors import Actor, ActorKind
from audit.typeids import uuid7
from benchmarks._house import House
from transactions.models import Journal, Transfer
from transactions.money import Money
from transactions.orders import Payee, TransferOrder
from transactions.services.dispatching import claim_transfer, settle_transfer
from transactions.services.transfers import request_transfer

PAYOUT_EVERY: Final = 10
TABLES: Final = (
    "transactions_transfer",
    "transactions_hold",
    "transactions_journal",
    "transactions_journalorigin",
    "transactions_posting",
    "transactions_balance",
    "audit_entry",
    "audit_touch",
)
# One row a copy: who gives, who takes, and the new keys.
PLAN: Final = """
    CREATE TEMP TABLE plan AS
    SELECT n, mod(n, %(payout_every)s) = 0 AS is_payout, uuidv7() AS transfer, uuidv7() AS hold,
        uuidv7() AS journal, (%(accounts)s::uuid [])[1 + mod(n * 7, %(many)s)] AS giver,
        (%(accounts)s::uuid [])[1 + mod(n * 7 + 1 + mod(n, %(many)s - 1), %(many)s)] AS taker
    FROM generate_series(1, %(transfers)s) AS n;
    ANALYZE plan
"""
# One row a copied entry, of transactions long before ours.
ACTS: Final = """
    CREATE TEMP TABLE act AS
    SELECT plan.*, e.id AS model, uuidv7() AS entry, e.xact - n * 64 AS new_xact
    FROM audit_entry AS e CROSS JOIN plan
    WHERE e.target_ref = CASE WHEN plan.is_payout THEN %(payout)s ELSE %(internal)s END;
    ANALYZE act
"""
LINES: Final = """
    WITH lines AS (
        SELECT n, journal, giver AS account, -1 AS amount FROM plan
        UNION ALL
        SELECT n, journal, CASE WHEN is_payout THEN %(clearing)s ELSE taker END, 1 FROM plan
    )
    INSERT INTO transactions_posting (journal_id, book_id, account_id, amount_minor, currency,
        balance_after_minor, account_version, occurred_at)
    SELECT l.journal, %(book)s, l.account, l.amount, 'EUR',
        b.posted_minor + sum(l.amount) OVER before, b.version + count(*) OVER before, now()
    FROM lines AS l LEFT JOIN transactions_balance AS b ON b.account_id = l.account
    WINDOW before AS (PARTITION BY l.account ORDER BY l.n, l.amount)
    ORDER BY l.n, l.amount
"""
BALANCES: Final = """
    UPDATE transactions_balance AS b
    SET posted_minor = p.balance_after_minor, version = p.account_version
    FROM (
        SELECT DISTINCT ON (account_id) account_id, balance_after_minor, account_version
        FROM transactions_posting ORDER BY account_id, account_version DESC
    ) AS p WHERE p.account_id = b.account_id
"""
# Counts anew what is limited, by the house's own function: an account or a partner once.
COUNTERS: Final = """
    SELECT limits_recount(l.id) FROM (
        SELECT DISTINCT ON (coalesce(account_id, book_id), currency) id FROM transactions_limit
    ) AS l
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The two transfers that everything is copied from."""

    internal: Transfer
    payout: Transfer
    clearing: Any


def grow(house: House, *, postings: int) -> None:
    """Let the house's books grow by so many postings, with all that witnesses them."""
    models = _models(house)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        with transaction.atomic():
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            _switch_triggers("DISABLE")
            _plan(house, models=models, transfers=postings // 2)
            _copy_transfers(models)
            _copy_books(house, models=models)
            _copy_witness(models)
            _run(COUNTERS)
            _switch_triggers("ENABLE")
        cursor.execute("ANALYZE")
        cursor.execute("RESET statement_timeout")


def _models(house: House) -> Models:
    """Make both by commands. The first payout opens its clearing account, so the second counts."""
    giver, taker = house.accounts[:2]
    order = TransferOrder(source_id=giver.pk, destination_id=taker.pk, money=Money(1, "EUR"))
    internal = request_transfer(actor=house.client, order=order, origin=uuid7().hex)
    _pay_out(house)
    payout = _pay_out(house)
    journal = Journal.objects.get(subject_ref=payout.audit_ref)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id FROM transactions_posting"
            " WHERE journal_id = %s AND balance_after_minor IS NULL",
            [journal.pk],
        )
        clearing = cursor.fetchone()[0]
    return Models(internal=internal, payout=payout, clearing=clearing)


def _pay_out(house: House) -> Transfer:
    worker, bank = (
        Actor(kind=kind, id=name, label=name, credential="none", grants=grants)
        for kind, name, grants in (
            (ActorKind.SYSTEM, "worker", SYSTEM_GRANTS),
            (ActorKind.PROVIDER, "testbank", PROVIDER_GRANTS),
        )
    )
    order = TransferOrder(
        source_id=house.accounts[0].pk,
        destination_id=None,
        payee=Payee(name="Joe Bloggs", iban="DE89370400440532013000"),
        money=Money(1, "EUR"),
    )
    asked = request_transfer(actor=house.client, order=order, origin=uuid7().hex)
    claim_transfer(actor=worker)
    return settle_transfer(
        actor=bank, transfer_id=asked.pk, provider_ref="pay_bench", occurred_at=timezone.now()
    )


def _plan(house: House, *, models: Models, transfers: int) -> None:
    accounts = [account.pk for account in house.accounts]
    _run(
        PLAN,
        payout_every=PAYOUT_EVERY,
        accounts=accounts,
        many=len(accounts),
        transfers=transfers,
    )
    _run(ACTS, payout=models.payout.audit_ref, internal=models.internal.audit_ref)


def _copy_transfers(models: Models) -> None:
    """Copy both transfers and the payout's hold, and every version of them."""
    moved = {"id": "p.transfer", "origin": "'bench:' || p.transfer", "source_id": "p.giver"}
    held = {"id": "p.hold", "transfer_id": "p.transfer", "account_id": "p.giver"}
    for prefix, extra in (("", {}), ("historical", {"history_id": "uuidv7()"})):
        transfers, holds = f"transactions_{prefix}transfer", f"transactions_{prefix}hold"
        inner = moved | extra | {"destination_id": "p.taker"}
        inside = f"t.id = '{models.internal.pk}' AND NOT p.is_payout"
        out = f"'{models.payout.pk}' AND p.is_payout"
        _copy(transfers, where=inside, changes=inner)
        _copy(transfers, where=f"t.id = {out}", changes=moved | extra)
        _copy(holds, where=f"t.transfer_id = {out}", changes=held | extra)


def _copy_books(house: House, *, models: Models) -> None:
    """Copy journals and their origins; write the postings anew, since balances run."""
    journals = {
        "id": "p.journal",
        "subject_ref": "'transfer:' || p.transfer",
        "origin": "'bench:' || p.journal",
        "xact": "a.new_xact",
    }
    for model, is_payout in ((models.internal, "NOT p.is_payout"), (models.payout, "p.is_payout")):
        _copy(
            "transactions_journal INNER JOIN audit_entry AS e ON e.xact = t.xact"
            " INNER JOIN act AS a ON a.model = e.id",
            where=f"t.subject_ref = '{model.audit_ref}' AND a.n = p.n AND {is_payout}",
            changes=journals,
        )
    _run(
        "INSERT INTO transactions_journalorigin (origin, journal_id)"
        " SELECT 'bench:' || journal, journal FROM plan"
    )
    _run(LINES, book=house.partner.book_id, clearing=models.clearing)
    _run(BALANCES)


def _copy_witness(models: Models) -> None:
    entries = {"id": "p.entry", "target_ref": "'transfer:' || p.transfer", "xact": "p.new_xact"}
    _copy("audit_entry", where="t.id = p.model", changes=entries, plan="act")
    row = (
        f"CASE WHEN t.row_id IN ('{models.internal.pk}', '{models.payout.pk}')"
        " THEN p.transfer::text ELSE p.hold::text END"
    )
    touches = {"entry_id": "p.entry", "row_id": row, "xact": "p.new_xact"}
    _copy("audit_touch", where="t.entry_id = p.model", changes=touches, plan="act")


def _copy(source: str, *, where: str, changes: Mapping[str, str], plan: str = "plan") -> None:
    """Copy the rows `t` of a table once for each row `p` of a plan, with `changes` made."""
    table, _, joins = source.partition(" ")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} LIMIT 0")
        names = [column.name for column in cursor.description or ()]
    columns = ", ".join(names)
    values = ", ".join(changes.get(name, f"t.{name}") for name in names)
    _run(
        f"INSERT INTO {table} ({columns})"
        f" SELECT {values} FROM {table} AS t {joins} CROSS JOIN {plan} AS p WHERE {where}"
    )


def _switch_triggers(to: str) -> None:
    for table in TABLES:
        _run(f"ALTER TABLE {table} {to} TRIGGER USER")


def _run(sql: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
