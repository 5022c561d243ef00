"""The dashboard's sections as HTML, made once per frame for everybody who watches it."""

from __future__ import annotations

from uuid import UUID

from django.template.loader import render_to_string
from django.utils import timezone

from outreach.desk.charts import board_context
from outreach.desk.rights import Rights
from outreach.domain.contracts import AnyWord, PartialWord, TurnWord
from outreach.live.watching import BoardFigures

SECTIONS = (
    "clock", "switch", "trouble", "first", "figures", "funnel", "air", "campaigns", "health", "waiting",
    "callbacks", "charts",
)  # fmt: skip
SPEAKING = "speaking…"


class Frames:
    """Renders a version of the figures once for each set of rights and each clock that it is watched with."""

    def __init__(self) -> None:
        self._version = -1
        self._made: dict[tuple[Rights, str], dict[str, str]] = {}

    def sections(
        self,
        version: int,
        figures: BoardFigures,
        spoken: dict[UUID, AnyWord],
        *,
        rights: Rights,
        zone: str = "UTC",
    ) -> dict[str, str]:
        """Return each section's HTML, with its times in `zone`."""
        if version != self._version:
            self._version, self._made = version, {}
        if (rights, zone) not in self._made:
            _put_words(figures, spoken)
            with timezone.override(zone):
                context = board_context(present=figures.present, counts=figures.counts, rights=rights)
                self._made[rights, zone] = {
                    name: render_to_string(f"outreach/board/{name}.html", context) for name in SECTIONS
                }
        return self._made[rights, zone]


def _put_words(figures: BoardFigures, spoken: dict[UUID, AnyWord]) -> None:
    """Show what is being said now where the database only knows the last whole turn."""
    for call in figures.present.calls:
        word = spoken.get(call.pk)
        if isinstance(word, TurnWord | PartialWord):
            call.last_text = word.text or SPEAKING  # type: ignore[attr-defined]
            call.last_speaker = word.speaker  # type: ignore[attr-defined]
            call.stage = getattr(word, "stage", "") or call.stage
