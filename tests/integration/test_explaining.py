"""Beside every name stands why the person is not being called: never nothing, and what is true now."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from outreach.models import AgentWorker, CallerId, CampaignState, CanaryState, Facilitator, Suppression
from outreach.services import campaigns, clock
from outreach.services.callbacks import promise
from outreach.services.exporting import COLUMNS, as_csv
from tests.factories import a_campaign, a_person, an_agent_worker, an_earlier_call, claim

pytestmark = [
    pytest.mark.integration,
    pytest.mark.usefixtures("tuesday"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]

LIST = "admin:outreach_facilitator_changelist"
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def desk(client: Client) -> Client:
    """A client logged in as somebody who may do everything."""
    client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
    return client


def whys(desk: Client) -> dict[str, str]:
    """Return what the list says beside each name, lines joined by a bar."""
    page = desk.get(reverse(LIST))
    changelist = page.context["cl"]
    admin = changelist.model_admin
    return {
        person.name: unescape(strip_tags(admin.why(person).replace("<br>", " | ")))
        for person in changelist.result_list
    }


def alex_is_there() -> None:
    """Let a worker report that goes on reporting, however long a page takes to be made here."""
    an_agent_worker()
    AgentWorker.objects.update(reported_at=clock.now() + DAY)


def with_campaign(name: str, *, consent: str = "express", **fields: Any) -> Facilitator:
    """Return somebody of that name who is due, in a campaign of their own."""
    return a_person(a_campaign(**fields), name=name, consent_basis=consent)


class TestWhyNot:
    def test_is_said_of_people_whom_the_gate_has_never_judged(self, desk: Client) -> None:
        alex_is_there()
        campaign, now = a_campaign(), clock.now()
        a_person(campaign, name="their turn")
        a_person(campaign, name="no consent", consent_basis="")
        a_person(campaign, name="no country", country="", time_zone="")
        a_person(campaign, name="no zone", time_zone="Mars/Base")
        a_person(campaign, name="far west", time_zone="America/Los_Angeles")
        a_person(campaign, name="tried out", attempts_made=4)
        a_person(campaign, name="later", next_call_at=now + DAY)
        no = an_earlier_call(a_person(a_campaign()), ago=3 * DAY, disposition="not_interested")
        a_person(campaign, name="said no", number=no.number)
        Suppression.objects.create(number="+12125559999", source="operator", created_at=now)
        a_person(campaign, name="suppressed", number="+12125559999")
        said = whys(desk)
        assert said["their turn"] == "It is their turn: they are called as soon as a line is free."
        assert said["no consent"] == "No consent basis is recorded: say why this person may be called."
        assert said["no country"] == "The country is unknown: give its ISO code, e.g. ES."
        assert "Mars/Base" in said["no zone"]
        assert said["far west"] == "Outside 10:00–13:00, 14:00–19:00 America/Los_Angeles, next 10:00."
        assert said["tried out"] == "All 4 attempts are made."
        assert said["later"].startswith("It is not their turn yet | next Wed 4 Mar 10:05 New York")
        assert said["said no"].startswith("They said no on Sat 28 Feb 2026; quiet until ")
        assert said["suppressed"] == "This number must never be called."

    def test_is_said_of_people_whom_nobody_and_nothing_could_call(self, desk: Client) -> None:
        with_campaign("nobody to talk")
        assert (
            whys(desk)["nobody to talk"] == "It is their turn, but no agent worker reports: Alex is nowhere."
        )
        alex_is_there()
        CallerId.objects.create(
            number="+12025550188", rests_until=clock.now() + DAY, created_at=clock.now()
        )  # fmt: skip
        with_campaign("no number", caller_ids=["+12025550188"])
        said = whys(desk)
        assert said["nobody to talk"] == "It is their turn: they are called as soon as a line is free."
        assert said["no number"].startswith("It is their turn. Every number to call from rests: wake one")

    def test_is_said_of_people_in_campaigns_that_call_nobody(self, desk: Client) -> None:
        alex_is_there()
        now = clock.now()
        with_campaign("draft", state=CampaignState.DRAFT)
        with_campaign("draft without consent", state=CampaignState.DRAFT, consent="")
        with_campaign("paused", state=CampaignState.PAUSED, state_reason="Paused by olga.")
        owed = with_campaign("owed a call", state=CampaignState.PAUSED, state_reason="Paused by olga.")
        Facilitator.objects.filter(pk=owed.pk).update(standing="callback_due")
        with_campaign("held", state=CampaignState.HELD, state_reason="No money.", release_at=now + DAY)
        with_campaign("finished", state=CampaignState.FINISHED, state_reason="Finished by olga.")
        with_campaign("before the first day", starts_at=now + DAY)
        with_campaign("after the last day", ends_at=now - MINUTE)
        with_campaign("canary", canary_state=CanaryState.RUNNING, canary_size=10)
        with_campaign("no hours", call_window={"mon": "always"})
        said = whys(desk)
        assert said["draft"] == "The campaign has not been started."
        assert said["draft without consent"].startswith("The campaign has not been started. | No consent")
        assert said["paused"] == "The campaign is paused: Paused by olga."
        assert said["owed a call"].startswith(
            "The campaign is paused: Paused by olga. | A call was promised, for Tue 3 Mar 10:04 New York"
        )
        assert said["held"].startswith("The campaign is held: No money. | until Wed 4 Mar 10:05 New York")
        assert said["finished"] == said["after the last day"] == "The campaign is finished."
        assert said["before the first day"].startswith(
            "The campaign's first day has not come yet | until Wed 4 Mar 10:05 New York"
        )
        assert said["canary"].startswith("The first 10 people are called one at a time")
        assert said["no hours"].startswith("The campaign's calling hours cannot be read: ")
        campaigns.stop_all_dialing(by="olga", reason="fire drill")
        assert {why.split(" | ")[0] for why in whys(desk).values()} >= {
            "All dialing is stopped by olga: fire drill"
        }

    def test_is_said_of_people_who_were_called(self, desk: Client) -> None:
        campaign, now = a_campaign(), clock.now()
        claim(a_person(campaign, name="on the phone"))
        alex_is_there()
        again = a_person(
            campaign, name="again", standing="retry_due", next_call_at=now + DAY, attempts_made=1,
            not_called_code="retry", not_called_reason="No answer (attempt 1 of 4).",
        )  # fmt: skip
        a_person(campaign, name="again now", standing="retry_due", not_called_reason="Busy (attempt 1 of 4).")
        promised = a_person(campaign, name="promised", standing="callback_due", next_call_at=now + DAY)
        promise(promised, at=now + DAY, by="alex", reason="", caller_id="", now=now)
        a_person(campaign, name="promise due", standing="callback_due")
        for standing in ("interested", "not_interested", "suppressed", "exhausted"):
            a_person(campaign, name=standing, standing=standing, next_call_at=None)
        a_person(campaign, name="held", standing="held", standing_reason="Asked (olga)", next_call_at=None)
        said = whys(desk)
        assert said["again"].startswith("No answer (attempt 1 of 4). | next Wed 4 Mar 10:05 New York")
        assert said["again now"] == "It is their turn: they are called as soon as a line is free."
        assert said["promised"].startswith("A call is promised | next Wed 4 Mar 10:05 New York")
        assert said["promise due"].startswith("The promised call is due")
        assert said["interested"] == "They are interested."
        assert said["held"] == "Asked (olga)"
        assert said["on the phone"] == "A call is in progress."
        assert all(said.values())
        # Somebody else with this number says no: nobody is promised another call.
        an_earlier_call(a_person(a_campaign(), number=again.number), ago=DAY, disposition="not_interested")
        assert whys(desk)["again"].startswith("They said no on Mon 2 Mar 2026")

    def test_is_exported_too(self) -> None:
        with_campaign("draft", state=CampaignState.DRAFT)
        line = b"".join(as_csv(Facilitator.objects.all())).decode().splitlines()[1].split(",")
        assert line[COLUMNS.index("why")] == "The campaign has not been started."

    def test_is_asked_once_for_a_whole_page(self, desk: Client) -> None:
        def questions() -> int:
            with CaptureQueriesContext(connection) as made:
                whys(desk)
            return len(made)

        with_campaign("one")
        questions()
        few = questions()
        for n in range(12):
            with_campaign(f"of many {n}", state=[CampaignState.RUNNING, CampaignState.DRAFT][n % 2])
        assert questions() == few
