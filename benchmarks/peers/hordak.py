"""K: django-hordak's `transfer_to`, in a transaction, as its documentation asks for."""

import random
from typing import Final

from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Count, Sum
from hordak.models import Account, AccountType, Leg, Transaction
from moneyed import Money

from benchmarks._race import Act
from benchmarks.peers._stage import perform

ONE: Final = Money(1, "EUR")


def wrong(done: int) -> list[str]:
    """Return what is wrong after so many transfers."""
    count = Transaction.objects.count()
    sums = Leg.objects.aggregate(credit=Sum("credit"), debit=Sum("debit"))
    halves = Transaction.objects.annotate(sides=Count("legs")).exclude(sides=2).exists()
    is_sound = count == done and sums["credit"] == sums["debit"] and not halves
    return [] if is_sound else [f"K holds {sums} in {count} transfers, {done} were told"]


def main(accounts: int) -> None:
    """Set up, and race when told to."""
    call_command("migrate", verbosity=0)
    for number in range(accounts):
        Account.objects.create(
            name=f"No {number}", code=str(number), type=AccountType.asset, currencies=["EUR"]
        )
    ids = list(Account.objects.values_list("pk", flat=True))

    def make(_: int) -> Act:
        random.seed()
        found = Account.objects.in_bulk(ids)
        connection.ensure_connection()

        def one() -> int:
            payer, payee = random.sample(ids, 2)
            with transaction.atomic():
                found[payer].transfer_to(found[payee], ONE)
            return 1

        return one

    perform(make, wrong=wrong)
