"""A decision is due until it is carried out, and what stood in its way is known."""

from typing import ClassVar

from django.db import migrations, models

from audit.sqlfiles import run_sql

_TEXT = {"default": "", "db_default": ""}


def _fields() -> dict[str, models.Field]:
    """Return the new columns, which the rows and their versions share."""
    return {
        "obstacle": models.CharField(blank=True, max_length=60, **_TEXT),
        "obstacle_facts": models.JSONField(default=dict, db_default={}),
        "trace_id": models.CharField(max_length=32, **_TEXT),
        "try_at": models.DateTimeField(null=True),
    }


class Migration(migrations.Migration):
    """Adds when, why not and under which trace; runs `accounts/sql/0003_acts`."""

    dependencies: ClassVar = [("accounts", "0002_guards")]
    operations: ClassVar = [
        *(
            migrations.AddField(model_name=model, name=name, field=field)
            for model in ("approval", "historicalapproval")
            for name, field in _fields().items()
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(
                name="approval_to_try",
                fields=["try_at"],
                condition=models.Q(try_at__isnull=False),
            ),
        ),
        run_sql("accounts", "0003_acts"),
    ]
