"""What one conversation asked of the models, added up as the product counts its cost."""

from __future__ import annotations

from livekit.agents.metrics import AgentSessionUsage, LLMModelUsage, STTModelUsage, TTSModelUsage

from outreach.domain.contracts import Usage


def usage_of(counted: AgentSessionUsage) -> Usage:
    """Return the sums of a session's usage; a kind of model that was not used has no name.

    Answers that were broken off count with what was reported of them, which may be nothing.
    """
    thinking = [one for one in counted.model_usage if isinstance(one, LLMModelUsage)]
    hearing = [one for one in counted.model_usage if isinstance(one, STTModelUsage)]
    speaking = [one for one in counted.model_usage if isinstance(one, TTSModelUsage)]
    return Usage(
        llm_input_tokens=sum(one.input_tokens for one in thinking),
        llm_output_tokens=sum(one.output_tokens for one in thinking),
        stt_seconds=sum(one.audio_duration for one in hearing),
        tts_characters=sum(one.characters_count for one in speaking),
        llm_model=_name(thinking),
        stt_model=_name(hearing),
        tts_model=_name(speaking),
    )


def _name(used: list[LLMModelUsage] | list[STTModelUsage] | list[TTSModelUsage]) -> str:
    return used[0].model if used else ""
