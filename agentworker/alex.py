"""Alex: the agent with his instructions and tools. Each tool is a thin door to `CallActions`."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Protocol

from livekit import rtc
from livekit.agents import Agent, ModelSettings, RunContext, StopResponse, ToolError, function_tool, llm

from agentworker.actions import CallActions, ImpossibleAction
from agentworker.speech_cuts import SpeechCutter
from outreach.domain.contracts import Stage
from outreach.domain.disposition import Disposition


class Talk(Protocol):
    """What Alex asks of the conversation that he is in."""

    @property
    def may_reply(self) -> bool:
        """Tell whether the model answers what the person says."""

    def turn_taken(self, text: str) -> None:
        """Note that the session has a turn of the person's."""

    def opt_out_understood(self) -> None:
        """End the call kindly: the person must never be called again."""

    def wants_to_hang_up(self) -> None:
        """End the call when what Alex is saying has been said."""


class Alex(Agent):
    """The voice of one call."""

    def __init__(self, *, instructions: str, actions: CallActions, talk: Talk) -> None:
        super().__init__(instructions=instructions)
        self._actions = actions
        self._talk = talk

    async def on_user_turn_completed(self, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        """Keep the model silent while the opening line is due or the call is ending."""
        del turn_ctx
        self._talk.turn_taken(new_message.text_content or "")
        if not self._talk.may_reply:
            await self.remember("user", new_message.text_content or "")
            raise StopResponse

    async def remember(self, role: llm.ChatRole, text: str) -> None:
        """Add to what the model knows of the conversation without asking it for an answer."""
        context = self.chat_ctx.copy()
        context.add_message(role=role, content=text)
        await self.update_chat_ctx(context)

    async def tts_node(
        self, text: AsyncIterable[str], model_settings: ModelSettings
    ) -> AsyncIterator[rtc.AudioFrame]:
        """Speak in requests that the voice accepts: nothing in the plugin cuts them."""
        del model_settings
        async for piece in _pieces(text):
            async with self.session.tts.synthesize(  # type: ignore[union-attr]
                piece, conn_options=self.session.conn_options.tts_conn_options
            ) as speech:
                async for audio in speech:
                    yield audio.frame

    @function_tool
    async def take_note(self, text: str) -> str:
        """Keep something worth knowing about this person: what they do, ask, or care about.

        Args:
            text: one sentence
        """
        return _tried(lambda: self._actions.take_note(text=text))

    @function_tool
    async def next_stage(self, stage: Stage) -> str:
        """Say that the conversation moves on to another stage: permission, pitch, questions or close.

        Args:
            stage: the stage that begins now
        """
        return _tried(lambda: self._actions.next_stage(stage=stage))

    @function_tool
    async def schedule_callback(self, ctx: RunContext[None], when: str, reason: str) -> str:
        """Agree a time at which you call this person again, because they asked for it.

        Args:
            when: date and time in the person's own time zone, ISO 8601, for example 2026-03-24T15:00
            reason: why then, in a few words
        """
        _uninterrupted(ctx)
        return _tried(lambda: self._actions.agree_callback(when=when, reason=reason, by="alex"))

    @function_tool
    async def ask_for_human(self, ctx: RunContext[None], reason: str, when: str) -> str:
        """Arrange that a human colleague calls back, because the person wants to speak with a human.

        Args:
            reason: what they want to speak about, in a few words
            when: date and time in the person's own time zone, ISO 8601; empty when they named none
        """
        _uninterrupted(ctx)
        return _tried(lambda: self._actions.ask_for_human(reason=reason, when=when))

    @function_tool
    async def mark_interested(self, ctx: RunContext[None], reason: str) -> str:
        """Record that the person is interested in joining.

        Args:
            reason: what interests them, in a few words
        """
        _uninterrupted(ctx)
        self._actions.record_outcome(Disposition.INTERESTED, reason=reason)
        return "Recorded. Say what happens next, thank them, say goodbye and end the call."

    @function_tool
    async def mark_not_interested(self, ctx: RunContext[None], reason: str) -> str:
        """Record that the person does not want to join.

        Args:
            reason: why, in a few words
        """
        _uninterrupted(ctx)
        self._actions.record_outcome(Disposition.NOT_INTERESTED, reason=reason)
        return "Recorded. Do not try to persuade. Thank them for their time, say goodbye and end the call."

    @function_tool
    async def wrong_person(self, ctx: RunContext[None], reason: str) -> str:
        """Record that this number does not belong to the person that we want to reach.

        Args:
            reason: what they said, in a few words
        """
        _uninterrupted(ctx)
        self._actions.record_outcome(Disposition.WRONG_PERSON, reason=reason)
        return "Recorded. Apologise for the disturbance, say goodbye and end the call."

    @function_tool
    async def stop_calling_me(self, ctx: RunContext[None]) -> None:
        """Record that the person never wants to be called again. This ends the call."""
        _uninterrupted(ctx)
        self._actions.opt_out(how="tool")
        self._talk.opt_out_understood()

    @function_tool
    async def end_call(self, ctx: RunContext[None]) -> None:
        """Hang up. Only together with or after your goodbye."""
        _uninterrupted(ctx)
        ctx.speech_handle.add_done_callback(lambda _: self._talk.wants_to_hang_up())


def _uninterrupted(ctx: RunContext[None]) -> None:
    """Do not let the person's voice cancel a side effect half way."""
    if not ctx.speech_handle.interrupted:
        ctx.disallow_interruptions()


def _tried(act: Callable[[], str]) -> str:
    try:
        return act()
    except ImpossibleAction as exc:
        raise ToolError(str(exc)) from None


async def _pieces(text: AsyncIterable[str]) -> AsyncIterator[str]:
    cutter = SpeechCutter()
    async for chunk in text:
        for piece in cutter.push(chunk):
            yield piece
    for piece in cutter.finish():
        yield piece
