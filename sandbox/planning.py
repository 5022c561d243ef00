"""What the scripted model does about the person's last words: tools, a line, and whether that is the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sandbox import alex_lines as lines
from sandbox.alex_lines import Asked, asked_by
from sandbox.dialogue import Dialogue, Used
from sandbox.spoken_times import named_time
from sandbox.understanding import Wish, understand

AfterTools = Callable[[Sequence[Used]], str]
HUNG_UP = re.compile(r"the person has hung up", re.IGNORECASE)
_WHAT_FOR = re.compile(r"what (is|'s|s) (this|it|that) (all )?about|what do you want|what for", re.IGNORECASE)
"""Asked instead of giving leave to go on; the pitch is the answer."""
_OFFERS = frozenset({Asked.INTEREST, Asked.INVITATION})
MISUNDERSTANDINGS = 3
"""After so many utterances that fit nothing Alex takes his leave."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Tools first, then a line (one of several wordings), then perhaps the end of the call."""

    lines: Sequence[str]
    tools: tuple[str, ...] = ()
    meaning: Mapping[str, str] = field(default_factory=dict)
    """What the tools' arguments say, by kind: stage, when, reason, note."""
    ends: bool = False
    after: AfterTools | None = None
    """Words that depend on what the tools answered."""


def make_plan(dialogue: Dialogue) -> Plan:
    """Return what to do now."""
    if HUNG_UP.search(dialogue.instructions):
        return _nobody_listens(dialogue)
    if dialogue.answered_already and not dialogue.used_now:
        return _unprompted(dialogue)
    said = dialogue.last_heard
    wish = understand(said)
    asked = asked_by(_line_before(dialogue))
    if wish in _AT_ONCE:
        return _at_once(wish, said)
    if wish is Wish.HUMAN:
        return _human(dialogue, said)
    if asked in {Asked.TIME, Asked.HUMAN_TIME, Asked.AGREED} or wish is Wish.LATER:
        return _about_time(dialogue, said=said, wish=wish, asked=asked)
    if wish is Wish.QUESTION and not (asked is Asked.PERMISSION and _WHAT_FOR.search(said)):
        return _answer(dialogue, said=said, asked=asked)
    if wish is Wish.NO:
        return _at_once(Wish.NOT_INTERESTED, said) if asked in _OFFERS else Plan(lines=lines.ASK_TIME)
    return _onwards(dialogue, said=said, asked=asked)


def _nobody_listens(dialogue: Dialogue) -> Plan:
    """Record what the last words ask for, and nothing that keeps a conversation going."""
    said = dialogue.person_lines[-1]
    wish = understand(said)
    if wish in _LASTING:
        return replace(_at_once(wish, said), ends=False)
    if wish is Wish.HUMAN:
        return _human(dialogue, said)
    if wish is Wish.LATER and named_time(said, now=dialogue.now) is not None:
        return _about_time(dialogue, said=said, wish=wish, asked=Asked.NOTHING)
    return Plan(lines=lines.NOTHING_ASKED)


def _line_before(dialogue: Dialogue) -> str:
    """Return Alex's last question; words that asked for nothing, or only for a sign of life, are skipped."""
    for line in reversed(dialogue.alex_lines):
        if asked_by(line) not in {Asked.NOTHING, Asked.PRESENCE}:
            return line
    return ""


def _unprompted(dialogue: Dialogue) -> Plan:
    """Speak although nobody has said anything: the session asked for words."""
    if re.search(
        r"good-?bye|take (your )?leave|end the call", dialogue.instructions.splitlines()[-1].lower()
    ):
        return Plan(lines=lines.LEAVING, ends=True)
    return Plan(lines=lines.PRESENCE)


def _onwards(dialogue: Dialogue, *, said: str, asked: Asked) -> Plan:
    """Go to the next step of the script: permission, pitch, two or three questions, invitation, welcome."""
    if asked is Asked.INVITATION:
        meaning = {"reason": f"They said: {said}", "note": said}
        return Plan(lines=lines.WELCOME, tools=("mark_interested",), meaning=meaning, ends=True)
    if asked is Asked.QUESTION:
        number = _questions_asked(dialogue)
        meaning = {"note": f"{lines.NOTED_AS[number - 1]}: {said}", "stage": "close"}
        if number < len(lines.QUESTIONS) - len(dialogue.person_lines[0]) % 2:
            return Plan(lines=lines.QUESTIONS[number : number + 1], tools=("take_note",), meaning=meaning)
        return Plan(lines=lines.INVITATION, tools=("take_note", "next_stage"), meaning=meaning)
    if asked is Asked.INTEREST:
        return Plan(lines=lines.QUESTIONS[:1], tools=("next_stage",), meaning={"stage": "questions"})
    if asked is Asked.PERMISSION:
        return Plan(
            lines=lines.pitch(dialogue.instructions), tools=("next_stage",), meaning={"stage": "pitch"}
        )
    if asked is Asked.FAREWELL:
        return Plan(lines=lines.LEAVING, ends=True)
    return Plan(lines=lines.PERMISSION, tools=("next_stage",), meaning={"stage": "permission"})


def _questions_asked(dialogue: Dialogue) -> int:
    """Return how many of the script's questions were asked; one that was repeated counts once."""
    marks = [question.rsplit(". ", 1)[-1] for question in lines.QUESTIONS]
    return max(1, sum(any(mark in line for line in dialogue.alex_lines) for mark in marks))


def _about_time(dialogue: Dialogue, *, said: str, wish: Wish, asked: Asked) -> Plan:
    """Agree when to call again, or who calls."""
    by_human = asked is Asked.HUMAN_TIME or (asked is Asked.AGREED and _used(dialogue, "ask_for_human"))
    when = _time_in(said, dialogue)
    if when is not None:
        meaning = {"when": when.isoformat(timespec="minutes"), "reason": f"They said: {said}", "note": said}
        tool = "ask_for_human" if by_human else "schedule_callback"
        template = lines.HUMAN_AGREED if by_human else lines.AGREED
        return Plan(lines=lines.UNCLEAR, tools=(tool,), meaning=meaning, after=_read_back(template, when))
    if asked in {Asked.AGREED, Asked.HUMAN_TIME} and wish in {Wish.YES, Wish.STATEMENT, Wish.NOTHING}:
        return Plan(lines=lines.SEE_YOU, ends=True)
    if sum(asked_by(line) is Asked.TIME for line in dialogue.alex_lines) >= MISUNDERSTANDINGS:
        return Plan(lines=lines.LEAVING, ends=True)
    return Plan(lines=lines.ASK_TIME)


def _time_in(said: str, dialogue: Dialogue) -> datetime | None:
    """Return the time that was named, or the first one that Alex proposed if the person says yes to it."""
    named = named_time(said, now=dialogue.now)
    _, proposed, times = (
        dialogue.alex_lines[-1].partition("Possible from") if dialogue.alex_lines else ("", "", "")
    )
    if named is None and proposed and understand(said) is Wish.YES:
        return named_time(times, now=dialogue.now)
    return named


def _read_back(template: str, when: datetime) -> AfterTools:
    def words(used: Sequence[Used]) -> str:
        result = used[-1].result
        if re.search(r"not agreed|not possible|there is no time", result, re.IGNORECASE):
            possible = re.search(r"Possible from .*?\.(?= |$)", result)
            return lines.NOT_POSSIBLE.format(possible=possible[0] if possible else "").replace("  ", " ")
        return template.format(when=_spoken_time(result) or f"{when:%A} {when.day} {when:%B} at {when:%H:%M}")

    return words


def _spoken_time(result: str) -> str:
    found = re.search(r"call back (?:on|from) (.+?) (?=on\.)|call back (?:on|from) ([^.]+)\.", result)
    return (found[1] or found[2]) if found else ""


def _used(dialogue: Dialogue, name: str) -> bool:
    return any(use.name == name for use in dialogue.used)


def _human(dialogue: Dialogue, said: str) -> Plan:
    when = named_time(said, now=dialogue.now)
    meaning = {"reason": "They want to speak with a person.", "note": said}
    if when is not None:
        meaning["when"] = when.isoformat(timespec="minutes")
        return Plan(
            lines=lines.UNCLEAR,
            tools=("ask_for_human",),
            meaning=meaning,
            after=_read_back(lines.HUMAN_AGREED, when),
        )

    def words(used: Sequence[Used]) -> str:
        return lines.HUMAN_CALLS.format(when=_spoken_time(used[-1].result) or "tomorrow")

    return Plan(lines=lines.ASK_TIME, tools=("ask_for_human",), meaning=meaning, after=words)


def _answer(dialogue: Dialogue, *, said: str, asked: Asked) -> Plan:
    """Answer a question and come back to one's own."""
    back = _line_before(dialogue) if asked is not Asked.NOTHING else lines.PERMISSION[0]
    question = re.findall(r"[^.?!]*\?", back)
    answer = lines.fact_about(dialogue.instructions, said)
    return Plan(
        lines=[f"{answer} {question[-1].strip() if question else lines.PERMISSION[0]}"],
        tools=("take_note",),
        meaning={"note": f"They asked: {said}"},
    )


_AT_ONCE: Mapping[Wish, tuple[Sequence[str], tuple[str, ...], bool]] = {
    Wish.STOP: (lines.STOPPED, ("stop_calling_me",), True),
    Wish.WRONG_PERSON: (lines.WRONG_PERSON, ("wrong_person",), True),
    Wish.NOT_INTERESTED: (lines.DECLINED, ("mark_not_interested",), True),
    Wish.NO_ENGLISH: (lines.NO_ENGLISH, ("take_note",), True),
    Wish.SCREENED: (lines.WHO_CALLS, (), False),
    Wish.HOLD: (lines.HOLDING, (), False),
    Wish.LEAVING: (lines.LEAVING, (), True),
}
"""What is done whatever the conversation is about at the moment: words, tools, whether that is the end."""
_LASTING = frozenset({Wish.STOP, Wish.WRONG_PERSON, Wish.NOT_INTERESTED})
"""Wishes among them that outlive the call."""


def _at_once(wish: Wish, said: str) -> Plan:
    words, tools, ends = _AT_ONCE[wish]
    meaning = {"reason": f"They said: {said}", "note": f"They said: {said}"}
    return Plan(lines=words, tools=tools, meaning=meaning, ends=ends)
