"""The operator's terminal: one line per thing that happens, coloured by who says it, in product time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.text import Text

_COLOURS = {
    "up": "bold",
    "dialer": "cyan",
    "phone": "blue",
    "alex": "green",
    "person": "yellow",
    "next": "magenta",
    "clock": "bold white on blue",
    "sandbox": "dim",
}
_TROUBLE = "red"
_WIDTH = 8


class Terminal:
    """Prints lines from several threads, each under the time that the product has."""

    def __init__(self, console: Console | None = None) -> None:
        """Print to `console`, or to standard output."""
        self._console = console or Console(highlight=False, soft_wrap=True)
        self.ahead = timedelta()

    def say(self, source: str, text: str) -> None:
        """Print one line under the name of `source`."""
        colour = _COLOURS.get(source, _TROUBLE)
        line = Text(f"{datetime.now(UTC) + self.ahead:%a %H:%M:%S}  ", style="dim")
        line.append(f"{source:<{_WIDTH}}", style=colour)
        line.append(f" {text}", style=colour if source in ("alex", "person") else "")
        self._console.print(line)

    def announce(self, *lines: str) -> None:
        """Print a block that stands out."""
        self._console.print(Text("\n" + "\n".join(f"  {line}" for line in lines) + "\n", style="bold"))
