"""The agenda of callbacks, and the page on which somebody says that a person has called."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from outreach.desk.agenda import agenda_of
from outreach.desk.rendering import city_of
from outreach.models import Callback, Campaign
from outreach.services import clock
from outreach.services.attending import Outcome
from outreach.services.human_callbacks import CannotConclude, Done, conclude

CAMPAIGNS_OFFERED = 50

_DONE = (
    (Done.ON_TIME.value, "Called within ten minutes of the time"),
    (Done.LATE.value, "Called, but late"),
    (Done.NOT_NEEDED.value, "Not called: nobody has to any more"),
)
_OUTCOMES = (
    ("", "Leave them under review"),
    (Outcome.INTERESTED.value, "They are interested"),
    (Outcome.NOT_INTERESTED.value, "They are not interested"),
    (Outcome.GIVEN_UP.value, "Give them up, for another reason"),
)


class DoneForm(forms.Form):
    """How a person's call went."""

    done = forms.ChoiceField(label="What happened", choices=_DONE, widget=UnfoldAdminRadioSelectWidget())
    outcome = forms.ChoiceField(
        label="And the person", choices=_OUTCOMES, required=False, widget=UnfoldAdminRadioSelectWidget()
    )
    note = forms.CharField(label="Note", max_length=80, required=False, widget=UnfoldAdminTextInputWidget())


def agenda_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show a week of callbacks, from this week's Monday or the asked day on."""
    zone = timezone.get_current_timezone()
    now = clock.now()
    today = now.astimezone(zone).date()
    campaign = request.GET.get("campaign", "")
    chosen = int(campaign) if campaign.isdecimal() else None
    first = _day(request.GET.get("from", "")) or today - timedelta(days=today.weekday())
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "media": model_admin.media["css"],
        "title": "Callbacks by day",
        "agenda": agenda_of(first=first, zone=zone, now=now, campaign_id=chosen),
        "my_city": city_of(timezone.get_current_timezone_name()),
        "campaigns": Campaign.objects.order_by("name").only("name")[:CAMPAIGNS_OFFERED],
        "chosen": chosen,
        "may_conclude": model_admin.has_say_done_permission(request),
    }
    return TemplateResponse(request, "outreach/callback_agenda.html", context)


def done_page(model_admin: Any, request: HttpRequest, callback_id: int) -> HttpResponse:
    """Ask how a person's call went, or close the callback and go back to the agenda."""
    callback = Callback.objects.select_related("facilitator__campaign").filter(pk=callback_id).first()
    if callback is None:
        raise Http404
    form = DoneForm(request.POST or None, initial={"outcome": ""})
    if request.method == "POST" and form.is_valid():
        _conclude(request, callback, form.cleaned_data)
        return HttpResponseRedirect(reverse("admin:outreach_callback_agenda"))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "media": model_admin.media["css"] + form.media,
        "title": "A person has called",
        "callback": callback,
        "form": form,
    }
    return TemplateResponse(request, "outreach/callback_done.html", context)


def _conclude(request: HttpRequest, callback: Callback, given: dict[str, Any]) -> None:
    try:
        conclude(
            callback_id=callback.pk,
            done=Done(given["done"]),
            outcome=Outcome(given["outcome"]) if given["outcome"] else None,
            note=given["note"],
            by=request.user.get_username(),
        )
    except CannotConclude as refusal:
        messages.error(request, f"Nothing was changed. {refusal}")
    else:
        messages.success(request, f"The callback of {callback.facilitator.name} is closed.")


def _day(asked: str) -> date | None:
    try:
        found = date.fromisoformat(asked)
    except ValueError:
        return None
    return found if 2000 < found.year < 9000 else None
