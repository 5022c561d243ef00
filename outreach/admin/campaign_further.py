"""Further buttons of a campaign's page: be called first, the first calls, try again, make a copy."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.forms import BaseDialogForm

from outreach.admin.base import go_to
from outreach.admin.campaign_dialogs import CallMeForm, RedialForm
from outreach.admin.dialogs import dialog
from outreach.domain.phone_number import normalise_for_search
from outreach.integrations import livekit
from outreach.models import Campaign, Facilitator
from outreach.services import campaigns
from outreach.services.redialing import redial
from outreach.services.trial_call import CannotTry, call_me


class CampaignFurtherActions:
    """What is done with a campaign besides running it."""

    @action(
        description="Call me first",
        url_path="call-me",
        permissions=["place_call"],
        icon="phone_in_talk",
        dialog=dialog(
            "Hear it on your own phone?",
            "Alex calls you as he will call people, with the row you choose. It counts nowhere.",
            "Call me",
            CallMeForm,
        ),
    )
    def call_me(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        campaign = Campaign.objects.select_related("script").get(pk=object_id)
        wanted = form.cleaned_data["row"].strip()
        person = _somebody(campaign, wanted)
        if wanted and person is None:
            return _back(request, object_id, problem=f"Nobody in this campaign is found by “{wanted}”.")
        try:
            call_id = call_me(
                campaign=campaign,
                person=person,
                number=form.cleaned_data["number"],
                requested_by=request.user.get_username(),
                rooms=livekit.rooms(),
            )
        except CannotTry as obstacle:
            return _back(request, object_id, problem=str(obstacle))
        messages.success(request, "Your phone rings in a moment.")
        if request.user.has_perm("outreach.view_call"):
            return go_to(request, reverse("admin:outreach_call_change", args=[call_id]))
        return _back(request, object_id)

    @action(
        description="First calls",
        url_path="first-calls-page",
        permissions=["read_words"],
        icon="fact_check",
    )
    def first_calls(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return go_to(request, reverse("admin:outreach_campaign_first_people", args=[object_id]))

    @action(
        description="Try again",
        url_path="redial",
        permissions=["change"],
        icon="replay",
        dialog=dialog(
            "Try people again?",
            "Those who were tried as often as allowed get more attempts. They are due at once; the gate "
            "looks at each as at everybody.",
            "Try again",
            RedialForm,
        ),
    )
    def redial_campaign(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        given = redial(
            campaign_id=int(object_id),
            outcomes=form.cleaned_data["outcomes"],
            n_attempts=form.cleaned_data["n_attempts"],
            by=request.user.get_username(),
        )
        messages.success(request, f"{given} {'person is' if given == 1 else 'people are'} tried again.")
        return _back(request, object_id)

    @action(
        description="Make a copy",
        url_path="duplicate",
        permissions=["make_campaign"],
        icon="content_copy",
        dialog=dialog(
            "Make a copy?", "A draft with the same settings and script, and nobody in it.", "Make a copy"
        ),
    )
    def duplicate_campaign(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        copy = campaigns.duplicate(campaign_id=int(object_id))
        messages.success(request, f"“{copy.name}” is a draft. Upload people into it.")
        return _back(request, str(copy.pk))


def _somebody(campaign: Campaign, wanted: str) -> Facilitator | None:
    """Return the first person of the campaign whom a name or the beginning of a number finds."""
    people = Facilitator.objects.filter(campaign=campaign).order_by("name", "pk")
    number = normalise_for_search(wanted)
    if not wanted:
        return None
    if number:
        return people.filter(number__startswith=number if number.startswith("+") else f"+{number}").first()
    return people.filter(name__istartswith=wanted).first() or people.filter(name__icontains=wanted).first()


def _back(request: HttpRequest, object_id: str, *, problem: str = "") -> HttpResponse:
    if problem:
        messages.error(request, problem)
    return go_to(request, reverse("admin:outreach_campaign_change", args=[object_id]))
