"""The personas against a scripted Alex: they react to what he says, and to nothing else."""

from __future__ import annotations

import asyncio
import csv
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from phonenumbers import timezone

from outreach.domain.csv_columns import match_columns
from outreach.domain.csv_person import RowReader
from outreach.domain.csv_rows import ReadRow, RowRules
from sandbox import sample
from sandbox.callees import TABLE, Busy, NoAnswer, NotInService, Persona, Pickup, persona_for, personas
from sandbox.ear import Ear
from sandbox.legs import AlexSaid, AlexSpeaking, Leg, SipInvite
from sandbox.small_talk import FRIENDLY, brought_up, says_goodbye

pytestmark = pytest.mark.unit

OPENING = "Hello Mia, this is Alex, an AI assistant calling for Lumen. Is now a good time for two minutes?"
PITCH = "Lumen finds paid workshops for facilitators. Does that sound interesting to you?"
QUESTION = "Thank you. How many sessions do you run in a usual month?"
GOODBYE = "Thank you for your time. Goodbye."
INVITE = SipInvite(user="call-1", caller="+12125550100", called="+12125550101")

AlexReply = Callable[[str], list[str]]
"""What Alex says to an utterance of the person's; a goodbye ends the call."""


class ScriptedAlex:
    """The other end of a real leg: answers by a function, in two pieces an utterance."""

    def __init__(self, reply: AlexReply, *, opening: str = OPENING) -> None:
        self.reply = reply
        self.opening = opening
        self.heard: list[str] = []
        self.left: str | None = None
        self._utterance = 0
        self.leg = Leg(sid="PA_1", identity="sip_1", invite=INVITE, to_alex=self._hear, leave=self._leave)
        self.leg.pick_up()

    @property
    def said_yes(self) -> bool:
        return any(re.search(r"I'm interested|sounds good|would like that", said) for said in self.heard)

    def say(self, text: str) -> None:
        self._utterance += 1
        half = len(text) // 2
        self.leg.hear(AlexSpeaking(self._utterance, text[:half]))
        self.leg.hear(AlexSpeaking(self._utterance, text[half:]))
        self.leg.hear(AlexSaid(self._utterance, text, interrupted=False))
        if says_goodbye(text):
            self.leg.end(reason="ROOM_DELETED", sip_status=487)

    def _hear(self, frame: dict[str, Any]) -> bool:
        if frame["type"] == "said":
            self.heard.append(frame["text"])
            lines = [self.opening] if len(self.heard) == 1 else self.reply(frame["text"])
            for line in lines:
                self.say(line)
        return True

    def _leave(self, leg: Leg, reason: str) -> None:
        self.left = reason
        leg.end(reason=reason, sip_status=487)


def named(name: str) -> Persona:
    """Return a persona by its name, quick of thought."""
    return next(
        persona_for(f"+121255501{place:02d}", 7, pace=0.05)
        for place, persona in enumerate(TABLE)
        if persona.name == name
    )


def read_rows(path: Path) -> list[ReadRow]:
    """Read a list as the import does."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    rules = RowRules(default_country=sample.CAMPAIGN.default_country, consent_basis="", consent_source="")
    reader = RowReader(columns=match_columns(header), rules=rules)
    return [reader.read(line=line, cells=cells) for line, cells in enumerate(rows, 2)]


@pytest.fixture(scope="module")
def sample_rows() -> list[ReadRow]:
    """Return the sample list as the import reads it."""
    return read_rows(sample.PEOPLE)


async def talk(
    name: str, reply: AlexReply, *, attempt: int = 1, opening: str = OPENING
) -> tuple[ScriptedAlex, Ear]:
    """Let a persona talk with a scripted Alex until the leg is over."""
    alex, ear = ScriptedAlex(reply, opening=opening), Ear()
    await asyncio.wait_for(named(name).talk(alex.leg, attempt=attempt, ear=ear), 5)
    assert alex.leg.ended_reason is not None
    return alex, ear


def onboarding(said: str) -> list[str]:
    """Answer as a patient Alex would, by what was said last."""
    if re.search(r"go ahead|two minutes|what is it about", said):
        return [PITCH]
    if re.search(r"I'm interested|sounds good|would like", said):
        return [QUESTION]
    if "What is this about?" in said:
        return [PITCH]
    if re.search(r"real person|cost|number\?", said):
        return ["I am an AI assistant, and it is free. Does that sound interesting to you?"]
    return [GOODBYE]


class TestTable:
    def test_has_a_place_for_every_last_two_digits(self) -> None:
        assert len(TABLE) == 100

    def test_has_at_least_sixteen_personas_of_different_names(self) -> None:
        names = Counter(persona.name for persona in personas())
        assert len(names) >= 18
        assert set(names.values()) == {1}

    def test_gives_a_number_the_same_persona_whatever_the_seed(self) -> None:
        assert persona_for("+12125550177", 1).name == persona_for("+442079460077", 99).name

    def test_lets_a_fifth_of_the_numbers_fail_on_the_network_at_first(self) -> None:
        failing = [p for p in TABLE if not isinstance(p.pickup(1), Pickup)]
        assert 10 <= len(failing) <= 25

    def test_never_calls_again_whoever_said_no(self) -> None:
        assert {p.name for p in personas() if p.stops} >= {
            "stop_calling",
            "stop_and_hang_up",
            "not_interested",
        }


class TestPickup:
    @pytest.mark.parametrize(
        ("name", "kinds"),
        [
            ("never_answers", [NoAnswer, NoAnswer, NoAnswer]),
            ("answers_second_time", [NoAnswer, Pickup, Pickup]),
            ("busy_first", [Busy, Pickup, Pickup]),
            ("not_in_service", [NotInService, NotInService, NotInService]),
            ("interested", [Pickup, Pickup, Pickup]),
        ],
    )
    def test_depends_on_the_attempt(self, name: str, kinds: list[type]) -> None:
        assert [type(named(name).pickup(attempt)) for attempt in (1, 2, 3)] == kinds


class TestTalk:
    async def test_an_interested_person_agrees_and_answers_until_goodbye(self) -> None:
        alex, ear = await talk("interested", onboarding)
        asked = [OPENING, PITCH, QUESTION]
        for heard, said in zip(asked, alex.heard[1:], strict=True):
            subject = brought_up(heard=heard, topics=FRIENDLY)
            assert subject is not None
            assert said in subject.answers
        assert ear.turns_spoken == len(alex.heard) + 4

    async def test_a_person_with_questions_asks_them_before_saying_yes(self) -> None:
        alex, _ = await talk("interested_with_questions", onboarding)
        assert [said for said in alex.heard if said.endswith("?")][-3:] == [
            "Am I talking to a real person?",
            "What does it cost?",
            "How did you get my number?",
        ]
        assert alex.said_yes

    @pytest.mark.parametrize(
        ("name", "words"),
        [("call_back_tomorrow", "tomorrow at three pm"), ("call_back_in_two_hours", "in two hours")],
    )
    async def test_a_busy_person_asks_for_another_time_and_confirms_it(self, name: str, words: str) -> None:
        def reply(said: str) -> list[str]:
            return ["That is tomorrow at 15:00. Is that right?"] if words in said else [GOODBYE]

        alex, _ = await talk(name, reply)
        assert words in alex.heard[1]
        assert alex.heard[2] == "Yes, that's right."

    async def test_a_busy_person_talks_when_this_is_the_call_they_asked_for(self) -> None:
        opening = "Hello Mia, this is Alex, an AI assistant. You asked me to call today. Is now a good time?"
        alex, _ = await talk("call_back_tomorrow", onboarding, opening=opening, attempt=2)
        assert alex.said_yes

    async def test_a_person_declines_the_pitch(self) -> None:
        alex, _ = await talk("not_interested", lambda said: [GOODBYE] if " not " in f" {said} " else [PITCH])
        assert re.search(r"not (interested|for me)", alex.heard[-1])

    async def test_a_person_says_stop_and_stays_for_the_answer(self) -> None:
        alex, _ = await talk("stop_calling", lambda _: ["We will not call you again. Goodbye."])
        assert "stop calling me" in alex.heard[1]
        assert alex.left is None

    async def test_a_person_interrupts_with_stop_and_is_gone_at_once(self) -> None:
        alex, ear = await talk("stop_and_hang_up", lambda _: [PITCH])
        assert alex.heard[-1] == "Stop calling me!"
        assert alex.left == "CLIENT_INITIATED"
        assert ear.record()["spoken"][-1]["speaker"] in {"person", "alex"}

    async def test_a_silent_person_says_nothing_until_the_line_is_cut(self) -> None:
        alex = ScriptedAlex(onboarding)
        ear = Ear()
        talking = asyncio.create_task(named("silent").talk(alex.leg, attempt=1, ear=ear))
        alex.say(OPENING)
        alex.say(GOODBYE)
        await asyncio.wait_for(talking, 2)
        assert alex.heard == []
        assert ear.turns_spoken == 2

    async def test_a_person_hangs_up_in_the_middle_of_a_sentence(self) -> None:
        alex, ear = await talk("hangs_up_mid_sentence", onboarding)
        assert alex.left == "CLIENT_INITIATED"
        assert ear.turns_spoken == 2

    async def test_a_mailbox_names_itself_and_hangs_up_when_nobody_says_more(self) -> None:
        alex, _ = await talk("voicemail", lambda _: [GOODBYE])
        assert "voicemail" in alex.heard[0]

    async def test_a_screened_person_comes_to_the_phone_after_alex_said_why_he_calls(self) -> None:
        alex, _ = await talk(
            "screening_then_interested", lambda said: [] if "stay on" in said else onboarding(said)
        )
        assert "state your name" in alex.heard[0]
        assert "on the line now" in alex.heard[2]

    async def test_a_person_wants_a_human_and_agrees_to_a_time(self) -> None:
        def reply(said: str) -> list[str]:
            return ["A colleague can call you. What time would suit you?"] if "human" in said else [GOODBYE]

        alex, _ = await talk("wants_human", reply)
        assert "real person" in alex.heard[1]
        assert "eleven" in alex.heard[2]

    @pytest.mark.parametrize("name", [persona.name for persona in personas() if persona.name != "silent"])
    async def test_nobody_talks_for_ever(self, name: str) -> None:
        alex, _ = await talk(name, lambda _: ["Could you tell me one more thing?"])
        assert len(alex.heard) <= 18


class TestBroughtUp:
    @pytest.mark.parametrize(
        ("heard", "expected"),
        [
            (OPENING, "Sure, go ahead."),
            ("Do you have a minute to talk?", "Sure, go ahead."),
            ("Are you still there?", "Yes, I'm here."),
            ("We pay well. Would you like to join?", "Yes, I'm interested."),
            ("So that is Tuesday at nine. Is that right?", "Yes, that's right."),
            ("Shall I note you as interested, so that a colleague writes to you?", "Yes, I'm interested."),
        ],
    )
    def test_finds_what_was_asked(self, heard: str, expected: str) -> None:
        subject = brought_up(heard=heard, topics=FRIENDLY)
        assert subject is not None
        assert expected in subject.answers

    def test_finds_nothing_in_a_mere_statement(self) -> None:
        assert brought_up(heard="We pay well.", topics=FRIENDLY) is None


class TestSample:
    def test_reads_to_the_last_cell(self, sample_rows: list[ReadRow]) -> None:
        assert len(sample_rows) == 24
        assert [row.problems for row in sample_rows if row.problems] == []

    def test_holds_nobody_back(self, sample_rows: list[ReadRow]) -> None:
        assert {row.person.hold_reason for row in sample_rows if row.person} == {""}

    def test_has_every_persona_once_at_least(self, sample_rows: list[ReadRow]) -> None:
        met = {persona_for(row.person.number, 0).name for row in sample_rows if row.person}
        assert met == {persona.name for persona in personas()}

    def test_lives_in_four_zones(self, sample_rows: list[ReadRow]) -> None:
        assert len({row.person.time_zone for row in sample_rows if row.person}) == 4

    def test_is_called_from_numbers_that_nobody_of_it_has(self, sample_rows: list[ReadRow]) -> None:
        assert not {row.person.number for row in sample_rows if row.person} & set(sample.CAMPAIGN.caller_ids)


class TestSamplePeople:
    def test_are_the_same_again_with_the_same_seed(self) -> None:
        assert sample.sample_people(50, 1) == sample.sample_people(50, 1) != sample.sample_people(50, 2)

    def test_have_numbers_of_their_own_in_their_zone(self) -> None:
        people = sample.sample_people(600, 3)
        assert len({person["phone"] for person in people}) == 600
        for person in people[:100]:
            number = phonenumbers.parse(person["phone"])
            assert phonenumbers.is_valid_number(number)
            assert person["timezone"] in timezone.time_zones_for_number(number)

    def test_cover_every_persona(self) -> None:
        met = {persona_for(person["phone"], 0).name for person in sample.sample_people(len(personas()), 4)}
        assert met == {persona.name for persona in personas()}

    def test_are_written_as_a_list_that_the_import_reads(self, tmp_path: Path) -> None:
        sample.write_people(tmp_path / "people.csv", sample.sample_people(40, 5))
        assert [row.problems for row in read_rows(tmp_path / "people.csv") if row.problems] == []


class TestEar:
    def test_counts_an_utterance_of_alex_once_however_many_pieces_were_heard(self) -> None:
        ear = Ear()
        for event in (AlexSpeaking(1, "Hello "), AlexSpeaking(1, "there"), AlexSaid(1, "Hello there", False)):
            ear.hear(event)
        assert ear.record()["spoken"] == [{"speaker": "alex", "text": "Hello there"}]

    def test_counts_an_utterance_of_which_one_piece_was_heard(self) -> None:
        ear = Ear()
        ear.hear(AlexSpeaking(1, "Hel"))
        assert ear.turns_spoken == 1

    def test_ignores_an_utterance_of_which_nothing_was_heard(self) -> None:
        ear = Ear()
        ear.hear(AlexSaid(1, "", True))
        assert ear.turns_spoken == 0
