"""Who is locked out after failed logins: what they read, and how a supervisor lets them in again."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG001, ARG002

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms.utils import ErrorDict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import AuthenticationForm

from outreach.admin.base import KeptAdmin
from outreach.desk.badges import badge
from outreach.desk.rendering import when


def locked_out(
    request: HttpRequest, response: Any = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """Return the login page that says why nobody is let in, and until when."""
    minutes = round(settings.AXES_COOLOFF_TIME.total_seconds() / 60)
    form = AuthenticationForm(request, data={"username": request.POST.get("username", "")})
    # Not looked at again: that would be one more failed login.
    form.cleaned_data, form._errors = {}, ErrorDict()
    form.add_error(
        None,
        f"Too many failed logins with this name from where you are. Try again in {minutes} minutes, or ask a "
        "supervisor to unlock you under “Failed logins”.",
    )
    context = {
        **admin.site.each_context(request),
        "title": "Log in",
        "form": form,
        "app_path": request.get_full_path(),
        "username": "",
    }
    return render(request, "admin/login.html", context, status=429)


@admin.register(AccessAttempt)
class FailedLoginAdmin(KeptAdmin):
    """Names and addresses with failed logins since the last one that succeeded."""

    list_display = ("username", "ip_address", "failures_since_start", "is_locked", "at")
    search_fields = ("username__istartswith",)
    search_help_text = "Start of a user's name"
    ordering = ("-attempt_time",)
    fields = ("username", "ip_address", "failures_since_start", "is_locked", "at", "user_agent")
    readonly_fields = fields
    actions = ("unlock",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_unlock_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may let somebody in again."""
        return request.user.has_perm("axes.delete_accessattempt")

    @action(
        description="Unlock",
        permissions=["unlock"],
        icon="lock_open",
        variant=ActionVariant.PRIMARY,
    )
    def unlock(self, request: HttpRequest, queryset: QuerySet[AccessAttempt]) -> None:
        n_gone, _ = queryset.delete()
        messages.success(
            request, "Unlocked: they may log in at once." if n_gone else "Nobody was locked out."
        )

    @display(description="Locked out")
    def is_locked(self, attempt: AccessAttempt) -> str:
        if attempt.failures_since_start < settings.AXES_FAILURE_LIMIT:
            return "–"
        return badge("locked", "Locked out", variant="danger")

    @display(description="Last failure", ordering="attempt_time")
    def at(self, attempt: AccessAttempt) -> str:
        return when(attempt.attempt_time)


@admin.register(AccessLog)
class LoginAdmin(KeptAdmin):
    """Who logged in, when and from where."""

    list_display = ("username", "ip_address", "at", "out")
    search_fields = ("username__istartswith",)
    search_help_text = "Start of a user's name"
    ordering = ("-attempt_time",)
    fields = ("username", "ip_address", "at", "out", "user_agent")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Logged in", ordering="attempt_time")
    def at(self, login: AccessLog) -> str:
        return when(login.attempt_time)

    @display(description="Logged out", ordering="logout_time")
    def out(self, login: AccessLog) -> str:
        return when(login.logout_time)
