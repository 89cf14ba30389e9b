"""Files of transfers that finance uploaded, as they were read."""

import json
from collections.abc import Sequence
from typing import ClassVar

from django.db import models
from django.db.models import Q

from audit.history import Witnessed
from transactions.files import ROWS_MAX, FileRow
from transactions.models.ledger import Book


class BatchFile(Witnessed):
    """One file of transfers of one partner, read and understood. Inserted once, never changed.

    `content` is the canonical spelling of its rows and `rows_sha256` the hash of that: what a
    second person signs. `file_sha256` is that of the file as it lay on somebody's disk. What is
    asked about it are approvals whose subject it is; what came of it, a batch of origin
    `file:<id>`. Nothing in here is money, or a bank detail.
    """

    prefix: ClassVar[str] = "baf"
    unspoken: ClassVar[frozenset[str]] = frozenset({"content"})

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    content = models.TextField()
    row_count = models.IntegerField()
    rows_sha256 = models.CharField(max_length=64)
    file_sha256 = models.CharField(max_length=64)
    uploaded_by = models.CharField(max_length=120)
    uploaded_label = models.CharField(max_length=200)
    uploaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "file of transfers"
        verbose_name_plural = "files of transfers"
        constraints = [
            models.UniqueConstraint(name="batch_file_once", fields=["book", "rows_sha256"]),
            models.CheckConstraint(
                name="batch_file_size_in_range",
                condition=Q(row_count__gte=1, row_count__lte=ROWS_MAX),
            ),
        ]

    def __str__(self) -> str:
        """Show the file's name and size."""
        return f"{self.name}, {self.row_count:,} transfers"

    @property
    def origin(self) -> str:
        """Return what causes the one batch that may come of it."""
        return f"file:{self.pk}"

    @property
    def rows(self) -> Sequence[FileRow]:
        """Return the rows in their order."""
        spelled = json.loads(self.content)
        return [FileRow.read(each, number=number) for number, each in enumerate(spelled, 2)]
