"""Finance proposes a journal by hand, and only what was signed is posted."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import audit.typeids
from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Adds proposals and their lines; runs `transactions/sql/0006_manual_journals`."""

    dependencies: ClassVar = [
        ("accounts", "0004_acts"),
        ("transactions", "0005_transfers"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="JournalProposal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=audit.typeids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                ("evidence", models.CharField(max_length=200)),
                ("proposed_by", models.CharField(max_length=120)),
                ("proposed_at", models.DateTimeField(auto_now_add=True)),
                (
                    "approval",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.approval",
                    ),
                ),
                (
                    "book",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="transactions.book",
                    ),
                ),
            ],
            options={"verbose_name": "manual journal"},
        ),
        migrations.CreateModel(
            name="ProposedLine",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=audit.typeids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("position", models.SmallIntegerField()),
                ("amount_minor", models.BigIntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="transactions.ledgeraccount",
                    ),
                ),
                (
                    "proposal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="transactions.journalproposal",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="journalproposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reason", ""), _negated=True),
                    models.Q(("evidence", ""), _negated=True),
                ),
                name="journal_proposal_has_grounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposedline",
            constraint=models.UniqueConstraint(
                fields=("proposal", "position"), name="proposed_line_position_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="proposedline",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor", 0), _negated=True),
                name="proposed_line_not_zero",
            ),
        ),
        run_sql("transactions", "0006_manual_journals"),
    ]
