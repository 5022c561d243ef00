"""The people we call, each with the reason why they are or are not called."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import (
    MultipleChoicesDropdownFilter,
    RangeNumericFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from outreach.admin.base import KeptAdmin
from outreach.admin.facilitator_actions import PersonActions
from outreach.admin.facilitator_bulk import PeopleActions
from outreach.admin.facilitator_export import ExportActions
from outreach.admin.facilitator_filters import (
    CallbackDue,
    Country,
    ImportedWith,
    LastDisposition,
    NotCalledBecause,
    Zone,
)
from outreach.admin.facilitator_form import FacilitatorForm
from outreach.admin.searching import people_found
from outreach.admin.upload import upload_page
from outreach.desk import after_call
from outreach.desk.badges import badge
from outreach.desk.explained import told
from outreach.desk.rendering import DASH, when
from outreach.desk.timeline import Reader, timeline_of
from outreach.desk.titles import Titled
from outreach.models import AccessKind, Call, Facilitator, Suppression
from outreach.services import clock
from outreach.services.accesses import note_access
from outreach.services.edits import LONGEST_REASON
from outreach.services.explaining import explain


@admin.register(Facilitator)
class FacilitatorAdmin(PeopleActions, ExportActions, PersonActions, KeptAdmin):
    """One person per row; beside the name, why they have or have not been called."""

    class Media:
        css = {"all": ["outreach/people.css"]}

    form = FacilitatorForm
    actions = (*PeopleActions.actions, *ExportActions.actions)
    actions_list = ("upload",)
    list_display = (
        "person",
        "campaign",
        "standing_badge",
        "why",
        "priority",
        "attempts",
        "last_result",
    )
    # Each is answered by an index. Missing consent is a reason of "not called because", a zone that nobody
    # is certain of one of "time zone".
    list_filter = (
        ("campaign", RelatedDropdownFilter),
        ("standing", MultipleChoicesDropdownFilter),
        NotCalledBecause,
        LastDisposition,
        CallbackDue,
        ("priority", RangeNumericFilter),
        ("attempts_made", RangeNumericFilter),
        Country,
        Zone,
        ImportedWith,
    )
    list_select_related = ("campaign",)
    search_fields = ("name__istartswith",)
    search_help_text = "Name, e-mail, organisation or number"
    ordering = ("-id",)
    change_form_outer_before_template = "outreach/facilitator.html"
    fieldsets = (
        (
            "Person",
            {"fields": (("name", "number"), ("email", "organisation"), ("language", "priority"), "campaign")},
        ),
        ("Where they are", {"fields": (("country", "time_zone"),)}),
        ("Why we may call", {"fields": (("consent_basis", "consent_source"),)}),
        ("More", {"classes": ["collapse"], "fields": ("extra", "import_batch", ("created", "updated"))}),
    )
    readonly_fields = ("import_batch", "created", "updated")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # The number is the lock, the campaign its rules: both belong to the calls already made.
        return (*self.readonly_fields, "number", "campaign") if obj else self.readonly_fields

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        # How a number is written helps only whoever writes one.
        help_texts = {"number": ""} if obj else {}
        return super().get_form(request, obj, help_texts=help_texts, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Facilitator]:
        newest = Call.objects.by_phone().filter(facilitator=OuterRef("pk")).order_by("-queued_at")
        return (
            super()
            .get_queryset(request)
            .annotate(
                last_status=Subquery(newest.values("status")[:1]),
                newest_disposition=Subquery(newest.values("disposition")[:1]),
            )
        )

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        if not object_id.isdecimal():
            return None
        people = self.get_queryset(request).select_related("campaign", "import_batch", "interest")
        return people.filter(pk=object_id).first()

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list with everybody's reasons: asked once for the page, not row by row."""
        changelist = super().get_changelist_instance(request)
        changelist.result_list = _explained(list(changelist.result_list))
        return changelist

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Facilitator], search_term: str
    ) -> tuple[QuerySet[Facilitator], bool]:
        return queryset.filter(people_found(search_term)), False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        person = self.get_object(request, object_id)
        more: dict[str, Any] = {}
        if person is not None:
            _explained([person])
            suppression = Suppression.objects.filter(number=person.number).first()
            if request.method == "GET" and _reader(request).words:
                note_access(
                    user=request.user, kind=AccessKind.TRANSCRIPT, what=f"words of facilitator {person.pk}"
                )
            more = {
                "person": person,
                "title": person.name,
                "subtitle": None,
                "original": Titled(person, person.name),
                "why": self.why(person),
                "timeline": timeline_of(person, suppression, _reader(request)),
                "answers": after_call.answers_of(person)
                if request.user.has_perm("outreach.read_transcript")
                else (),
                "suppression": suppression,
            }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:  # noqa: FBT001
        obj.updated_at = obj._history_date = clock.now()
        if not change:
            obj.created_at = obj.next_call_at = obj.updated_at
        else:
            obj._change_reason = _what_changed(form)
        super().save_model(request, obj, form, change)

    def written_fields(self, form: ModelForm) -> list[str]:
        derived = form.derived_fields() if isinstance(form, FacilitatorForm) else []
        return [*super().written_fields(form), *derived, "updated_at"]

    @action(
        description="Upload CSV", url_path="upload",
        permissions=["import"], icon="upload_file",
        variant=ActionVariant.PRIMARY,
    )  # fmt: skip
    def upload(self, request: HttpRequest) -> HttpResponse:
        campaign = request.GET.get("campaign", "")
        return upload_page(self, request, campaign_id=int(campaign) if campaign.isdecimal() else None)

    @display(description="Person", ordering="name", header=True)
    def person(self, person: Facilitator) -> list[str]:
        return [person.name, person.number]

    @display(description="Standing", ordering="standing")
    def standing_badge(self, person: Facilitator) -> str:
        return badge(person.standing)

    @display(description="Why, and when next")
    def why(self, person: Any) -> SafeString:
        """Return why the person is not called now, and when they are."""
        return told(person.reasons, person.time_zone)

    @display(description="Attempts", ordering="attempts_made")
    def attempts(self, person: Facilitator) -> str:
        return f"{person.attempts_made} of {person.attempts_allowed}"

    @display(description="Last call")
    def last_result(self, person: Any) -> str:
        return badge(person.newest_disposition or person.last_status or "")

    @display(description="Created")
    def created(self, person: Facilitator) -> str:
        return when(person.created_at)

    @display(description="Changed")
    def updated(self, person: Facilitator) -> str:
        return when(person.updated_at)


def _explained(people: list[Any]) -> list[Any]:
    """Put onto each person why they are not being called."""
    reasons = explain(people, now=clock.now())
    for person in people:
        person.reasons = reasons[person.pk]
    return people


def _reader(request: HttpRequest) -> Reader:
    return Reader(
        words=request.user.has_perm("outreach.read_transcript"),
        callers=request.user.has_perm("outreach.view_incomingcall"),
    )


def _what_changed(form: ModelForm) -> str:
    """Return an edit as its history tells it: each field, from what to what."""
    changes = [
        f"{form.fields[name].label or name}: {form.initial.get(name) or DASH} → "
        f"{form.cleaned_data.get(name) or DASH}"
        for name in form.changed_data
        if name in form.fields
    ]
    sentence = "; ".join(changes) or "Saved unchanged"
    return sentence if len(sentence) <= LONGEST_REASON else f"{sentence[: LONGEST_REASON - 1]}…"
