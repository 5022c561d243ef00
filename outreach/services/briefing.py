"""What Alex is told about one call: the script rendered, why this call, and what was said before."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection

from outreach.domain import defaults
from outreach.domain.call_status import CallStatus
from outreach.domain.call_window import zones_of
from outreach.domain.contracts import HISTORY_LIMIT, Brief, Interval, Limits, OpeningKind, Person
from outreach.domain.disposition import OPERATOR_HUNG_UP
from outreach.domain.script import parse_script, render
from outreach.domain.standing import CallKind
from outreach.models import Call, Callback, Campaign, Facilitator, Note
from outreach.services.gating import rules_of

#: Alex promises nothing in the last minutes of the hours: the gate closes before the window does.
LAST_PROMISE = timedelta(minutes=5)

_DIALLED_BEFORE = """
SELECT id FROM outreach_call
WHERE facilitator_id = %s AND id <> %s AND channel = 'phone' AND dialing_at IS NOT NULL
"""

ZONE_UNSURE = (
    "\n\nTheir time zone is not certain. Before you agree a time, ask which city they are in and say the "
    "time together with that city."
)


def brief_for(call: Call, *, now: datetime) -> Brief:
    """Return the brief of one call. Expects campaign, script and facilitator to be loaded.

    :raises InvalidScript: when the script cannot be read (saving such a one is refused).
    :raises UnknownZone: when the person's zone is not known (the gate holds such people).
    """
    person, campaign = call.person, call.campaign
    script = parse_script(call.script.body)
    zone = zones_of(time_zone=person.time_zone, country=person.country)[0]
    earlier = _earlier(call)
    opening = _opening(call, earlier)
    hours = _callback_hours(campaign)
    values = script_values(person, campaign, zone=zone, now=now, hours=hours)
    return Brief(
        call_id=call.pk,
        now_at=now,
        kind=call.kind,
        channel="phone" if call.rings else "web",
        opening=opening,
        instructions=render(script.instructions, values) + ("" if person.time_zone else ZONE_UNSURE),
        opening_line=render(script.openings[opening], values),
        closing_line=render(script.closing_line, values),
        voicemail_line=render(script.voicemail_line, values) if _may_leave_message(call) else "",
        hang_up_on_voicemail=not _may_leave_message(call),
        company=campaign.company,
        callback_number=campaign.callback_number,
        person=Person(
            name=person.name,
            organisation=person.organisation,
            language=person.language,
            time_zone=zone,
            country=person.country,
            extra=person.extra,
        ),
        history=_history(earlier, zone=zone),
        callback_hours=hours,
        limits=_limits(campaign, in_browser=not call.rings),
    )


def script_values(
    person: Facilitator, campaign: Campaign, *, zone: str, now: datetime, hours: list[Interval]
) -> dict[str, str]:
    """Return what fills the placeholders of a script for one person."""
    local = now.astimezone(ZoneInfo(zone))
    return {
        "company": campaign.company,
        "platform": campaign.platform,
        "platform_facts": campaign.platform_facts,
        "callback_number": campaign.callback_number or "the number that we call from",
        "person_name": person.name,
        "organisation": person.organisation,
        "language": person.language,
        "now_local": f"{local:%A %d %B %Y, %H:%M}",
        "time_zone": zone,
        "callback_hours": _in_words(hours),
        **{f"extra.{key}": str(value) for key, value in person.extra.items()},
    }


def _in_words(hours: list[Interval]) -> str:
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    return ", ".join(f"{days[i.weekday]} {i.opens}-{i.closes}" for i in hours)


def _callback_hours(campaign: Campaign) -> list[Interval]:
    hours = []
    for interval in rules_of(campaign).callback_window.intervals():
        closes = datetime.strptime("23:59" if interval.closes == "24:00" else interval.closes, "%H:%M")  # noqa: DTZ007
        hours.append(interval.model_copy(update={"closes": f"{closes - LAST_PROMISE:%H:%M}"}))
    return hours


def _limits(campaign: Campaign, *, in_browser: bool) -> Limits:
    ahead = defaults.MAX_DURATION - defaults.CLOSING_AT
    by_phone = 2.0 * defaults.PROVIDER_QUEUE + campaign.ring_timeout + defaults.READY_DEADLINE
    return Limits(
        join_timeout=defaults.PROVIDER_QUEUE if in_browser else by_phone,
        max_duration=campaign.max_duration,
        closing_at=max(campaign.max_duration / 2, campaign.max_duration - ahead),
        silence=campaign.silence,
        silence_prompts=defaults.SILENCE_PROMPTS,
    )


def _may_leave_message(call: Call) -> bool:
    return call.campaign.leave_voicemail and not call.person.voicemail_left


def opening_of(call: Call) -> OpeningKind:
    """Return which opening fits: what the person remembers of us decides."""
    return _opening(call, _earlier(call))


def _opening(call: Call, earlier: list[Call]) -> OpeningKind:
    if call.kind == CallKind.CALLBACK.value:
        return "asked_for_callback"
    last = earlier[0] if earlier else None
    if last is None or last.status == CallStatus.NOT_PLACED.value:
        return "first_call"
    if last.answered_at is not None and (last.our_fault or last.failure_code == OPERATOR_HUNG_UP):
        return "cut_off"
    return "tried_before"


def _history(earlier: list[Call], *, zone: str) -> list[str]:
    """Return a person's earlier calls, newest first, one line each, 1,500 characters in all."""
    lines: list[str] = []
    room = HISTORY_LIMIT
    for one in [call for call in earlier if call.placed_at is not None][:10]:
        line = _in_one_line(one, zone)[:room]
        if not line:
            break
        lines.append(line)
        room -= len(line)
    return lines


def _earlier(call: Call) -> list[Call]:
    """Return the person's other calls that were dialled, newest first; most people have none.

    Somebody whose row is not stored has none either.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DIALLED_BEFORE, [call.facilitator_id, call.pk])
        ids = [call_id for (call_id,) in cursor.fetchall()]
    return list(Call.objects.filter(pk__in=ids).order_by("-queued_at")) if ids else []


def _in_one_line(call: Call, zone: str) -> str:
    when = call.queued_at.astimezone(ZoneInfo(zone))
    parts = [f"{when:%Y-%m-%d %H:%M}: {(call.disposition or call.status).replace('_', ' ')}"]
    notes = Note.objects.filter(call=call).order_by("seq").values_list("text", flat=True)
    parts += [" ".join(text.split()) for text in notes]
    promise = Callback.objects.filter(agreed_in=call).order_by("pk").first()
    if promise is not None:
        parts.append(
            f"we promised to call at {promise.promised_at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
        )
    return "; ".join(parts)
