"""What a person answers to what Alex said, by keywords, so that Alex may word things as he likes."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """Something that Alex may bring up, and what this person says to it."""

    when: re.Pattern[str]
    answer: str


def topic(when: str, answer: str) -> Topic:
    """Return a topic; `when` is a pattern that ignores case."""
    return Topic(re.compile(when, re.IGNORECASE), answer)


GOODBYE = re.compile(
    r"good-?bye|\bbye\b|have a (nice|good|lovely|great) (day|evening|rest)|take care", re.IGNORECASE
)
ASKED_FOR_THIS_CALL = re.compile(
    r"(you|had|have) asked (me|us|for)|as (we )?(agreed|promised|arranged)|you (asked|wanted|said)\b.*\bcall|"
    r"call(ing)? you back|asked (me|us) to (call|ring|try)",
    re.IGNORECASE,
)
PERMISSION = (
    r"(good|bad|right|convenient) (time|moment)"
    r"|(have|got|spare) (a|one|two|a couple|a few|some)\b.*(minute|moment)"
    r"|may i (go on|continue|tell)|is it (ok|okay|all right)"
)
CONFIRM = (
    r"(is|does|will|would) (that|this|it) (be )?(right|correct|work|suit|all right|fine|ok|okay)"
    r"|\bcorrect\?|\bright\?|suit you\?"
)

FRIENDLY: tuple[Topic, ...] = (
    topic(r"still (there|on the line)|(can|do) you (still )?hear me", "Yes, I'm here."),
    topic(CONFIRM, "Yes, that's right."),
    topic(r"(speaking|talking) (with|to)\b|am i through to|is this \w+( \w+)?\?", "Yes, that's me."),
    topic(PERMISSION, "Sure, go ahead."),
    topic(r"how (many|often)", "About four sessions a month."),
    topic(
        r"what (kind|sort|type)|which (kind|groups|topics)|tell me (a bit )?about",
        "Mostly leadership workshops for small teams.",
    ),
    topic(r"matter|important|look(ing)? for|hope|wish", "Fair pay, and not too much paperwork."),
    topic(r"e-?mail|address", "Yes, the one that you have is fine."),
    topic(
        r"(interest|invit|sound|join|sign|send you|note you|like to)\b.*\?|interested\b.*\?",
        "Yes, I'm interested.",
    ),
    topic(r"\?", "Yes, that's fine."),
)
"""A person who says yes. The first topic that fits is answered."""


def answer(*, heard: str, topics: tuple[Topic, ...], otherwise: str = "Okay.") -> str:
    """Return the answer to the last thing Alex brought up; a question weighs more than a statement."""
    sentences = re.findall(r"[^.?!]+[.?!]*", heard)
    asked = [sentence for sentence in sentences if sentence.rstrip().endswith("?")]
    for text in (*reversed(asked), heard):
        for one in topics:
            if one.when.search(text):
                return one.answer
    return otherwise


def says_goodbye(heard: str) -> bool:
    """Tell whether Alex is taking his leave (and not asking something after all)."""
    return bool(GOODBYE.search(heard)) and not heard.rstrip().endswith("?")
