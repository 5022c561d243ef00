"""The numbers that we call from: how they are doing, what each may do in a day, and which rest."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from outreach.admin.base import KeptAdmin, go_to
from outreach.admin.dialogs import dialog
from outreach.desk.badges import badge
from outreach.desk.number_health import health_of, rests, weeks_shown
from outreach.desk.rendering import DASH, moment
from outreach.models import CallerId
from outreach.services import caller_ids, clock

MOST_DAYS = 365


class CallerIdForm(forms.ModelForm):
    """A number of ours."""

    class Meta:
        model = CallerId
        fields = ("number", "label", "daily_cap")

    def clean_number(self) -> str:
        """Return the number without what people write between its digits."""
        number = str(self.cleaned_data["number"])
        digits = "".join(ch for ch in number if ch.isdigit())
        if not number.strip().startswith("+") or not 6 <= len(digits) <= 15 or digits.startswith("0"):
            raise ValidationError("Write it with its country, such as +14155550100.")
        return f"+{digits}"


class RestForm(BaseDialogForm):
    """For how long, and why."""

    days = forms.IntegerField(
        label="Days", min_value=1, max_value=MOST_DAYS, initial=14, widget=UnfoldAdminIntegerFieldWidget()
    )
    reason = forms.CharField(label="Reason", max_length=300, widget=UnfoldAdminTextInputWidget())


@admin.register(CallerId)
class CallerIdAdmin(KeptAdmin):
    """Every number that a campaign names has a row here within seconds; others may be added before."""

    form = CallerIdForm
    list_display = ("number", "label", "state", "answer_rate", "by_week", "early", "today")
    ordering = ("number",)
    search_fields = ("number__startswith", "label__istartswith")
    search_help_text = "Start of a number or of its label"
    actions_detail = ("rest", "wake")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A number is what calls and tallies know it by, so it stays as it is."""
        return ("number", "state", "answer_rate", "by_week", "early", "today") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Show how a number is doing once it is there."""
        own = ("number", "label", "daily_cap")
        return (*own, "state", "answer_rate", "by_week", "early", "today") if obj else own

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list with its numbers' health: asked once for all rows, not row by row."""
        changelist = super().get_changelist_instance(request)
        rows: list[Any] = list(changelist.result_list)
        _know(rows)
        changelist.result_list = rows
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a number with its health."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            _know([row])
        return row

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Return the one of the two buttons that fits."""
        row = CallerId.objects.filter(pk=object_id).first()
        fitting = "wake" if row is not None and rests(row, clock.now()) else "rest"
        buttons = super().get_actions_detail(request, object_id)
        return [button for button in buttons if button.action_name.endswith(f"_{fitting}")]

    def has_rest_number_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may let a number rest."""
        return request.user.has_perm("outreach.rest_number")

    def save_model(self, request: HttpRequest, obj: models.Model, form: ModelForm, change: bool) -> None:  # noqa: FBT001
        """Write only what the operator changed; a new number begins now."""
        if not change and isinstance(obj, CallerId):
            obj.created_at = clock.now()
        super().save_model(request, obj, form, change)

    @action(
        description="Rest this number",
        url_path="rest",
        permissions=["rest_number"],
        icon="bedtime",
        dialog=dialog(
            "Rest this number?",
            "Nobody is called from it until then: the campaign's other numbers are used instead. Where a "
            "campaign has no other, nobody of it is called.",
            "Rest it",
            RestForm,
        ),
    )
    def rest(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        asked = form.cleaned_data
        row = caller_ids.rest(caller_id=int(object_id), days=asked["days"], reason=asked["reason"])
        messages.success(request, f"{row.number} rests until {moment(row.rests_until)}.")
        return go_to(request, reverse("admin:outreach_callerid_changelist"))

    @action(
        description="Call from it again",
        url_path="wake",
        permissions=["rest_number"],
        icon="alarm",
        dialog=dialog("Call from this number again?", "Campaigns use it at once.", "Call from it"),
    )
    def wake(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        try:
            row = caller_ids.wake(caller_id=int(object_id))
            messages.success(request, f"{row.number} is called from again.")
        except caller_ids.CannotRest as exc:
            messages.warning(request, str(exc))
        return go_to(request, reverse("admin:outreach_callerid_changelist"))

    @display(description="State")
    def state(self, row: Any) -> SafeString | str:
        if rests(row, row.asked_at):
            why = f"Until {moment(row.rests_until)}. {row.rest_reason}"
            return format_html(
                '{}<br><small class="desk-quiet">{}</small>', badge("rests", "Rests", variant="info"), why
            )
        if row.health.warning:
            shown = badge("warn", "Look at it")
            return format_html(
                '{}<br><small class="desk-red desk-wrap">{}</small>', shown, row.health.warning
            )
        return badge("ok", "In use" if row.health.last.dialled else "Not used lately", variant="")

    @display(description="Answer rate, 7 days")
    def answer_rate(self, row: Any) -> SafeString | str:
        """Return the last seven days' rate beside the number's own baseline."""
        last, baseline = row.health.last, row.health.baseline
        return format_html(
            '<span title="Calls a person answered ÷ calls dialled: {} of {} in seven days, {} of {} in the '
            'eight weeks before">{} <span class="desk-quiet">usually {}</span></span>',
            last.human, last.dialled, baseline.human, baseline.dialled, _percent(last.answer_rate),
            _percent(baseline.answer_rate),
        )  # fmt: skip

    @display(description="By week")
    def by_week(self, row: Any) -> SafeString | str:
        weeks = weeks_shown(row.health)
        return render_to_string("outreach/board/weeks.html", {"weeks": weeks})

    @display(description="Hung up within 6 s")
    def early(self, row: Any) -> SafeString | str:
        last = row.health.last
        return format_html(
            '<span title="Calls over within six seconds ÷ calls a person answered, in seven days">{} '
            '<span class="desk-quiet">{} call{}</span></span>',
            _percent(last.early_rate),
            last.early,
            "" if last.early == 1 else "s",
        )

    @display(description="Calls today")
    def today(self, row: Any) -> SafeString | str:
        """Return how many calls it made today, of how many it may, and how many a day it makes otherwise."""
        used, cap = row.health.used_today, row.daily_cap
        a_day = round(row.health.last.dialled / 7, 1)
        return format_html(
            '<span title="Beside it: calls in seven days ÷ 7">{} <span class="desk-quiet">{} a day'
            "</span></span>",
            f"{used} of {cap}" if cap else used,
            f"{a_day:g}",
        )


def _know(rows: list[Any]) -> None:
    """Put onto each row how it is doing, and the moment at which it was asked."""
    now = clock.now()
    health = health_of([row.number for row in rows], now)
    for row in rows:
        row.health, row.asked_at = health[row.number], now


def _percent(share: float | None) -> str:
    return DASH if share is None else f"{share:.0%}"
