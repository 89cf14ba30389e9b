"""Limits by account or partner, kind, window, amount and count; and counters of what is used."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from audit.sqlfiles import run_sql, versioned

_KINDS = [
    ("any", "All that leaves"),
    ("internal", "Internal transfers"),
    ("payout", "Payouts"),
    ("hold", "Holds"),
]
_WINDOWS = [
    ("transfer", "Each transfer"),
    ("day", "Each day (UTC)"),
    ("30_days", "30 days (UTC)"),
]


def _kind(**options: str) -> models.Field:
    return models.CharField(choices=_KINDS, max_length=10, **options)


def _added(*, is_version: bool) -> dict[str, models.Field]:
    """Return the new columns of a limit; a version names its approval without a key."""
    on_delete = django.db.models.deletion
    key = {
        "on_delete": on_delete.DO_NOTHING if is_version else on_delete.PROTECT,
        **({"blank": True, "db_constraint": False} if is_version else {"db_index": False}),
    }
    return {
        "currency": models.CharField(default="", max_length=3),
        "kind": _kind(default="any", db_default="any"),
        "count_max": models.BigIntegerField(null=True),
        "changed_under": models.ForeignKey(
            null=True, related_name="+", to="accounts.approval", **key
        ),
    }


def _columns() -> list[migrations.AddField | migrations.AlterField]:
    """Return every change of a column, on limits and on their versions."""
    changes: list[migrations.AddField | migrations.AlterField] = []
    for model in ("limit", "historicallimit"):
        changes += (
            migrations.AddField(
                model_name=model, name=name, field=field, preserve_default=name != "currency"
            )
            for name, field in _added(is_version=model != "limit").items()
        )
        changes += (
            migrations.AlterField(
                model_name=model,
                name="window",
                field=models.CharField(choices=_WINDOWS, max_length=10),
            ),
            migrations.AlterField(
                model_name=model, name="amount_max_minor", field=models.BigIntegerField(null=True)
            ),
        )
    return [
        *changes,
        migrations.AlterField(
            model_name="limit",
            name="account",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="limits",
                to="transactions.ledgeraccount",
            ),
        ),
    ]


def _rules() -> list[migrations.AddConstraint]:
    """Return what the database sees to by CHECK and UNIQUE."""
    checks = {
        "limit_not_negative": Q(amount_max_minor__isnull=True) | Q(amount_max_minor__gte=0),
        "limit_count_not_negative": Q(count_max__isnull=True) | Q(count_max__gte=0),
        "limit_counts_in_a_window": Q(count_max__isnull=True) | ~Q(window="transfer"),
        "limit_kind_known": Q(kind__in=[value for value, _ in _KINDS]),
        "limit_window_known": Q(window__in=[value for value, _ in _WINDOWS]),
    }
    once = models.UniqueConstraint(
        name="limit_once",
        fields=["book_id", "account", "currency", "kind", "window"],
        nulls_distinct=False,
    )
    return [
        migrations.AddConstraint(model_name="limit", constraint=once),
        *(
            migrations.AddConstraint(
                model_name="limit",
                constraint=models.CheckConstraint(name=name, condition=condition),
            )
            for name, condition in checks.items()
        ),
    ]


def _counters() -> migrations.CreateModel:
    return migrations.CreateModel(
        name="LimitUse",
        fields=[
            (
                "pk",
                models.CompositePrimaryKey(
                    "subject_id",
                    "currency",
                    "day",
                    "kind",
                    "slice",
                    blank=True,
                    editable=False,
                    primary_key=True,
                    serialize=False,
                ),
            ),
            ("subject_id", models.UUIDField()),
            ("currency", models.CharField(max_length=3)),
            ("day", models.DateField()),
            ("kind", _kind()),
            ("slice", models.SmallIntegerField()),
            ("amount_minor", models.DecimalField(decimal_places=0, max_digits=30)),
            ("times", models.BigIntegerField()),
        ],
    )


class Migration(migrations.Migration):
    """Changes columns and rules, and runs `transactions/sql/0014_limits`."""

    dependencies: ClassVar = [("accounts", "0009_life"), ("transactions", "0013_life")]
    operations: ClassVar = [
        _counters(),
        *versioned(
            migrations.RemoveConstraint(model_name="limit", name="limit_once"),
            migrations.RemoveConstraint(model_name="limit", name="limit_not_negative"),
            *_columns(),
            *_rules(),
            run_sql("transactions", "0014_limits"),
        ),
    ]
