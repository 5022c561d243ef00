"""The filter that no other dialer has: not called because …"""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from outreach.desk.reasons import as_sentence
from outreach.domain.gate import RefusalCode
from outreach.models import Facilitator


class NotCalledBecause(DropdownFilter):
    """People by the code of the gate's last verdict."""

    title = "not called because"
    parameter_name = "because"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        codes = [*(code.value for code in RefusalCode), "retry", "callback_missed", "not_placed", "postponed"]
        return [(code, as_sentence(code)) for code in codes]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Facilitator]) -> QuerySet[Facilitator]:
        return queryset.filter(not_called_code=self.value()) if self.value() else queryset
