"""Letting go of what has been kept long enough: stored answers and expired tokens.

Bookkeeping, set-based and in short batches, for as long as a round's share lasts: however many
keys are used in ten minutes, as many are emptied. Running it twice, or two at once, lets go of
nothing twice: rows in other hands are passed over.
"""

from datetime import timedelta
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import IdempotencyKey
from audit.rounds import share

ANSWERS_KEPT: Final = timedelta(hours=72)
TOKENS_KEPT: Final = timedelta(hours=24)
ROWS_A_BATCH: Final = 1_000
# The worker has the OAuth package's table and not the package.
DROP_TOKENS: Final = """
DELETE FROM allauth_idp_oidc_token WHERE id IN (
    SELECT id FROM allauth_idp_oidc_token WHERE expires_at < %s ORDER BY id LIMIT %s
)
"""


def empty_answers() -> int:
    """Empty the answers older than 72 h, the oldest first; the keys stay used. Return how many."""
    old = IdempotencyKey.objects.filter(
        answer__isnull=False, created_at__lt=timezone.now() - ANSWERS_KEPT
    )
    done, has_time = 0, share()
    while has_time():
        with transaction.atomic():
            rows = old.select_for_update(skip_locked=True, no_key=True).order_by("created_at")
            batch = list(rows.values_list("pk", flat=True)[:ROWS_A_BATCH])
            done += IdempotencyKey.objects.filter(pk__in=batch).update(answer=None)
        if len(batch) < ROWS_A_BATCH:
            break
    return done


def drop_tokens() -> int:
    """Remove the access tokens that expired more than a day ago; return how many."""
    before, done, has_time = timezone.now() - TOKENS_KEPT, 0, share()
    while has_time():
        with connection.cursor() as cursor:
            cursor.execute(DROP_TOKENS, [before, ROWS_A_BATCH])
            gone = cursor.rowcount
        done += gone
        if gone < ROWS_A_BATCH:
            break
    return done
