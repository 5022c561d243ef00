"""What an operator knows better: the outcome of a call, and who picked up. Kept in the row's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from outreach.domain.disposition import AnsweredBy, Disposition
from outreach.domain.retry_policy import Close
from outreach.domain.standing import Standing
from outreach.models import Call, CallbackState, Facilitator, Suppression, SuppressionSource
from outreach.services import callbacks, clock, hook_events
from outreach.services.interests import note_interest
from outreach.services.next_steps import close_person
from outreach.services.rows import locked_call
from outreach.services.suppressing import suppress

_SAID: dict[Disposition, Standing] = {
    Disposition.INTERESTED: Standing.INTERESTED,
    Disposition.NOT_INTERESTED: Standing.NOT_INTERESTED,
    Disposition.WRONG_PERSON: Standing.NEEDS_REVIEW,
}
#: A correction towards "stop" reaches the person whatever was said later; any other yields to later words.
_TOWARDS_STOP = frozenset({Disposition.NOT_INTERESTED, Disposition.WRONG_PERSON})
#: What the detector may say of somebody with whom Alex then talks as with a person.
TAKEN_FOR_A_PERSON = frozenset({AnsweredBy.HUMAN, AnsweredBy.UNCERTAIN})
#: Where a person may stand because of what this call was taken for.
_STANDS_BY_A_CALL = frozenset({Standing.INTERESTED.value, Standing.NOT_INTERESTED.value})


class CannotCorrect(Exception):
    """Nothing was changed; the sentence says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """What a correction changed."""

    call: Call
    person: str
    """What follows for the person, as a sentence."""


@transaction.atomic
def correct_disposition(
    *, call_id: UUID, disposition: Disposition, evidence_seq: int | None, by: str, reason: str
) -> Corrected:
    """Set what a finished call achieved, and let the person's standing follow.

    An operator may correct in both directions, except that nothing here lifts a suppression. Nobody is put
    back into the queue: whose closed standing no longer holds is left for an operator to release.

    :param evidence_seq: the turn that shows it, if the operator names one.
    :raises CannotCorrect: while the call is not settled, and where nothing would change.
    """
    call = locked_call(pk=call_id)
    if call.settled_at is None:
        raise CannotCorrect("The call is not over yet. Correct its outcome when it is.")
    if call.disposition == disposition.value and call.disposition_seq == evidence_seq:
        raise CannotCorrect("That is its outcome already.")
    if evidence_seq is not None and not call.turns.filter(seq=evidence_seq).exists():
        raise CannotCorrect(f"There is no turn {evidence_seq} in this call. Name one of its turns, or none.")
    before = call.disposition
    call.disposition = disposition.value
    call.disposition_seq = evidence_seq
    call.judged_by = by[:150]
    call.tally_due = True
    call._change_reason = f"Outcome was {before or 'not known'}: {reason}"[:100]  # type: ignore[attr-defined]
    call._history_date = clock.now()  # type: ignore[attr-defined]
    call.save(update_fields=["disposition", "disposition_seq", "judged_by", "tally_due"])
    if not call.is_phone_call:
        return Corrected(call=call, person="Nobody hangs on this call.")
    return Corrected(call=call, person=_let_person_follow(call, disposition, by=by, reason=reason))


def _let_person_follow(call: Call, new: Disposition, *, by: str, reason: str) -> str:
    if new is Disposition.DO_NOT_CALL:
        suppress(
            number=call.number, source=SuppressionSource.OPERATOR, reason=f"{reason} ({by})", call=call, by=by
        )
        return "The number is never called again."
    now = clock.now()
    person = Facilitator.objects.select_for_update().get(pk=call.person_id)
    if (
        person.standing == Standing.SUPPRESSED.value
        or Suppression.objects.filter(number=call.number).exists()
    ):
        return "The number stays on the list of those never to be called."
    if new not in _TOWARDS_STOP and _said_something_later(call):
        return "The person stays where a later call left them."
    if new in _SAID:
        callbacks.close(person.pk, CallbackState.CANCELED, now=now)
        if new is Disposition.INTERESTED:
            note_interest(call, now=now)
            hook_events.note_interested(call, person, now=now)
        return _close(person, _SAID[new], _sentence(new, by, reason), now=now)
    if person.standing in _STANDS_BY_A_CALL:
        return _close(person, Standing.NEEDS_REVIEW, _sentence(new, by, reason), now=now)
    return "The person stays where they are."


def _close(person: Facilitator, standing: Standing, sentence: str, *, now: datetime) -> str:
    """Give the person a closed standing, or the wish for it while they are in a call."""
    if person.standing == Standing.IN_CALL.value:
        person.wish = standing.value
        person.standing_reason = sentence
    else:
        close_person(person, Close(standing=standing, reason=sentence))
        person.not_called_code = person.not_called_reason = ""
    person.updated_at = now
    person.save(
        update_fields=[
            *("wish", "standing", "standing_reason", "next_call_at"),
            *("not_called_code", "not_called_reason", "updated_at"),
        ]
    )
    words = standing.value.replace("_", " ")
    if person.wish == standing.value:
        return f"When the call in progress is over, the person is: {words}."
    if standing is Standing.NEEDS_REVIEW:
        return "The person is under review: release them to have them called again, or close them."
    return f"The person is: {words}."


def _sentence(new: Disposition, by: str, reason: str) -> str:
    return f"Corrected to “{new.value.replace('_', ' ')}” by {by}: {reason}"[:300]


def _said_something_later(call: Call) -> bool:
    later = Call.objects.by_phone().filter(facilitator=call.facilitator_id, queued_at__gt=call.queued_at)
    return later.exclude(disposition="").exists()


@transaction.atomic
def judge_answered_by(*, call_id: UUID, person: bool, by: str) -> Call:
    """Note whether a person or a machine picked up, as an operator heard it; it keeps score of the detector.

    :raises CannotCorrect: when nobody picked up.
    """
    call = locked_call(pk=call_id)
    if call.answered_at is None:
        raise CannotCorrect("Nobody picked up in this call, so there is nothing to judge.")
    call.judged_answered_by = _as_judged(call.answered_by, person=person).value
    call.judged_by = by[:150]
    call.tally_due = True
    call._change_reason = "Judged who picked up"  # type: ignore[attr-defined]
    call._history_date = clock.now()  # type: ignore[attr-defined]
    call.save(update_fields=["judged_answered_by", "judged_by", "tally_due"])
    return call


def _as_judged(detected: str, *, person: bool) -> AnsweredBy:
    """Return what picked up: the detector's own kind of machine where it heard one."""
    if person:
        return AnsweredBy.HUMAN
    known = AnsweredBy(detected) if detected else AnsweredBy.UNCERTAIN
    return AnsweredBy.VOICEMAIL if known in TAKEN_FOR_A_PERSON else known
