"""Calls go into the tallies, and again when something that counts is corrected; days are not counted anew."""

from __future__ import annotations

from django.db import migrations

#: What the statistics ask of a call, see `outreach.services.tallying`.
ASKED = (
    "settled_at", "status", "placed_at", "answered_at", "ended_at", "answered_by", "judged_answered_by",
    "disposition", "stage", "duration_seconds", "our_fault", "failure_code", "ended_by", "cost",
    "cost_currency",
)  # fmt: skip
DUE_AGAIN = f"""
CREATE FUNCTION outreach_tally_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.tally_due := true;
    RETURN NEW;
END $$;
CREATE TRIGGER outreach_call_tally_due BEFORE UPDATE ON outreach_call FOR EACH ROW
    WHEN (NOT NEW.tally_due AND ({", ".join(f"OLD.{name}" for name in ASKED)})
        IS DISTINCT FROM ({", ".join(f"NEW.{name}" for name in ASKED)}))
    EXECUTE FUNCTION outreach_tally_due();
"""
NOT_DUE = "DROP TRIGGER outreach_call_tally_due ON outreach_call; DROP FUNCTION outreach_tally_due();"


def delete_tick(apps, schema_editor):
    """Beat asks for a task no longer that is gone."""
    tasks = apps.get_model("django_celery_beat", "PeriodicTask")
    tasks.objects.filter(task="outreach.refresh_statistics").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("outreach", "0014_people_by_place_and_effort"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        migrations.RunSQL(DUE_AGAIN, NOT_DUE),
        migrations.RunPython(delete_tick, migrations.RunPython.noop),
        migrations.DeleteModel(name="DailyStatistics"),
    ]
