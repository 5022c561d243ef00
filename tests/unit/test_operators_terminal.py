"""The terminal of `make up`: long lines go on under their beginning, pipes get whole lines."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from outreach.management.supervisor.console import Terminal

pytestmark = pytest.mark.unit

SENTENCE = "to Sofia Dubois: Hello, this is Alex, an AI assistant calling for Lantern Learning. Is this you?"


def printed(*, width: int, terminal: bool) -> list[str]:
    """Return the lines that one long sentence takes."""
    out = StringIO()
    console = Console(
        file=out, width=width, force_terminal=terminal, color_system=None, highlight=False, soft_wrap=True
    )
    Terminal(console).say("alex", SENTENCE)
    return out.getvalue().splitlines()


class TestALongLine:
    def test_goes_on_between_words_under_its_own_beginning(self) -> None:
        first, *more = printed(width=80, terminal=True)
        start = first.index("to Sofia")
        assert more
        assert all(len(line) <= 80 for line in (first, *more))
        assert all(line[:start].isspace() and not line[start].isspace() for line in more)
        assert " ".join([first[start:], *(line.strip() for line in more)]) == SENTENCE

    def test_stays_whole_in_a_pipe(self) -> None:
        (line,) = printed(width=80, terminal=False)
        assert line.endswith(SENTENCE)

    def test_is_left_to_a_terminal_too_narrow_to_wrap_well(self) -> None:
        assert len(printed(width=40, terminal=True)) == 1
