"""What follows from a model that fails in a call: one more try, or the end."""

from __future__ import annotations

from livekit.agents import APIStatusError, llm, stt, tts

from outreach.domain.disposition import EndedBy

#: A key that is not known, a model that is forbidden or gone: another try changes nothing.
_FOR_GOOD = frozenset({401, 403, 404})
_TERMS = "model_terms_required"
"""Groq's code, with status 400, for a model whose terms nobody has accepted."""


class ModelFailures:
    """Counts failures in a row, of thinking and of hearing."""

    def __init__(self) -> None:
        self._thinking = 0
        self._hearing = 0

    def thought(self) -> None:
        """Note that the model that thinks works."""
        self._thinking = 0

    def heard(self) -> None:
        """Note that the model that hears works."""
        self._hearing = 0

    def count(self, error: object) -> EndedBy | None:
        """Count one failure; return why the call must end, or None when one more try is due.

        Without a voice there is no second try: whatever is said would not be heard.
        """
        if isinstance(error, llm.LLMError):
            self._thinking += 1
            return EndedBy.LLM_FAILURE if self._thinking > 1 or stays_so(error.error) else None
        if isinstance(error, stt.STTError):
            self._hearing += 1
            return EndedBy.STT_FAILURE if self._hearing > 1 or stays_so(error.error) else None
        return EndedBy.TTS_FAILURE if isinstance(error, tts.TTSError) else None


def stays_so(error: Exception) -> bool:
    """Tell whether a model refuses for a reason that only a person can remove."""
    if not isinstance(error, APIStatusError):
        return False
    return error.status_code in _FOR_GOOD or _TERMS in str(error.body)
