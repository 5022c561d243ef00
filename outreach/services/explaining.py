"""Explaining why people are not being called: the truth of this moment, also where the gate said nothing yet.

The gate's last verdict stands in a person's row. Whoever waits for their turn has none, a campaign that calls
nobody moves nobody, and what holds for a number may have changed since: so all of it is asked anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from outreach.domain.call_window import InvalidCallWindow
from outreach.domain.gate import GateRules, NumberHistory, Refuse, decide
from outreach.domain.standing import CallKind, Standing
from outreach.models import CallerId, Campaign, CampaignState, CanaryState, DialingControl, Facilitator
from outreach.services.caller_ids import pool, used_today
from outreach.services.capacity import live_workers
from outreach.services.gating import candidate_of, histories_of, rang_and_asked, rules_of

_KINDS: dict[str, CallKind] = {
    Standing.NEW.value: CallKind.FIRST,
    Standing.WAITING.value: CallKind.FIRST,
    Standing.RETRY_DUE.value: CallKind.RETRY,
    Standing.CALLBACK_DUE.value: CallKind.CALLBACK,
}
#: What is said of people whose row gives no reason of its own.
_STANDS: dict[str, str] = {
    Standing.NEW.value: "It is not their turn yet",
    Standing.WAITING.value: "It is not their turn yet",
    Standing.RETRY_DUE.value: "They are tried again",
    Standing.CALLBACK_DUE.value: "A call is promised",
    Standing.IN_CALL.value: "A call is in progress.",
    Standing.INTERESTED.value: "They are interested.",
    Standing.NOT_INTERESTED.value: "They are not interested.",
    Standing.SUPPRESSED.value: "This number must never be called.",
    Standing.EXHAUSTED.value: "They were tried as often as allowed.",
}


@dataclass(frozen=True, kw_only=True)
class Because:
    """One reason why a person is not being called."""

    sentence: str
    at: datetime | None = None
    """When it is over, where the sentence does not say so."""
    lead: str = "next"
    """The word before that time."""


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What is known of everybody who is asked about."""

    now: datetime
    stopped: str
    rules: dict[int, GateRules | str]
    """Of each campaign; a sentence where its hours cannot be read."""
    no_number: dict[int, str]
    """Of each campaign why there is no number to call from; empty: there is one."""
    no_agent: bool
    """Whether no agent worker reports that takes calls."""
    histories: dict[str, NumberHistory]
    asked_at: dict[int, datetime]


def explain(people: Sequence[Facilitator], *, now: datetime) -> dict[int, list[Because]]:
    """Return why each of `people` is not being called, by their ids: one reason or two, never none.

    The first is what stands in the way now; a second holds beside it. Asks the same few questions for many
    people as for one. Expects `campaign` to be loaded.
    """
    queue = [person for person in people if person.standing in _KINDS]
    known = _what_is_known(queue, now)
    return {
        person.pk: _queued(person, known) if person.standing in _KINDS else [_closed(person)]
        for person in people
    }


def _what_is_known(queue: Sequence[Facilitator], now: datetime) -> _Known:
    campaigns = {person.campaign_id: person.campaign for person in queue}
    if not campaigns:
        return _Known(
            now=now, stopped="", rules={}, no_number={}, no_agent=False, histories={}, asked_at={}
        )  # fmt: skip
    return _Known(
        now=now,
        stopped=_why_stopped(),
        rules={pk: _rules(campaign) for pk, campaign in campaigns.items()},
        no_number=_why_no_number(campaigns, now),
        no_agent=not live_workers(now),
        histories=histories_of([person.number for person in queue], now=now),
        asked_at=rang_and_asked([person.pk for person in queue]),
    )


def _why_stopped() -> str:
    control = DialingControl.objects.filter(pk=1, stopped=True).only("stopped_by", "stop_reason").first()
    if control is None:
        return ""
    why = f": {control.stop_reason}" if control.stop_reason else ""
    return f"All dialing is stopped{f' by {control.stopped_by}' if control.stopped_by else ''}{why}"


def _rules(campaign: Campaign) -> GateRules | str:
    try:
        return rules_of(campaign)
    except InvalidCallWindow as problem:
        return f"The campaign's calling hours cannot be read: {problem}"


def _why_no_number(campaigns: Mapping[int, Campaign], now: datetime) -> dict[int, str]:
    """Return of each campaign why there is no number to call from; empty: there is one."""
    named = {number for campaign in campaigns.values() for number in campaign.caller_ids}
    rows = {row.number: row for row in CallerId.objects.filter(number__in=named)}
    used = used_today([row.number for row in rows.values() if row.daily_cap is not None], now)
    return {
        pk: pool(campaign.caller_ids, known=rows, used=used, now=now).why_none
        for pk, campaign in campaigns.items()
    }


def _closed(person: Facilitator) -> Because:
    """Say why somebody is in no queue, or that they are on the phone."""
    if person.standing == Standing.IN_CALL.value:
        return Because(sentence=_STANDS[person.standing])
    return Because(sentence=person.standing_reason or person.not_called_reason or _STANDS[person.standing])


def _queued(person: Facilitator, known: _Known) -> list[Because]:
    """Say why somebody who is to be called is not on the phone yet."""
    campaign = person.campaign
    nobody = _why_nobody(campaign, _KINDS[person.standing], known)
    refusal = _refusal(person, known)
    if isinstance(refusal, str):
        return [Because(sentence=refusal)]
    if refusal is not None and refusal.next_call_at is None:
        own: Because | None = Because(sentence=refusal.reason)
    elif person.next_call_at is not None and person.next_call_at > known.now:
        own = _until(person, person.next_call_at)
    elif nobody is not None and person.standing == Standing.CALLBACK_DUE.value:
        own = Because(sentence="A call was promised", at=person.next_call_at, lead="for")
    elif refusal is not None and nobody is None:
        own = Because(sentence=refusal.reason)
    else:
        own = None
    found = [reason for reason in (nobody, own) if reason is not None]
    return found or [Because(sentence=_their_turn(person, known))]


def _why_nobody(campaign: Campaign, kind: CallKind, known: _Known) -> Because | None:
    """Say why nobody of this campaign is called for such a reason now."""
    if known.stopped:
        return Because(sentence=known.stopped)
    why = campaign.why_not(kind, now=known.now)
    if not why:
        return None
    if campaign.is_over(now=known.now):
        return Because(sentence=why)
    if campaign.state == CampaignState.DRAFT:
        return Because(sentence="The campaign has not been started.")
    if campaign.state == CampaignState.RUNNING:
        return Because(
            sentence="The campaign's first day has not come yet", at=campaign.starts_at, lead="until"
        )
    reason = f": {campaign.state_reason}" if campaign.state_reason else "."
    return Because(sentence=f"The campaign is {campaign.state}{reason}", at=campaign.release_at, lead="until")


def _refusal(person: Facilitator, known: _Known) -> Refuse | str | None:
    """Ask the gate about the moment of the next call, or this one when that has passed."""
    rules = known.rules[person.campaign_id]
    if isinstance(rules, str):
        return rules
    asked_at = known.asked_at.get(person.pk)
    verdict = decide(
        candidate=candidate_of(person, _KINDS[person.standing], asked_at=asked_at),
        history=known.histories[person.number],
        rules=rules,
        now=max(known.now, person.next_call_at or known.now),
    )
    return verdict if isinstance(verdict, Refuse) else None


def _until(person: Facilitator, at: datetime) -> Because:
    """Say what somebody waits for whose time has not come."""
    reason = person.not_called_reason or _STANDS[person.standing]
    return Because(sentence=reason, at=None if ", next " in reason else at)


def _their_turn(person: Facilitator, known: _Known) -> str:
    """Say what somebody waits for in whose own way nothing stands."""
    promised = person.standing == Standing.CALLBACK_DUE.value
    turn = "The promised call is due" if promised else "It is their turn"
    campaign = person.campaign
    if known.no_agent:
        return f"{turn}, but no agent worker reports: Alex is nowhere."
    if known.no_number[campaign.pk]:
        return f"{turn}. {known.no_number[campaign.pk]}"
    if campaign.canary_state == CanaryState.RUNNING and not promised:
        return f"The first {campaign.canary_size} people are called one at a time; then an operator says go."
    return f"{turn}: {'it is made' if promised else 'they are called'} as soon as a line is free."
