"""Beat's entries for what the operator's desk wants done behind it."""

from __future__ import annotations

from django.db import migrations

#: name, task, seconds, queue. A tick that waited longer than its interval is dropped unread.
TICKS: list[tuple[str, str, int, str]] = [
    ("Tally calls", "outreach.tally_calls", 2, "ops"),
    ("Count people", "outreach.count_people", 5, "ops"),
    ("Tend campaigns", "outreach.tend_campaigns", 15, "ops"),
    ("Tend imports", "outreach.tend_imports", 15, "ops"),
    ("Deliver webhooks", "outreach.deliver_hooks", 5, "post"),
    ("Send notices", "outreach.send_notices", 30, "post"),
]


def create_rows(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    task = apps.get_model("django_celery_beat", "PeriodicTask")
    for name, path, seconds, queue in TICKS:
        schedule, _ = interval.objects.get_or_create(every=seconds, period="seconds")
        task.objects.get_or_create(
            name=name,
            defaults={"task": path, "interval": schedule, "queue": queue, "expire_seconds": seconds},
        )


def delete_rows(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(
        task__in=[path for _, path, _, _ in TICKS]
    ).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("outreach", "0011_edits_by_people"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(create_rows, delete_rows)]
