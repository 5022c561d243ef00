"""Every business default in one place; `docs/defaults.md` says why, a test holds the two together.

All of them are starting values of a campaign's fields, so an operator can edit them per campaign;
only `QUIET_AFTER_OPT_OUT` (for ever) is not a number. Durations are seconds unless named otherwise.
"""

from __future__ import annotations

#: Local intervals per weekday (Monday 0): inside US 8-21, FL/OK/WA 8-20, France 10-13 and 14-20.
CALL_WINDOW: dict[str, list[list[str]]] = {
    str(weekday): [["10:00", "13:00"], ["14:00", "19:00"]] for weekday in range(5)
}
#: Hours for callbacks that the person asked for.
CALLBACK_WINDOW: dict[str, list[list[str]]] = {str(weekday): [["09:00", "20:00"]] for weekday in range(7)}

MAX_ATTEMPTS = 4
MAX_ATTEMPTS_A_DAY = 1
MAX_ATTEMPTS_A_DAY_AFTER_BUSY = 2
MIN_GAP_HOURS = 4
MAX_ATTEMPTS_IN_30_DAYS = 3
QUIET_DAYS_AFTER_NO = 180

RING_TIMEOUT = 25
MAX_DURATION = 600
CLOSING_AT = 540
SILENCE = 8
SILENCE_PROMPTS = 2

CALLS_PER_SECOND = 1.0
MAX_OPEN_CALLS = 5
CANARY_SIZE = 10
RETRY_SHARE = 0.2

CALLBACK_KEPT_WITHIN = 10 * 60
CALLBACK_MISSED_AFTER = 30 * 60
CALLBACKS_UNKEPT_BEFORE_RETRY = 2
CALL_BACK_AFTER = 2 * 60

PRIORITY = 5
PRIORITY_WORDS = {"high": 2, "normal": 5, "low": 8}

READY_FRESH = 5
READY_DEADLINE = 20
AGENT_LOST_AFTER = 6
END_DEADLINE = 10 * 60
LINE_FREE_AFTER = 15
REQUEUE_AFTER = 5
NOT_PLACED_AFTER = 5 * 60
EMPTY_LISTS_APART = 30
PROVIDER_QUEUE = 60
WINDOW_MARGIN = 60
UNREADY_STREAK_HOLDS = 5
OUR_FAULTS_BOUND = 6

TRANSCRIPT_DAYS = 180
RAW_EVENT_DAYS = 30
DECISION_DAYS = 90
ACCESS_DAYS = 365
STREAM_HOURS = 24

SUMMARY_TRIED_AGAIN_AFTER = [60, 5 * 60, 30 * 60, 2 * 3600]
SUMMARY_REFUSED_WAIT = 15 * 60
PRICE_ASKED_AFTER = [60, 5 * 60, 30 * 60, 2 * 3600, 12 * 3600, 24 * 3600, 72 * 3600]

LLM_MODEL = "openai/gpt-oss-120b"
SUMMARY_MODEL = "openai/gpt-oss-20b"
STT_MODEL = "whisper-large-v3-turbo"
TTS_MODEL = "canopylabs/orpheus-v1-english"
TTS_VOICE = "hannah"

#: Base delay, factor and cap (hours) of the exponential backoff per retried ending.
RETRY_POLICY: dict[str, dict[str, float]] = {
    "busy": {"base_hours": 4, "factor": 2, "cap_hours": 24},
    "no_answer": {"base_hours": 4, "factor": 2, "cap_hours": 72},
    "voicemail": {"base_hours": 24, "factor": 2, "cap_hours": 96},
    "hung_up": {"base_hours": 24, "factor": 2, "cap_hours": 96},
    "no_outcome": {"base_hours": 24, "factor": 2, "cap_hours": 96},
    "failed": {"base_hours": 4, "factor": 2, "cap_hours": 48},
    "our_fault": {"base_hours": 0.25, "factor": 2, "cap_hours": 4},
}
RETRY_JITTER = 0.2
