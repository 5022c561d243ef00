"""Three groups of people who work here, and what a delivery of an outgoing webhook carries.

docs/permissions.md is the table of the groups, and a test compares the two.
"""

from __future__ import annotations

from django.contrib.auth.management import create_permissions
from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations, models

#: What everybody sees: where campaigns and people stand, and what became of the calls; no spoken word.
VIEWS = {
    "outreach": (
        "agentworker", "call", "callback", "callerid", "callevent", "campaign", "checkresult",
        "decision", "dialingcontrol", "facilitator", "importbatch", "importrow",
        "incomingcall", "interest", "notice", "peoplecount", "rate", "scriptversion", "suppression", "tally",
        "historicalcall", "historicalcallback", "historicalcallerid", "historicalcampaign",
        "historicalfacilitator", "historicalsuppression",
    ),
}  # fmt: skip
VIEWER = [f"{app}.view_{model}" for app, models in VIEWS.items() for model in models]

OPERATOR = [
    *VIEWER,
    "outreach.read_transcript", "outreach.view_turn", "outreach.view_note", "outreach.view_summary",
    "outreach.place_call", "outreach.hang_up", "outreach.talk_in_browser", "outreach.use_kill_switch",
    "outreach.run_checks", "outreach.import_facilitators", "outreach.rest_number",
    "outreach.add_campaign", "outreach.change_campaign",
    "outreach.add_scriptversion", "outreach.change_scriptversion",
    "outreach.add_facilitator", "outreach.change_facilitator",
    "outreach.add_callback", "outreach.change_callback",
    "outreach.change_call", "outreach.change_interest",
    "outreach.add_suppression",
]  # fmt: skip

SUPERVISOR = [
    *OPERATOR,
    "outreach.export_people", "outreach.view_access", "outreach.view_sourcerow",
    "outreach.change_suppression", "outreach.delete_suppression",
    "outreach.add_callerid", "outreach.change_callerid",
    "outreach.change_dialingcontrol",
    "outreach.add_rate", "outreach.change_rate", "outreach.delete_rate",
    "outreach.view_apitoken", "outreach.add_apitoken", "outreach.change_apitoken",
    "outreach.view_hookendpoint", "outreach.add_hookendpoint", "outreach.change_hookendpoint",
    "outreach.view_hookdelivery", "outreach.change_hookdelivery",
    "django_celery_beat.view_periodictask", "django_celery_beat.change_periodictask",
    "django_celery_beat.view_intervalschedule", "django_celery_beat.add_intervalschedule",
    "auth.view_user", "auth.add_user", "auth.change_user", "auth.view_group",
    "axes.view_accessattempt", "axes.delete_accessattempt", "axes.view_accesslog",
]  # fmt: skip

GROUPS = {"Viewer": VIEWER, "Operator": OPERATOR, "Supervisor": SUPERVISOR}


def create_groups(apps, schema_editor):
    """Make the groups that are missing, with their rights; one that is there stays as it was edited."""
    _create_missing_permissions(apps)
    permission = apps.get_model("auth", "Permission")
    ids = {
        f"{app}.{codename}": pk
        for app, codename, pk in permission.objects.values_list("content_type__app_label", "codename", "pk")
    }
    group = apps.get_model("auth", "Group")
    for name, rights in GROUPS.items():
        row, created = group.objects.get_or_create(name=name)
        if created:
            row.permissions.set([ids[right] for right in rights])


def _create_missing_permissions(apps):
    """Django makes permissions only after the last migration, which on a fresh database is too late."""
    for label in ("auth", "axes", "django_celery_beat", "outreach"):
        config = apps.get_app_config(label)
        had, config.models_module = getattr(config, "models_module", None), True
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = had


class Migration(migrations.Migration):
    dependencies = [
        ("outreach", "0012_ticks_of_the_desk"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("axes", "0010_accessattemptexpiration"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        migrations.AddField(
            "hookdelivery",
            "payload",
            models.JSONField(
                default=dict,
                db_default={},
                help_text="Ids and outcome as they were then; sent again as they are.",
            ),
        ),
        migrations.AddIndex("hookdelivery", BrinIndex(fields=["created_at"], name="delivery_by_time")),
        # Backwards the groups stay: people belong to them.
        migrations.RunPython(create_groups, migrations.RunPython.noop),
    ]
