"""Typing with Alex: the same conversation on a terminal."""

from __future__ import annotations

import asyncio

import pytest

from agentworker.talk import ConsoleLine, talk
from tests.agent_kit import Reply, a_brief, groq_stub, model_settings, tool

pytestmark = pytest.mark.integration


class TestTalk:
    async def test_prints_what_is_said_noted_and_decided(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ConsoleLine, "seconds_a_piece", 0.001)
        keyboard, screen = asyncio.StreamReader(), []
        keyboard.feed_data(b"Hello?\n")

        def show(text: str) -> None:
            screen.append(text)
            if text.endswith("minute?"):
                keyboard.feed_data(b"Put me down.\n")

        async with groq_stub() as groq:
            groq.replies = [
                Reply(
                    "", [tool("take_note", text="Leads a choir."), tool("mark_interested", reason="likes it")]
                ),
                Reply("Goodbye then.", [tool("end_call")]),
            ]
            await asyncio.wait_for(
                talk(brief=a_brief(), models=model_settings(groq.url), read=keyboard, write=show), 20
            )
        shown = "".join(screen)
        for part in (
            "Hello, this is Alex, an AI assistant",
            "[note] Leads a choir.",
            "[tool] mark_interested",
            "[outcome] disposition=interested",
            "Goodbye then.",
            "[end] n_turns=4 n_notes=1 ended_by=alex",
        ):
            assert part in shown, shown

    async def test_hangs_up_when_the_input_ends(self) -> None:
        keyboard = asyncio.StreamReader()
        screen: list[str] = []
        keyboard.feed_eof()
        async with groq_stub() as groq:
            await asyncio.wait_for(
                talk(brief=a_brief(), models=model_settings(groq.url), read=keyboard, write=screen.append), 20
            )
        assert "ended_by=callee" in "".join(screen)
