"""Reading files of transfers: whom their rows name, and what was asked about them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import CharField, Count, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat

from accounts.models import Account, Approval
from accounts.scopes import visible_accounts, visible_books
from accounts.states import ApprovalState
from audit.actors import Actor
from audit.errors import NotFound
from audit.typeids import parse_typeid
from transactions.files import FileRow, Problem, Row, shown
from transactions.models import BatchFile, RegisteredPayee, TransferBatch
from transactions.selectors.payees import visible_payees
from transactions.states import PayeeState

OPEN_OR_DONE: Final = (ApprovalState.OPEN, ApprovalState.APPROVED, ApprovalState.USED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeesNamed:
    """What the register says of a file's payees: how many may be paid, and when it last changed.

    Whoever changes a payee's details moves the second; whoever retires one, the first.
    """

    count: int
    changed_at: datetime | None


def visible_batch_files(*, to: Actor) -> QuerySet[BatchFile]:
    """Return the files of transfers `to` may know exist."""
    return visible_books(BatchFile.objects.select_related("book"), to=to)


def files_for_pages(*, to: Actor) -> QuerySet[BatchFile]:
    """Return the files `to` may see, each with the state of what was last asked about it."""
    subject = Concat(Value("batchfile:"), Cast(OuterRef("pk"), CharField()))
    asked = Approval.objects.filter(subject_ref=subject).order_by("-id")
    return visible_batch_files(to=to).annotate(asked_state=Subquery(asked.values("state")[:1]))


def access_batch_file(file_id: UUID, *, actor: Actor) -> BatchFile:
    """Return one file `actor` may see, or refuse as if it did not exist."""
    found = visible_batch_files(to=actor).filter(pk=file_id).first()
    if found is None:
        raise NotFound(ref=f"batchfile:{file_id}")
    return found


def file_with_rows(rows_sha256: str, *, book_id: UUID, to: Actor) -> BatchFile | None:
    """Return the file of a book that holds exactly these rows."""
    found = visible_batch_files(to=to).filter(book_id=book_id, rows_sha256=rows_sha256)
    return found.first()


def request_about(file: BatchFile) -> Approval | None:
    """Return what was last asked about a file."""
    asked = Approval.objects.filter(subject_ref=file.audit_ref)
    return asked.order_by("-id").first()


def is_taken(file: BatchFile) -> bool:
    """Say whether a file waits for a second person, or has become a batch."""
    asked = Approval.objects.filter(subject_ref=file.audit_ref, state__in=OPEN_OR_DONE)
    return asked.exists()


def batch_of_file(file: BatchFile) -> TransferBatch | None:
    """Return the batch that came of a file."""
    return TransferBatch.objects.filter(origin=file.origin).first()


def file_of_batch(batch: TransferBatch) -> BatchFile | None:
    """Return the file that a batch came of."""
    kind, _, key = batch.origin.partition(":")
    return BatchFile.objects.filter(pk=key).first() if kind == "file" else None


def rows_understood(
    rows: Sequence[Row], *, book_id: UUID, actor: Actor
) -> tuple[list[FileRow], list[Problem]]:
    """Return the rows with the ids of what they name in a book, and what names nothing there."""
    names = {name for row in rows for name in (row.source, row.destination) if name}
    accounts = _accounts_called(names, book_id=book_id, actor=actor)
    payees = _payees_called({row.payee for row in rows if row.payee}, book_id=book_id, to=actor)
    found: list[FileRow] = []
    problems: list[Problem] = []
    for row in rows:
        if said := _unknown(row, accounts=accounts, payees=payees):
            problems.append(Problem(row=row.number, said=said))
            continue
        file_row = FileRow(
            number=row.number,
            source_id=accounts[row.source],
            destination_id=accounts.get(row.destination),
            payee_id=payees.get(row.payee),
            money=row.money,
            reference=row.reference,
            key=row.key,
        )
        found.append(file_row)
    return found, problems


def names_of_accounts(keys: Collection[UUID]) -> dict[UUID, str]:
    """Return what these accounts are called, by key."""
    found = Account.objects.filter(pk__in=list(keys)).values_list("pk", "alias")
    return dict(found)


def names_in(rows: Collection[FileRow]) -> dict[UUID, str]:
    """Return what the accounts and payees of a file's rows are called, by key."""
    keys = {key for row in rows for key in (row.source_id, row.destination_id) if key}
    return names_of_accounts(keys) | {key: each.alias for key, each in payees_of(rows).items()}


def payees_of(rows: Collection[FileRow]) -> dict[UUID, RegisteredPayee]:
    """Return the payees that a file's rows name, by key."""
    keys = {row.payee_id for row in rows if row.payee_id}
    return RegisteredPayee.objects.in_bulk(keys)


def payees_named(rows: Collection[FileRow]) -> PayeesNamed:
    """Return what the register says of the payees that a file's rows name."""
    keys = {row.payee_id for row in rows if row.payee_id}
    found = RegisteredPayee.objects.filter(pk__in=keys, state=PayeeState.ACTIVE).aggregate(
        count=Count("pk"), changed_at=Max("details_at")
    )
    return PayeesNamed(**found)


def strange_in_book(rows: Collection[FileRow], *, book_id: UUID, actor: Actor) -> set[UUID]:
    """Return which of the ids that the rows name are of no account or payee of the book."""
    accounts = {key for row in rows for key in (row.source_id, row.destination_id) if key}
    payees = {row.payee_id for row in rows if row.payee_id}
    known = visible_accounts(to=actor).filter(book_id=book_id, pk__in=accounts)
    registered = visible_payees(to=actor).filter(book_id=book_id, pk__in=payees)
    return (accounts - set(known.values_list("pk", flat=True))) | (
        payees - set(registered.values_list("pk", flat=True))
    )


def _unknown(row: Row, *, accounts: dict[str, UUID], payees: dict[str, UUID]) -> str:
    """Say what a row names that is not there, empty for nothing."""
    for kind, name in (("source", row.source), ("destination", row.destination)):
        if name and name not in accounts:
            return f"Its {kind}: no account of this partner is called “{shown(name)}”."
    if row.payee and row.payee not in payees:
        return f"No registered payee of this partner is called “{shown(row.payee)}”."
    return ""


def _accounts_called(names: Collection[str], *, book_id: UUID, actor: Actor) -> dict[str, UUID]:
    """Return those of a book's accounts that are called so, by public id or alias."""
    keys = _keys_in(names, prefix="acc")
    is_named = Q(pk__in=keys.values()) | Q(alias__in=names)
    found = visible_accounts(to=actor).filter(is_named, book_id=book_id)
    by_alias = dict(found.values_list("alias", "pk"))
    return by_alias | _those_found(keys, found=set(by_alias.values()))


def _payees_called(names: Collection[str], *, book_id: UUID, to: Actor) -> dict[str, UUID]:
    """Return those of a book's registered payees that are called so, by public id or alias."""
    keys = _keys_in(names, prefix="pye")
    is_named = Q(pk__in=keys.values()) | Q(alias__in=names)
    found = visible_payees(to=to).filter(is_named, book_id=book_id, state=PayeeState.ACTIVE)
    by_alias = dict(found.values_list("alias", "pk"))
    return by_alias | _those_found(keys, found=set(by_alias.values()))


def _keys_in(names: Collection[str], *, prefix: str) -> dict[str, UUID]:
    """Return the keys inside those of the names that are public ids."""
    found = {}
    for name in names:
        if name.startswith(f"{prefix}_"):
            try:
                found[name] = parse_typeid(prefix, name)
            except ValueError:
                continue
    return found


def _those_found(keys: dict[str, UUID], *, found: set[UUID]) -> dict[str, UUID]:
    return {name: key for name, key in keys.items() if key in found}
