"""The page of a call: what is on it, and what operators who know better do there."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from outreach.domain.standing import Standing
from outreach.models import Access, Call, CallEvent, Facilitator, HookDelivery, Interest, Suppression, Turn
from outreach.services import clock, hook_events
from outreach.services.detector import detector_score
from tests.factories import a_campaign, a_person
from tests.integration.access_rows import an_endpoint
from tests.integration.desk_rows import a_live_call, a_talk, an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.usefixtures("tuesday", "valkey"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]

YES = {"_form_submitted": "on"}
QUERIES_OF_A_CALL = 18


@pytest.fixture
def desk(client: Client) -> Client:
    """A client logged in as somebody who may do everything."""
    client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
    return client


def address(name: str, call: Call) -> str:
    """Return the address of one of a call's pages."""
    return reverse(f"admin:outreach_call_{name}", args=[call.pk])


def page_of(client: Client, call: Call) -> str:
    """Return the page of a call."""
    return client.get(address("change", call)).content.decode()


def an_event(call: Call, kind: str, *, ago: float, source: str = "twilio", **payload: str) -> CallEvent:
    """Return something that was told `ago` seconds ago."""
    at = clock.now() - timedelta(seconds=ago)
    return CallEvent.objects.create(
        source=source, event_id=f"{kind}{ago}", kind=kind, call=call, payload=payload, received_at=at
    )


def correct(client: Client, call: Call, outcome: str, **fields: object) -> str:
    """Correct the outcome of a call; return what the operator is told."""
    given = {**YES, "disposition": outcome, "reason": "I read it", **fields}
    client.post(address("correct_outcome", call), given)
    return " ".join(str(m) for m in client.get(address("change", call)).context["messages"])


class TestThePage:
    def test_names_the_turns_that_are_missing(self, desk: Client) -> None:
        call = a_talk(a_person(a_campaign()), n_turns=9)
        assert "Turns 3, 5–9 missing" in page_of(desk, call)

    def test_shows_both_sides_on_one_line_with_what_passed_between(self, desk: Client) -> None:
        call = a_talk(a_person(a_campaign()))
        an_event(call, "ringing", ago=60)
        an_event(call, "room_started", ago=58.5, source="livekit")
        an_event(call, "tool", ago=30, source="agent", name="take_note")
        page = page_of(desk, call)
        places = [page.index(text) for text in ("Ourselves", "Ringing", "Room opened")]
        assert places == sorted(places)
        assert "+1.5 s" in page
        assert page.count("Used “take note”") == 2

    def test_makes_as_many_queries_however_much_was_said(self, desk: Client) -> None:
        call = a_talk(a_person(a_campaign()))
        page_of(desk, call)
        with CaptureQueriesContext(connection) as few:
            page_of(desk, call)
        for seq in range(5, 40):
            Turn.objects.create(call=call, seq=seq, speaker="alex", text="Yes.", said_at=clock.now())
            an_event(call, "tool", ago=seq, source="agent", name="take_note")
        with CaptureQueriesContext(connection) as many:
            page_of(desk, call)
        assert len(many) == len(few) <= QUERIES_OF_A_CALL

    def test_writes_down_who_read_it_and_nobody_who_may_not(self, client: Client) -> None:
        call = a_talk(a_person(a_campaign()))
        client.force_login(an_operator("outreach.view_call"))
        page_of(client, call)
        assert not Access.objects.exists()
        client.force_login(an_operator("outreach.view_call", "outreach.read_transcript", username="rita"))
        page_of(client, call)
        access = Access.objects.get()
        assert (access.user.username, access.kind, access.what) == ("rita", "transcript", f"call {call.pk}")

    def test_offers_only_what_fits(self, desk: Client) -> None:
        live, over = a_live_call(a_person(a_campaign())), a_talk(a_person(a_campaign()))
        assert address("hang_up", live) in page_of(desk, live)
        assert address("correct_outcome", live) not in page_of(desk, live)
        assert address("hang_up", over) not in page_of(desk, over)
        assert address("correct_outcome", over) in page_of(desk, over)


class TestNeverAgain:
    def test_closes_everybody_with_that_number(self, desk: Client) -> None:
        call = a_talk(a_person(a_campaign()))
        elsewhere = a_person(a_campaign(), number=call.number)
        desk.post(address("never_again", call), {**YES, "reason": "Said so by mail"})
        suppression = Suppression.objects.get()
        assert (suppression.number, suppression.call, suppression.created_by) == (call.number, call, "root")
        assert Facilitator.objects.get(pk=elsewhere.pk).standing == Standing.SUPPRESSED

    def test_needs_the_permission(self, client: Client) -> None:
        call = a_talk(a_person(a_campaign()))
        client.force_login(an_operator("outreach.view_call"))
        for name in ("never_again", "correct_outcome"):
            assert client.post(address(name, call), {**YES, "reason": "x"}).status_code == 403
        assert client.post(address("judge", call), {"was": "person"}).status_code == 403
        assert client.get(address("scenario", call)).status_code == 403
        assert not Suppression.objects.exists()


class TestCorrecting:
    def test_lets_the_person_follow_and_keeps_who_and_why(self, desk: Client) -> None:
        person = a_person(a_campaign(), standing="interested", next_call_at=None)
        call = a_talk(person)
        Call.objects.filter(pk=call.pk).update(tally_due=False)
        said = correct(desk, call, "not_interested", evidence_seq=4)
        person.refresh_from_db()
        call.refresh_from_db()
        assert (call.disposition, call.disposition_seq, call.judged_by) == ("not_interested", 4, "root")
        assert call.tally_due
        assert person.standing == Standing.NOT_INTERESTED
        assert person.standing_reason == "Corrected to “not interested” by root: I read it"
        assert "The person is: not interested." in said
        edit = call.history.get()
        assert (edit.history_user.username, edit.history_change_reason) == (
            "root",
            "Outcome was interested: I read it",
        )
        assert "Outcome was interested: I read it" in page_of(desk, call)

    def test_may_go_either_way_but_never_lifts_a_suppression(self, desk: Client) -> None:
        person = a_person(a_campaign(), standing="not_interested", next_call_at=None)
        call = a_talk(person, disposition="not_interested")
        correct(desk, call, "interested")
        person.refresh_from_db()
        assert person.standing == Standing.INTERESTED
        assert "never called again" in correct(desk, call, "do_not_call")
        said = correct(desk, call, "interested")
        person.refresh_from_db()
        assert "stays on the list" in said
        assert person.standing == Standing.SUPPRESSED
        assert Suppression.objects.filter(number=call.number).exists()

    def test_puts_who_is_found_interested_on_the_work_list_and_tells_other_programs(
        self, desk: Client
    ) -> None:
        an_endpoint(now=clock.now())
        hook_events.look_again()
        call = a_talk(a_person(a_campaign(), standing="exhausted", next_call_at=None), disposition="hung_up")
        correct(desk, call, "interested")
        hook_events.look_again()
        assert Interest.objects.get().call == call
        assert [delivery.event for delivery in HookDelivery.objects.all()] == ["person.interested"]

    def test_calls_nobody_again_but_asks_an_operator(self, desk: Client) -> None:
        person = a_person(a_campaign(), standing="not_interested", next_call_at=None)
        correct(desk, a_talk(person, disposition="not_interested"), "hung_up")
        person.refresh_from_db()
        assert (person.standing, person.next_call_at) == (Standing.NEEDS_REVIEW, None)

    def test_yields_to_what_was_said_later_unless_it_is_a_no(self, desk: Client) -> None:
        person = a_person(a_campaign(), standing="not_interested", next_call_at=None)
        earlier = a_talk(person, disposition="no_outcome")
        Call.objects.filter(pk=earlier.pk).update(queued_at=clock.now() - timedelta(days=2))
        a_talk(person, disposition="not_interested")
        assert "later call" in correct(desk, earlier, "interested")
        person.refresh_from_db()
        assert person.standing == Standing.NOT_INTERESTED
        correct(desk, earlier, "wrong_person")
        person.refresh_from_db()
        assert person.standing == Standing.NEEDS_REVIEW

    def test_is_refused_while_the_call_goes_on_or_by_a_turn_that_is_not_there(self, desk: Client) -> None:
        live, over = a_live_call(a_person(a_campaign())), a_talk(a_person(a_campaign()))
        assert "not over yet" in correct(desk, live, "interested")
        assert "no turn 3" in correct(desk, over, "not_interested", evidence_seq=3)
        assert Call.objects.get(pk=over.pk).disposition == "interested"


class TestJudgingWhoPickedUp:
    def test_keeps_score_of_the_detector(self, desk: Client) -> None:
        right, wrong = a_talk(a_person(a_campaign())), a_talk(a_person(a_campaign()), answered_by="voicemail")
        for call in (right, wrong):
            desk.post(address("judge", call), {"was": "person"})
        score = detector_score()
        assert (score.judged, score.right, score.persons_taken_for_machines) == (2, 1, 1)
        page = desk.get(reverse("admin:outreach_call_changelist")).content.decode()
        assert "right in <b>1</b> of 2 judged calls (50%)" in page
        assert "The detector was wrong" in page_of(desk, wrong)

    def test_takes_the_detectors_own_kind_of_machine(self, desk: Client) -> None:
        menu, person = a_talk(a_person(a_campaign()), answered_by="ivr"), a_talk(a_person(a_campaign()))
        for call in (menu, person):
            desk.post(address("judge", call), {"was": "machine"})
            call.refresh_from_db()
        assert (menu.judged_answered_by, person.judged_answered_by) == ("ivr", "voicemail")


class TestATestMadeOfACall:
    def test_is_shown_and_sent_and_written_down(self, desk: Client) -> None:
        call = a_talk(a_person(a_campaign(), name="Zoe Quimby"), transcript="complete", n_turns=3)
        Turn.objects.filter(call=call, seq=4).update(seq=3, text="Yes, this is Zoe.")
        assert desk.get(address("make_scenario", call)).status_code == 302
        assert "This is Zoe" not in desk.get(address("scenario", call)).content.decode()
        answer = desk.post(address("scenario", call))
        assert answer["Content-Disposition"].startswith('attachment; filename="interested_')
        assert json.loads(answer.content)["turns"][2]["text"] == "Yes, this is Robin."
        assert Access.objects.filter(kind="export", what=f"scenario of call {call.pk}").count() == 1

    def test_says_why_there_is_none(self, desk: Client) -> None:
        call = a_talk(a_person(a_campaign()))
        answer = desk.get(address("scenario", call), follow=True)
        assert "Turns of this call are missing" in answer.content.decode()
