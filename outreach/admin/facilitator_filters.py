"""The filters of the list of people, each answered by an index; what is chosen stands in the URL."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from outreach.admin.list_filters import Because
from outreach.admin.searching import few_people
from outreach.desk.badges import words_of
from outreach.desk.places import places
from outreach.domain.disposition import Disposition
from outreach.models import Callback, CallbackState, Facilitator, ImportBatch
from outreach.services import clock

BATCHES_OFFERED = 50
UNKNOWN = "unknown"

People = QuerySet[Facilitator]


class NotCalledBecause(Because):
    """People by the code of the gate's last verdict."""

    code_field = "not_called_code"


class LastDisposition(DropdownFilter):
    """People by what their last call achieved."""

    title = "outcome of the last call"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(disposition.value, words_of(disposition.value)) for disposition in Disposition]

    def queryset(self, request: HttpRequest, queryset: People) -> People:
        return queryset.filter(last_disposition=self.value()) if self.value() else queryset


class CallbackDue(DropdownFilter):
    """People to whom a call is promised, by when."""

    title = "callback due"
    parameter_name = "callback"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("late", "Late"),
            ("day", "Within 24 hours"),
            ("week", "Within 7 days"),
            ("any", "Promised at all"),
            ("human", "By a person, not Alex"),
        ]

    def queryset(self, request: HttpRequest, queryset: People) -> People:
        now = clock.now()
        wanted = {
            "late": Q(promised_at__lt=now),
            "day": Q(promised_at__lt=now + timedelta(days=1)),
            "week": Q(promised_at__lt=now + timedelta(days=7)),
            "any": Q(),
            "human": Q(by="human"),
        }.get(self.value() or "")
        if wanted is None:
            return queryset
        promised = Callback.objects.filter(wanted, state=CallbackState.PROMISED)
        few = few_people(promised.values_list("facilitator", flat=True))
        if few is None:
            return queryset.filter(pk__in=promised.values("facilitator"))
        return queryset.filter(pk__in=few)


class Country(DropdownFilter):
    """People by their country, of those that occur."""

    title = "country"
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = sorted({country for country, _ in places()})
        return [(country or UNKNOWN, country or "Unknown") for country in found]

    def queryset(self, request: HttpRequest, queryset: People) -> People:
        value = self.value()
        return queryset.filter(country="" if value == UNKNOWN else value) if value else queryset


class Zone(DropdownFilter):
    """People by their time zone, of those that occur."""

    title = "time zone"
    parameter_name = "zone"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = sorted({zone for _, zone in places()})
        return [(zone or UNKNOWN, zone.replace("_", " ") or "Not certain") for zone in found]

    def queryset(self, request: HttpRequest, queryset: People) -> People:
        value = self.value()
        return queryset.filter(time_zone="" if value == UNKNOWN else value) if value else queryset


class ImportedWith(DropdownFilter):
    """People whom one upload brought; the latest uploads are offered, any can stand in the URL."""

    title = "upload"
    parameter_name = "upload"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        batches = ImportBatch.objects.select_related("campaign").order_by("-pk")[:BATCHES_OFFERED]
        return [
            (str(batch.pk), f"{batch.file_name}, {batch.created_at:%d %b %Y}, {batch.campaign.name}")
            for batch in batches
        ]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: People) -> People:
        value = self.value() or ""
        return queryset.filter(import_batch=int(value)) if value.isdecimal() else queryset
