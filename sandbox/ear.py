"""The callees' own ledger: who said what on a call, counted without asking the product."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.legs import AlexSaid, AlexSpeaking, LegEvent


@dataclass
class Utterance:
    """One turn by one speaker; `utterance` numbers Alex's own."""

    speaker: str
    text: str
    utterance: int | None = None
    over: bool = True


@dataclass(kw_only=True)
class Ear:
    """Hears one call for the ledger.

    A person's turn counts when it was delivered, one of Alex's when at least one piece of it was heard.
    """

    call_sid: str = ""
    number: str = ""
    room: str = ""
    persona: str = ""
    spoken: list[Utterance] = field(default_factory=list)

    def spoke(self, text: str) -> None:
        """Note an utterance that the callee delivered."""
        self.spoken.append(Utterance("person", text))

    def hear(self, event: LegEvent) -> None:
        """Note what Alex said; pieces of one utterance are one turn."""
        if not isinstance(event, AlexSpeaking | AlexSaid):
            return
        turn = self._turn(event.utterance)
        if isinstance(event, AlexSpeaking):
            if turn is None:
                self.spoken.append(Utterance("alex", event.text, event.utterance, over=False))
            elif not turn.over:
                turn.text += event.text
        elif turn is not None:
            turn.text, turn.over = event.text or turn.text, True
        elif event.text:
            self.spoken.append(Utterance("alex", event.text, event.utterance))

    @property
    def turns_spoken(self) -> int:
        """Turns by both speakers that really reached the other side."""
        return len(self.spoken)

    def record(self) -> dict[str, Any]:
        """Return the ledger's line about this call."""
        return {
            "call_sid": self.call_sid,
            "number": self.number,
            "room": self.room,
            "persona": self.persona,
            "turns_spoken": self.turns_spoken,
            "spoken": [{"speaker": turn.speaker, "text": turn.text} for turn in self.spoken],
        }

    def _turn(self, utterance: int) -> Utterance | None:
        return next((turn for turn in reversed(self.spoken) if turn.utterance == utterance), None)
