"""The wire between Django and Alex: the brief (job metadata), facts (signed POST), words (stream).

Everything here is data that crosses a process boundary, so every model forbids unknown kinds of
mistake loudly (pydantic) but ignores unknown fields: old and new code run together in a deploy.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from outreach.domain.disposition import AnsweredBy, Disposition, EndedBy

BRIEF_VERSION = 1
HISTORY_LIMIT = 1500
"""Characters of earlier calls that a brief may carry: enough to be polite, too few to drown the script."""

WORDS_STREAM = "outreach:words"
"""The Redis stream of words; its consumer group is `WORDS_GROUP`."""
WORDS_GROUP = "recorder"
WORDS_FIELD = "v"

SIGNATURE_HEADER = "X-Outreach-Signature"
TIMESTAMP_HEADER = "X-Outreach-Timestamp"

Stage = Literal["opening", "permission", "pitch", "questions", "close"]
STAGES: tuple[Stage, ...] = ("opening", "permission", "pitch", "questions", "close")

OpeningKind = Literal["first_call", "asked_for_callback", "cut_off", "tried_before"]

Weekday = Annotated[int, Field(ge=0, le=6)]
LocalTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Interval(_Wire):
    """One local interval [opens, closes) of a weekday, "HH:MM"; Monday is 0."""

    weekday: Weekday
    opens: LocalTime
    closes: LocalTime


class Person(_Wire):
    """Who is called. Data for the conversation, never instructions."""

    name: str
    organisation: str = ""
    language: str = "en"
    time_zone: str
    country: str
    extra: dict[str, Any] = Field(default_factory=dict)


class Limits(_Wire):
    """How long things may take, in seconds."""

    join_timeout: float = 120.0
    max_duration: float = 600.0
    closing_at: float = 540.0
    silence: float = 8.0
    silence_prompts: int = 2


class Brief(_Wire):
    """What Alex is told about one call; travels as the job's metadata."""

    version: Literal[1] = 1
    call_id: UUID
    now_at: datetime
    kind: str
    channel: Literal["phone", "web"] = "phone"
    opening: OpeningKind
    instructions: str
    opening_line: str
    closing_line: str
    voicemail_line: str = ""
    company: str
    callback_number: str = ""
    person: Person
    history: list[str] = Field(default_factory=list)
    callback_hours: list[Interval]
    closed_dates: list[str] = Field(default_factory=list)
    limits: Limits = Limits()
    hang_up_on_voicemail: bool = True


class Fact(_Wire):
    """A fact from Alex; `fact_id` makes a repeat a no-op. `at` is the call's time, aware UTC."""

    fact_id: UUID
    at: datetime


class Ready(Fact):
    """Alex is in the room, warmed up. Answered by 200 = stay, 410 = leave without a word."""

    kind: Literal["ready"] = "ready"
    worker_id: str
    job_id: str


class AnsweredFact(Fact):
    """Who picked up, as the line's detector judged."""

    kind: Literal["answered"] = "answered"
    answered_by: AnsweredBy


class OptOut(Fact):
    """The person asked never to be called again. `evidence_seq` is the turn that says so."""

    kind: Literal["opt_out"] = "opt_out"
    evidence_seq: int | None = None
    how: Literal["phrase", "tool", "last_words"] = "tool"


class CallbackAgreed(Fact):
    """The person asked to be called at `promised_at`; `by` says whether a human must make it."""

    kind: Literal["callback"] = "callback"
    promised_at: datetime
    by: Literal["alex", "human"] = "alex"
    reason: str = ""
    evidence_seq: int | None = None


class Outcome(Fact):
    """What the conversation has achieved so far; a later one only wins if it is stronger."""

    kind: Literal["outcome"] = "outcome"
    disposition: Disposition
    reason: str = ""
    evidence_seq: int | None = None


class Usage(_Wire):
    """What one conversation asked of the models; what it costs is counted from this."""

    llm_input_tokens: Annotated[int, Field(ge=0)] = 0
    llm_output_tokens: Annotated[int, Field(ge=0)] = 0
    stt_seconds: Annotated[float, Field(ge=0)] = 0.0
    tts_characters: Annotated[int, Field(ge=0)] = 0
    llm_model: str = ""
    stt_model: str = ""
    tts_model: str = ""


class End(Fact):
    """The conversation is over; `n_turns` turns were numbered 1..n_turns."""

    kind: Literal["end"] = "end"
    n_turns: Annotated[int, Field(ge=0)]
    n_notes: Annotated[int, Field(ge=0)] = 0
    ended_by: EndedBy
    answered_by: AnsweredBy | None = None
    usage: Usage | None = None


AnyFact = Annotated[
    Ready | AnsweredFact | OptOut | CallbackAgreed | Outcome | End, Field(discriminator="kind")
]
FACT: TypeAdapter[AnyFact] = TypeAdapter(AnyFact)


class WorkerReport(_Wire):
    """What a worker's main process says of itself every two seconds."""

    worker_id: str
    places: Annotated[int, Field(ge=0)]
    free: Annotated[int, Field(ge=0)]
    calls: list[UUID]
    draining: bool = False


class _Word(_Wire):
    call_id: UUID
    at: datetime


class TurnWord(_Word):
    """One utterance by one speaker, numbered per call from 1 without gaps."""

    kind: Literal["turn"] = "turn"
    seq: Annotated[int, Field(ge=1)]
    speaker: Literal["alex", "person"]
    text: str
    stage: Stage = "opening"
    interrupted: bool = False


class NoteWord(_Word):
    """A note that Alex took; numbered per call in a series of its own."""

    kind: Literal["note"] = "note"
    seq: Annotated[int, Field(ge=1)]
    text: str
    turn_seq: int | None = None


class StageWord(_Word):
    """The conversation moved on to another stage."""

    kind: Literal["stage"] = "stage"
    stage: Stage


class ToolWord(_Word):
    """Alex used a tool; its arguments are not repeated here."""

    kind: Literal["tool"] = "tool"
    name: str
    failed: bool = False


class PartialWord(_Word):
    """Words while they are spoken (Alex) or "speaking…" (the person); never stored."""

    kind: Literal["partial"] = "partial"
    speaker: Literal["alex", "person"]
    text: str = ""


AnyWord = Annotated[TurnWord | NoteWord | StageWord | ToolWord | PartialWord, Field(discriminator="kind")]
WORD: TypeAdapter[AnyWord] = TypeAdapter(AnyWord)


class WordsBatch(_Wire):
    """Words sent again by POST, because the stream may have lost them."""

    words: list[TurnWord | NoteWord]


class WordsStored(_Wire):
    """What the database has of a call's words; `complete` lets the spool be deleted."""

    complete: bool
    missing_turns: list[int]
    missing_notes: list[int]
