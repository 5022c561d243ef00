"""Typing with Alex: the same agent, brief and tools on a terminal, without LiveKit and without the product.

`python -m agentworker.talk BRIEF.json` needs `GROQ_API_KEY` only. Facts and notes are printed, not posted.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from agentworker.conversation import Conversation
from agentworker.line import LineJob
from agentworker.reporter import Permission
from agentworker.session import build_models
from agentworker.settings import ModelSettings, SettingsError, load_models
from agentworker.written_line import WrittenLine
from outreach.domain.contracts import AnyFact, AnyWord, Brief, NoteWord, Stage, StageWord, ToolWord

Show = Callable[[str], None]


class ConsoleLine(WrittenLine):
    """A terminal: whoever types is the person; end of input hangs up."""

    seconds_a_piece = 0.08

    def __init__(self, *, read: asyncio.StreamReader, write: Show) -> None:
        super().__init__(LineJob(room="terminal"))
        self._read = read
        self._write = write
        self._typing: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Be on the line at once."""
        self.person_joined()
        self._typing = asyncio.create_task(self._hear())

    def deliver(self, *, utterance: int, text: str) -> bool:
        """Print a piece as it is spoken."""
        del utterance
        self._write(text)
        return True

    def delivered(self, *, utterance: int, text: str, interrupted: bool) -> None:
        """End the line of an utterance."""
        del utterance, text
        self._write(" …\n" if interrupted else "\n")

    async def hang_up(self) -> None:
        """Stop reading."""
        self._write("(the call is over)\n")
        await self.leave()

    async def leave(self) -> None:
        """Stop reading."""
        if self._typing is not None:
            self._typing.cancel()
            await asyncio.wait({self._typing})

    async def _hear(self) -> None:
        while line := await self._read.readline():
            if text := line.decode(errors="replace").strip():
                self.listener.person_said(text)
        self.listener.person_left()


class PrintingReporter:
    """Prints what would be reported."""

    def __init__(self, write: Show) -> None:
        self._write = write

    async def ready(self, *, at: datetime) -> Permission:
        """Stay: there is nobody to ask."""
        del at
        return Permission.STAY

    def fact(self, fact: AnyFact) -> None:
        """Print a fact."""
        told = fact.model_dump(mode="json", exclude={"fact_id", "at", "kind"}, exclude_none=True)
        self._write(f"[{fact.kind}] {' '.join(f'{name}={value}' for name, value in told.items())}\n")

    def word(self, word: AnyWord) -> None:
        """Print what is not spoken: notes, stages, tools."""
        if isinstance(word, NoteWord):
            self._write(f"[note] {word.text}\n")
        elif isinstance(word, StageWord):
            self._write(f"[stage] {word.stage}\n")
        elif isinstance(word, ToolWord):
            self._write(f"[tool] {word.name}{' failed' if word.failed else ''}\n")

    def alex_piece(self, *, seq: int, text: str, stage: Stage, at: datetime) -> None:
        """Keep nothing: the terminal has it."""


async def talk(*, brief: Brief, models: ModelSettings, read: asyncio.StreamReader, write: Show) -> None:
    """Hold one conversation with whoever types; return when it is over."""
    clients = build_models(models, audio=False)
    line = ConsoleLine(read=read, write=write)
    try:
        await Conversation(brief=brief, line=line, reporter=PrintingReporter(write), models=clients).run()
    finally:
        await clients.aclose()


async def talk_on_terminal(*, brief: Brief, models: ModelSettings) -> None:
    """Hold one conversation over standard input and output."""
    read = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(read), sys.stdin)
    await talk(brief=brief, models=models, read=read, write=_print)


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def main() -> int:
    """Talk according to a brief in a file; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m agentworker.talk",
        description="Type with Alex.",
        epilog="example: python -m agentworker.talk brief.json",
    )
    parser.add_argument("brief", type=Path, help="JSON file with a brief")
    arguments = parser.parse_args()
    try:
        brief = Brief.model_validate_json(arguments.brief.read_bytes())
        models = load_models()
    except (OSError, ValidationError, SettingsError) as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    asyncio.run(
        talk_on_terminal(brief=brief.model_copy(update={"now_at": datetime.now(tz=UTC)}), models=models)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
