"""Whole calls with real audio: the production worker in rooms of a real livekit-server."""

from __future__ import annotations

import time

import pytest

from outreach.models import Call, Turn
from tests.voice.calling import answered_call
from tests.voice.conftest import Production, eventually, in_database, webhooks_of

pytestmark = [pytest.mark.functional, pytest.mark.timeout(120)]


class TestCallee:
    async def test_hears_the_greeting_speaks_is_answered_and_hangs_up(self, production: Production) -> None:
        call_id, person = await answered_call(production)
        await person.say("Hello?")
        heard = await person.hear()
        print("HEARD", heard, person.leg.earpiece.sounds_at[0] - person.leg.connected_at)
        for line in ("Yes, that's fine.", "That sounds interesting."):
            await person.say(line)
            quiet = person.leg.microphone.quiet_since
            heard = await person.hear()
            print(
                "HEARD", heard, [round(s - quiet, 2) for s in person.leg.earpiece.sounds_at if s > quiet][:1]
            )
        await person.hang_up()
        call = await eventually(
            lambda: Call.objects.filter(pk=call_id, end_received_at__isnull=False).first()
        )
        print(call.__dict__)
        print(
            await in_database(
                lambda: list(Turn.objects.filter(call_id=call_id).values_list("seq", "speaker", "text"))
            )
        )
        print(await in_database(lambda: webhooks_of(call_id)))
