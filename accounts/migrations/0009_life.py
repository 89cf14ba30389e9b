"""An account has a floor and an end; its freezes a reason, an amount, a time and two people."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from audit.sqlfiles import run_sql, versioned

_MODES = [
    ("none", "Not frozen"),
    ("debits", "Nothing may leave"),
    ("credits", "Nothing may arrive"),
    ("all", "Nothing may move"),
    ("amount", "An amount is held back"),
]
_MODE_VALUES = [value for value, _ in _MODES]
_STATES = [
    ("scheduled", "Starts later"),
    ("in_force", "In force"),
    ("lifted", "Lifted by two"),
    ("ended", "Ended at its time"),
]
_REASONS = [
    ("court_order", "Order of a court"),
    ("tax_order", "Order of a tax or other authority"),
    ("sanctions", "Sanctions"),
    ("fraud", "Suspected fraud"),
    ("insolvency", "Insolvency"),
    ("death", "Death of the holder"),
    ("other", "Other"),
]
_OPEN = Q(state__in=["scheduled", "in_force"])


def _choice(choices: list[tuple[str, str]], *, length: int, start: str) -> models.Field:
    return models.CharField(choices=choices, default=start, db_default=start, max_length=length)


def _freeze_fields() -> dict[str, models.Field]:
    """Return the new columns of a freeze, which the rows and their versions share."""
    return {
        "amount_minor": models.BigIntegerField(null=True),
        "state": _choice(_STATES, length=10, start="in_force"),
        "reason_code": _choice(_REASONS, length=20, start="other"),
        "starts_at": models.DateTimeField(null=True),
        "ends_at": models.DateTimeField(null=True),
        "confirm_by": models.DateTimeField(null=True),
        "confirmed_at": models.DateTimeField(null=True),
    }


def _account_fields(*, is_version: bool) -> dict[str, models.Field]:
    """Return the new columns of an account; a version names its approval without a key."""
    on_delete = django.db.models.deletion
    key = {
        "on_delete": on_delete.DO_NOTHING if is_version else on_delete.PROTECT,
        **({"blank": True, "db_constraint": False} if is_version else {"db_index": False}),
    }
    return {
        "floor_minor": models.BigIntegerField(default=0, db_default=0),
        "closed_at": models.DateTimeField(null=True),
        "changed_under": models.ForeignKey(
            null=True, related_name="+", to="accounts.approval", **key
        ),
    }


def _modes(*, is_account: bool) -> models.Field:
    options = {"default": "none"} if is_account else {}
    return models.CharField(choices=_MODES, max_length=10, **options)


def _fields() -> list[migrations.AddField | migrations.AlterField]:
    """Return every change of a column."""
    added = {
        "freeze": _freeze_fields(),
        "historicalfreeze": _freeze_fields(),
        "account": _account_fields(is_version=False),
        "historicalaccount": _account_fields(is_version=True),
    }
    return [
        migrations.AddField(model_name=model, name=name, field=field)
        for model, fields in added.items()
        for name, field in fields.items()
    ] + [
        migrations.AlterField(
            model_name=model,
            name="freeze_mode" if "account" in model else "mode",
            field=_modes(is_account="account" in model),
        )
        for model in added
    ]


def _rules() -> list[migrations.AddConstraint]:
    """Return what the database sees to by CHECK and UNIQUE."""
    checks = {
        "freeze_amount_fits_mode": Q(mode="amount", amount_minor__gt=0, amount_minor__isnull=False)
        | ~Q(mode="amount") & Q(amount_minor__isnull=True),
        "freeze_stops_something": Q(mode__in=_MODE_VALUES) & ~Q(mode="none"),
        "freeze_state_known": Q(state__in=[value for value, _ in _STATES]),
        "freeze_reason_known": Q(reason_code__in=[value for value, _ in _REASONS]),
        "freeze_over_is_dated": Q(state__in=["lifted", "ended"], lifted_at__isnull=False)
        | Q(state__in=["scheduled", "in_force"], lifted_at__isnull=True),
        "account_freeze_known": Q(freeze_mode__in=_MODE_VALUES),
        "account_floor_not_above_zero": Q(floor_minor__lte=0),
    }
    once = models.UniqueConstraint(
        name="freeze_once_a_reference",
        fields=["account", "mode", "legal_reference"],
        condition=_OPEN,
    )
    return [
        migrations.AddConstraint(
            model_name=name.partition("_")[0],
            constraint=models.CheckConstraint(name=name, condition=condition),
        )
        for name, condition in checks.items()
    ] + [migrations.AddConstraint(model_name="freeze", constraint=once)]


class Migration(migrations.Migration):
    """Changes columns and rules, and runs `accounts/sql/0009_life`."""

    dependencies: ClassVar = [("accounts", "0008_many_keys")]
    operations: ClassVar = versioned(
        migrations.RemoveConstraint(model_name="account", name="account_freeze_known"),
        migrations.RemoveConstraint(model_name="freeze", name="freeze_one_open"),
        *_fields(),
        *_rules(),
        migrations.AddIndex(
            model_name="freeze",
            index=models.Index(
                name="freeze_to_turn", fields=["state", "starts_at", "ends_at"], condition=_OPEN
            ),
        ),
        run_sql("accounts", "0009_life"),
    )
