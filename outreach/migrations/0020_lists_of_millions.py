"""Lists of millions: an index for each way to narrow them, none twice; the last outcome beside the person."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import outreach.models.call

#: The newest settled call by phone says it, as `outreach.services.tallying` does from now on.
LAST_DISPOSITION = """
UPDATE outreach_facilitator f SET last_disposition = newest.disposition
FROM (
    SELECT DISTINCT ON (facilitator_id) facilitator_id, disposition FROM outreach_call
    WHERE channel = 'phone' AND settled_at IS NOT NULL ORDER BY facilitator_id, queued_at DESC
) AS newest
WHERE newest.facilitator_id = f.id AND newest.disposition <> ''
"""


class Migration(migrations.Migration):
    dependencies = [
        ("outreach", "0019_failing_since_and_balance"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="call", name="call_by_number"),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                fields=["number", "queued_at"],
                name="call_by_number",
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
            ),
        ),
        migrations.RemoveIndex(
            model_name="facilitator",
            name="facilitator_by_number",
        ),
        migrations.RemoveIndex(
            model_name="facilitator",
            name="facilitator_by_standing",
        ),
        migrations.RemoveIndex(
            model_name="facilitator",
            name="facilitator_by_batch",
        ),
        migrations.RemoveIndex(
            model_name="facilitator",
            name="facilitator_by_refusal",
        ),
        migrations.AddField(
            model_name="facilitator",
            name="last_disposition",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="Of the last call, as the statistics took it in.",
                max_length=20,
            ),
        ),
        migrations.RunSQL(LAST_DISPOSITION, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="call",
            name="campaign",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="calls",
                to="outreach.campaign",
            ),
        ),
        migrations.AlterField(
            model_name="call",
            name="facilitator",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="Empty only for a talk in the browser with nobody's row.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="calls",
                to="outreach.facilitator",
            ),
        ),
        migrations.AlterField(
            model_name="call",
            name="token",
            field=models.CharField(default=outreach.models.call.new_token, editable=False, max_length=40),
        ),
        migrations.AlterField(
            model_name="call",
            name="twilio_sid",
            field=models.CharField(blank=True, max_length=40, null=True),
        ),
        migrations.AlterField(
            model_name="callevent",
            name="call",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="outreach.call",
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="facilitator",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to="outreach.facilitator",
            ),
        ),
        migrations.AlterField(
            model_name="facilitator",
            name="campaign",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="facilitators",
                to="outreach.campaign",
            ),
        ),
        migrations.AlterField(
            model_name="facilitator",
            name="import_batch",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="facilitators",
                to="outreach.importbatch",
            ),
        ),
        migrations.AlterField(
            model_name="historicalcall",
            name="twilio_sid",
            field=models.CharField(blank=True, max_length=40, null=True),
        ),
        migrations.AlterField(
            model_name="note",
            name="call",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notes",
                to="outreach.call",
            ),
        ),
        migrations.AlterField(
            model_name="turn",
            name="call",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="turns",
                to="outreach.call",
            ),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                condition=models.Q(("status__in", ["failed", "canceled", "not_placed"])),
                fields=["status", "queued_at"],
                name="call_rare_status",
            ),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                condition=models.Q(("answered_by__in", ["ivr", "screening", "unavailable", "uncertain"])),
                fields=["answered_by", "queued_at"],
                name="call_rare_answer",
            ),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                condition=models.Q(("kind__in", ["callback", "manual"])),
                fields=["kind", "queued_at"],
                name="call_rare_kind",
            ),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                condition=models.Q(("channel", "phone"), _negated=True),
                fields=["channel", "queued_at"],
                name="call_rare_channel",
            ),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                condition=models.Q(("our_fault", True)), fields=["queued_at"], name="call_our_fault"
            ),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                condition=models.Q(("transcript", "incomplete")), fields=["queued_at"], name="call_with_gaps"
            ),
        ),
        migrations.AddIndex(
            model_name="callevent",
            index=models.Index(
                condition=models.Q(("incident", True)), fields=["id"], name="call_event_incident"
            ),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["code", "id"], name="decision_by_code"),
        ),
        migrations.AddIndex(
            model_name="facilitator",
            index=models.Index(fields=["import_batch", "id"], name="facilitator_by_batch"),
        ),
        migrations.AddIndex(
            model_name="facilitator",
            index=models.Index(fields=["campaign", "id"], name="facilitator_by_campaign"),
        ),
        migrations.AddIndex(
            model_name="facilitator",
            index=models.Index(fields=["campaign", "standing", "id"], name="facilitator_by_standing"),
        ),
        migrations.AddIndex(
            model_name="facilitator",
            index=models.Index(
                condition=models.Q(("not_called_code", ""), _negated=True),
                fields=["not_called_code", "id"],
                name="facilitator_by_refusal",
            ),
        ),
        migrations.AddIndex(
            model_name="facilitator",
            index=models.Index(
                condition=models.Q(("last_disposition", ""), _negated=True),
                fields=["last_disposition", "id"],
                name="facilitator_by_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="call",
            constraint=models.UniqueConstraint(fields=("token",), name="call_token_once"),
        ),
        migrations.AddConstraint(
            model_name="call",
            constraint=models.UniqueConstraint(fields=("twilio_sid",), name="call_twilio_sid_once"),
        ),
        migrations.AddIndex(
            model_name="interest",
            index=models.Index(
                models.OrderBy(models.F("handled_at"), descending=True, nulls_first=True),
                models.F("due_at"),
                models.F("id"),
                name="interest_in_order",
            ),
        ),
    ]
