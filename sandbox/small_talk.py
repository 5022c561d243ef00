"""What a person answers to what Alex said, by keywords, so that Alex may word things as he likes."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """Something that Alex may bring up, and the ways in which this person answers it."""

    when: re.Pattern[str]
    answers: tuple[str, ...]


def topic(when: str, *answers: str) -> Topic:
    """Return a topic; `when` is a pattern that ignores case."""
    return Topic(re.compile(when, re.IGNORECASE), answers)


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

HERE = topic(
    r"still (there|on the line)|(can|do) you (still )?hear me", "Yes, I'm here.", "Yes, I can hear you."
)
MYSELF = topic(
    r"(speaking|talking) (with|to)\b|am i through to|is this \w+( \w+)?\?",
    "Yes, that's me.",
    "Yes, speaking.",
)
GO_AHEAD = topic(
    PERMISSION, "Sure, go ahead.", "Yes, two minutes are fine.", "Okay, go ahead.", "Yes, what is it about?"
)
FRIENDLY: tuple[Topic, ...] = (
    HERE,
    topic(CONFIRM, "Yes, that's right."),
    MYSELF,
    GO_AHEAD,
    topic(r"how (many|often)", "About four sessions a month.", "Two or three.", "It varies, say five."),
    topic(
        r"what (kind|sort|type)|which (kind|groups|topics)|tell me (a bit )?about",
        "Mostly leadership workshops for small teams.",
        "School staff and parents, usually about twenty people.",
        "Product teams, mostly design thinking.",
        "Charities and community groups.",
    ),
    topic(
        r"matter|important|look(ing)? for|hope|wish",
        "Fair pay, and not too much paperwork.",
        "Being paid on time.",
        "That I choose my own dates.",
    ),
    topic(
        r"(interest|invit|sound|join|sign|send you|note you|like to)\b.*\?",
        "Yes, I'm interested.",
        "Yes, that sounds good.",
        "Sure, I would like that.",
    ),
    topic(r"\?", "Yes, that's fine."),
)
"""A person who says yes. The first topic that fits is answered."""


def brought_up(*, heard: str, topics: tuple[Topic, ...]) -> Topic | None:
    """Return what Alex brought up last; a question weighs more than a statement."""
    sentences = re.findall(r"[^.?!]+[.?!]*", heard)
    asked = [sentence for sentence in sentences if sentence.rstrip().endswith("?")]
    texts = (*reversed(asked), heard)
    return next((one for text in texts for one in topics if one.when.search(text)), None)


def says_goodbye(heard: str) -> bool:
    """Tell whether Alex is taking his leave (and not asking something after all)."""
    return bool(GOODBYE.search(heard)) and not heard.rstrip().endswith("?")
