"""The queues of what follows a call, the vendors' list prices to begin with, and beat's entries."""

from __future__ import annotations

from decimal import Decimal

import django.contrib.postgres.indexes
from django.db import migrations, models

_US = "https://www.twilio.com/en-us/voice/pricing/us, list price (from a copy of the page: compare)"
_GB = "https://www.twilio.com/en-us/voice/pricing/gb, list price (from a copy of the page: compare)"
_LIVEKIT = "https://livekit.com/pricing, list price (from a copy of the page: compare)"
_GROQ = "https://console.groq.com/docs/models, list price (from a copy of the page: compare)"

#: item, prefix, price in USD, source. An account may have prices of its own, and prices change: these rows
#: are an operator's to edit. A destination without a row is shown as "no rate".
RATES = [
    ("twilio_call", "+1", "0.0140", f"{_US}: United States and Canada"),
    ("twilio_call", "+44", "0.0158", f"{_GB}: landlines"),
    ("twilio_call", "+447", "0.0305", f"{_GB}: mobiles"),
    ("twilio_sip", "", "0.0040", f"{_US}: SIP interface"),
    (
        "livekit_agent",
        "",
        "0.0100",
        f"{_LIVEKIT}: an agent deployed to LiveKit Cloud. One on your own server is a participant: 0.0005; "
        "with your own LiveKit server: 0.",
    ),
    ("livekit_sip", "", "0.0040", f"{_LIVEKIT}: third-party SIP. With your own LiveKit server: 0."),
    ("llm_input", "openai/gpt-oss-120b", "0.15", _GROQ),
    ("llm_output", "openai/gpt-oss-120b", "0.60", _GROQ),
    ("llm_input", "openai/gpt-oss-20b", "0.075", _GROQ),
    ("llm_output", "openai/gpt-oss-20b", "0.30", _GROQ),
    ("stt", "whisper-large-v3-turbo", "0.04", f"{_GROQ}; Groq counts at least 10 s per utterance."),
    ("stt", "whisper-large-v3", "0.111", f"{_GROQ}; Groq counts at least 10 s per utterance."),
    ("tts", "canopylabs/orpheus-v1-english", "22.00", _GROQ),
]

#: name, task, seconds. A tick that waited longer than its interval is dropped unread.
TICKS = [
    ("Sum up conversations", "outreach.summarise_calls", 5),
    ("Count what calls cost", "outreach.price_calls", 5),
]


def create_rows(apps, schema_editor):
    rate = apps.get_model("outreach", "Rate")
    for item, prefix, price, source in RATES:
        rate.objects.get_or_create(
            item=item, prefix=prefix, defaults={"price": Decimal(price), "currency": "USD", "source": source}
        )
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    task = apps.get_model("django_celery_beat", "PeriodicTask")
    for name, path, seconds in TICKS:
        schedule, _ = interval.objects.get_or_create(every=seconds, period="seconds")
        task.objects.get_or_create(
            name=name,
            defaults={"task": path, "interval": schedule, "queue": "post", "expire_seconds": seconds},
        )


def delete_rows(apps, schema_editor):
    apps.get_model("outreach", "Rate").objects.all().delete()
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(
        task__in=[path for _, path, _ in TICKS]
    ).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("outreach", "0007_first_real_call"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        migrations.RemoveIndex(model_name="call", name="call_cost_not_billed"),
        migrations.AddField(
            model_name="call",
            name="price_due_at",
            field=models.DateTimeField(
                blank=True, help_text="When the carrier is asked for its price next.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="call",
            name="cost_state",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "To be counted"),
                    ("estimated", "Estimated from the rates"),
                    ("billed", "With the carrier's own price"),
                ],
                db_default="",
                default="",
                max_length=9,
            ),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                condition=models.Q(("cost_state", ""), ("settled_at__isnull", False)),
                fields=["settled_at"],
                name="call_to_be_counted",
            ),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                condition=models.Q(("price_due_at__isnull", False)),
                fields=["price_due_at"],
                name="call_price_due",
            ),
        ),
        migrations.AddIndex(
            model_name="summary",
            index=django.contrib.postgres.indexes.BrinIndex(fields=["made_at"], name="summary_by_time"),
        ),
        migrations.AlterField(
            model_name="rate",
            name="prefix",
            field=models.CharField(
                blank=True,
                help_text="Start of the called number (+44) or of the model's name; empty: all others.",
                max_length=80,
            ),
        ),
        migrations.RunPython(create_rows, delete_rows),
    ]
