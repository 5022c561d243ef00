"""Filters of long lists that read no list to be shown: days from and to, and values known beforehand."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, get_args

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
from unfold.utils import parse_date_str

from outreach.desk.badges import words_of
from outreach.desk.reasons import as_sentence
from outreach.domain.contracts import Stage
from outreach.domain.gate import RefusalCode


class DaysFromTo(RangeDateFilter):
    """Rows of some days, the last one included, as days are on the clock of whoever looks."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = self._day("from"), self._day("to")
        if first is not None:
            queryset = queryset.filter(**{f"{self.field_path}__gte": _begin_of(first)})
        if last is not None and last < date.max:
            queryset = queryset.filter(**{f"{self.field_path}__lt": _begin_of(last + timedelta(days=1))})
        return queryset

    def _day(self, end: str) -> date | None:
        typed = self.used_parameters.get(f"{self.field_path}_{end}")
        return parse_date_str(typed) if isinstance(typed, str) and typed else None


class InStage(DropdownFilter):
    """Turns by the stage of the conversation."""

    title = "stage"
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(stage, words_of(stage)) for stage in get_args(Stage)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(stage=self.value()) if self.value() else queryset


class Because(DropdownFilter):
    """Rows by the code of a verdict of the gate, in the column that `code_field` names."""

    title = "not called because"
    parameter_name = "because"
    code_field = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        codes = [*(code.value for code in RefusalCode), "retry", "callback_missed", "not_placed", "postponed"]
        return [(code, as_sentence(code)) for code in codes]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.code_field: self.value()}) if self.value() else queryset


def _begin_of(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())
