"""Attempts that operators allow, interest without a call, uploads found by the person they changed."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.fields.json
from django.db import migrations, models
from django.db.models.functions import Cast

_GRANTED = models.PositiveSmallIntegerField(
    db_default=0, default=0, help_text="Attempts that operators allowed beyond the campaign's."
)


class Migration(migrations.Migration):
    """Quick on large tables but for one index, on the rows of uploads that changed somebody."""

    dependencies = [("outreach", "0017_what_people_wait_for")]

    operations = [
        migrations.AddField("facilitator", "attempts_granted", _GRANTED),
        migrations.AddField("historicalfacilitator", "attempts_granted", _GRANTED.clone()),
        migrations.AlterField(
            "interest",
            "call",
            models.ForeignKey(
                blank=True,
                help_text="Empty: an operator learned of it without a call.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="interests",
                to="outreach.call",
            ),
        ),
        migrations.AddIndex(
            "importrow",
            models.Index(
                Cast(django.db.models.fields.json.KT("cells__id"), models.BigIntegerField()),
                condition=models.Q(("code", "changed")),
                name="import_row_by_person",
            ),
        ),
    ]
