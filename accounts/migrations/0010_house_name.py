"""The house's own short name is no partner's."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Adds the rule, which says where a partner bears the name already."""

    dependencies: ClassVar = [("accounts", "0009_life")]
    operations: ClassVar = [
        migrations.AddConstraint(
            model_name="partner",
            constraint=models.CheckConstraint(
                name="partner_not_named_house", condition=~Q(slug__iexact="house")
            ),
        )
    ]
