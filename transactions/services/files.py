"""Files of transfers: uploaded by finance, signed whole by another, carried out as a batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.errors import AlreadyAsked
from accounts.keys import hash_of
from accounts.models import Approval, Partner
from accounts.selectors.approvals import access_decided
from accounts.selectors.partners import access_partner
from accounts.services.approvals import ask, consume
from audit.actors import Actor
from audit.canonical import Json, canonical, fingerprint
from audit.circumstances import current
from audit.commands import command
from audit.constraints import refuse_on
from audit.errors import Invalid, NotFound
from audit.services.recording import record
from transactions.errors import FileKnown
from transactions.files import REFERENCE_CHARACTERS_MAX, ROWS_MAX, FileRow
from transactions.models import BatchFile, RegisteredPayee, TransferBatch
from transactions.orders import KnownPayee, TransferOrder
from transactions.proposals import REASON_CHARACTERS_MAX
from transactions.selectors.files import (
    access_batch_file,
    is_taken,
    payees_named,
    payees_of,
    strange_in_book,
)
from transactions.selectors.ledger import partner_of_book
from transactions.services.batches import accept
from transactions.services.items import KeyedOrder

START: Final = "transactions.start_batch"
ALL_OR_NONE: Final = "all or none"
EACH_ALONE: Final = "each by itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as it was understood. `id` is drawn by the form: sent twice, it is one file."""

    id: UUID
    partner_id: UUID
    name: str
    file_sha256: str
    rows: Sequence[FileRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTerms:
    """How a file is to be carried out, what its partner may call it, and why."""

    is_atomic: bool
    reference: str
    reason: str


@command
def upload_batch_file(*, actor: Actor, upload: Upload) -> BatchFile:
    """Keep a file of transfers, so that it can be looked at and asked for. Moves nothing.

    Refuses with NotFound (the partner, or what a row names in its book), Invalid (none or
    too many rows, a key twice) and FileKnown for rows that were uploaded before.
    """
    partner = access_partner(upload.partner_id, actor=actor)
    _check_rows(upload.rows, book_id=partner.book_id, actor=actor)
    content = content_of(upload.rows)
    file = BatchFile(
        id=upload.id,
        book_id=partner.book_id,
        name=upload.name,
        content=content,
        row_count=len(upload.rows),
        rows_sha256=sha256(content.encode()).hexdigest(),
        file_sha256=upload.file_sha256,
        uploaded_by=actor.ref,
        uploaded_label=actor.label[:200],
    )
    known = FileKnown(rows_sha256=file.rows_sha256)
    with refuse_on({"batch_file_once": known, "transactions_batchfile_pkey": known}):
        file.save(force_insert=True)
    record("batch_file.uploaded", actor=actor, target=file, rows=[file], book_id=file.book_id)
    return file


@command
def propose_batch(*, actor: Actor, file_id: UUID, terms: BatchTerms) -> Approval:
    """Ask for all of a file; nothing moves until somebody else has approved exactly its rows.

    Refuses with NotFound, Invalid without a reason, and AlreadyAsked while it waits or once it
    was carried out.
    """
    file = access_batch_file(file_id, actor=actor)
    _check_terms(terms)
    if is_taken(file):
        raise AlreadyAsked(ref=file.audit_ref)
    approval = ask(
        START,
        actor=actor,
        subject_ref=file.audit_ref,
        book_id=file.book_id,
        payload=batch_payload(file, terms=terms, requested_by=actor.ref),
    )
    record("batch.proposed", actor=actor, target=file, rows=[approval], book_id=file.book_id)
    return approval


@command
def start_batch(*, actor: Actor, approval_id: UUID) -> TransferBatch:
    """Carry out an approval: the file's rows are a batch now, in the name of whoever asked.

    Refuses with AlreadyDecided, StaleApproval where a payee's details are not as they were,
    and AlreadyBooked for a file that became a batch before.
    """
    approval = access_decided(approval_id, action=START, actor=actor)
    file = access_batch_file(approval.subject_id, actor=actor)
    terms = terms_of(approval)
    asker = approval.payload["requested_by"]
    consume(approval, payload=batch_payload(file, terms=terms, requested_by=asker))
    batch = batch_drafted(file, partner=partner_of_book(file.book_id), terms=terms)
    batch.approval = approval
    batch.requested_by, batch.requested_label = asker, approval.maker_label
    batch.requested_credential = f"approval:{approval.pk}"
    orders = orders_of(file.rows, payees=payees_of(file.rows))
    return accept(batch, orders=orders, actor=actor, also=[approval])


def batch_drafted(file: BatchFile, *, partner: Partner, terms: BatchTerms) -> TransferBatch:
    """Return the batch that a file would become, asked for by nobody yet.

    Its rows' keys count among all files of the partner.
    """
    return TransferBatch(
        book_id=file.book_id,
        partner_id=partner.pk,
        is_atomic=terms.is_atomic,
        item_count=file.row_count,
        reference=terms.reference,
        origin=file.origin,
        key_scope=f"{partner.pk}:{file.book_id}:CSV transfers",
        trace_id=current().trace_id,
        requested_at=timezone.now(),
    )


def orders_of(rows: Sequence[FileRow], *, payees: dict[UUID, RegisteredPayee]) -> list[KeyedOrder]:
    """Return what each row asks for, its payee by the details that are registered now."""
    return [
        KeyedOrder(
            order=_order_of(row, payees=payees),
            key_hash=hash_of(row.key),
            fingerprint=fingerprint(row.spelled()),
        )
        for row in rows
    ]


def content_of(rows: Sequence[FileRow]) -> str:
    """Return the one spelling of a file's rows, which its hash is taken of."""
    return canonical([row.spelled() for row in rows]).decode()


def batch_payload(file: BatchFile, *, terms: BatchTerms, requested_by: str) -> dict[str, Json]:
    """Return exactly what a checker is shown. The database compares the rows with the batch's."""
    rows = file.rows
    totals: dict[str, int] = {}
    for row in rows:
        totals[row.money.currency] = totals.get(row.money.currency, 0) + row.money.amount_minor
    payees = payees_named(rows)
    return {
        "file": file.public_id,
        "name": file.name,
        "transfers": len(rows),
        "payouts": sum(row.payee_id is not None for row in rows),
        "totals": dict(totals),
        "payees": payees.count,
        "payees_changed": payees.changed_at.isoformat() if payees.changed_at else "",
        "carried_out": ALL_OR_NONE if terms.is_atomic else EACH_ALONE,
        "reference": terms.reference,
        "reason": terms.reason,
        "rows_sha256": file.rows_sha256,
        "file_sha256": file.file_sha256,
        "requested_by": requested_by,
    }


def terms_of(approval: Approval) -> BatchTerms:
    """Return the terms that were asked for."""
    said = approval.payload
    return BatchTerms(
        is_atomic=said["carried_out"] == ALL_OR_NONE,
        reference=said["reference"],
        reason=said["reason"],
    )


def _order_of(row: FileRow, *, payees: dict[UUID, RegisteredPayee]) -> TransferOrder:
    payee = None
    if row.payee_id is not None:
        known = payees[row.payee_id]
        payee = KnownPayee(name_id=known.name_id, iban_id=known.iban_id)
    return TransferOrder(
        source_id=row.source_id,
        destination_id=row.destination_id,
        payee=payee,
        money=row.money,
        reference=row.reference,
    )


def _check_rows(rows: Sequence[FileRow], *, book_id: UUID, actor: Actor) -> None:
    """Refuse what is no file of this book."""
    if not 0 < len(rows) <= ROWS_MAX:
        raise Invalid(fields={"rows": f"between 1 and {ROWS_MAX:,}"})
    if len({row.key for row in rows}) < len(rows):
        raise Invalid(fields={"rows": "two share a key"})
    for strange in sorted(strange_in_book(rows, book_id=book_id, actor=actor)):
        raise NotFound(ref=f"account:{strange}")


def _check_terms(terms: BatchTerms) -> None:
    """Refuse a request that says too little or too much."""
    if not 0 < len(terms.reason.strip()) <= REASON_CHARACTERS_MAX:
        raise Invalid(fields={"reason": f"between 1 and {REASON_CHARACTERS_MAX} characters"})
    if len(terms.reference) > REFERENCE_CHARACTERS_MAX:
        raise Invalid(fields={"reference": f"at most {REFERENCE_CHARACTERS_MAX} characters"})
