"""Indexes for the filters of the list of people: where they are, how urgent, how often tried."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outreach", "0013_groups")]
    operations = [
        migrations.AddIndex(
            model_name="facilitator",
            index=models.Index(fields=["country", "time_zone"], name="facilitator_by_place"),
        ),
        migrations.AddIndex(
            model_name="facilitator",
            index=models.Index(fields=["priority", "attempts_made"], name="facilitator_by_effort"),
        ),
    ]
