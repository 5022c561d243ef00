"""What somebody who rings our number wants: told by a key, or in words."""

from __future__ import annotations

import re
from enum import StrEnum

from outreach.domain.stop_phrases import asks_to_stop, plain_words

KEY_OF_CALLBACK = "1"
KEY_OF_STOP = "9"

#: Whole answers to an offer of "stop": the words that the FCC names for revoking consent by text message
#: (47 CFR 64.1200(a)(10)), and the key's own name. In a conversation they would mean too many other things.
_STOP = re.compile(
    r"(please |no |just )*(stop|quit|end|revoke|opt out|cancel|unsubscribe|nine|9|basta|stopp|arretez)"
    r"( it| this| now| please| thank you| thanks| stop)*"
)
_CALLBACK = re.compile(
    r"(yes )?(please )?(one|1|yes|callback|call ?back)( please)?"
    r"|.*\b(call|ring|phone) (me|us) ?(back|again|later)?\b.*|.*\bcall ?back\b.*"
)
#: A refusal, or a question about the call that they missed.
_NOT = re.compile(r"\b(not|don t|dont|no|never|stop|did|why|who)\b")


class CallerWish(StrEnum):
    """What a caller may ask of us."""

    CALLBACK = "callback"
    STOP = "stop"


def wish_of(*, digits: str = "", speech: str = "") -> CallerWish | None:
    """Return what a pressed key or spoken words ask for, or None when they ask for neither.

    A "stop" wins over everything else that was said.
    """
    plain = plain_words(speech)
    if digits == KEY_OF_STOP or asks_to_stop(speech) or _STOP.fullmatch(plain):
        return CallerWish.STOP
    if digits == KEY_OF_CALLBACK or (_CALLBACK.fullmatch(plain) and not _NOT.search(plain)):
        return CallerWish.CALLBACK
    return None
