"""Since when a campaign is held again and again; beat's entry that looks at the carrier's balance."""

from __future__ import annotations

from django.db import migrations, models

NAME, TASK, SECONDS, QUEUE = ("Look at the balance", "outreach.look_at_balance", 900, "ops")
_SINCE = models.DateTimeField(
    blank=True,
    null=True,
    help_text="When the first of several holds that end by themselves began; empty: there was none.",
)


def create_row(apps, _schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    schedule, _ = interval.objects.get_or_create(every=SECONDS, period="seconds")
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name=NAME,
        defaults={"task": TASK, "interval": schedule, "queue": QUEUE, "expire_seconds": SECONDS},
    )


def delete_row(apps, _schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(task=TASK).delete()


class Migration(migrations.Migration):
    dependencies = [("outreach", "0018_granted_attempts_and_interest_by_hand")]

    operations = [
        migrations.AddField("campaign", "failing_since", _SINCE),
        migrations.AddField("historicalcampaign", "failing_since", _SINCE.clone()),
        migrations.RunPython(create_row, delete_row),
    ]
