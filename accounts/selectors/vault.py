"""Reading vault records by their tokens; nothing is opened here."""

from collections.abc import Collection
from uuid import UUID

from accounts.models import VaultRecord


def vault_records(tokens: Collection[UUID]) -> dict[UUID, VaultRecord]:
    """Return the records of these tokens, sealed as they are."""
    return VaultRecord.objects.in_bulk(list(tokens))
