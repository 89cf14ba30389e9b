"""A partner says what its payee register means, and IBANs are found without opening them."""

from typing import ClassVar

from django.db import migrations, models

from audit.sqlfiles import versioned


class Migration(migrations.Migration):
    """Adds the policy, the cooling time and the blind index."""

    dependencies: ClassVar = [
        ("accounts", "0004_acts"),
    ]

    operations: ClassVar = versioned(
        migrations.AddField(
            model_name="historicalpartner",
            name="payee_cooling_hours",
            field=models.SmallIntegerField(db_default=24, default=24),
        ),
        migrations.AddField(
            model_name="historicalpartner",
            name="payee_policy",
            field=models.CharField(
                choices=[
                    ("any", "Pays anybody"),
                    ("signed", "Pays others with a second person"),
                    ("registered", "Pays registered payees only"),
                ],
                db_default="any",
                default="any",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="partner",
            name="payee_cooling_hours",
            field=models.SmallIntegerField(db_default=24, default=24),
        ),
        migrations.AddField(
            model_name="partner",
            name="payee_policy",
            field=models.CharField(
                choices=[
                    ("any", "Pays anybody"),
                    ("signed", "Pays others with a second person"),
                    ("registered", "Pays registered payees only"),
                ],
                db_default="any",
                default="any",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="vaultrecord",
            name="blind",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddIndex(
            model_name="vaultrecord",
            index=models.Index(
                condition=models.Q(("blind", ""), _negated=True),
                fields=["blind"],
                name="vault_record_by_blind",
            ),
        ),
        migrations.AddConstraint(
            model_name="partner",
            constraint=models.CheckConstraint(
                condition=models.Q(("payee_policy__in", ["any", "signed", "registered"])),
                name="partner_payee_policy_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="partner",
            constraint=models.CheckConstraint(
                condition=models.Q(("payee_cooling_hours__gte", 0)),
                name="partner_cooling_not_negative",
            ),
        ),
    )
