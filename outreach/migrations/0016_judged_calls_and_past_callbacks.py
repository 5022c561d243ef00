"""The score of the detector and a week of callbacks are read without reading every call and callback."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("outreach", "0015_calls_are_tallied")]
    operations = [
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                condition=~Q(judged_answered_by=""),
                fields=["judged_answered_by", "answered_by"],
                name="call_judged",
            ),
        ),
        migrations.AddIndex(
            model_name="callback",
            index=models.Index(fields=["promised_at"], name="callback_by_time"),
        ),
    ]
