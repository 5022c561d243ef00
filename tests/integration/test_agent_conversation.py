"""Whole calls on a line made of memory, with a model that does as the script says: how each one ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from agentworker import sentences
from agentworker.reporter import Permission
from outreach.domain.contracts import Limits
from outreach.domain.disposition import AnsweredBy, Disposition, EndedBy
from tests.agent_kit import Callee, GroqStub, Held, MemoryReporter, Reply, a_brief, groq_stub, hold, tool

pytestmark = pytest.mark.integration

GOODBYE = Reply("Goodbye then.", [tool("end_call")])


@pytest.fixture
async def groq() -> AsyncIterator[GroqStub]:
    """A model on this machine."""
    async with groq_stub() as stub:
        yield stub


def saying(*lines: str, hang_up: bool = False, hear_last: bool = True) -> Callable[[Callee], Any]:
    """Return a person who says each line after hearing Alex, then waits or hangs up."""

    async def person(callee: Callee) -> None:
        callee.join()
        callee.say("Hello?")
        for line in lines:
            await callee.hear()
            callee.say(line)
        if hang_up:
            if hear_last:
                await callee.hear()
            callee.hang_up()

    return person


def is_dense(held: Held) -> bool:
    """Tell whether the turns are numbered 1..n as the end says."""
    return [turn.seq for turn in held.reporter.turns] == list(range(1, held.reporter.end.n_turns + 1))


class TestOpening:
    async def test_answers_the_hello_with_the_opening_line_word_for_word(self, groq: GroqStub) -> None:
        groq.replies = [GOODBYE]
        held = await hold(saying("Yes?"), groq=groq)
        turns = [(turn.seq, turn.speaker, turn.text) for turn in held.reporter.turns]
        assert turns == [
            (1, "person", "Hello?"),
            (2, "alex", held.brief.opening_line),
            (3, "person", "Yes?"),
            (4, "alex", "Goodbye then."),
        ]
        assert groq.requests[0]["messages"][-1]["content"] == "Yes?"
        assert held.brief.opening_line in [m["content"] for m in groq.requests[0]["messages"]]

    async def test_speaks_first_to_whoever_says_nothing(self, groq: GroqStub) -> None:
        async def person(callee: Callee) -> None:
            callee.join()
            await callee.hear()
            callee.hang_up()

        held = await hold(person, groq=groq)
        assert held.reporter.turns[0].speaker == "alex"
        assert held.reporter.end.answered_by is AnsweredBy.UNCERTAIN

    async def test_tells_words_while_they_are_spoken_and_spools_each_piece(self, groq: GroqStub) -> None:
        groq.replies = [GOODBYE]
        held = await hold(saying("Yes?"), groq=groq)
        partial = [word.text for word in held.reporter.of_kind("partial") if word.speaker == "alex"]
        assert partial[0] == "Hello, this is Alex, "
        assert "".join(text for seq, text in held.reporter.pieces if seq == 2) == held.brief.opening_line


class TestEnds:
    async def test_by_alex_with_his_goodbye(self, groq: GroqStub) -> None:
        groq.replies = [GOODBYE]
        held = await hold(saying("No thanks."), groq=groq)
        assert held.reporter.end.ended_by is EndedBy.ALEX
        assert held.line.hung_up
        assert held.line.callee.utterances[-1] == "Goodbye then."

    async def test_by_alex_with_the_closing_line_when_the_model_forgot_its_goodbye(
        self, groq: GroqStub
    ) -> None:
        groq.replies = [Reply("", [tool("end_call")])]
        held = await hold(saying("No thanks."), groq=groq)
        assert held.line.callee.utterances[-1] == held.brief.closing_line

    async def test_by_the_person_in_the_middle_of_a_word(self, groq: GroqStub) -> None:
        async def person(callee: Callee) -> None:
            callee.join()
            callee.say("Hello?")
            await callee.heard_piece.wait()
            callee.hang_up()

        held = await hold(person, groq=groq)
        assert held.reporter.end.ended_by is EndedBy.CALLEE
        last = held.reporter.turns[-1]
        assert last.interrupted
        assert held.brief.opening_line.startswith(last.text)
        assert last.text != held.brief.opening_line
        assert [fact.disposition for fact in held.reporter.of_kind("outcome")] == [Disposition.HUNG_UP]
        assert is_dense(held)

    async def test_in_silence_after_asking_whether_anybody_is_there(self, groq: GroqStub) -> None:
        brief = a_brief(limits=Limits(silence=0.1, silence_prompts=2, max_duration=30, closing_at=25))
        held = await hold(saying(), groq=groq, brief=brief)
        assert held.reporter.end.ended_by is EndedBy.SILENCE
        spoken = held.line.callee.utterances
        assert spoken[1:] == [*sentences.STILL_THERE, sentences.SILENCE_GOODBYE]

    async def test_at_the_maximum_length_with_a_warning_and_the_closing_line(self, groq: GroqStub) -> None:
        brief = a_brief(limits=Limits(max_duration=0.8, closing_at=0.3, silence=5))
        held = await hold(saying(), groq=groq, brief=brief)
        assert held.reporter.end.ended_by is EndedBy.MAX_DURATION
        assert held.line.callee.utterances[1:] == [sentences.TIME_IS_SHORT, brief.closing_line]

    async def test_with_an_apology_when_the_model_is_down(self, groq: GroqStub) -> None:
        groq.replies = [Reply(status=400)]
        held = await hold(saying("Yes?"), groq=groq)
        assert held.reporter.end.ended_by is EndedBy.LLM_FAILURE
        assert held.line.callee.utterances[-1] == sentences.APOLOGY
        assert is_dense(held)

    async def test_at_once_when_the_model_refuses_for_good(self, groq: GroqStub) -> None:
        groq.replies = [Reply(status=401)]
        held = await hold(saying("Yes?"), groq=groq)
        assert held.reporter.end.ended_by is EndedBy.LLM_FAILURE
        assert held.line.callee.utterances[-1] == sentences.APOLOGY
        assert len(groq.requests) == 1

    async def test_not_when_the_model_fails_only_once(self, groq: GroqStub) -> None:
        groq.replies = [Reply(status=400), GOODBYE]
        held = await hold(saying("Yes?"), groq=groq)
        assert held.reporter.end.ended_by is EndedBy.ALEX
        assert sentences.APOLOGY not in held.line.callee.utterances

    async def test_when_the_room_is_gone(self, groq: GroqStub) -> None:
        async def person(callee: Callee) -> None:
            callee.join()
            callee.say("Hello?")
            await callee.hear()
            callee.room_is_deleted()

        held = await hold(person, groq=groq)
        assert held.reporter.end.ended_by is EndedBy.ROOM_CLOSED

    async def test_when_nobody_comes(self, groq: GroqStub) -> None:
        brief = a_brief(limits=Limits(join_timeout=0.2))
        held = await hold(None, groq=groq, brief=brief)
        assert held.reporter.end.ended_by is EndedBy.NOBODY_CAME
        assert held.reporter.end.n_turns == 0
        assert held.line.hung_up

    async def test_when_the_worker_is_stopped(self, groq: GroqStub) -> None:
        reporter = MemoryReporter()
        task = asyncio.create_task(hold(saying(), groq=groq, reporter=reporter))
        while not reporter.turns:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert reporter.end.ended_by is EndedBy.WORKER_STOPPED


class TestMachines:
    async def test_hangs_up_on_a_mailbox_without_a_word(self, groq: GroqStub) -> None:
        async def mailbox(callee: Callee) -> None:
            callee.join()
            callee.say("Please leave a message after the tone.")

        held = await hold(mailbox, groq=groq)
        assert (held.reporter.end.ended_by, held.reporter.end.answered_by) == (
            EndedBy.MACHINE,
            AnsweredBy.VOICEMAIL,
        )
        assert held.line.callee.utterances == []

    async def test_leaves_the_message_when_it_may(self, groq: GroqStub) -> None:
        async def mailbox(callee: Callee) -> None:
            callee.join()
            callee.say("Please leave a message after the tone.")

        brief = a_brief(hang_up_on_voicemail=False, voicemail_line="This is Alex, an AI, for Commons.")
        held = await hold(mailbox, groq=groq, brief=brief)
        assert held.line.callee.utterances == ["This is Alex, an AI, for Commons."]
        assert [fact.disposition for fact in held.reporter.of_kind("outcome")] == [Disposition.LEFT_VOICEMAIL]

    async def test_notices_a_mailbox_that_starts_late(self, groq: GroqStub) -> None:
        async def mailbox(callee: Callee) -> None:
            callee.join()
            await callee.hear()
            callee.say("Nobody is here. Please leave a message after the tone.")

        held = await hold(mailbox, groq=groq)
        assert held.reporter.end.ended_by is EndedBy.MACHINE
        assert groq.requests == []

    async def test_answers_a_screening_service_and_talks_to_who_comes_on(self, groq: GroqStub) -> None:
        async def screened(callee: Callee) -> None:
            callee.join()
            callee.say("Please state your name and why you are calling.")
            await callee.hear()
            callee.say("Thank you. Please stay on the line.")
            callee.say("Hi, this is Ana.")
            await callee.hear()

        groq.replies = [GOODBYE]
        held = await hold(screened, groq=groq)
        assert held.line.callee.utterances == [held.brief.opening_line, "Goodbye then."]
        assert len(groq.requests) == 1
        assert held.reporter.end.answered_by is AnsweredBy.HUMAN


class TestStop:
    async def test_acts_on_the_words_before_the_model_is_even_asked(self, groq: GroqStub) -> None:
        held = await hold(saying("Stop calling me!"), groq=groq)
        (fact,) = held.reporter.of_kind("opt_out")
        assert (fact.how, fact.evidence_seq) == ("phrase", 3)
        assert held.reporter.end.ended_by is EndedBy.OPT_OUT
        assert held.line.callee.utterances[-1] == sentences.OPT_OUT_GOODBYE
        assert groq.requests == []

    async def test_acts_on_the_tool_at_once(self, groq: GroqStub) -> None:
        groq.replies = [Reply("", [tool("stop_calling_me")])]
        held = await hold(saying("I would rather not hear from you people."), groq=groq)
        assert [fact.how for fact in held.reporter.of_kind("opt_out")] == ["tool"]
        assert held.reporter.end.ended_by is EndedBy.OPT_OUT

    async def test_records_a_stop_whose_speaker_has_hung_up_already(self, groq: GroqStub) -> None:
        held = await hold(saying("Stop calling me!", hang_up=True, hear_last=False), groq=groq)
        assert len(held.reporter.of_kind("opt_out")) == 1

    async def test_understands_last_words_that_nobody_answered(self, groq: GroqStub) -> None:
        groq.replies = [Reply("", [tool("stop_calling_me")])]
        held = await hold(saying("I want no part of this ever.", hang_up=True, hear_last=False), groq=groq)
        (fact,) = held.reporter.of_kind("opt_out")
        assert fact.how == "last_words"
        kinds = [fact.kind for fact in held.reporter.facts]
        assert kinds.index("opt_out") < kinds.index("end")

    async def test_ends_the_call_all_the_same_when_the_model_is_down(self, groq: GroqStub) -> None:
        groq.replies = [Reply(status=400)]
        held = await hold(saying("Whatever.", hang_up=True, hear_last=False), groq=groq)
        assert held.reporter.end.ended_by is EndedBy.CALLEE


class TestReady:
    async def test_leaves_without_a_word_when_told_to(self, groq: GroqStub) -> None:
        reporter = MemoryReporter(permissions=[Permission.LEAVE])
        held = await hold(None, groq=groq, reporter=reporter)
        assert not held.was_ours
        assert held.line.left
        assert not held.line.hung_up
        assert reporter.facts == reporter.words == []

    async def test_leaves_when_told_so_while_waiting(self, groq: GroqStub) -> None:
        reporter = MemoryReporter(permissions=[Permission.STAY, Permission.LEAVE])
        held = await hold(None, groq=groq, reporter=reporter)
        assert not held.was_ours
        assert reporter.facts == []

    async def test_asks_again_while_the_product_does_not_answer_and_then_leaves(self, groq: GroqStub) -> None:
        reporter = MemoryReporter(permissions=[Permission.UNKNOWN] * 100)
        held = await hold(None, groq=groq, reporter=reporter)
        assert not held.was_ours
        assert reporter.readies > 3

    async def test_stays_fresh_until_the_person_joins(self, groq: GroqStub) -> None:
        async def late(callee: Callee) -> None:
            await asyncio.sleep(0.1)
            await asyncio.sleep(0.1)
            callee.join()
            callee.hang_up()

        reporter = MemoryReporter()
        await hold(late, groq=groq, reporter=reporter)
        assert reporter.readies >= 3


class TestTools:
    async def test_agrees_a_callback_in_the_persons_zone(self, groq: GroqStub) -> None:
        groq.replies = [
            Reply("", [tool("schedule_callback", when="2026-03-25T15:00", reason="busy")]),
            GOODBYE,
        ]
        held = await hold(saying("Call me tomorrow at three."), groq=groq)
        (fact,) = held.reporter.of_kind("callback")
        assert fact.promised_at == datetime(2026, 3, 25, 14, 0, tzinfo=UTC)
        assert (fact.by, fact.evidence_seq) == ("alex", 3)
        assert "Wednesday 25 March at 15:00 your time" in groq.said_to_model("tool")[0]

    async def test_refuses_a_callback_in_the_past_and_tells_the_model_what_is_possible(
        self, groq: GroqStub
    ) -> None:
        groq.replies = [Reply("", [tool("schedule_callback", when="2026-03-23T15:00", reason="x")]), GOODBYE]
        held = await hold(saying("Call me yesterday."), groq=groq)
        assert held.reporter.of_kind("callback") == []
        assert "Possible from" in groq.said_to_model("tool")[0]
        assert [word.failed for word in held.reporter.of_kind("tool")] == [True, False]

    async def test_promises_a_human_at_the_next_opening(self, groq: GroqStub) -> None:
        groq.replies = [Reply("", [tool("ask_for_human", reason="questions", when="")]), GOODBYE]
        held = await hold(saying("A human, please."), groq=groq)
        assert [fact.by for fact in held.reporter.of_kind("callback")] == ["human"]

    @pytest.mark.parametrize(
        ("name", "disposition"),
        [
            ("mark_interested", Disposition.INTERESTED),
            ("mark_not_interested", Disposition.NOT_INTERESTED),
            ("wrong_person", Disposition.WRONG_PERSON),
        ],
    )
    async def test_records_what_was_achieved(
        self, name: str, disposition: Disposition, groq: GroqStub
    ) -> None:
        groq.replies = [Reply("", [tool(name, reason="they said so")]), GOODBYE]
        held = await hold(saying("Well."), groq=groq)
        assert [fact.disposition for fact in held.reporter.of_kind("outcome")] == [disposition]

    async def test_takes_notes_and_moves_through_the_stages(self, groq: GroqStub) -> None:
        groq.replies = [
            Reply("", [tool("take_note", text="Leads a choir."), tool("next_stage", stage="pitch")]),
            GOODBYE,
        ]
        held = await hold(saying("I lead a choir."), groq=groq)
        (note,) = held.reporter.of_kind("note")
        assert (note.seq, note.text, note.turn_seq) == (1, "Leads a choir.", 3)
        assert [word.stage for word in held.reporter.of_kind("stage")] == ["pitch"]
        assert held.reporter.turns[-1].stage == "pitch"
        assert held.reporter.end.n_notes == 1

    @pytest.mark.parametrize(
        "broken",
        [
            ("schedule_callback", '{"when": '),
            ("schedule_callback", "not json"),
            ("schedule_callback", '{"when": null}'),
            ("next_stage", '{"stage": "party"}'),
            ("take_note", '{"text": ""}'),
            ("fly_to_the_moon", "{}"),
        ],
    )
    async def test_gives_broken_calls_back_to_the_model(
        self, broken: tuple[str, str], groq: GroqStub
    ) -> None:
        groq.replies = [Reply("", [broken]), GOODBYE]
        held = await hold(saying("Well."), groq=groq)
        assert held.reporter.end.ended_by is EndedBy.ALEX
        assert [fact.kind for fact in held.reporter.facts] == ["answered", "end"]
        assert held.reporter.of_kind("tool")[0].failed


class TestTurns:
    async def test_are_dense_over_both_speakers_when_alex_is_interrupted(self, groq: GroqStub) -> None:
        async def person(callee: Callee) -> None:
            callee.join()
            callee.say("Hello?")
            await callee.heard_piece.wait()
            callee.speaking()
            await callee.hear()
            callee.say("Who is this?")

        groq.replies = [GOODBYE]
        held = await hold(person, groq=groq)
        assert [(turn.seq, turn.speaker, turn.interrupted) for turn in held.reporter.turns] == [
            (1, "person", False),
            (2, "alex", True),
            (3, "person", False),
            (4, "alex", False),
        ]
        assert is_dense(held)

    async def test_show_that_the_person_is_speaking(self, groq: GroqStub) -> None:
        async def person(callee: Callee) -> None:
            callee.join()
            callee.speaking()
            callee.say("Stop calling me")

        held = await hold(person, groq=groq)
        assert [word.text for word in held.reporter.of_kind("partial") if word.speaker == "person"] == [""]
