"""The page on which an operator talks with Alex: a microphone, a button, and the words as they are spoken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from outreach.admin.searching import people_found
from outreach.desk.policy import let_connect_to_livekit
from outreach.integrations import livekit, livekit_browser
from outreach.models import Campaign, Facilitator, ScriptVersion
from outreach.services import browser_talk
from outreach.services.sample_call import PERSON

#: People and campaigns that are offered at once; more people are found by typing.
OFFERED = 20


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is talked about: whose facts, in which words; None for what does not exist."""

    campaign: Campaign | None
    script: ScriptVersion | None
    campaigns: tuple[Campaign, ...] = ()
    """Campaigns to choose from, where the page belongs to none."""


def subject_of_campaign(campaign_id: str) -> Subject:
    """Return a campaign with its script."""
    campaign = Campaign.objects.select_related("script").filter(pk=campaign_id).first()
    return Subject(campaign=campaign, script=campaign.script if campaign else None)


def subject_of_script(script_id: str, *, chosen: str) -> Subject:
    """Return a script with the facts of the chosen campaign, else of one that uses it, else of any.

    :param chosen: the campaign's id, or nothing.
    """
    script = ScriptVersion.objects.filter(pk=script_id).first()
    campaigns = Campaign.objects.order_by("name")
    if chosen.isdecimal():
        campaign = campaigns.filter(pk=chosen).first()
    else:
        campaign = campaigns.filter(script=script).first() or campaigns.first()
    return Subject(campaign=campaign, script=script, campaigns=tuple(campaigns[:OFFERED]))


def talk_page(model_admin: Any, request: HttpRequest, subject: Subject) -> HttpResponse:
    """Show the page, find people for it, begin a talk or hang up, as the request says."""
    if request.method == "POST":
        ends = request.POST.get("end")
        return _end(request, ends) if ends else _begin(request, subject)
    if "people" in request.GET:
        found = _people(request, subject.campaign, request.GET["people"])[:OFFERED]
        return JsonResponse({"people": [{"id": one.pk, "name": _described(one)} for one in found]})
    return _page(model_admin, request, subject)


def _page(model_admin: Any, request: HttpRequest, subject: Subject) -> HttpResponse:
    played = request.GET.get("person", "")
    people = _people(request, subject.campaign)
    offered = list(people[:OFFERED])
    if played.isdecimal() and int(played) not in {one.pk for one in offered}:
        offered += people.filter(pk=played)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "media": model_admin.media,
        "title": "Talk to Alex",
        "subject": subject,
        "people": [(str(one.pk), _described(one)) for one in offered],
        "played": played,
        "invented": PERSON,
        "obstacle": browser_talk.why_not(livekit_browser.door()) if subject.campaign else "",
        "may_choose": request.user.has_perm("outreach.view_facilitator"),
        "may_read": request.user.has_perms(["outreach.view_call", "outreach.read_transcript"]),
    }
    return let_connect_to_livekit(TemplateResponse(request, "outreach/browser_talk.html", context))


def _begin(request: HttpRequest, subject: Subject) -> HttpResponse:
    if subject.campaign is None or subject.script is None:
        return _refused("There is no such campaign any more. Reload the page.")
    wanted = request.POST.get("person", "")
    person = _people(request, subject.campaign).filter(pk=wanted).first() if wanted.isdecimal() else None
    if wanted and person is None:
        return _refused("This person is not in the campaign any more. Choose somebody else.")
    try:
        talk = browser_talk.begin_talk(
            campaign=subject.campaign,
            script=subject.script,
            person=person,
            requested_by=request.user.get_username(),
            rooms=livekit.rooms(),
            door=livekit_browser.door(),
        )
    except browser_talk.NoPlace as full:
        return _refused(str(full), again=True)
    except browser_talk.CannotTalk as obstacle:
        return _refused(str(obstacle))
    begun = {
        "call": str(talk.call_id),
        "url": talk.key.url,
        "token": talk.key.token,
        "words": reverse("live-call", args=[talk.call_id]),
        "page": reverse("admin:outreach_call_change", args=[talk.call_id]),
    }
    return JsonResponse(begun)


def _end(request: HttpRequest, call_id: str) -> HttpResponse:
    try:
        wanted = UUID(call_id)
    except ValueError:
        return HttpResponse(status=400)
    browser_talk.end_talk(call_id=wanted, requested_by=request.user.get_username(), rooms=livekit.rooms())
    return HttpResponse(status=204)


def _refused(sentence: str, *, again: bool = False) -> JsonResponse:
    """Return why no talk begins; `again` invites the page to ask once more within seconds."""
    return JsonResponse({"error": sentence, "again": again}, status=409)


def _people(request: HttpRequest, campaign: Campaign | None, term: str = "") -> QuerySet[Facilitator]:
    """Return whom the operator may play: people of the campaign whom the term finds, by name."""
    if campaign is None or not request.user.has_perm("outreach.view_facilitator"):
        return Facilitator.objects.none()
    people = Facilitator.objects.filter(campaign=campaign).order_by("name", "pk")
    term = term.strip()
    return people.filter(people_found(term))


def _described(person: Facilitator) -> str:
    return f"{person.name}, {person.organisation}" if person.organisation else person.name
