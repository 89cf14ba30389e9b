"""The only two functions that hold the vault's key: `sealed` and `read_back`."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.crypto.blind import blind_index
from accounts.crypto.codec import seal, unseal
from accounts.masks import MASKS
from accounts.models.customers import VaultRecord
from audit.calls import ask, spell
from audit.typeids import uuid7

# Kept with a blind index: people look for all of it, exactly.
FOUND_EXACTLY: Final = frozenset({"iban"})
# Through the ORM, whose statements spell each value by itself, storing took longer than sealing.
STORE: Final = """
    WITH stored AS (
        INSERT INTO accounts_vaultrecord (id, book_id, label, sealed, masked, blind, created_at)
        SELECT id, book_id, label, sealed, masked, blind, %s
        FROM jsonb_to_recordset(%s::jsonb) AS r (
            id uuid, book_id uuid, label text, sealed bytea, masked text, blind text
        ) RETURNING id
    )
    SELECT count(*) FROM stored
"""


def lock_away(text: str, *, label: str, book_id: UUID) -> VaultRecord:
    """Seal `text` into a new vault record, store it and return it; `label` chooses the mask."""
    record = sealed(text, label=label, book_id=book_id)
    record.save(force_insert=True)
    return record


def sealed(text: str, *, label: str, book_id: UUID) -> VaultRecord:
    """Seal `text` into a vault record that the caller stores, for many at a time."""
    key = uuid7()
    place = ("accounts_vaultrecord", "sealed", label, str(book_id), str(key))
    return VaultRecord(
        id=key,
        book_id=book_id,
        label=label,
        sealed=seal(text.encode(), key=settings.VAULT_KEY, place=place),
        masked=MASKS[label](text),
        blind=blind_index(text, label=label, book_id=book_id) if label in FOUND_EXACTLY else "",
    )


def store_sealed(records: Sequence[VaultRecord]) -> None:
    """Store what `sealed` made, all in one statement; what is stored already is left alone."""
    new = [record for record in records if record._state.adding]  # noqa: SLF001 - documented
    if not new:
        return
    now = timezone.now()
    ask(STORE, [now, spell([_spelled(record) for record in new])])
    for record in new:
        record.created_at, record._state.adding = now, False  # noqa: SLF001


def read_back(record: VaultRecord) -> str:
    """Return the sealed text. For carrying out a payment, never for a screen."""
    place = (
        "accounts_vaultrecord",
        "sealed",
        record.label,
        str(record.book_id),
        str(record.pk),
    )
    return unseal(bytes(record.sealed), key=settings.VAULT_KEY, place=place).decode()


def _spelled(record: VaultRecord) -> dict[str, object]:
    """Return a record's columns as the database reads them off JSON."""
    return {
        "id": record.pk,
        "book_id": record.book_id,
        "label": record.label,
        "sealed": f"\\x{record.sealed.hex()}",
        "masked": record.masked,
        "blind": record.blind,
    }
