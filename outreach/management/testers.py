"""Adding one's own phone to a campaign: only in DIALING=test, only a number of TEST_NUMBERS."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from django.core.management.base import CommandError

from outreach.models import Campaign, Facilitator, ImportState
from outreach.services.importing import ImportOptions, import_file
from outreach.services.mode import allowed_numbers

SOURCE = "manage.py call"


@dataclass(frozen=True, kw_only=True)
class TesterFacts:
    """What must be known of somebody before their number may be added."""

    name: str
    consent_basis: str


def may_be_added(number: str) -> bool:
    """Tell whether this number is one of the operator's own."""
    own = allowed_numbers()
    return own is not None and number in own


def add_tester(number: str, *, campaign: Campaign, facts: TesterFacts) -> Facilitator:
    """Add a number of TEST_NUMBERS to a campaign, through the real import, and return the person.

    :raises CommandError: when a fact is missing or the import refuses.
    """
    if not facts.name or not facts.consent_basis:
        raise CommandError(
            "This number of TEST_NUMBERS is in no campaign yet. To add it, say whose it is and why it may be "
            "called: --name NAME --consent-basis express"
        )
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["name", "phone"], [facts.name, number]])
    batch = import_file(
        campaign_id=campaign.pk,
        source=io.BytesIO(text.getvalue().encode()),
        file_name=SOURCE,
        imported_by_id=None,
        options=ImportOptions(consent_basis=facts.consent_basis, consent_source=SOURCE),
    )
    if batch.state != ImportState.IMPORTED or not batch.rows_created:
        row = batch.rows.filter(rejected=True).first()
        raise CommandError(f"The number was not added: {row.problem if row else batch.problem}")
    return Facilitator.objects.select_related("campaign").get(campaign=campaign, number=number)
