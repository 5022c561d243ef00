"""A call whose person may be invented, for a brief to be written about: nothing of it is stored."""

from __future__ import annotations

from outreach.domain.standing import CallKind
from outreach.domain.zones import zones_of
from outreach.models import Call, Campaign, Channel, Facilitator, ScriptVersion
from outreach.services.scripts import SEED

COUNTRY = "US"
PERSON = "Sam Sample"


def sample_call(
    *,
    campaign: Campaign | None,
    person: Facilitator | None,
    script: ScriptVersion | None = None,
    channel: Channel = Channel.PHONE,
) -> Call:
    """Return an unsaved first call of a person, who is invented when none is given; so is the campaign.

    :param script: what Alex says in it; the campaign's own script when none is given.
    """
    campaign = campaign or _sample_campaign()
    country = campaign.default_country
    return Call(
        facilitator=person
        or Facilitator(
            campaign=campaign,
            name=PERSON,
            organisation="Sample Workshops",
            country=country,
            time_zone=zones_of(time_zone="", country=country)[0],
        ),
        campaign=campaign,
        script=script or campaign.script,
        channel=channel.value,
        kind=CallKind.FIRST.value,
    )


def _sample_campaign() -> Campaign:
    return Campaign(
        name="an invented campaign",
        script=ScriptVersion(name=SEED.stem, version=1, body=SEED.read_text(encoding="utf-8")),
        company="Example Company",
        platform="Example Platform",
        platform_facts="Joining is free.\nPeople set their own prices.",
        default_country=COUNTRY,
    )
