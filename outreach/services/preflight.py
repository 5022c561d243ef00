"""Everything that stands in the way of a campaign, looked at before it is started.

Red refuses the start. Some of it nobody can go on without, and what the law asks for nobody may override;
the rest somebody who answers for the machine may.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from outreach.domain.gate import RefusalCode
from outreach.domain.script import InvalidScript
from outreach.models import Campaign, DialingControl
from outreach.services import campaigns, clock
from outreach.services.capacity import agent_places
from outreach.services.cost_estimate import estimate
from outreach.services.forecasting import Outlook, outlook
from outreach.services.preflight_items import Item, Level, Rank, caller_ids, caps, days, hours_of
from outreach.services.preflight_people import People, Why, look_at_people
from outreach.services.preflight_script import Gap, gaps_in


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """What was found, and how the people stand."""

    items: Sequence[Item]
    people: People
    outlook: Outlook | None

    @property
    def red(self) -> list[Item]:
        """What refuses the start."""
        return [item for item in self.items if item.level is Level.FAIL]

    @property
    def final(self) -> list[Item]:
        """What nobody may override."""
        return [item for item in self.red if item.rank is not Rank.ANSWERABLE]


def inspect(campaign: Campaign, *, checked: Sequence[Item] = ()) -> Preflight:
    """Look at a campaign, its people and what calls need; nothing is written.

    :param checked: what was found elsewhere and is told among the rest, such as doctor's checks.
    """
    readable = hours_of(campaign)
    people = People()
    expected = None
    if readable.level is not Level.FAIL or readable.rank is Rank.LAW:
        people = look_at_people(campaign, now=clock.now())
        expected = outlook(campaign)
    items = [
        _people(people),
        _consent(people),
        caller_ids(campaign),
        *_script(campaign),
        _heard(campaign),
        readable,
        caps(campaign),
        days(campaign),
        _agents(),
        _switch(),
        *checked,
        _cost(campaign, expected),
    ]
    return Preflight(items=items, people=people, outlook=expected)


def start_checked(*, campaign_id: int, by: str, overrides: bool, checked: Sequence[Item] = ()) -> Campaign:
    """Start or resume a campaign in whose way nothing stands.

    :param overrides: whether `by` answers for the machine and wants to start in spite of what is red.
    :raises Refused: naming what is red and may not be overridden.
    """
    campaign = Campaign.objects.select_related("script").get(pk=campaign_id)
    found = inspect(campaign, checked=checked)
    in_the_way = found.final if overrides else found.red
    if in_the_way:
        raise campaigns.Refused(" ".join(f"{item.says} {item.remedy}".strip() for item in in_the_way))
    return campaigns.start(campaign_id=campaign_id, by=by)


def _people(people: People) -> Item:
    says = f"{people.now:,} can be called now, {people.n_later:,} later, {people.n_never:,} not again"
    if people.n_to_mend:
        says += f"; for {people.n_to_mend:,} something has to be mended first"
    if people.now or people.n_later:
        return Item(name="people", title="People", level=Level.OK, says=f"{says}.")
    anybody = people.n_to_mend or people.n_never or people.in_call
    return Item(
        name="people",
        title="People",
        level=Level.FAIL,
        says=f"Nobody can be called: {says}." if anybody else "Nobody is in this campaign yet.",
        remedy="Mend what keeps them, or upload others." if anybody else "Upload a list of people.",
        rank=Rank.NOBODY,
    )


def _consent(people: People) -> Item:
    n_people = sum(why.n_people for why in people.to_mend if _wants_consent(why))
    if not n_people:
        says = "Whoever could be called has a consent basis."
        return Item(name="consent", title="Consent", level=Level.OK, says=says)
    return Item(
        name="consent",
        title="Consent",
        level=Level.WARN if people.now or people.n_later else Level.FAIL,
        says=f"{n_people:,} have no consent basis and are not called.",
        remedy="If they agreed: upload their list again, choose “Fill what is empty”, and say why they may "
        "be called, where and when they agreed.",
        rank=Rank.LAW,
    )


def _wants_consent(why: Why) -> bool:
    """Tell whether the gate or an import holds people because nothing says why they may be called."""
    return why.code == RefusalCode.NO_CONSENT.value or why.says.startswith("No consent basis")


def _script(campaign: Campaign) -> list[Item]:
    title = "Script"
    try:
        gaps = gaps_in(campaign)
    except InvalidScript as problem:
        says = f"The script {campaign.script} cannot be read: {problem}"
        return [Item(name="script", title=title, level=Level.FAIL, says=says, rank=Rank.NOBODY)]
    voiceless = campaign.leave_voicemail and not campaign.callback_number
    items = [_gap(gap) for gap in gaps]
    if voiceless:
        items.append(
            Item(
                name="voicemail",
                title="Voicemail",
                level=Level.FAIL,
                says="Messages are left on voicemail, and no number that answers is given.",
                remedy="Give a callback number, or leave no messages.",
                rank=Rank.LAW,
            )
        )
    ok = Item(name="script", title=title, level=Level.OK, says=f"{campaign.script} fits everybody's row.")
    return items or [ok]


def _gap(gap: Gap) -> Item:
    where = "which Alex says word for word" if gap.spoken else "which Alex is told"
    have = "person has" if gap.n_people == 1 else "people have"
    return Item(
        name=f"script.{gap.placeholder}",
        title="Script",
        level=Level.FAIL if gap.spoken else Level.WARN,
        says=f"{gap.n_people:,} {have} nothing for {{{gap.placeholder}}}, {where}.",
        remedy="Fill it in their rows, hold them, or take it out of the script.",
        people=gap.people,
    )


def _heard(campaign: Campaign) -> Item:
    heard = campaign.heard_script_id == campaign.script_id
    return Item(
        name="heard",
        title="Call me first",
        level=Level.OK if heard else Level.FAIL,
        says=f"Somebody has heard {campaign.script} on a phone."
        if heard
        else f"Nobody has heard {campaign.script} on their own phone yet.",
        remedy="" if heard else "Press “Call me first” and listen to what people will hear.",
    )


def _agents() -> Item:
    title = "Alex"
    free, places = agent_places(clock.now())
    if places:
        says = f"Alex has {places} places, {free} of them free."
        return Item(name="agents", title=title, level=Level.OK, says=says)
    return Item(
        name="agents",
        title=title,
        level=Level.FAIL,
        says="No agent worker reports: Alex is nowhere.",
        remedy="Start one (python -m agentworker), or see why it stopped.",
    )


def _switch() -> Item:
    control = DialingControl.objects.get(pk=1)
    if control.stopped:
        says = "All dialing is stopped; nobody is called until the stop is lifted on the dashboard."
        return Item(name="switch", title="Big switch", level=Level.WARN, says=says)
    return Item(name="switch", title="Big switch", level=Level.OK, says="Dialing is allowed.")


def _cost(campaign: Campaign, expected: Outlook | None) -> Item:
    title = "Cost"
    if expected is None:
        return Item(name="cost", title=title, level=Level.OK, says="Nobody to call costs nothing.")
    observed, calls = expected.observed, round(expected.likely.calls)
    each, currency, basis = observed.cost_per_call, observed.currency, "so far"
    if each is None:
        usual = estimate(campaign, answer_rate=observed.answer_rate.likely)
        if usual is None:
            says = f"About {calls:,} calls. The rates do not say what one costs."
            return Item(name="cost", title=title, level=Level.WARN, says=says, remedy="Set them under Rates.")
        each, currency, basis = usual.per_call, usual.currency, "on average, by the rates"
    amount = (each * calls).quantize(Decimal("0.01"))
    says = f"About {amount:,} {currency}: {calls:,} calls at {each:.4f} {currency} each {basis}."
    return Item(name="cost", title=title, level=Level.OK, says=says)
