"""Whole calls with real audio: the production worker in rooms of a real livekit-server."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from uuid import UUID

import pytest
from django.conf import settings

from outreach.domain.call_status import CallStatus
from outreach.domain.disposition import AnsweredBy, Disposition, EndedBy
from outreach.models import Call, Turn
from outreach.services import clock
from outreach.services.briefing import brief_for
from tests.factories import a_campaign, a_person, claim
from tests.voice.calling import answered_call
from tests.voice.conftest import Production, eventually, in_database, webhooks_of

pytestmark = [pytest.mark.functional, pytest.mark.timeout(120)]


async def end_of(call_id: UUID) -> Call:
    """Return a call once its end was reported and all that was said in it is stored."""

    def complete() -> Call | None:
        call = Call.objects.filter(pk=call_id, end_received_at__isnull=False).first()
        return call if call and Turn.objects.filter(call=call).count() == call.n_turns else None

    call: Call = await eventually(complete)
    return call


async def turns_of(call: Call) -> list[tuple[str, str]]:
    """Return who said what."""
    return await in_database(
        lambda: list(Turn.objects.filter(call=call).order_by("seq").values_list("speaker", "text"))
    )


class TestCall:
    async def test_is_a_conversation_that_the_person_ends(self, production: Production) -> None:
        call_id, person = await answered_call(production)
        greeting = await person.hear()
        production.measured.add("leg joined → first audible sample", person.greeted_after)
        said = ["Yes, that's fine.", "That sounds interesting."]
        answers = []
        for line in said:
            await person.say(line)
            production.measured.add("callee silent → Alex audible", await person.is_answered())
            answers.append(await person.hear())
        await person.hang_up()
        call = await end_of(call_id)
        assert (call.ended_by, call.answered_by) == (EndedBy.CALLEE, AnsweredBy.HUMAN)
        assert await turns_of(call) == [
            ("alex", greeting),
            ("person", said[0]),
            ("alex", answers[0]),
            ("person", said[1]),
            ("alex", answers[1]),
        ]

    async def test_is_told_by_signed_webhooks_of_the_room_server(self, production: Production) -> None:
        call_id, person = await answered_call(production)
        await person.hear()
        await person.hang_up()
        expected = {
            "room_started",
            "participant_joined AGENT",
            "participant_joined SIP",
            "participant_left SIP",
            "room_finished",
        }
        await eventually(lambda: expected <= webhooks_of(call_id))

    async def test_goes_on_after_a_hello_beside_the_greeting(self, production: Production) -> None:
        call_id, person = await answered_call(production)
        await person.say("Hello?")
        assert (await person.hear()).startswith("Hi Person")
        await person.say("Yes, I have time.")
        await person.hear()
        await person.hang_up()
        call = await end_of(call_id)
        speakers = [speaker for speaker, _ in await turns_of(call)]
        assert speakers.count("alex") == 2

    async def test_is_over_when_the_person_hangs_up_in_the_middle_of_a_word(
        self, production: Production
    ) -> None:
        call_id, person = await answered_call(production)
        await person.hear()
        speaking = asyncio.create_task(person.say("I would rather not talk about such things at all."))
        await asyncio.sleep(0.5)
        await person.hang_up()
        await speaking
        call = await end_of(call_id)
        assert call.ended_by == EndedBy.CALLEE

    async def test_lets_the_person_interrupt(self, production: Production) -> None:
        call_id, person = await answered_call(production)
        await person.hear()
        await person.say("Yes, go ahead.")
        await person.hear_word()
        began = time.monotonic()
        speaking = asyncio.create_task(person.say("Sorry, who is calling please, and what is this about?"))
        heard = await person.hear()
        production.measured.add(
            "person begins to interrupt → Alex is silent", person.leg.earpiece.last_sound_at - began
        )
        await speaking
        await person.hang_up()
        call = await end_of(call_id)
        cut = await in_database(lambda: Turn.objects.filter(call=call, interrupted=True).first())
        assert cut is not None
        assert cut.speaker == "alex"
        assert heard.split()[:3] == cut.text.split()[:3]

    async def test_is_ended_by_alex_after_a_no(self, production: Production) -> None:
        call_id, person = await answered_call(production)
        await person.hear()
        await person.say("No thank you, I'm not interested.")
        assert "oodbye" in await person.hear()
        assert await person.until_ended() == "ROOM_DELETED"
        call = await end_of(call_id)
        assert (call.ended_by, call.disposition) == (EndedBy.ALEX, Disposition.NOT_INTERESTED)

    async def test_is_over_when_the_room_is_deleted(self, production: Production) -> None:
        call_id, person = await answered_call(production)
        await person.hear_word()
        await asyncio.to_thread(production.rooms.delete_room, f"call-{call_id}")
        assert await person.until_ended() == "ROOM_DELETED"
        call = await end_of(call_id)
        assert call.ended_by == EndedBy.ROOM_CLOSED


class TestNobody:
    async def test_is_waited_for_only_so_long(self, production: Production) -> None:
        def prepared() -> Call:
            call = claim(a_person(a_campaign()))
            now = clock.now()
            call.move_to(CallStatus.PREPARING, preparing_at=now, deadline_at=now + timedelta(minutes=1))
            call = Call.objects.select_related("campaign", "script", "facilitator").get(pk=call.pk)
            brief = brief_for(call, now=now)
            limits = brief.limits.model_copy(update={"join_timeout": 2.0})
            production.rooms.prepare_room(
                room=call.room,
                agent_name=settings.AGENT_NAME,
                metadata=brief.model_copy(update={"limits": limits}).model_dump_json(),
                empty_timeout=60,
            )
            return call

        call = await end_of((await in_database(prepared)).pk)
        assert call.ended_by == EndedBy.NOBODY_CAME
        await eventually(lambda: production.rooms.room_state(call.room) is None)
