"""Counts of people that follow every change of a row, by statement and without a row that all would lock."""

from django.db import migrations

COUNTING = """
CREATE FUNCTION outreach_count_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outreach_peoplecount (campaign_id, standing, code, n)
    SELECT campaign_id, standing, not_called_code, count(*) FROM added GROUP BY 1, 2, 3;
    RETURN NULL;
END $$;
CREATE FUNCTION outreach_count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outreach_peoplecount (campaign_id, standing, code, n)
    SELECT campaign_id, standing, not_called_code, -count(*) FROM removed GROUP BY 1, 2, 3;
    RETURN NULL;
END $$;
CREATE FUNCTION outreach_count_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outreach_peoplecount (campaign_id, standing, code, n)
    SELECT campaign_id, standing, not_called_code, sum(one) FROM (
        SELECT campaign_id, standing, not_called_code, 1 AS one FROM added
        UNION ALL
        SELECT campaign_id, standing, not_called_code, -1 FROM removed
    ) AS both_sides
    GROUP BY 1, 2, 3 HAVING sum(one) <> 0;
    RETURN NULL;
END $$;
CREATE TRIGGER outreach_people_added AFTER INSERT ON outreach_facilitator
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION outreach_count_added();
CREATE TRIGGER outreach_people_removed AFTER DELETE ON outreach_facilitator
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION outreach_count_removed();
CREATE TRIGGER outreach_people_changed AFTER UPDATE ON outreach_facilitator
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION outreach_count_changed();
INSERT INTO outreach_peoplecount (campaign_id, standing, code, n)
    SELECT campaign_id, standing, not_called_code, count(*) FROM outreach_facilitator GROUP BY 1, 2, 3;
"""
NOT_COUNTING = """
DROP TRIGGER outreach_people_changed ON outreach_facilitator;
DROP TRIGGER outreach_people_removed ON outreach_facilitator;
DROP TRIGGER outreach_people_added ON outreach_facilitator;
DROP FUNCTION outreach_count_changed();
DROP FUNCTION outreach_count_removed();
DROP FUNCTION outreach_count_added();
TRUNCATE outreach_peoplecount;
"""


class Migration(migrations.Migration):
    dependencies = [("outreach", "0009_operators_desk")]
    operations = [migrations.RunSQL(COUNTING, NOT_COUNTING)]
