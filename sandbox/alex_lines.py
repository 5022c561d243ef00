"""What the scripted model says: lines, and the marks by which it knows its own lines again."""

from __future__ import annotations

import re
from enum import StrEnum


class Asked(StrEnum):
    """What Alex's last line asked."""

    NOTHING = "nothing"
    PERMISSION = "permission"
    INTEREST = "interest"
    QUESTION = "question"
    INVITATION = "invitation"
    TIME = "time"
    HUMAN_TIME = "human_time"
    AGREED = "agreed"
    PRESENCE = "presence"
    FAREWELL = "farewell"


PERMISSION = ("Is now a good time for two minutes?", "Do you have two minutes for me now?")
PITCH = (
    "Thank you. We invite facilitators to a platform that brings them paid workshops and paperwork done. "
    "Does that sound interesting to you?",
    "Thanks, I will be brief. The platform finds paid workshops for facilitators and takes care of contracts "
    "and invoices. Does that sound interesting?",
)
_PITCH_FRAME = (
    ("Thank you.", "Does that sound interesting to you?"),
    ("Thanks, I will be brief.", "Does that sound interesting?"),
)
QUESTIONS = (
    "Good to hear. What kind of groups do you mostly work with?",
    "I see. How many sessions do you run in a usual month?",
    "Thank you. What matters most to you when you work with a platform?",
)
NOTED_AS = ("Groups", "Sessions a month", "What matters to them")
"""How the answers to the questions are noted."""
INVITATION = (
    "Lovely. Shall I note you as interested, so that a colleague sends you the invitation by email?",
    "That fits well. Would you like to get the invitation by email?",
)
WELCOME = (
    "Wonderful, the invitation is on its way. Thank you for your time. Goodbye.",
    "Great, you will find it in your inbox. Thank you, and goodbye.",
)
DECLINED = (
    "That is quite all right, thank you for telling me. Goodbye.",
    "I understand, thank you for your time. Goodbye.",
)
STOPPED = ("I am sorry for the disturbance. We will not call you again. Goodbye.",)
WRONG_PERSON = ("I am sorry, I have the wrong number then. I will note it. Goodbye.",)
ASK_TIME = ("Of course. What day and time would suit you for a call back?",)
HUMAN_CALLS = (
    "Of course. A colleague of mine, a person, will call you from {when} on. What time would suit you best?"
)
AGREED = "I will call you on {when}. Is that right?"
HUMAN_AGREED = "A colleague of mine will call you on {when}. Is that right?"
NOT_POSSIBLE = "I am afraid we cannot call you then. {possible} What time would suit you?"
SEE_YOU = ("Thank you, talk to you then. Goodbye.",)
NO_ENGLISH = ("Lo siento, solo hablo inglés. Thank you, and sorry for the disturbance. Goodbye.",)
PRESENCE = ("Hello, are you still there?",)
LEAVING = ("Thank you for your time. Goodbye.",)
WHO_CALLS = ("This is Alex, an AI assistant. I am calling to invite you to a platform for facilitators.",)
HOLDING = ("Thank you, I will hold.",)
NOTHING_ASKED = ("Nothing to record.",)
UNCLEAR = ("I am sorry, I did not catch that.",)

_COST = r"cost|price|pay|fee|free"
_MAY_BE_A_FACT = frozenset({_COST})
"""Topics for which the campaign's own facts are asked first."""
ANSWERS: tuple[tuple[str, str], ...] = (
    (r"robot|real|human|recording|machine|computer|\bai\b|bot\b", "I am an AI assistant, not a person."),
    (_COST, "Joining costs nothing; the platform takes a share of each booking."),
    (
        r"number|data|get my|know my",
        "You are on our list of facilitators who agreed to be called. I can take you off it.",
    ),
    (r"who|company|calling|about", "I am Alex, an AI assistant, calling about a platform for facilitators."),
    (r"how does|how do|work", "You set up a profile, and organisers book you through the platform."),
)
"""Topic of a question, and what Alex answers when his instructions name no fact about it."""
NO_ANSWER = "That is a good question, I will note it for my colleagues."

_MARKS: tuple[tuple[Asked, str], ...] = (
    (Asked.FAREWELL, r"good-?bye"),
    (Asked.AGREED, r"(is that right|does that (work|suit)|is that correct)\?"),
    (Asked.HUMAN_TIME, r"suit you best"),
    (Asked.TIME, r"(what|which) (day|time)\b.*\?|suit you"),
    (Asked.INVITATION, r"note you as interested|get the invitation"),
    (Asked.INTEREST, r"sound interesting"),
    (Asked.PRESENCE, r"still there\?|hear me"),
    (Asked.QUESTION, r"what kind of groups|how many sessions|what matters most"),
    (Asked.PERMISSION, r"good (time|moment)|(have|got|spare) .*(minute|moment)|may i\b.*\?|right time"),
)


def asked_by(line: str) -> Asked:
    """Return what a line of Alex's asked."""
    text = line.lower()
    return next((asked for asked, mark in _MARKS if re.search(mark, text)), Asked.NOTHING)


def facts_in(instructions: str) -> list[str]:
    """Return the facts about the platform: the paragraph after the first line that ends in a colon."""
    found = re.search(r":\n\s*\n(.+?)\n\s*\n#", instructions, re.DOTALL)
    return [line.strip(" -*") for line in found[1].splitlines() if line.strip()] if found else []


def fact_about(instructions: str, question: str) -> str:
    """Return what to answer: a fact of the instructions about the question's topic, else a stock answer."""
    for topic, answer in ANSWERS:
        if re.search(topic, question, re.IGNORECASE):
            about = (fact for fact in facts_in(instructions) if re.search(topic, fact, re.IGNORECASE))
            return next(about, answer) if topic in _MAY_BE_A_FACT else answer
    return NO_ANSWER


def pitch(instructions: str) -> tuple[str, ...]:
    """Return the pitch: the first fact of the instructions, a stock one when there is none."""
    facts = facts_in(instructions)
    return tuple(f"{thanks} {facts[0]} {ask}" for thanks, ask in _PITCH_FRAME) if facts else PITCH
