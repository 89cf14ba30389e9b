"""A client whose secret is rotated and the one beside it are one account."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

from audit.sqlfiles import run_sql, versioned


class Migration(migrations.Migration):
    """Adds `ApiClient.account`, runs `accounts/sql/0006_client_accounts`, rewrites nothing."""

    dependencies: ClassVar = [("accounts", "0005_payee_policy")]
    operations: ClassVar = versioned(
        migrations.AddField(
            model_name="apiclient",
            name="account",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="successors",
                to="accounts.apiclient",
            ),
        ),
        migrations.AddField(
            model_name="historicalapiclient",
            name="account",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.apiclient",
            ),
        ),
        migrations.AddConstraint(
            model_name="apiclient",
            constraint=models.CheckConstraint(
                name="client_account_another",
                condition=models.Q(account__isnull=True) | ~models.Q(account=models.F("id")),
            ),
        ),
        migrations.AddConstraint(
            model_name="apiclient",
            constraint=models.UniqueConstraint(name="client_of_partner", fields=("id", "partner")),
        ),
        run_sql("accounts", "0006_client_accounts"),
    )
