"""The figures as tables for a terminal, every one with a footnote that says how it was counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from outreach.management.figures import FORMULAS, Figures
from outreach.management.operating import plain
from outreach.management.wording import in_words, span

NOTHING = "–"


class Footnotes:
    """Numbers the formulas in the order in which they are first referred to."""

    def __init__(self) -> None:
        """Begin with none."""
        self._used: list[str] = []

    def to(self, name: str) -> str:
        """Return the mark of one formula."""
        if name not in self._used:
            self._used.append(name)
        return f"[{self._used.index(name) + 1}]"

    def lines(self) -> Iterator[Text]:
        """Yield every formula that was referred to."""
        for number, name in enumerate(self._used, start=1):
            yield Text(f"[{number}] {FORMULAS[name]}", style="dim")


def tables_of(figures: Figures) -> RenderableType:
    """Return people, calls and promises side by side, and the footnotes below."""
    notes = Footnotes()
    people = _table(f"{figures.people} people {notes.to('standings')}", figures.standings)
    rates = _table("Rates", _rates(figures, notes))
    dispositions = _table("Conversations", figures.dispositions)
    statuses = _table(f"{figures.begun} calls begun", figures.statuses)
    faults = _table(f"Our faults {notes.to('our_faults')}", _faults(figures))
    callbacks = _table(f"Callbacks {notes.to('kept')}", _callbacks(figures))
    shown = [people, statuses, dispositions, rates, callbacks, faults]
    return Group(Columns(shown, padding=(0, 4)), Text(""), *notes.lines())


def percent(share: float | None) -> str:
    """Return a share as people read it, or a dash where nothing was counted."""
    return NOTHING if share is None else f"{100 * share:.1f} %"


def _rates(figures: Figures, notes: Footnotes) -> dict[str, str]:
    def seconds(length: float | None) -> str:
        return NOTHING if length is None else span(round(length))

    return {
        f"calls dialled {notes.to('dialled')}": str(figures.dialled),
        "answered by a person": str(figures.answered_by_person),
        "answered by a machine": str(figures.answered_by_machine),
        f"answer rate {notes.to('answer_rate')}": percent(figures.answer_rate),
        "people reached": str(figures.people_reached),
        "people interested": str(figures.people_interested),
        f"success rate {notes.to('success_rate')}": percent(figures.success_rate),
        f"talk, average {notes.to('talk')}": seconds(figures.talk_average),
        f"talk, median {notes.to('talk')}": seconds(figures.talk_median),
    }


def _callbacks(figures: Figures) -> dict[str, str]:
    return {
        **{state: str(n) for state, n in figures.callbacks.items()},
        "kept in time": percent(figures.kept_rate),
    }


def _faults(figures: Figures) -> dict[str, str]:
    return {
        "calls": str(figures.our_faults),
        "of all begun": percent(figures.our_faults_rate),
        **{code: str(n) for code, n in figures.our_faults_by_code.items()},
    }


def _table(title: str, rows: Mapping[str, int | str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None)
    table.add_column()
    table.add_column(justify="right")
    for name, value in rows.items():
        table.add_row(plain(in_words(name)), str(value))
    if not rows:
        table.add_row(NOTHING, "")
    return table
