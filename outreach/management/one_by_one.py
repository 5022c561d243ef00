"""Calling one person at a time: shows who is next and asks what to do with them."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime

from outreach.domain.call_window import is_open, zones_of
from outreach.domain.standing import CallKind
from outreach.management.calling_order import CallingOrder
from outreach.management.following import Follower
from outreach.management.moments import HOW, UnclearMoment, parse_moment
from outreach.management.operating import Desk
from outreach.management.person_card import person_card
from outreach.management.placing import place_call
from outreach.management.word_feed import WordFeed
from outreach.management.wording import in_words, their_time, zone_of
from outreach.models import Campaign, Facilitator, SuppressionSource
from outreach.services import clock
from outreach.services.dispatching import CannotCall
from outreach.services.gating import call_window_of
from outreach.services.postponing import postpone
from outreach.services.suppressing import suppress

_CHOICES = {"c": "call", "s": "skip", "l": "later", "x": "never call again", "q": "quit"}


class OneByOne:
    """One operator going through one campaign."""

    def __init__(self, *, campaign: Campaign, desk: Desk) -> None:
        """Begin at the front of the queue."""
        self._desk = desk
        self._order = CallingOrder(campaign=campaign)

    def run(self) -> None:
        """Show person after person until nobody is left or the operator quits."""
        while (found := self._order.next_person()) is not None:
            person, kind = found
            self._desk.console.print(person_card(person, kind))
            try:
                if not self._decide(person, kind):
                    break
            except KeyboardInterrupt:
                self._desk.say("")
                break
        else:
            self._desk.say("Nobody else may be called now.")
        if refused := self._order.refused:
            told = ", ".join(f"{n} {in_words(code)}" for code, n in refused.most_common())
            self._desk.say(f"Not shown, because the gate refuses them now: {told}.", "dim")

    def _decide(self, person: Facilitator, kind: CallKind) -> bool:
        """Ask what to do with one person and do it; return whether to go on."""
        while True:
            answer = self._desk.choose(f"{person.name}:", _CHOICES, default="s")
            if answer == "q":
                return False
            if answer == "s" or self._done(answer, person, kind):
                return True

    def _done(self, answer: str, person: Facilitator, kind: CallKind) -> bool:
        if answer == "c":
            return self._call(person)
        if answer == "x":
            return self._suppress(person)
        return self._put_off(person, kind)

    def _call(self, person: Facilitator) -> bool:
        with closing(WordFeed()) as feed:
            try:
                call_id = place_call(facilitator_id=person.pk, desk=self._desk)
            except CannotCall as refusal:
                self._desk.say(f"Not called: {refusal}", "yellow")
                return True
            Follower(call_id=call_id, desk=self._desk, feed=feed).follow()
        return True

    def _put_off(self, person: Facilitator, kind: CallKind) -> bool:
        typed = self._desk.ask(f"When, on their clock? {HOW} (empty: back)", default="")
        if not typed:
            return False
        try:
            until = parse_moment(typed, now=clock.now(), zone=zone_of(person))
        except UnclearMoment as unclear:
            self._desk.say(str(unclear), "yellow")
            return False
        if postpone(facilitator_id=person.pk, until=until, by=self._desk.operator):
            late = " The promised callback counts as missed." if kind is CallKind.CALLBACK else ""
            self._desk.say(
                f"Not called before {their_time(until, person)}.{late}{self._if_closed(person, until)}"
            )
        else:
            self._desk.say("Somebody else calls them right now.", "yellow")
        return True

    def _if_closed(self, person: Facilitator, until: datetime) -> str:
        """Return a sentence about the hours when a moment is outside them."""
        campaign = self._order.campaign
        zones = zones_of(time_zone=person.time_zone, country=person.country)
        if is_open(window=call_window_of(campaign), zones=zones, country=person.country, at=until):
            return ""
        return " That is outside their calling hours: they are called when the next ones begin."

    def _suppress(self, person: Facilitator) -> bool:
        reason = self._desk.ask("For ever, in every campaign. Why? (empty: back)", default="")
        if not reason:
            return False
        suppress(
            number=person.number,
            source=SuppressionSource.OPERATOR,
            reason=reason,
            by=self._desk.operator,
        )
        self._desk.say("This number is never called again.")
        return True
