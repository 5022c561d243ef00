"""The operator's terminal: one line per thing that happens, coloured by who says it, in product time."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.text import Text

_COLOURS = {
    "up": "bold",
    "dialer": "cyan",
    "phone": "blue",
    "browser": "blue",
    "alex": "green",
    "person": "yellow",
    "next": "magenta",
    "clock": "bold blue",
    "sandbox": "dim",
}
_TROUBLE = "red"
_WIDTH = 8
#: What stands before the text of every line: the time, and who says it.
_INDENT = len("Tue 14:59:00  ") + _WIDTH + 1
_NARROWEST_TEXT = 30


class Terminal:
    """Prints lines from several threads, each under the time that the product has."""

    def __init__(self, console: Console | None = None) -> None:
        """Print to `console`, or to standard output."""
        self._console = console or Console(highlight=False, soft_wrap=True)
        self.ahead = timedelta()

    def say(self, source: str, text: str) -> None:
        """Print one line under the name of `source`; a long one goes on under its own beginning."""
        colour = _COLOURS.get(source, _TROUBLE)
        line = Text(f"{datetime.now(UTC) + self.ahead:%a %H:%M:%S}  ", style="dim")
        line.append(f"{source:<{_WIDTH}}", style=colour)
        line.append(f" {self._wrapped(text)}", style=colour if source in ("alex", "person", "clock") else "")
        self._console.print(line)

    def _wrapped(self, text: str) -> str:
        """Return the text cut between words for a terminal; whoever reads a pipe gets one line."""
        room = self._console.width - _INDENT
        if not self._console.is_terminal or room < _NARROWEST_TEXT:
            return text
        return f"\n{' ' * _INDENT}".join(textwrap.wrap(text, room, break_long_words=False))

    def announce(self, *lines: str) -> None:
        """Print a block that stands out."""
        width = self._console.width if self._console.is_terminal else 1000
        shown = [
            textwrap.fill(
                line, width, initial_indent="  ", subsequent_indent=" " * 10,
                break_long_words=False, break_on_hyphens=False,
            )
            for line in lines
        ]  # fmt: skip
        self._console.print(Text("\n" + "\n".join(shown) + "\n", style="bold"))
