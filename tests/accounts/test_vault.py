"""The vault: what is stored many at a time is what was sealed, and takes less than to seal it."""

import hmac
import time
from base64 import urlsafe_b64decode
from hashlib import sha256

import pytest
from django.conf import settings

from accounts.crypto.codec import Sealed, Tampered
from accounts.crypto.vault import lock_away, read_back, sealed, store_sealed
from accounts.models import VaultRecord
from audit.typeids import uuid7
from config.sandbox.cast import iban

pytestmark = [pytest.mark.django_db, pytest.mark.role("api")]
BOOK = uuid7()
NAMES = ["Joe Bloggs", 'Quote " and \\x41 {back}', "\u0634\u0631\u0643\u0629", "", "x" * 70]


def test_what_is_stored_together_reads_back_as_what_was_sealed_alone() -> None:
    texts = [("name", text) for text in NAMES] + [("iban", iban(n)) for n in range(3)]
    made = [sealed(text, label=label, book_id=BOOK) for label, text in texts]
    store_sealed(made)
    for record, (label, text) in zip(made, texts, strict=True):
        alone = lock_away(text, label=label, book_id=BOOK)
        stored = VaultRecord.objects.get(pk=record.pk)
        assert read_back(stored) == read_back(alone) == text
        assert stored.sealed == record.sealed != alone.sealed
        for name in ("book_id", "label", "masked", "blind"):
            assert getattr(stored, name) == getattr(alone, name)
        assert stored.created_at == record.created_at


def test_what_is_stored_already_is_left_alone() -> None:
    known, new = (sealed(name, label="name", book_id=BOOK) for name in ("Known", "New"))
    store_sealed([known])
    store_sealed([known, new])
    store_sealed([known, new])
    store_sealed([])
    assert VaultRecord.objects.filter(book_id=BOOK).count() == 2


def test_a_stored_record_is_bound_to_its_place() -> None:
    first, second = (sealed(name, label="name", book_id=BOOK) for name in ("One", "Two"))
    first.sealed, second.sealed = second.sealed, first.sealed
    store_sealed([first, second])
    for record in VaultRecord.objects.filter(book_id=BOOK):
        assert isinstance(record.sealed, Sealed)
        with pytest.raises(Tampered):
            read_back(record)


def test_a_blind_index_is_the_one_that_rows_of_old_have() -> None:
    vault = urlsafe_b64decode(settings.VAULT_KEY)
    key = hmac.digest(vault, b"countersign blind index v1\n", sha256)
    said = f"iban\n{BOOK}\n{iban(1)}".encode()
    assert (
        sealed(iban(1), label="iban", book_id=BOOK).blind == hmac.digest(key, said, sha256).hex()
    )


def test_storing_takes_less_of_our_time_than_sealing() -> None:
    """A ratio of processor time: it does not mind what else the machine does."""
    began = time.process_time()
    made = [sealed("Joe Bloggs", label="name", book_id=BOOK) for _ in range(3_000)]
    between = time.process_time()
    store_sealed(made)
    assert time.process_time() - between < between - began
