"""The callees: who answers which number, and how it may end.

A number's last two digits choose the persona (`TABLE`, a hundred places), so that a number keeps its
persona whatever the seed; the seed only throws the small dice (thinking time, choice of words).
"""

from __future__ import annotations

from dataclasses import replace

from sandbox import talks
from sandbox.ear import Ear
from sandbox.persona import Answer, Busy, NoAnswer, NotInService, Persona, Pickup, RingsBack, Talk

__all__ = [
    "TABLE",
    "Answer",
    "Busy",
    "Ear",
    "NoAnswer",
    "NotInService",
    "Persona",
    "Pickup",
    "RingsBack",
    "persona_for",
    "personas",
]


def _persona(
    name: str,
    behaviour: Talk,
    *intended: str,
    answers: tuple[Answer, ...] = (Pickup(),),
    stops: bool = False,
    rings_back: RingsBack | None = None,
) -> Persona:
    return Persona(
        name=name,
        behaviour=behaviour,
        intended=frozenset(intended),
        answers=answers,
        stops=stops,
        rings_back=rings_back,
    )


_SHARES: tuple[tuple[Persona, int], ...] = (
    (_persona("interested", talks.interested, "interested"), 14),
    (_persona("interested_with_questions", talks.interested_with_questions, "interested"), 8),
    (_persona("call_back_tomorrow", talks.call_back_tomorrow, "interested"), 7),
    (_persona("call_back_in_two_hours", talks.call_back_in_two_hours, "interested"), 5),
    (_persona("not_interested", talks.not_interested, "not_interested", stops=True), 9),
    (_persona("stop_calling", talks.stop_calling, "do_not_call", stops=True), 5),
    (_persona("stop_and_hang_up", talks.stop_and_hang_up, "do_not_call", stops=True), 4),
    (_persona("wrong_person", talks.wrong_person, "wrong_person", stops=True), 4),
    (_persona("silent", talks.silent, "no_outcome"), 3),
    (_persona("hangs_up_mid_sentence", talks.hangs_up_mid_sentence, "hung_up"), 4),
    (_persona("voicemail", talks.voicemail, "voicemail", "left_voicemail", "no_outcome"), 6),
    (_persona("ivr", talks.ivr, "ivr", "no_outcome"), 3),
    (_persona("screening_then_interested", talks.screening_then_interested, "interested"), 3),
    (_persona("screening_then_gone", talks.screening_then_gone, "unavailable", "screening", "no_outcome"), 2),
    (_persona("never_answers", talks.interested, "no_answer", answers=(NoAnswer(),)), 3),
    (
        _persona(
            "rings_back_to_be_left_alone",
            talks.not_interested,
            "no_answer",
            answers=(NoAnswer(),),
            rings_back=RingsBack(presses="9"),
        ),
        1,
    ),
    (
        _persona(
            "rings_back_and_says_stop",
            talks.not_interested,
            "busy",
            answers=(Busy(),),
            rings_back=RingsBack(says="Stop."),
        ),
        1,
    ),
    (_persona("answers_second_time", talks.interested, "interested", answers=(NoAnswer(), Pickup())), 3),
    (
        _persona(
            "rings_back",
            talks.interested,
            "interested",
            answers=(NoAnswer(), Pickup()),
            rings_back=RingsBack(presses="1"),
        ),
        2,
    ),
    (_persona("busy_first", talks.interested, "interested", answers=(Busy(), Pickup())), 4),
    (_persona("not_in_service", talks.interested, "failed", answers=(NotInService(),)), 3),
    (_persona("speaks_spanish", talks.speaks_spanish, "no_outcome", "hung_up", "callback_requested"), 3),
    (_persona("wants_human", talks.wants_human, "callback_requested", stops=True), 3),
)

TABLE: tuple[Persona, ...] = tuple(persona for persona, places in _SHARES for _ in range(places))
"""A hundred places; a number's last two digits are the place of its persona."""


def personas() -> tuple[Persona, ...]:
    """Return every persona once, in the table's order."""
    return tuple(persona for persona, _ in _SHARES)


def persona_for(number: str, seed: int, *, pace: float = 1.0) -> Persona:
    """Return who answers an E.164 number; `pace` scales their thinking time."""
    return replace(TABLE[int(number[-2:])], number=number, seed=seed, pace=pace)
