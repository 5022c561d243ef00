"""`manage.py call`: one call through the whole gate, followed word by word."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from outreach.domain.phone_number import mask
from outreach.management.finding import find_person
from outreach.management.following import Follower
from outreach.management.operating import OperatorCommand
from outreach.management.placing import place_call
from outreach.management.testers import TesterFacts
from outreach.management.word_feed import WordFeed
from outreach.models import ConsentBasis


class Command(OperatorCommand):
    """Call one person now."""

    help = (
        "Call one person now, out of turn but through every check (hours, caps, consent, suppression), and "
        "follow the conversation word by word. Ctrl-C asks whether to hang up or to stop watching."
    )
    examples: ClassVar[tuple[str, ...]] = (
        'call "+1 212 555 0142"',
        'call 0207 9460123 --campaign "Autumn onboarding"',
        "call 17 --no-follow",
        'call +15005550006 --campaign Trial --name "My own phone" --consent-basis express   (DIALING=test)',
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare who is called, and what is needed to add a number of one's own."""
        parser.add_argument(
            "who", metavar="NUMBER|ID", help="a number in any spelling, or a facilitator's id (17 or #17)"
        )
        parser.add_argument("--campaign", metavar="NAME", help="needed when the number is in several")
        parser.add_argument("--no-follow", action="store_true", help="place the call and return at once")
        parser.add_argument("--yes", action="store_true", help="live mode: do not ask before calling")
        own = parser.add_argument_group("for a number of TEST_NUMBERS that is nobody's yet (DIALING=test)")
        own.add_argument("--name", default="", help="the name under which it is added to the campaign")
        own.add_argument(
            "--consent-basis", default="", choices=ConsentBasis.values, help="why it may be called"
        )

    def operate(self, options: Mapping[str, Any]) -> None:
        """Find the person, claim the call, follow it."""
        tester = TesterFacts(name=options["name"].strip(), consent_basis=options["consent_basis"])
        person = find_person(options["who"], campaign_name=options["campaign"], tester=tester, desk=self.desk)
        who = f"{person.name} {mask(person.number)}"
        self.desk.write(self.desk.headline(f"{who} in {person.campaign.name} · times in UTC"))
        self.desk.confirm_live(f"Call {who} now?", yes=options["yes"])
        with closing(WordFeed()) as feed:
            call_id = place_call(facilitator_id=person.pk, desk=self.desk)
            if options["no_follow"]:
                self.desk.say(f"Queued: call {call_id}")
                return
            Follower(call_id=call_id, desk=self.desk, feed=feed).follow()
