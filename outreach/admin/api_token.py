"""Keys of programs that read by the JSON API."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from outreach.admin.base import KeptAdmin
from outreach.admin.shown_once import show_once
from outreach.desk.badges import badge
from outreach.desk.rendering import when
from outreach.models import ApiToken
from outreach.services import api_tokens, clock


@admin.register(ApiToken)
class ApiTokenAdmin(KeptAdmin):
    """One key per program. Made here, shown once, revoked rather than deleted."""

    list_display = ("name", "user", "state", "made", "used", "expires")
    list_select_related = ("user",)
    search_fields = ("name__istartswith", "user__username__istartswith")
    ordering = ("-id",)
    fields = ("name", "user", "expires_at")
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may let a token be good for nothing."""
        return request.user.has_perm("outreach.change_apitoken")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer no superusers to others than superusers: their key would open everything."""
        if db_field.name == "user" and not request.user.is_superuser:
            kwargs["queryset"] = User.objects.filter(is_active=True, is_superuser=False)
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "user" and isinstance(field, forms.ModelChoiceField):
            field.help_text = (
                "The token may see what this user may see. Make a user of its own for a program."
            )
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:  # noqa: FBT001
        """Make the token; what is kept of its key is a digest."""
        token, key = api_tokens.make_token(user=obj.user, name=obj.name, expires_at=obj.expires_at)
        obj.pk, obj._state.adding = token.pk, False
        request._api_key = key  # type: ignore[attr-defined]  # for the answer to this very request

    def response_add(
        self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        says = "The program sends it with every request: Authorization: Bearer and this key (docs/api.md)."
        key: str = request._api_key  # type: ignore[attr-defined]
        return show_once(self, request, title=f"Key of {obj.name}", says=says, secret=key)

    @action(
        description="Revoke",
        permissions=["revoke"],
        icon="key_off",
        variant=ActionVariant.DANGER,
    )
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        n_gone = api_tokens.revoke(token_ids=list(queryset.values_list("pk", flat=True)))
        messages.success(request, f"Revoked: {n_gone}. Whoever uses them is refused at once.")

    @display(description="State")
    def state(self, token: ApiToken) -> str:
        if token.revoked_at is not None:
            return badge("revoked", f"Revoked {when(token.revoked_at)}", variant="danger")
        if token.expires_at is not None and token.expires_at <= clock.now():
            return badge("expired", "Expired", variant="danger")
        if not token.user.is_active:
            return badge("off", "Its user is switched off", variant="danger")
        return badge("good", "Good", variant="success")

    @display(description="Made", ordering="created_at")
    def made(self, token: ApiToken) -> str:
        return when(token.created_at)

    @display(description="Last used", ordering="last_used_at")
    def used(self, token: ApiToken) -> str:
        return when(token.last_used_at)

    @display(description="Expires", ordering="expires_at")
    def expires(self, token: ApiToken) -> str:
        return when(token.expires_at)
