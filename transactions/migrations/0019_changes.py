"""A look at the books says where it began, so that the next one may look at what changed since."""

from django.db import migrations, models

from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Adds the watermark to checks, and runs `transactions/sql/0019_changes`."""

    dependencies = [
        ("transactions", "0018_files"),
    ]

    operations = [
        migrations.AddField(
            model_name="bookscheck",
            name="is_full",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="bookscheck",
            name="began_xact",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="bookscheck",
            name="began_at",
            field=models.DateTimeField(null=True),
        ),
        run_sql("transactions", "0019_changes"),
    ]
