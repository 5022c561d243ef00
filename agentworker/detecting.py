"""LiveKit's detector of answering machines, asked beside the greeting and with our own model only."""

from __future__ import annotations

from livekit.agents import AMD, AgentSession, AMDCategory

from agentworker.answering import judge_words
from outreach.domain.disposition import AnsweredBy

_VERDICTS: dict[AMDCategory, AnsweredBy] = {
    AMDCategory.HUMAN: AnsweredBy.HUMAN,
    AMDCategory.MACHINE_VM: AnsweredBy.VOICEMAIL,
    AMDCategory.MACHINE_IVR: AnsweredBy.IVR,
    AMDCategory.MACHINE_UNAVAILABLE: AnsweredBy.UNAVAILABLE,
}


async def detect(*, session: AgentSession[None], person: str, speech_within: float) -> AnsweredBy:
    """Return who picked up, judged from what the participant `person` says.

    The detector holds Alex's speech until it has judged; it is let go at once, since that would be
    silence for 0.9 s after a "hello" and for `speech_within` without one.

    :param speech_within: seconds after which somebody who says nothing is `uncertain`.
    """
    async with AMD(
        session,
        llm=None,
        stt=None,
        ivr_detection=False,
        participant_identity=person,
        suppress_compatibility_warning=True,
        detection_options={
            "machine_silence_threshold": 0.8,
            "human_silence_threshold": 0.4,
            "no_speech_threshold": speech_within,
            "timeout": 15.0,
        },
    ) as detector:
        if session._activity is not None:
            session._activity._resume_authorization()  # what the detector itself does; not public
        verdict = await detector.execute()
    if judge_words(verdict.transcript) is AnsweredBy.SCREENING:
        return AnsweredBy.SCREENING
    return _VERDICTS.get(verdict.category, AnsweredBy.UNCERTAIN)
