"""How far something under way is: `data-live` says where it stands, to the script that looks."""

from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.adminparts import instant, page_of
from transactions.models import TransferBatch
from transactions.selectors.batches import last_step_at

# Beat calls for open batches every five seconds.
QUIET: Final = timedelta(seconds=20)


def progress_of(batch: TransferBatch, *, text: str = "") -> SafeString:
    """Return how far a batch is, as a bar and in words, after a link to its page named `text`.

    One that does not go on says so, and since when: a worker may be missing.
    """
    link = page_of("transactions.transferbatch", batch.pk, text=text) if text else ""
    return format_html(
        "{} {}", link, bar_of(batch, more="" if batch.is_over else _since(last_step_at(batch)))
    )


def bar_of(batch: TransferBatch, *, more: str = "") -> SafeString:
    """Return how far a batch is, as a bar and in numbers, with what `more` there is to say."""
    looked_at = batch.item_count - batch.pending_count
    return format_html(
        '<span class="cs-progress" data-live="{}"><progress max="{}" value="{}"'
        ' aria-label="Progress"></progress> <span>{} of {}{}</span></span>',
        "" if batch.is_over else batch.state,
        batch.item_count,
        looked_at,
        f"{looked_at:,}",
        f"{batch.item_count:,}",
        more,
    )


def _since(at: datetime) -> str:
    """Say when it last went on, and what it means if that was long ago."""
    if timezone.now() - at < QUIET:
        return f", went on {instant(at)}"
    return f". It has not gone on since {instant(at)}: the worker is busy, or does not run"


def nothing_yet(*, awaited: str = "") -> SafeString:
    """Say that there is nothing; `awaited` names the state in which something comes by itself."""
    return format_html('<span data-live="{}">Nothing yet</span>', awaited)
