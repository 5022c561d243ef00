"""What the operators' commands share: a console, the mode on everything, questions, refusals as sentences."""

from __future__ import annotations

import getpass
import logging
import os
from abc import abstractmethod
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from textwrap import wrap
from typing import IO, Any, ClassVar, cast

from django.conf import settings
from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
    OutputWrapper,
)
from django.db import OperationalError
from rich.console import Console
from rich.text import Text

from outreach.domain.dialing_mode import DialingMode
from outreach.services import mode
from outreach.services.campaigns import Refused
from outreach.services.dispatching import CannotCall

_MODE_STYLES = {
    DialingMode.REHEARSAL: "bold white on blue",
    DialingMode.TEST: "bold black on yellow",
    DialingMode.LIVE: "bold white on red",
}
_MODE_MEANINGS = {
    DialingMode.REHEARSAL: "no real phone rings",
    DialingMode.TEST: "only the numbers in TEST_NUMBERS ring",
    DialingMode.LIVE: "real phones ring",
}


#: The lines of `--help`, in characters.
HELP_WIDTH = 90
#: The lines of what is written to a file or a pipe, in characters.
FILE_WIDTH = 120


class _HelpFormatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Keep the examples' lines, and Django's own options last."""


class OperatorCommand(BaseCommand):
    """A command that an operator types and reads. Subclasses say what it does in `operate`."""

    #: The examples under `--help`, one a line.
    examples: ClassVar[tuple[str, ...]]
    #: Whether a database of another mode is refused; only what touches no rows may say no.
    needs_own_database: ClassVar[bool] = True
    requires_system_checks = ()

    desk: Desk

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Show the examples as they are typed."""
        lines = ["examples:", *(f"  manage.py {example}" for example in self.examples)]
        parser = super().create_parser(prog_name, subcommand, epilog="\n".join(lines), **kwargs)
        parser.description = "\n".join(wrap(self.help, width=HELP_WIDTH))
        parser.formatter_class = _HelpFormatter
        return parser

    def handle(self, *_args: Any, **options: Any) -> None:
        """Operate; what the product refuses is said in one sentence."""
        self.desk = Desk(self.stdout, colour=not options["no_color"])
        try:
            with _quiet_logs() if self.desk.console.is_terminal else nullcontext():
                if self.needs_own_database:
                    mode.require_own_database()
                self.operate(options)
        except (Refused, CannotCall, mode.WrongDatabase) as refusal:
            raise CommandError(str(refusal)) from refusal
        except OperationalError as problem:
            raise CommandError(f"The database cannot be asked: {_first_line(problem)}") from problem

    @abstractmethod
    def operate(self, options: Mapping[str, Any]) -> None:
        """Do what was asked.

        :raises CommandError: when it cannot be done; the sentence says why and what to do.
        """


class Desk:
    """Where an operator sits: prints under the mode, asks, and knows who it is."""

    def __init__(self, out: OutputWrapper | IO[str], *, colour: bool = True) -> None:
        """Print to `out`."""
        if isinstance(out, OutputWrapper):
            out.ending = ""  # rich ends its lines itself
        self.console = Console(
            file=cast("IO[str]", out), no_color=not colour, markup=False, highlight=False, emoji=False
        )
        if not self.console.is_terminal and not os.environ.get("COLUMNS"):
            self.console.width = FILE_WIDTH

    @property
    def operator(self) -> str:
        """Who sits here, as the records name them."""
        try:
            return f"{getpass.getuser()} (terminal)"
        except (KeyError, OSError):
            return "a terminal"

    def headline(self, title: str) -> Text:
        """Return a title under the mode."""
        line = mode_badge()
        line.append(f" {plain(title)}", style="bold")
        line.append(f" · {_MODE_MEANINGS[settings.DIALING]}", style="dim")
        return line

    def write(self, line: Text) -> None:
        """Print a line; a terminal breaks it between words, a file keeps it whole."""
        self.console.print(line, soft_wrap=not self.console.is_terminal)

    def say(self, sentence: str, style: str = "") -> None:
        """Print one sentence."""
        self.write(Text(plain(sentence), style=style))

    def ask(self, question: str, *, default: str | None = None) -> str:
        """Return what the operator types; an empty answer is `default`, or asked for again.

        :raises CommandError: when nobody is there to answer.
        """
        prompt = mode_badge()
        prompt.append(f" {plain(question)} ", style="bold")
        while True:
            try:
                answer = self.console.input(prompt).strip()
            except EOFError:
                raise CommandError("Nobody answered the question: this needs a terminal.") from None
            if answer or default is not None:
                return answer or default or ""

    def choose(self, question: str, choices: Mapping[str, str], *, default: str) -> str:
        """Return the key of the choice that the operator takes, by its first letter or its word.

        :param choices: one-letter key to what it does.
        """
        offered = "  ".join(f"[{key}] {meaning}" for key, meaning in choices.items())
        while True:
            answer = self.ask(f"{question}  {offered}  ({default})", default=default).lower()
            for key, meaning in choices.items():
                if answer == key or (len(answer) > 1 and meaning.lower().startswith(answer)):
                    return key
            self.say(f"Please answer with one of {', '.join(choices)}.", "yellow")

    def confirm_live(self, question: str, *, yes: bool) -> None:
        """Ask before real people are called, unless the operator has said yes already.

        :raises CommandError: when the answer is no.
        """
        if settings.DIALING is not DialingMode.LIVE or yes:
            return
        if self.choose(question, {"y": "yes", "n": "no"}, default="n") == "n":
            raise CommandError("Nobody was called.")


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Keep log lines off a terminal: what they say is on the board, between whose lines they would stand."""
    logger = logging.getLogger("outreach")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def mode_badge() -> Text:
    """Return the mode as it stands on every page, board and question."""
    return Text(f" {settings.DIALING.upper()} ", style=_MODE_STYLES[settings.DIALING])


def plain(text: str) -> str:
    """Return text without what a terminal would obey: names and transcripts come from outside."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)


def _first_line(problem: Exception) -> str:
    return str(problem).strip().split("\n", maxsplit=1)[0]
