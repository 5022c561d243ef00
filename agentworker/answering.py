"""Who picked up, judged from the first words alone: a person, a mailbox, a menu, or a screening service."""

from __future__ import annotations

import re

from outreach.domain.disposition import AnsweredBy

_RULES: tuple[tuple[AnsweredBy, re.Pattern[str]], ...] = (
    (
        AnsweredBy.UNAVAILABLE,
        re.compile(
            r"mailbox (is )?(full|has not been set up|is not set up)"
            r"|not (been )?set up (a |their )?voice ?mail"
            r"|(number|person|subscriber|customer)[^.]*(is )?not (available|reachable|in service)[^.]*\. *"
            r"(please (try|call) again|good-?bye)"
            r"|cannot take (any )?messages",
            re.IGNORECASE,
        ),
    ),
    (
        AnsweredBy.SCREENING,
        re.compile(
            r"(say|state|record|give)( me| us)? your name( and|,)"
            r"|(who is|who's) calling,? and why|reason (for|of) (your|the) call"
            r"|(call|being) screen(ed|ing)|screening service|using (a|an) (call )?(screen|assistant)"
            r"|(please )?(stay|remain|hold) on the line|see if (this|the) person is available",
            re.IGNORECASE,
        ),
    ),
    (
        AnsweredBy.VOICEMAIL,
        re.compile(
            r"voice ?mail|(leave|record)( me| us)? (a|your)( short| brief)? message"
            r"|(after|at) the (tone|beep|signal)"
            r"|get back to you as soon as|answering machine|mailbox",
            re.IGNORECASE,
        ),
    ),
    (
        AnsweredBy.IVR,
        re.compile(
            r"\b(press|dial|select) (\d|one|two|three|four|five|six|seven|eight|nine|zero|star|pound|hash)\b"
            r"|for [a-z ]+, (press|say)|main menu|(your call is important|calls? (may|will) be recorded for)"
            r"|extension number|office hours are|all (of )?our (agents|operators|lines)",
            re.IGNORECASE,
        ),
    ),
)
MACHINES = frozenset({AnsweredBy.VOICEMAIL, AnsweredBy.IVR, AnsweredBy.UNAVAILABLE})
"""What nobody converses with. A screening service is answered: a person may be listening."""


def judge_words(text: str) -> AnsweredBy:
    """Return who speaks such words; silence is `uncertain`."""
    if not text.strip():
        return AnsweredBy.UNCERTAIN
    return next((who for who, pattern in _RULES if pattern.search(text)), AnsweredBy.HUMAN)
