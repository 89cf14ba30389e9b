"""O: a careful service in plain Django ORM: ordered locks, balances, entries, idempotency."""

import random
import uuid
from typing import ClassVar, Final

from django.db import connection, models, transaction
from django.db.models import Sum

from benchmarks._race import Act
from benchmarks.peers._stage import perform

FUNDS: Final = 10**12


class Account(models.Model):
    """An account and what it holds."""

    balance = models.BigIntegerField()
    version = models.BigIntegerField(default=0)
    objects: ClassVar["models.Manager[Account]"] = models.Manager()

    class Meta:
        app_label = "peer"
        constraints = [
            models.CheckConstraint(name="account_has", condition=models.Q(balance__gte=0))
        ]


class Transfer(models.Model):
    """One transfer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    payer = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    payee = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    amount = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    objects: ClassVar["models.Manager[Transfer]"] = models.Manager()

    class Meta:
        app_label = "peer"


class Entry(models.Model):
    """One side of a transfer and the balance after it."""

    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    objects: ClassVar["models.Manager[Entry]"] = models.Manager()

    class Meta:
        app_label = "peer"


class Key(models.Model):
    """An idempotency key and the transfer that used it."""

    key = models.CharField(max_length=64, unique=True)
    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, related_name="+")
    objects: ClassVar["models.Manager[Key]"] = models.Manager()

    class Meta:
        app_label = "peer"


class NotEnough(Exception):
    """The payer cannot bear it."""


def move(payer_id: int, payee_id: int, *, amount: int, key: str) -> Transfer:
    """Move money once for its key, both accounts locked in order. NotEnough; IntegrityError."""
    with transaction.atomic():
        both = Account.objects.select_for_update().filter(pk__in=(payer_id, payee_id))
        found = {account.pk: account for account in both.order_by("pk")}
        payer, payee = found[payer_id], found[payee_id]
        if payer.balance < amount:
            raise NotEnough
        transfer = Transfer.objects.create(payer=payer, payee=payee, amount=amount)
        Key.objects.create(key=key, transfer=transfer)
        payer.balance -= amount
        payee.balance += amount
        for account in (payer, payee):
            account.version += 1
            account.save(update_fields=["balance", "version"])
        Entry.objects.bulk_create(
            Entry(transfer=transfer, account=account, amount=moved, balance_after=account.balance)
            for account, moved in ((payer, -amount), (payee, amount))
        )
    return transfer


def set_up(accounts: int, *more: type[models.Model]) -> None:
    """Make the tables and fund the accounts."""
    with connection.schema_editor() as editor:
        made: tuple[type[models.Model], ...] = (Account, Transfer, Entry, Key, *more)
        for model in made:
            editor.create_model(model)
    Account.objects.bulk_create(Account(balance=FUNDS) for _ in range(accounts))


def wrong(done: int) -> list[str]:
    """Return what is wrong after so many transfers."""
    total = Account.objects.aggregate(total=Sum("balance"))["total"]
    count = Transfer.objects.count()
    is_sound = total == Account.objects.count() * FUNDS and count == done
    return [] if is_sound else [f"O holds {total} in {count} transfers, {done} were told"]


def main(accounts: int) -> None:
    """Set up, and race when told to."""
    set_up(accounts)
    ids = list(Account.objects.values_list("pk", flat=True))

    def make(_: int) -> Act:
        random.seed()
        connection.ensure_connection()
        return one

    def one() -> int:
        payer, payee = random.sample(ids, 2)
        move(payer, payee, amount=1, key=uuid.uuid4().hex)
        return 1

    perform(make, wrong=wrong)
