"""Finding the person that an operator means by a number, in any spelling, or by an id."""

from __future__ import annotations

from django.core.management.base import CommandError
from rich.table import Table

from outreach.domain.phone_number import InvalidNumber, mask, parse_number
from outreach.management.campaigns import find_campaign
from outreach.management.operating import Desk, plain
from outreach.management.testers import TesterFacts, add_tester, may_be_added
from outreach.management.wording import in_words
from outreach.models import Campaign, Facilitator

#: No network gives people shorter numbers than this, so fewer digits are an id.
SHORTEST_NUMBER = 6


def find_person(who: str, *, campaign_name: str | None, tester: TesterFacts, desk: Desk) -> Facilitator:
    """Return the one person that is meant, with their campaign.

    :raises CommandError: when it is nobody, or not one; says what to do.
    """
    campaign = find_campaign(campaign_name) if campaign_name else None
    if _is_id(who):
        return _by_id(int(who.lstrip("#")), campaign)
    numbers = _spelled(who, campaign)
    people = Facilitator.objects.filter(number__in=numbers).select_related("campaign").order_by("pk")
    found = list(people.filter(campaign=campaign) if campaign else people)
    if len(found) == 1:
        return found[0]
    if found:
        desk.console.print(_table(found))
        raise CommandError("This number is in several campaigns: say which with --campaign NAME or an id.")
    if campaign is not None and may_be_added(numbers[0]):
        return add_tester(numbers[0], campaign=campaign, facts=tester)
    raise CommandError(_unknown(numbers[0], campaign, elsewhere=people.first()))


def _is_id(who: str) -> bool:
    return (who.startswith("#") and who[1:].isdecimal()) or (who.isdecimal() and len(who) < SHORTEST_NUMBER)


def _by_id(facilitator_id: int, campaign: Campaign | None) -> Facilitator:
    person = Facilitator.objects.select_related("campaign").filter(pk=facilitator_id).first()
    if person is None:
        raise CommandError(f"There is no facilitator with the id {facilitator_id}.")
    if campaign is not None and person.campaign_id != campaign.pk:
        raise CommandError(f'Facilitator {facilitator_id} is in "{person.campaign.name}".')
    return person


def _spelled(who: str, campaign: Campaign | None) -> list[str]:
    """Return what the number can be in the countries of the campaigns in question."""
    campaigns = [campaign] if campaign else list(Campaign.objects.order_by("pk"))
    countries = dict.fromkeys([one.default_country for one in campaigns]) or {"": None}
    numbers: dict[str, None] = {}
    problem: InvalidNumber | None = None
    for country in countries:
        try:
            numbers[parse_number(who, default_country=country).e164] = None
        except InvalidNumber as invalid:
            problem = problem or invalid
    if not numbers:
        raise CommandError(f"This cannot be called: {problem}")
    return list(numbers)


def _unknown(number: str, campaign: Campaign | None, *, elsewhere: Facilitator | None) -> str:
    if elsewhere is not None:
        return f'{mask(number)} is not in this campaign, but in "{elsewhere.campaign.name}".'
    target = campaign.name if campaign else "NAME"
    sentence = (
        f"Nobody has the number {mask(number)}. Whom we call must be imported with a consent basis first: "
        f'manage.py import_facilitators people.csv --campaign "{target}"'
    )
    if campaign is None and may_be_added(number):
        sentence += "\nIt is one of TEST_NUMBERS: with --campaign, --name and --consent-basis it is added."
    return sentence


def _table(people: list[Facilitator]) -> Table:
    table = Table("id", "campaign", "name", "standing", box=None, header_style="bold")
    for person in people:
        table.add_row(
            str(person.pk), plain(person.campaign.name), plain(person.name), in_words(person.standing)
        )
    return table
