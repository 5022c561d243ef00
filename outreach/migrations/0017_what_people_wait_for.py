"""People are counted by when their hours open, too, and who became interested with whom they were reached."""

from __future__ import annotations

from django.db import migrations, models

#: Counts everybody anew, and from then on every change, by where people stand and by what is put in.
COUNTING = """
LOCK TABLE outreach_facilitator IN SHARE MODE;
DELETE FROM outreach_peoplecount;
INSERT INTO outreach_peoplecount (n, campaign_id, standing, code [columns])
    SELECT count(*), campaign_id, standing, not_called_code [values]
    FROM outreach_facilitator GROUP BY campaign_id, standing, not_called_code [values];
CREATE OR REPLACE FUNCTION outreach_count_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outreach_peoplecount (n, campaign_id, standing, code [columns])
    SELECT count(*), campaign_id, standing, not_called_code [values]
    FROM added GROUP BY campaign_id, standing, not_called_code [values];
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION outreach_count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outreach_peoplecount (n, campaign_id, standing, code [columns])
    SELECT -count(*), campaign_id, standing, not_called_code [values]
    FROM removed GROUP BY campaign_id, standing, not_called_code [values];
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION outreach_count_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outreach_peoplecount (n, campaign_id, standing, code [columns])
    SELECT sum(one), campaign_id, standing, not_called_code [values] FROM (
        SELECT 1 AS one, campaign_id, standing, not_called_code, next_call_at, time_zone FROM added
        UNION ALL
        SELECT -1, campaign_id, standing, not_called_code, next_call_at, time_zone FROM removed
    ) AS both_sides
    GROUP BY campaign_id, standing, not_called_code [values] HAVING sum(one) <> 0;
    RETURN NULL;
END $$;
"""
#: Outside their hours, everybody of a zone waits for the same moment, so few rows count them all.
COLUMNS = ", opens_at, time_zone"
VALUES = """
    , CASE WHEN not_called_code = 'outside_window' THEN next_call_at END
    , CASE WHEN not_called_code = 'outside_window' AND next_call_at IS NOT NULL THEN time_zone ELSE '' END
"""
#: The call that reached somebody first is taken in again where any call made them interested.
TALLY_AGAIN = """
UPDATE outreach_call SET tally_due = true
WHERE channel = 'phone' AND settled_at IS NOT NULL AND facilitator_id IN (
    SELECT facilitator_id FROM outreach_call WHERE disposition = 'interested' AND channel = 'phone'
)
"""


class Migration(migrations.Migration):
    dependencies = [("outreach", "0016_judged_calls_and_past_callbacks")]
    operations = [
        migrations.AddField(
            "peoplecount",
            "opens_at",
            models.DateTimeField(null=True, help_text="When their hours open, for who waits for these."),
        ),
        migrations.AddField(
            "peoplecount",
            "time_zone",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Theirs, for who waits for hours.",
                max_length=64,
            ),
        ),
        migrations.RunSQL(
            COUNTING.replace("[columns]", COLUMNS).replace("[values]", VALUES),
            COUNTING.replace("[columns]", "").replace("[values]", ""),
        ),
        migrations.RunSQL(TALLY_AGAIN, migrations.RunSQL.noop),
    ]
