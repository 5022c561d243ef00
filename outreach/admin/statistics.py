"""The statistics: a choice of days, campaign, caller ID and script, as figures, charts and a CSV."""

# Django dictates signatures with arguments that not every method needs.

from __future__ import annotations

import csv
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from outreach.admin.base import FactsAdmin
from outreach.desk import reading
from outreach.desk.charts import days_chart
from outreach.desk.days import FORMULAS, Day
from outreach.models import AccessKind, CallerId, Campaign, ScriptVersion, Tally
from outreach.services import clock
from outreach.services.accesses import note_access
from outreach.services.statistics import Scope

USUAL_DAYS = 30
MOST_DAYS = 3 * 366
COLUMNS = (
    "day", "begun", "dialled", "answered", "talked", "reached", "reached_interested", "interested",
    "callbacks", "refused", "opt_outs", "early", "our_faults", "talk_average", "talk_median",
)  # fmt: skip


def _all_and(rows: list[tuple[Any, str]], words: str) -> list[tuple[Any, str]]:
    return [("", words), *rows]


def _campaigns() -> list[tuple[Any, str]]:
    return _all_and(list(Campaign.objects.order_by("name").values_list("pk", "name")), "All campaigns")


def _callers() -> list[tuple[Any, str]]:
    rows = CallerId.objects.order_by("number").values_list("number", "label")
    return _all_and([(number, f"{number} {label}".strip()) for number, label in rows], "All caller IDs")


def _scripts() -> list[tuple[Any, str]]:
    rows = ScriptVersion.objects.order_by("name", "-version").only("name", "version")
    return _all_and([(row.pk, str(row)) for row in rows], "All scripts")


class ChoiceForm(forms.Form):
    """Which calls are looked at."""

    since = forms.DateField(label="From", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    until = forms.DateField(label="To", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    campaign = forms.TypedChoiceField(
        label="Campaign", choices=_campaigns, coerce=int, empty_value=None, required=False,
        widget=UnfoldAdminSelectWidget(),
    )  # fmt: skip
    caller_id = forms.ChoiceField(
        label="Caller ID", choices=_callers, required=False, widget=UnfoldAdminSelectWidget()
    )
    script = forms.TypedChoiceField(
        label="Script version", choices=_scripts, coerce=int, empty_value=None, required=False,
        widget=UnfoldAdminSelectWidget(),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Refuse days that are in no order, or too many."""
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            raise ValidationError("The first day is after the last.")
        if since and until and until - since > timedelta(days=MOST_DAYS):
            raise ValidationError("At most three years at once.")
        return cleaned

    def scope(self) -> Scope:
        """Return the choice."""
        return Scope(
            since=self.cleaned_data["since"],
            until=self.cleaned_data["until"],
            campaign_id=self.cleaned_data["campaign"],
            caller_id=self.cleaned_data["caller_id"],
            script_id=self.cleaned_data["script"],
        )


@admin.register(Tally)
class StatisticsAdmin(FactsAdmin):
    """One page in the place of a list: nobody reads tallies row by row."""

    def get_urls(self) -> list[URLPattern]:
        """Return the page's address and that of its CSV; there is no page of one row."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="outreach_tally_changelist"),
            path("export/", view(self.export), name="outreach_tally_export"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the choice's figures."""
        form, scope = self._choice(request)
        shown = reading.read(scope)
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": "Statistics",
            "media": self.media + form.media,
            "form": form,
            "shown": shown,
            "whole": shown.whole,
            "weekdays": reading.WEEKDAYS,
            "formulas": FORMULAS,
            "chart": days_chart(shown.days),
            "query": request.GET.urlencode(),
        }
        return TemplateResponse(request, "outreach/statistics.html", context)

    def export(self, request: HttpRequest) -> HttpResponse:
        """Return the choice's days as CSV; no row is about a person, but every export is written down."""
        _form, scope = self._choice(request)
        days = reading.read(scope).days
        chosen = (
            f"statistics {scope.since} {scope.until} campaign={scope.campaign_id} script={scope.script_id}"
        )
        note_access(user=request.user, kind=AccessKind.EXPORT, what=chosen, n_rows=len(days))
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="statistics-{scope.since}-{scope.until}.csv"'
        lines = csv.writer(response)
        currencies = sorted({currency for day in days.values() for currency in day.cost})
        lines.writerow([*COLUMNS, *(f"cost_{currency}" for currency in currencies)])
        for day, figures in days.items():
            lines.writerow(_line(day, figures, currencies))
        return response

    def _choice(self, request: HttpRequest) -> tuple[ChoiceForm, Scope]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        today = clock.now().date()
        asked = request.GET.dict()
        until = asked.get("until") or today.isoformat()
        since = asked.get("since") or _usual_first_day(until, today)
        form = ChoiceForm({**asked, "since": since, "until": until})
        if form.is_valid():
            return form, form.scope()
        return form, Scope(since=today - timedelta(days=USUAL_DAYS - 1), until=today)


def _usual_first_day(until: str, today: date) -> str:
    """Return the first of the thirty days that end with a day, as somebody typed it."""
    try:
        last = date.fromisoformat(until)
    except ValueError:
        last = today
    return (last - timedelta(days=USUAL_DAYS - 1)).isoformat()


def _line(day: date, figures: Day, currencies: list[str]) -> list[Any]:
    values = [day.isoformat(), *(getattr(figures, name) for name in COLUMNS[1:])]
    rounded = [round(value, 1) if isinstance(value, float) else value for value in values]
    return [*rounded, *(figures.cost.get(currency, "") for currency in currencies)]
