"""Whether those who rang us were told the truth: counting over what they remember themselves."""

from __future__ import annotations

from outreach.management.rehearsal.evidence import Evidence


def in_vain(evidence: Evidence) -> int:
    """Count the people who rang us and were never told that their wish is granted."""
    rang = {caller.number for caller in evidence.callers}
    return len(rang - {caller.number for caller in evidence.callers if caller.confirmed})


def called_all_the_same(evidence: Evidence) -> int:
    """Count calls after somebody was told that there would be none, where we know of no suppression."""
    return sum(
        call.number == caller.number and call.accepted_at > caller.ended_at
        for caller in evidence.callers
        if caller.wish == "stop" and caller.confirmed and caller.number not in evidence.suppressed_at
        for call in evidence.carrier
    )


def broken(evidence: Evidence) -> list[tuple[int, str]]:
    """Return how often what callers were told was not so afterwards."""
    told = [caller for caller in evidence.callers if caller.confirmed]
    called_back = {call.number for call in evidence.calls if call.kind == "callback" and call.dialed}
    unstopped = sum(c.wish == "stop" and c.number not in evidence.suppressed_at for c in told)
    uncalled = sum(c.wish == "callback" and c.number not in called_back for c in told)
    vain = 0 if "hooks" in evidence.killed else in_vain(evidence)
    return [
        (unstopped, f"2: {unstopped} people rang to be left alone, were told so, and are not suppressed"),
        (uncalled, f"4: {uncalled} people rang, were told that they are called back, and were not"),
        (vain, f"4: {vain} people rang us in vain"),
    ]
