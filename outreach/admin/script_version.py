"""The words of Alex, version by version."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, Max, OuterRef, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from outreach.admin.base import KeptAdmin, go_to
from outreach.admin.browser_talk import subject_of_script, talk_page
from outreach.desk.hang_ups import hang_ups_of
from outreach.desk.rendering import when
from outreach.domain.script import InvalidScript, parse_script
from outreach.models import Call, ScriptVersion
from outreach.services import clock


class ScriptForm(ModelForm):
    """A script that Alex can read."""

    class Meta:
        model = ScriptVersion
        fields = ("name", "body")

    def clean_body(self) -> str:
        body = str(self.cleaned_data["body"])
        try:
            parse_script(body)
        except InvalidScript as exc:
            raise ValidationError(str(exc)) from exc
        return body


@admin.register(ScriptVersion)
class ScriptVersionAdmin(KeptAdmin):
    """Scripts. Once a call has used one it is never edited, only succeeded by its next version."""

    form = ScriptForm
    list_display = ("name", "version", "in_campaigns", "is_used", "created", "author")
    list_filter = ("name",)
    search_fields = ("name__istartswith",)
    ordering = ("name", "-version")
    actions_detail = ("write_next", "talk")
    change_form_outer_before_template = "outreach/script_version.html"
    readonly_fields = ("version", "words", "created", "author")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ScriptVersion]:
        used = Exists(Call.objects.by_phone().filter(script=OuterRef("pk")))
        return super().get_queryset(request).annotate(n_campaigns=Count("campaigns"), used=used)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse to change what a call has used."""
        return super().has_change_permission(request, obj) and not getattr(obj, "used", False)

    def has_write_script_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may write a new version."""
        return self.has_add_permission(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        body = "words" if getattr(obj, "used", False) else "body"
        return ("name", "version", body, "created", "author")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin a new version with the words of the one that it succeeds."""
        before = request.GET.get("after", "")
        script = ScriptVersion.objects.filter(pk=before).first() if before.isdecimal() else None
        return {} if script is None else {"name": script.name, "body": script.body}

    @action(
        description="Write the next version",
        url_path="next",
        permissions=["write_script"],
        icon="edit_note",
        variant=ActionVariant.PRIMARY,
    )
    def write_next(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return go_to(request, f"{reverse('admin:outreach_scriptversion_add')}?after={object_id}")

    @action(description="Talk to Alex", url_path="talk", permissions=["talk_in_browser"], icon="mic")
    def talk(self, request: HttpRequest, object_id: str) -> HttpResponse:
        chosen = request.POST.get("campaign") or request.GET.get("campaign", "")
        return talk_page(self, request, subject_of_script(object_id, chosen=chosen))

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:  # noqa: FBT001
        if not change:
            newest = ScriptVersion.objects.filter(name=obj.name).aggregate(newest=Max("version"))["newest"]
            obj.version = (newest or 0) + 1
            obj.created_at = clock.now()
            obj.created_by = request.user.get_username()
        super().save_model(request, obj, form, change)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show above the words where people hang up on them, and on the versions before and after."""
        script = self.get_object(request, object_id)
        more = {} if script is None else {"script": script, "hang_ups": hang_ups_of(script)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    @display(description="Body")
    def words(self, script: ScriptVersion) -> SafeString:
        """Return the body line by line, as it was written."""
        return format_html('<pre class="desk-script">{}</pre>', script.body)

    @display(description="Campaigns", ordering="n_campaigns")
    def in_campaigns(self, script: Any) -> int:
        return int(script.n_campaigns)

    @display(description="Used", boolean=True)
    def is_used(self, script: Any) -> bool:
        return bool(script.used)

    @display(description="Created by", ordering="created_by")
    def author(self, script: ScriptVersion) -> str:
        return script.created_by or "came with the product"

    @display(description="Created", ordering="created_at")
    def created(self, script: ScriptVersion) -> str:
        return when(script.created_at)
