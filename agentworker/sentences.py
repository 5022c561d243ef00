"""What Alex says word for word when no model is asked: short, kind, and never a promise he cannot keep."""

from __future__ import annotations

STILL_THERE: tuple[str, ...] = (
    "Are you still there?",
    "I can't hear you at the moment. Can you hear me?",
)
SILENCE_GOODBYE = "I can't hear you, so I will end the call here. Have a good day, goodbye."
SORRY_SAY_AGAIN = "Sorry, I did not catch that. Could you say it again, please?"
APOLOGY = "I am sorry, I have a technical problem on my side and have to end the call here. Goodbye."
OPT_OUT_GOODBYE = (
    "I understand. Your number is off our list, and we will not call you again. "
    "I am sorry for the disturbance. Goodbye."
)
TIME_IS_SHORT = "We are nearly out of time, so let me come to the end."


def still_there(prompt: int) -> str:
    """Return what is asked in the `prompt`-th silence, counted from 0."""
    return STILL_THERE[min(prompt, len(STILL_THERE) - 1)]
