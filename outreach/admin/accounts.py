"""Who may work here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

admin.site.unregister(User)
admin.site.unregister(Group)

#: What only a superuser gives: a supervisor gives groups, of which theirs is the widest that we make.
_GIVEN_BY_SUPERUSERS = ("is_superuser", "user_permissions", "last_login", "date_joined")


@admin.register(User)
class OperatorAdmin(UserAdmin, ModelAdmin):
    """People who log in."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "works_as", "is_staff", "is_superuser", "is_active", "last_login")
    list_filter = ("groups", "is_superuser", "is_active")
    show_full_result_count = False
    add_fieldsets = (
        *(UserAdmin.add_fieldsets or ()),
        (
            "What they may do",
            {
                "fields": ("is_staff", "groups"),
                "description": "Give one group. Without staff status nobody can log in here.",
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let only superusers change superusers, whose password would be the way to everything."""
        ours = obj is None or not obj.is_superuser or bool(request.user.is_superuser)
        return ours and super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, *_GIVEN_BY_SUPERUSERS)

    @display(description="Group")
    def works_as(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all()) or "–"


@admin.register(Group)
class OperatorGroupAdmin(GroupAdmin, ModelAdmin):
    """Sets of permissions."""
