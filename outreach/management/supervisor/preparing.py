"""What a fresh database needs before anything runs on it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

from outreach.domain.dialing_mode import DialingMode
from outreach.models import Campaign, DialingControl
from outreach.services import campaigns
from outreach.services.mode import require_own_database

ADMIN = "admin"
#: Who stops dialing when everything on the machine is stopped; a rehearsal lifts it at its next start.
STOPPED_BY = "manage.py up"


def prepare_database() -> str | None:
    """Migrate, claim the database for this mode, create the admin user; return a new user's password.

    :raises WrongDatabase: when it belongs to another mode.
    """
    call_command("migrate", verbosity=0, interactive=False)
    require_own_database()
    control = DialingControl.objects.get(pk=1)
    if settings.DIALING is DialingMode.REHEARSAL and control.stopped and control.stopped_by == STOPPED_BY:
        campaigns.resume_dialing(by=STOPPED_BY)
    users = get_user_model()._default_manager
    if users.filter(username=ADMIN).exists():
        return None
    password = secrets.token_urlsafe(12)
    users.create_superuser(username=ADMIN, email="", password=password)
    return password


def draft_sample(*, facts: campaigns.NewCampaign) -> Iterator[str]:
    """Make the sample campaign as a draft without people or numbers, where there is no campaign at all."""
    if Campaign.objects.exists():
        return
    numberless = replace(facts, caller_ids=(), callback_number="")
    campaign = campaigns.create_campaign(numberless)
    yield (
        f'The campaign "{campaign.name}" was made as a draft, without people: open it in the admin and press '
        "“Talk to Alex”. It calls nobody."
    )


def load_sample(*, facts: campaigns.NewCampaign, people: Path, at_most: int | None) -> Iterator[str]:
    """Import the sample list through the real import and start its campaign; yield what happened.

    A campaign that exists already is left as it is.
    """
    if Campaign.objects.filter(name=facts.name).exists():
        yield f'The campaign "{facts.name}" goes on where it stopped.'
        return
    campaign = campaigns.create_campaign(facts)
    with TemporaryDirectory() as place:
        chosen = people
        if at_most is not None:
            chosen = Path(place) / people.name
            with people.open(encoding="utf-8") as whole:
                chosen.write_text("".join(islice(whole, at_most + 1)), encoding="utf-8")
        call_command("import_facilitators", str(chosen), campaign=facts.name, stdout=StringIO())
    count = campaign.facilitators.count()
    campaigns.start(campaign_id=campaign.pk, by=STOPPED_BY)
    yield f'{count} people imported from {people.name}; the campaign "{facts.name}" is running.'
