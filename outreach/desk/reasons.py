"""Why somebody waits: as a half-sentence ("because it is outside their hours"), and as what so many do."""

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

#: The same as what people do, many of them; `SINGULAR` knows how one does.
DOINGS: dict[str, str] = {
    "new": "wait for their turn",
    "waiting": "wait for their turn",
    "retry": "are tried again later",
    "retry_due": "are tried again later",
    "callback_due": "asked to be called later",
    "callback_missed": "are owed a callback that we missed",
    "not_placed": "were not taken by the carrier, and are tried again",
    "postponed": "were put off by an operator",
    RefusalCode.NOT_A_TEST_NUMBER.value: "have none of the test numbers",
    RefusalCode.SUPPRESSED.value: "are never to be called",
    RefusalCode.SAID_NO.value: "said no not long ago",
    RefusalCode.NO_CONSENT.value: "have no consent recorded",
    RefusalCode.UNKNOWN_COUNTRY.value: "have no known country",
    RefusalCode.UNKNOWN_ZONE.value: "have no known time zone",
    RefusalCode.ATTEMPTS_EXHAUSTED.value: "were tried as often as allowed",
    RefusalCode.ON_ANOTHER_CALL.value: "have their number on another call",
    RefusalCode.DAILY_CAP.value: "were tried often enough today",
    RefusalCode.THIRTY_DAY_CAP.value: "were tried often enough this month",
    RefusalCode.COOLING_GAP.value: "were tried not long ago",
    RefusalCode.OUTSIDE_WINDOW.value: "were outside their calling hours when last looked at",
    RefusalCode.NEVER_OPEN.value: "have no hour at which they may be called",
}
SINGULAR = {"wait": "waits", "are": "is", "were": "was", "have": "has"}


def what_they_do(code: str, n: int) -> str:
    """Return what `n` people do who wait for a reason: "have no consent recorded"."""
    return predicate_of(DOINGS.get(code) or f"wait: {reason_of(code) or 'see their pages'}", n)


def predicate_of(words: str, n: int) -> str:
    """Return what many do as `n` do it: "wait for 09:00" becomes "waits for 09:00" of one."""
    verb, _, rest = words.partition(" ")
    return f"{SINGULAR.get(verb, verb)} {rest}" if n == 1 else words


def reason_of(code: str) -> str:
    """Return a reason's code as a half-sentence."""
    return REASONS.get(code) or code.replace("_", " ")


def as_sentence(code: str) -> str:
    """Return a reason's code as it begins a line: "It is outside their calling hours"."""
    reason = reason_of(code)
    return reason[:1].upper() + reason[1:]
