"""The words of Alex, version by version."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, Max, OuterRef, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from outreach.admin.base import KeptAdmin
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
    """Scripts. Once a call has used one it is never edited, only succeeded by "Save as new"."""

    form = ScriptForm
    list_display = ("name", "version", "in_campaigns", "is_used", "created", "created_by")
    list_filter = ("name",)
    search_fields = ("name__istartswith",)
    ordering = ("name", "-version")
    save_as = True
    readonly_fields = ("version", "words", "created", "created_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ScriptVersion]:
        used = Exists(Call.objects.filter(script=OuterRef("pk")))
        return super().get_queryset(request).annotate(n_campaigns=Count("campaigns"), used=used)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        body = "words" if self._is_locked(request, obj) else "body"
        return ("name", "version", body, "created", "created_by")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*(("name",) if self._is_locked(request, obj) else ()), *self.readonly_fields)

    @staticmethod
    def _is_locked(request: HttpRequest, script: Any) -> bool:
        return script is not None and bool(script.used) and "_saveasnew" not in request.POST

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:  # noqa: FBT001
        if not change:
            newest = ScriptVersion.objects.filter(name=obj.name).aggregate(newest=Max("version"))["newest"]
            obj.version = (newest or 0) + 1
            obj.created_at = clock.now()
            obj.created_by = request.user.get_username()
        super().save_model(request, obj, form, change)

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

    @display(description="Created", ordering="created_at")
    def created(self, script: ScriptVersion) -> str:
        return when(script.created_at)
