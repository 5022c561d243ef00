"""What each user sets for themselves: the clock on which every page shows its times."""

# Django dictates signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from zoneinfo import available_timezones

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminSelect2Widget

from outreach.admin.base import FactsAdmin
from outreach.desk.own_time import zone_name_of
from outreach.desk.rendering import moment
from outreach.models import Preference
from outreach.services import clock

#: Names that are no places: offsets, abbreviations and what the database keeps for old programs.
_NO_PLACES = ("Etc/", "posix/", "right/", "SystemV/", "US/", "Canada/", "Brazil/", "Chile/", "Mexico/")


def _zones() -> list[tuple[str, str]]:
    places = {name for name in available_timezones() if "/" in name and not name.startswith(_NO_PLACES)}
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in sorted(places))]


class MySettingsForm(forms.Form):
    """One user's own settings."""

    time_zone = forms.ChoiceField(
        label="My time zone",
        choices=_zones,
        help_text="Every time is shown on this clock, and beside it on the person's own.",
        widget=UnfoldAdminSelect2Widget(),
    )


@admin.register(Preference)
class MySettingsAdmin(FactsAdmin):
    """One page in the place of a list: nobody sees or changes another's settings."""

    def get_urls(self) -> list[URLPattern]:
        """Return the page's address."""
        return [path("mine/", self.admin_site.admin_view(self.mine), name="outreach_preference_mine")]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Keep it out of the list of models: the user's own menu leads to it."""
        return False

    def mine(self, request: HttpRequest) -> HttpResponse:
        """Show my settings, and keep what I changed."""
        if not isinstance(request.user, User):
            raise PermissionDenied
        form = MySettingsForm(request.POST or None, initial={"time_zone": zone_name_of(request.user)})
        if request.method == "POST" and form.is_valid():
            Preference.objects.update_or_create(
                user=request.user, defaults={"time_zone": form.cleaned_data["time_zone"]}
            )
            messages.success(request, "Your settings are kept: times are shown on your clock.")
            return HttpResponseRedirect(reverse("admin:outreach_preference_mine"))
        context = {
            **self.admin_site.each_context(request),
            "title": "My settings",
            "media": self.media + form.media,
            "form": form,
            "now": moment(clock.now()),
        }
        return TemplateResponse(request, "outreach/my_settings.html", context)
