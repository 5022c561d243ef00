"""The form of a campaign: hours as an operator writes them, policies checked where they are typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget

from outreach.admin.asked_fields import AskedFieldsField
from outreach.admin.campaign_fields import HoursField, NumbersField, PolicyField, international
from outreach.admin.country_field import AsksForCountry
from outreach.admin.script_field import ScriptField
from outreach.domain import legal_hours
from outreach.domain.backoff import InvalidRetryPolicy, RetryPolicy
from outreach.domain.call_window import CallWindow, InvalidCallWindow
from outreach.models import Campaign
from outreach.models.campaign import default_call_window, default_callback_window, default_retry_policy


class CampaignForm(AsksForCountry, forms.ModelForm):
    """A campaign's settings; its state is changed by the buttons only."""

    # Declared fields do not take the model's defaults by themselves.
    call_window = HoursField(
        initial=default_call_window,
        label="Call window",
        help_text="Their local hours. One line a day; a day left out is closed.",
    )
    callback_window = HoursField(initial=default_callback_window, label="Hours for callbacks they asked for")
    retry_policy = PolicyField(
        initial=default_retry_policy,
        label="Retry policy",
        help_text="How long until the next try, by how a call ended: the first wait, how many times longer "
        "each further one is, and the longest.",
    )
    asks_for = AskedFieldsField(
        required=False,
        label="What to find out",
        help_text="One line each: a name, a colon, the question. Each conversation is searched for the "
        "answers; what the person did not say themselves is left out.",
    )
    caller_ids = NumbersField(
        label="Caller IDs", help_text="Numbers we call from, one a line: +1 415 555 0100."
    )
    words = ScriptField()

    class Meta:
        model = Campaign
        fields = (
            "name", "script", "company", "platform", "platform_facts", "callback_number", "caller_ids",
            "default_country", "starts_at", "ends_at", "keeps_callbacks", "notify", "notify_daily",
            "call_window", "callback_window", "skip_public_holidays", "retry_policy",
            "max_attempts", "max_attempts_a_day", "max_attempts_a_day_after_busy", "min_gap_hours",
            "max_attempts_in_30_days", "quiet_days_after_no", "ring_timeout", "max_duration", "silence",
            "leave_voicemail", "calls_per_second", "max_open_calls", "canary_size", "asks_for",
        )  # fmt: skip
        labels = {
            "max_attempts": "Calls per person",
            "max_attempts_a_day": "At most a day",
            "max_attempts_a_day_after_busy": "At most a day, after busy",
            "min_gap_hours": "Hours between calls",
            "max_attempts_in_30_days": "At most in 30 days",
            "quiet_days_after_no": "Days of peace after a no",
            "ring_timeout": "Let it ring",
            "max_duration": "Longest call",
            "calls_per_second": "New calls a second",
            "max_open_calls": "Calls at once",
            "canary_size": "Trial first",
            "starts_at": "First day",
            "ends_at": "Last day",
            "keeps_callbacks": "Keep promised callbacks after it",
            "skip_public_holidays": "Not on public holidays",
            "notify": "Tell of interested people",
            "notify_daily": "Tell it once a day",
        }
        help_texts = {
            "starts_at": "Nobody is called before, on your clock. Empty: as soon as it is started.",
            "ends_at": "It is finished then by itself, on your clock. Empty: when everybody is through.",
            "keeps_callbacks": "Whether Alex still makes the calls that he has promised.",
            "skip_public_holidays": "Of each person's own country. Promised callbacks are made all the same.",
            "notify": "An e-mail address; empty: nobody is written to.",
            "notify_daily": "In one message, instead of one at once for each.",
            "max_attempts": "Attempts that count: our own faults and calls that never rang do not.",
            "max_attempts_a_day": "On each person's own day, in all campaigns together.",
            "max_attempts_a_day_after_busy": "A busy line says that somebody is there.",
            "min_gap_hours": "Between two attempts at one number, in all campaigns together.",
            "max_attempts_in_30_days": "The law allows 3 without express consent.",
            "quiet_days_after_no": "For the number, in every campaign. The law asks for 60 at least.",
            "calls_per_second": "Twilio starts 1 a second unless it has agreed to more.",
            "max_open_calls": "At most; the places of Alex are the other limit.",
            "canary_size": "So many people are called first, in the mode live; then it waits for your go.",
        }
        widgets = {"platform_facts": UnfoldAdminTextareaWidget(attrs={"rows": 6})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None and "script" in self.fields:
            # A fresh database has no script yet; saving seeds the standard one.
            self.fields["script"].required = False
            self.fields["script"].help_text = "Left empty: the standard script."

        if "words" in self.fields and self.instance.script_id:
            self.fields["words"].initial = self.instance.script.body

    def clean(self) -> dict[str, Any]:
        """Refuse a last day before the first."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        starts, ends = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts and ends and ends <= starts:
            self.add_error("ends_at", "The last day comes after the first.")
        return cleaned

    def clean_callback_number(self) -> str:
        number = str(self.cleaned_data["callback_number"]).strip()
        return international(number) if number else ""

    def clean_call_window(self) -> dict[str, Any]:
        return _lawful(self.cleaned_data["call_window"])

    def clean_retry_policy(self) -> dict[str, Any]:
        return _checked(self.cleaned_data["retry_policy"], RetryPolicy.parse)

    def clean_callback_window(self) -> dict[str, Any]:
        return _lawful(self.cleaned_data["callback_window"])


def _lawful(hours: dict[str, Any]) -> dict[str, Any]:
    """Return hours that can be read and in which the law allows calls."""
    _checked(hours, lambda given: CallWindow.parse(given, skip_public_holidays=False))
    wide = legal_hours.outside(CallWindow.parse(hours, skip_public_holidays=False))
    if wide:
        raise ValidationError(f"{wide}: the law allows calls from {legal_hours.DESCRIBED} on their clock.")
    return hours


def _checked(value: dict[str, Any], parse: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    try:
        parse(value)
    except (InvalidCallWindow, InvalidRetryPolicy) as exc:
        raise ValidationError(str(exc)) from exc
    return value
