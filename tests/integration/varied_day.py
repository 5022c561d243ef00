"""A day and the one before it, with most of what can happen to people and their calls."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

from outreach.domain.disposition import Disposition
from outreach.models import Call, Callback, CallbackState, Campaign, Facilitator, SuppressionSource, Turn
from outreach.services import clock, correcting, dispatching, moving, suppressing, tallying
from outreach.services.callbacks import promise
from outreach.services.import_undoing import undo_import
from outreach.services.importing import ImportOptions, import_file
from tests.factories import a_campaign, a_person, an_agent_worker, an_earlier_call
from tests.integration.desk_rows import a_live_call

HOUR = timedelta(hours=1)
YESTERDAY = 26 * HOUR
#: Outside their hours it is in California (07:05), Pakistan (20:05) and Japan (00:05).
ZONES = {
    "America/New_York": "US", "America/Los_Angeles": "US", "Europe/Madrid": "ES", "Asia/Tokyo": "JP",
    "Asia/Karachi": "PK",
}  # fmt: skip


def a_varied_day() -> None:
    """Make the rows: some are tallied, then corrected, some are new; some people claimed, some refused."""
    an_agent_worker()
    spring, autumn = a_campaign(name="Spring"), a_campaign(name="Autumn", state="paused")
    _calls_of_two_days(spring)
    tallying.take_in()
    tallying.count_people()
    for person in Facilitator.objects.filter(calls__disposition="callback_requested"):
        talked(person, 2 * HOUR, "interested", 131)
    _what_operators_correct(spring, autumn)
    _calls_that_are_not_dialled(spring)
    _people_who_wait(spring, autumn)
    dispatching.claim_due()
    dispatching.claim_retries()
    a_live_call(someone(spring))
    spoken = Call.objects.open().by_phone()[0]
    Turn.objects.create(call=spoken, seq=1, speaker="person", text="Hello?", said_at=clock.now())


def someone(campaign: Campaign, zone: str = "America/New_York", **fields: Any) -> Facilitator:
    """Return somebody in a zone about whom nothing is left to do, unless the fields say otherwise."""
    done = {"standing": "exhausted", "next_call_at": None}
    return a_person(campaign, time_zone=zone, country=ZONES[zone], **(done | fields))


def talked(person: Facilitator, ago: timedelta, disposition: str, seconds: int, **fields: Any) -> Call:
    """Return a settled call that somebody picked up."""
    call = an_earlier_call(
        person, ago=ago, status="completed", answered_by="human", disposition=disposition,
        duration_seconds=seconds, cost=Decimal(seconds) / 1000, cost_currency="USD", **fields,
    )  # fmt: skip
    at = call.queued_at
    Call.objects.filter(pk=call.pk).update(answered_at=at, ended_at=at + timedelta(seconds=seconds + 9))
    return call


def _calls_of_two_days(campaign: Campaign) -> None:
    for zone in ("America/New_York", "Europe/Madrid"):
        called_back = someone(campaign, zone, standing="interested")
        an_earlier_call(called_back, ago=50 * HOUR)
        talked(called_back, YESTERDAY, "callback_requested", 44)
        talked(someone(campaign, zone, standing="interested"), HOUR, "interested", 95)
        talked(someone(campaign, zone, standing="not_interested"), YESTERDAY + HOUR, "not_interested", 20)
        talked(someone(campaign, zone), 3 * HOUR, "hung_up", 4, stage="pitch")
        talked(someone(campaign, zone), HOUR, "no_outcome", 12, our_fault=True, failure_code="agent_lost")
        an_earlier_call(someone(campaign, zone), ago=HOUR, status="busy", kind="retry")
        an_earlier_call(someone(campaign, zone), ago=timedelta(minutes=5), placed_at=None, status="canceled")
    machine = talked(someone(campaign), 2 * HOUR, "no_outcome", 9)
    Call.objects.filter(pk=machine.pk).update(
        answered_by="voicemail", cost=Decimal("0.02"), cost_currency="EUR"
    )


def _what_operators_correct(spring: Campaign, autumn: Campaign) -> None:
    hung_up = Call.objects.filter(disposition="hung_up").first()
    no = Call.objects.filter(disposition="not_interested").first()
    assert hung_up is not None
    assert no is not None
    correcting.correct_disposition(
        call_id=hung_up.pk, disposition=Disposition.INTERESTED, evidence_seq=None, by="olga", reason="heard"
    )
    correcting.correct_disposition(
        call_id=no.pk, disposition=Disposition.DO_NOT_CALL, evidence_seq=None, by="olga", reason="heard"
    )
    correcting.judge_answered_by(
        call_id=Call.objects.filter(answered_by="voicemail").get().pk, person=True, by="olga"
    )
    wrong = Call.objects.filter(disposition="interested", duration_seconds=95).first()
    assert wrong is not None
    correcting.judge_answered_by(call_id=wrong.pk, person=False, by="olga")
    going = [someone(spring).pk, a_person(spring).pk]
    assert moving.move(facilitator_ids=going, campaign_id=autumn.pk, by="olga").n_people == 2
    suppressing.suppress(number=a_person(spring).number, source=SuppressionSource.OPERATOR)
    batch = import_file(
        campaign_id=spring.pk, source=io.BytesIO(b"Name,Phone\nAna,2125550100\nBea,2125550101\n"),
        file_name="x.csv", imported_by_id=None,
        options=ImportOptions(consent_basis="express", consent_source="x"),
    )  # fmt: skip
    undo_import(batch_id=batch.pk, by="olga")


def _calls_that_are_not_dialled(campaign: Campaign) -> None:
    for channel in ("trial", "web"):
        call = talked(someone(campaign), HOUR, "interested", 300)
        fields = {"number": "", "dialing_at": None, "placed_at": None, "counts": False}
        Call.objects.filter(pk=call.pk).update(channel=channel, **(fields if channel == "web" else {}))


def _people_who_wait(spring: Campaign, autumn: Campaign) -> None:
    now = clock.now()
    for zone in ZONES:
        a_person(spring, time_zone=zone, country=ZONES[zone])
        a_person(spring, time_zone=zone, country=ZONES[zone], standing="retry_due")
        later = now + 3 * HOUR
        a_person(spring, time_zone=zone, standing="retry_due", not_called_code="retry", next_call_at=later)
    a_person(spring, consent_basis="")
    a_person(spring, country="", time_zone="")
    a_person(spring, time_zone="Nowhere/Else")
    a_person(spring, standing="needs_review", standing_reason="Somebody else answered.", next_call_at=None)
    a_person(autumn, standing="waiting", not_called_code="outside_window", next_call_at=now + HOUR)
    for ahead, by in ((-2 * HOUR, "alex"), (HOUR, "human"), (30 * HOUR, "alex"), (2 * HOUR, "alex")):
        person = a_person(spring, standing="callback_due", next_call_at=now + 4 * HOUR)
        promise(person, at=now + ahead, by=by, reason="", caller_id="+12025550199", now=now)
    kept = Callback.objects.order_by("pk").last()
    assert kept is not None
    Callback.objects.filter(pk=kept.pk).update(state=CallbackState.KEPT, closed_at=now)
