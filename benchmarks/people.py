"""Made-up people by the million: rows that the gate lets through, inserted by PostgreSQL itself."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta

from benchmarks.stage import patient_cursor
from outreach.models import Campaign, CampaignState, DialingControl
from outreach.services import campaigns, clock
from outreach.services.mode import require_own_database
from sandbox import sample

#: Priorities 1 to 9, as mixed as a list that nobody sorted. Numbers from `first` on are nobody's.
_MIXED = """
INSERT INTO outreach_facilitator (campaign_id, name, number, email, organisation, language, country,
    time_zone, zone_source, priority, consent_basis, consent_source, extra, standing, standing_reason,
    next_call_at,
    attempts_made, our_faults, callbacks_unkept, voicemail_left, wish, not_called_code, not_called_reason,
    created_at, updated_at)
SELECT %(campaign)s, 'Person ' || n, '+1212' || lpad(n::text, 7, '0'), '', '', 'en', 'US',
    'America/New_York', 'given',
    CASE WHEN %(priority)s > 0 THEN %(priority)s ELSE 1 + (n::bigint * 7919) %% 9 END,
    'express_written', '', '{}', 'new', '',
    %(due)s - ((n::bigint * 104729) %% 3600) * interval '1 second',
    0, 0, 0, false, '', '', '', %(due)s, %(due)s
FROM generate_series(%(first)s, %(last)s) AS n
"""


def a_running_campaign(*, calls_per_second: float, max_open_calls: int) -> Campaign:
    """Return the sample campaign, running at a pace that is no limit to what is measured."""
    require_own_database()
    DialingControl.objects.update(calls_per_second=calls_per_second, max_open_calls=max_open_calls)
    campaign = campaigns.create_campaign(campaigns.NewCampaign(**asdict(sample.CAMPAIGN)))
    Campaign.objects.filter(pk=campaign.pk).update(
        state=CampaignState.RUNNING, calls_per_second=calls_per_second, max_open_calls=max_open_calls
    )
    campaign.refresh_from_db()
    return campaign


def add_people(
    campaign: Campaign, *, first: int, last: int, due_in: timedelta = timedelta(0), priority: int = 0
) -> None:
    """Add the people numbered `first` to `last`, due within the hour before `due_in` from now.

    :param priority: of all of them; 0 mixes 1 to 9.
    """
    due: datetime = clock.now() + due_in
    values: dict[str, int | datetime] = {
        "campaign": campaign.pk,
        "priority": priority,
        "due": due,
        "first": first,
        "last": last,
    }
    with patient_cursor() as cursor:
        cursor.execute(_MIXED, values)
        cursor.execute("VACUUM ANALYZE outreach_facilitator")
