"""Why somebody waits, as a half-sentence: "14 are not called yet, because it is outside their hours"."""

from __future__ import annotations

from outreach.domain.gate import RefusalCode

REASONS: dict[str, str] = {
    "new": "it is not their turn yet",
    "waiting": "it is not their turn yet",
    "retry": "they are tried again later",
    "retry_due": "they are tried again later",
    "callback_due": "they asked to be called later",
    "callback_missed": "we missed a promised callback and keep it later",
    "not_placed": "the carrier did not take the call",
    "postponed": "an operator put them off",
    RefusalCode.NOT_A_TEST_NUMBER.value: "their number is none of the test numbers",
    RefusalCode.SUPPRESSED.value: "their number is never to be called",
    RefusalCode.SAID_NO.value: "they said no not long ago",
    RefusalCode.NO_CONSENT.value: "nobody knows why they may be called",
    RefusalCode.UNKNOWN_COUNTRY.value: "their country is not known",
    RefusalCode.UNKNOWN_ZONE.value: "their time zone is not known",
    RefusalCode.ATTEMPTS_EXHAUSTED.value: "they were tried as often as allowed",
    RefusalCode.ON_ANOTHER_CALL.value: "their number is on another call",
    RefusalCode.DAILY_CAP.value: "they were tried often enough today",
    RefusalCode.THIRTY_DAY_CAP.value: "they were tried often enough this month",
    RefusalCode.COOLING_GAP.value: "they were tried not long ago",
    RefusalCode.OUTSIDE_WINDOW.value: "it is outside their calling hours",
    RefusalCode.NEVER_OPEN.value: "the calling hours never open for them",
}


def reason_of(code: str) -> str:
    """Return a reason's code as a half-sentence."""
    return REASONS.get(code) or code.replace("_", " ")


def as_sentence(code: str) -> str:
    """Return a reason's code as it begins a line: "It is outside their calling hours"."""
    reason = reason_of(code)
    return reason[:1].upper() + reason[1:]
