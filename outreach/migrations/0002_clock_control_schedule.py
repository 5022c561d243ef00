"""The door to time, the one control row, and beat's entries as rows that an operator may edit."""

from __future__ import annotations

from django.db import migrations

CLOCK = """
CREATE TABLE outreach_clock (id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1), ahead interval NOT NULL);
CREATE FUNCTION outreach_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS
$$ SELECT clock_timestamp() + coalesce((SELECT ahead FROM outreach_clock), interval '0') $$;
"""
NO_CLOCK = "DROP FUNCTION outreach_now(); DROP TABLE outreach_clock;"

#: name, task, seconds, queue. A tick that waited longer than its interval is dropped unread.
TICKS = [
    ("Dial due people", "outreach.dial_due", 1, "dial"),
    ("Retry what did not connect", "outreach.retry_due", 1, "dial"),
    ("Sweep calls past a deadline", "outreach.sweep_calls", 2, "ops"),
    ("Refresh statistics", "outreach.refresh_statistics", 10, "ops"),
    ("Expire old events", "outreach.expire_old_events", 3600, "ops"),
]


def create_rows(apps, schema_editor):
    apps.get_model("outreach", "DialingControl").objects.get_or_create(id=1)
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    task = apps.get_model("django_celery_beat", "PeriodicTask")
    for name, path, seconds, queue in TICKS:
        schedule, _ = interval.objects.get_or_create(every=seconds, period="seconds")
        task.objects.get_or_create(
            name=name,
            defaults={
                "task": path,
                "interval": schedule,
                "queue": queue,
                # After everything else that waits in its queue: another tick follows.
                "priority": 9,
                "expire_seconds": max(seconds, 2),
            },
        )


def delete_rows(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(
        task__in=[path for _, path, _, _ in TICKS]
    ).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("outreach", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        migrations.RunSQL(CLOCK, NO_CLOCK),
        migrations.RunPython(create_rows, delete_rows),
    ]
