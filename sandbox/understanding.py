"""What a person wants who says such words, judged by keywords: the scripted model's whole understanding."""

from __future__ import annotations

import re
from enum import StrEnum


class Wish(StrEnum):
    """What the person's last words call for."""

    STOP = "stop"
    WRONG_PERSON = "wrong_person"
    SCREENED = "screened"
    HOLD = "hold"
    HUMAN = "human"
    NO_ENGLISH = "no_english"
    NOT_INTERESTED = "not_interested"
    LATER = "later"
    LEAVING = "leaving"
    QUESTION = "question"
    NO = "no"
    YES = "yes"
    HELLO = "hello"
    STATEMENT = "statement"
    NOTHING = "nothing"


_SIGNS: tuple[tuple[Wish, str], ...] = (
    (
        Wish.STOP,
        r"stop (calling|phoning|ringing|contacting)|unsubscribe|no more calls|do[- ]not[- ]call"
        r"|(don'?t|do not|never) (ever )?(call|contact|ring|phone) (me|us|here|this)"
        r"|(take|remove) (me|my number) (off|from)",
    ),
    (
        Wish.SCREENED,
        r"(state|say|record|give)( me)? your name|who is calling and why|why you are calling"
        r"|reason for (your|the) call",
    ),
    (Wish.HOLD, r"(stay|remain|hold) (on the line|please)|one moment please|connecting you"),
    (
        Wish.WRONG_PERSON,
        r"wrong (number|person)|(nobody|no one) (of|by) that name|doesn'?t (live|work) here"
        r"|not (him|her|the person)",
    ),
    (Wish.NO_ENGLISH, r"no hablo|espa[ñn]ol|no (ingl[eé]s|english)|parle pas|kein englisch|¿|hola|bueno"),
    (
        Wish.HUMAN,
        r"(real|actual|live) (person|human|people)|a human|human being"
        r"|talk to (a|some) ?(human|person|body|one)|your (boss|manager|colleague)",
    ),
    (
        Wish.NOT_INTERESTED,
        r"not interested|no interest|no,? thank|don'?t (want|need)|not for me|nothing for me",
    ),
    (
        Wish.LATER,
        r"\bbusy\b|call (me )?(back|again|later|another)|in a meeting|another time"
        r"|\bdriving\b|later\b|no time"
        r"|(not|bad|isn'?t) (a )?(good|great|right|now|time)|not right now",
    ),
    (Wish.LEAVING, r"good-?bye|\bbye\b|have to go|got to go|hang(ing)? up"),
)
_COMPILED = tuple((wish, re.compile(pattern, re.IGNORECASE)) for wish, pattern in _SIGNS)
_ASKS_WHAT_ALEX_IS = re.compile(
    r"\b(am i|are you|is this|do i)\b.*(real|human|robot|machine|recording|computer|bot|ai)\b.*\?",
    re.IGNORECASE,
)
_NO = re.compile(r"^(no|nope|nah|not really|i('d| would) rather not)\b", re.IGNORECASE)
_YES = re.compile(
    r"\b(yes|yeah|yep|sure|okay|ok|of course|go ahead|that'?s (right|fine|correct|me)|please do|interested"
    r"|great|sounds good|all right|speaking)\b",
    re.IGNORECASE,
)
_HELLO = re.compile(
    r"^(hello|hi|hey|yes\?|yes, hello|good (morning|afternoon|evening))\b[^.!]*[?.!]*$", re.IGNORECASE
)


def understand(said: str) -> Wish:
    """Return what the words call for; the wish that is nearest to "stop calling" wins."""
    text = said.strip().replace("’", "'")
    if not text:
        return Wish.NOTHING
    if _ASKS_WHAT_ALEX_IS.search(text):
        return Wish.QUESTION
    for wish, pattern in _COMPILED:
        if pattern.search(text):
            return wish
    if _HELLO.match(text):
        return Wish.HELLO
    if text.endswith("?"):
        return Wish.QUESTION
    if _NO.match(text):
        return Wish.NO
    return Wish.YES if _YES.search(text) else Wish.STATEMENT
