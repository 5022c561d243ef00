"""Watching a campaign live until the operator has seen enough or everybody is done."""

from __future__ import annotations

import time
from contextlib import closing
from uuid import UUID

from django.core.management.base import CommandError
from rich.live import Live

from outreach.domain.contracts import PartialWord, TurnWord
from outreach.management import board
from outreach.management.board_view import board_of
from outreach.management.operating import Desk
from outreach.management.word_feed import WordFeed
from outreach.services import campaigns

LOOK_EVERY = 1.0
#: Counting people takes at most this share of the time: large campaigns are counted less often.
COUNTING_SHARE = 0.05


class Watch:
    """One operator watching one campaign."""

    def __init__(self, *, campaign_id: int, desk: Desk) -> None:
        """Watch `campaign_id` from `desk`."""
        self._campaign_id = campaign_id
        self._desk = desk
        self._spoken: dict[UUID, TurnWord | PartialWord] = {}
        self._counted: board.Counts | None = None
        self._count_at = 0.0

    def once(self) -> None:
        """Print the board as it is."""
        self._counted = None
        self._desk.console.print(board_of(*self._look(), self._spoken))

    def until_enough(self) -> None:
        """Show the board live; Ctrl-C asks whether to pause the campaign or to leave it running."""
        with closing(WordFeed()) as feed:
            while True:
                try:
                    self._live(feed)
                except KeyboardInterrupt:
                    self.once()
                    if self._go_on():
                        continue
                    return
                self.once()
                self._desk.say("Everybody is done: manage.py stats shows what came of it.", "green")
                return

    def _live(self, feed: WordFeed) -> None:
        """Show the board until everybody is done."""
        with Live(console=self._desk.console, screen=True, auto_refresh=False) as live:
            while True:
                now, counted = self._look()
                if counted.is_done and not now.calls:
                    return
                live.update(board_of(now, counted, self._spoken), refresh=True)
                self._hear(feed, in_the_air={call.pk for call in now.calls})

    def _hear(self, feed: WordFeed, *, in_the_air: set[UUID]) -> None:
        """Listen for as long as the board may stand still."""
        until = time.monotonic() + LOOK_EVERY
        while (left := until - time.monotonic()) > 0:
            for word in feed.read(seconds=left):
                if isinstance(word, TurnWord | PartialWord):
                    self._spoken[word.call_id] = word
        self._spoken = {pk: word for pk, word in self._spoken.items() if pk in in_the_air}

    def _look(self) -> tuple[board.Present, board.Counts]:
        now = board.present(self._campaign_id)
        began = time.monotonic()
        if self._counted is None or began >= self._count_at:
            self._counted = board.counts(now.campaign)
            took = time.monotonic() - began
            self._count_at = began + took / COUNTING_SHARE
        return now, self._counted

    def _go_on(self) -> bool:
        """Ask what Ctrl-C means; return whether to watch on."""
        choices = {"p": "pause the campaign", "l": "leave it running", "w": "watch on"}
        try:
            answer = self._desk.choose("Enough?", choices, default="l")
        except (KeyboardInterrupt, CommandError):
            answer = "l"
        if answer == "p":
            campaigns.pause(campaign_id=self._campaign_id, by=self._desk.operator)
            self._desk.say("Paused: nobody new is dialled; calls in progress go on.", "yellow")
        elif answer == "l":
            self._desk.say("The campaign is left as it is: manage.py campaign status shows it.")
        return answer == "w"
