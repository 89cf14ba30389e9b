"""From a named database constraint to the refusal it stands for."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, transaction

from audit.errors import Refusal


def broken_rule(error: BaseException) -> str:
    """Return the name of the constraint or rule that `error` says was broken, or ''."""
    diagnosis = getattr(error.__cause__ or error, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""


@contextmanager
def refuse_on(rules: dict[str, Refusal]) -> Iterator[None]:
    """Raise the refusal of the rule the block breaks; let any other error through.

    Check-then-write races; write-then-refuse does not. So the database
    decides, and this only translates. Wrap the one statement that can fail.
    """
    try:
        with transaction.atomic():
            yield
    except Error as error:
        refusal = rules.get(broken_rule(error))
        if refusal is None:
            raise
        raise refusal from error
