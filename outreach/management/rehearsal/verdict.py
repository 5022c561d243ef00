"""Which promises a rehearsal kept: pure counting over the evidence."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from outreach.domain.call_window import zones_of
from outreach.domain.standing import Standing
from outreach.management.rehearsal import callers
from outreach.management.rehearsal.after_calls import counted_after, missing_after
from outreach.management.rehearsal.evidence import CarrierCall, Evidence, OurCall

#: Seconds without a word at an answered phone that nobody notices on a busy machine.
DEAD_AIR = 3.0
#: The same where we killed the agent ourselves: the call is hung up within ten seconds.
DEAD_AIR_AFTER_A_KILL = 14.0
#: The judge's own ear for an opt-out, apart from the product's.
_SAID_STOP = re.compile(
    r"stop (calling|phoning|ringing)|off (of )?(your|the) list|(n't|not|never) call", re.I
)
SETTLED_FOR_REASONS = {Standing.HELD.value, Standing.NEEDS_REVIEW.value}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The figures of one rehearsal, and the promises that were broken."""

    people: int
    calls: int
    calls_per_person: float
    double_dials: int
    calls_outside_hours: int
    calls_after_opt_out: int
    turns_spoken: int
    turns_stored: int
    turns_lost: int
    stuck_calls: int
    unknown_calls: int
    retries: int
    callbacks: int
    rang_back: int
    rang_in_vain: int
    our_faults: int
    after_calls: Mapping[str, int | str]
    dispositions: Mapping[str, int]
    statuses: Mapping[str, int]
    standings: Mapping[str, int]
    killed: tuple[str, ...]
    promises_broken: tuple[str, ...]
    seconds: float


def judge(evidence: Evidence) -> Verdict:
    """Return the verdict on one rehearsal."""
    double, outside, after = _double_dials(evidence), _outside_hours(evidence), _after_opt_out(evidence)
    lost, stuck = _lost_turns(evidence), _stuck(evidence)
    broken = [
        (double, f"1: {double} calls rang a number that was already on a call, or that nobody ordered"),
        (outside, f"2: {outside} calls were outside the person's hours"),
        (after, f"2: {after} calls came after an opt-out"),
        (lost, f"4: {lost} spoken turns were not stored"),
        (stuck, f"6: {stuck} calls or people are stuck"),
        *_broken_for_people(evidence),
    ]
    return Verdict(
        people=len(evidence.people),
        calls=len(evidence.carrier),
        calls_per_person=round(len(evidence.carrier) / max(1, len(evidence.people)), 2),
        double_dials=double,
        calls_outside_hours=outside,
        calls_after_opt_out=after,
        turns_spoken=sum(len(heard.spoken) for heard in evidence.heard),
        turns_stored=sum(len(call.turns) for call in evidence.calls),
        turns_lost=lost,
        stuck_calls=stuck,
        unknown_calls=sum(call.status == "unknown" for call in evidence.calls),
        retries=sum(call.kind == "retry" and call.dialed for call in evidence.calls),
        callbacks=sum(call.kind == "callback" and call.dialed for call in evidence.calls),
        rang_back=len({caller.number for caller in evidence.callers}),
        rang_in_vain=callers.in_vain(evidence),
        our_faults=sum(call.our_fault for call in evidence.calls),
        after_calls=counted_after(evidence.calls),
        dispositions=_counted(call.disposition for call in evidence.calls if call.disposition),
        statuses=_counted(call.status for call in evidence.calls),
        standings=_counted(person.standing for person in evidence.people),
        killed=evidence.killed,
        promises_broken=tuple(sorted(sentence for count, sentence in broken if count)),
        seconds=round(evidence.seconds, 1),
    )


def _broken_for_people(evidence: Evidence) -> list[tuple[int, str]]:
    """Return how often what people heard, and what became of them, was not as promised."""
    limit = DEAD_AIR_AFTER_A_KILL if evidence.killed else DEAD_AIR
    dead_air = sum(heard.silence_seconds > limit for heard in evidence.heard)
    incomplete = sum(bool(call.turns) and call.transcript != "complete" for call in evidence.calls)
    surprises = _surprises(evidence)
    unexplained = sum(one.standing in SETTLED_FOR_REASONS and not one.reason for one in evidence.people)
    return [
        (dead_air, f"3: {dead_air} people heard silence"),
        (incomplete, f"4: {incomplete} transcripts are not complete"),
        (
            len(surprises),
            f"4: {len(surprises)} people ended otherwise than they meant: {_examples(surprises)}",
        ),
        (unexplained, f"7: {unexplained} people wait without a reason"),
        *missing_after(evidence.calls),
        *callers.broken(evidence),
    ]


def _stuck(evidence: Evidence) -> int:
    stuck = sum(call.is_open or not call.settled for call in evidence.calls)
    return stuck + sum(person.standing == Standing.IN_CALL for person in evidence.people)


def _counted(values: Any) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def _double_dials(evidence: Evidence) -> int:
    """Count calls that began while another to the number was open, and those that we never ordered."""
    by_number: dict[str, list[CarrierCall]] = defaultdict(list)
    for call in sorted(evidence.carrier, key=lambda call: call.accepted_at):
        by_number[call.number].append(call)
    overlapping = sum(
        earlier.ended_at is None or earlier.ended_at > later.accepted_at
        for calls in by_number.values()
        for earlier, later in pairwise(calls)
    )
    ordered = Counter(call.number for call in evidence.calls if call.dialed)
    unordered = sum(max(0, len(calls) - ordered[number]) for number, calls in by_number.items())
    return overlapping + unordered


def _outside_hours(evidence: Evidence) -> int:
    zones = {p.number: zones_of(time_zone=p.time_zone, country=p.country) for p in evidence.people}
    kinds = {call.sid: call.kind for call in evidence.calls}
    outside = 0
    for call in evidence.carrier:
        hours = evidence.callback_window if kinds.get(call.sid) == "callback" else evidence.call_window
        outside += not all(_is_within(hours, call.accepted_at, zone) for zone in zones[call.number])
    return outside


def _is_within(hours: Mapping[str, Any], at: datetime, zone: str) -> bool:
    """Tell by the wall clock alone, apart from the gate's own code, whether `at` is in the hours."""
    local = at.astimezone(ZoneInfo(zone))
    now = f"{local:%H:%M}"
    return any(opens <= now < closes for opens, closes in hours.get(str(local.weekday()), ()))


def _after_opt_out(evidence: Evidence) -> int:
    """Count calls accepted after the number was suppressed, or after somebody had said what ends it.

    Whoever said "stop" may never be called again, whatever broke. Whoever wants peace but was cut off by
    our own fault before they could say so may be: they are told that we were cut off.
    """
    after = sum(
        call.accepted_at > evidence.suppressed_at[call.number]
        for call in evidence.carrier
        if call.number in evidence.suppressed_at
    )
    after += callers.called_all_the_same(evidence)
    cut_off = {call.sid for call in evidence.calls if call.our_fault}
    talked = {
        heard.sid
        for heard in evidence.heard
        for speaker, text in heard.spoken
        if speaker == "person" and (heard.sid not in cut_off or _SAID_STOP.search(text))
    }
    asked: set[str] = set()
    for call in sorted(evidence.carrier, key=lambda call: call.accepted_at):
        persona = evidence.personas.get(call.number)
        if persona is None or not persona.stops:
            continue
        after += call.number in asked and call.number not in evidence.suppressed_at
        if call.sid in talked:
            asked.add(call.number)
    return after


def _lost_turns(evidence: Evidence) -> int:
    """Count utterances that were spoken or heard on the phone and are not in our tables, call by call.

    Where we killed Alex in a call, the last thing that he never answered was said to nobody: it may have
    been on the wire when he died, and no process ever had it.
    """
    stored = {call.sid: call.turns for call in evidence.calls}
    cut_off = {call.sid for call in evidence.calls if call.our_fault} if "agent" in evidence.killed else set()
    lost = 0
    for heard in evidence.heard:
        spoken = heard.spoken
        if heard.sid in cut_off and spoken and spoken[-1][0] == "person":
            spoken = spoken[:-1]
        said = Counter(speaker for speaker, _ in spoken)
        kept = Counter(speaker for speaker, _ in stored.get(heard.sid, ()))
        lost += (said - kept).total()
    return lost


def _surprises(evidence: Evidence) -> list[str]:
    """Return the personas who ended otherwise than they meant to."""
    surprises = []
    by_number: dict[str, list[OurCall]] = defaultdict(list)
    for call in evidence.calls:
        by_number[call.number].append(call)
    for person in evidence.people:
        persona = evidence.personas.get(person.number)
        ended = [
            call for call in by_number[person.number] if call.settled and call.dialed and not call.our_fault
        ]
        if persona is None or not ended:
            continue
        outcome = _outcome(ended)
        if not outcome & persona.intended:
            surprises.append(f"{persona.name} ended as {'/'.join(sorted(outcome))}")
    return surprises


def _outcome(calls: list[OurCall]) -> set[str]:
    """Return what the last conversation, or without one the last call, came to."""
    answered = [call for call in calls if call.answered]
    if not answered:
        return {calls[-1].status}
    last = answered[-1]
    return {word for word in (last.disposition, last.answered_by) if word and word != "human"} or {
        last.status
    }


def _examples(surprises: list[str]) -> str:
    return "; ".join(surprises[:5]) + ("; …" if len(surprises) > 5 else "")
