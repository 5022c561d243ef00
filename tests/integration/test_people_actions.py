"""What operators do with many people: each is refused for a reason, none stays stuck, all is kept."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from outreach.domain.call_status import CallStatus
from outreach.domain.standing import Standing
from outreach.models import Access, Call, Callback, Facilitator, Interest, Suppression
from outreach.services import attending, clock
from outreach.services.attending import Outcome
from outreach.services.calling_many import NO_PLACE, call_many
from outreach.services.forecasting import outlook
from outreach.services.moving import IN_A_CALL, NUMBER_IS_THERE, THERE_ALREADY, CannotMove, move
from outreach.services.preflight_people import look_at_people
from outreach.services.promising import CannotPromise, promise
from tests.factories import (
    a_campaign,
    a_dialled_call,
    a_person,
    an_agent_worker,
    an_earlier_call,
    provider_says,
)
from tests.integration.desk_rows import a_live_call, an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.usefixtures("tuesday", "valkey"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]

LIST = "admin:outreach_facilitator_changelist"
OLGA = {"by": "olga"}


@pytest.fixture
def desk(client: Client) -> Client:
    """A client logged in as somebody who may do everything."""
    client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
    return client


def act(client: Client, action: str, *people: Facilitator, **given: object) -> list[str]:
    """Confirm an action on these people and return what the operator is told."""
    ids = [person.pk for person in people]
    answer = client.post(
        reverse(LIST), {"action": action, "_selected_action": ids, "confirmed": "yes", **given}, follow=True
    )
    return [str(message) for message in answer.context["messages"]]


def ids_of(*people: Facilitator) -> list[int]:
    return [person.pk for person in people]


class TestCallingMany:
    def test_goes_through_the_gate_and_lists_the_refusals_by_reason(self, desk: Client) -> None:
        an_agent_worker()
        campaign = a_campaign()
        called = a_person(campaign)
        ann, bob = (a_person(campaign, name=name, consent_basis="") for name in ("Ann", "Bob"))
        told = act(desk, "call_people", called, ann, bob)
        assert told[0] == "1 person being called."
        assert told[1].startswith("Not called, Ann, Bob: No consent basis is recorded")
        assert Call.objects.get().facilitator_id == called.pk
        assert Call.objects.get().kind == "manual"

    def test_takes_no_more_than_there_are_places(self) -> None:
        an_agent_worker(free=1)
        campaign = a_campaign(max_open_calls=1)
        people = [a_person(campaign) for _ in range(3)]
        called = call_many(facilitator_ids=ids_of(*people), requested_by="olga")
        assert len(called.calls) == 1
        assert called.refused == {NO_PLACE: ids_of(*people[1:])}

    def test_is_for_those_who_may(self, client: Client) -> None:
        client.force_login(an_operator("outreach.view_facilitator", "outreach.change_facilitator"))
        act(client, "call_people", a_person(a_campaign()))
        assert not Call.objects.exists()


class TestNobodyIsStuck:
    @pytest.mark.parametrize("standing", ["held", "needs_review", "exhausted"])
    def test_but_released_or_closed(self, standing: str) -> None:
        User.objects.create_user("olga")
        stuck = {"standing": standing, "standing_reason": "x", "next_call_at": None}
        released, closed = (a_person(a_campaign(), **stuck) for _ in range(2))
        assert attending.release(facilitator_ids=ids_of(released), **OLGA) == 1
        outcome = Outcome.NOT_INTERESTED
        assert attending.close(facilitator_ids=ids_of(closed), outcome=outcome, reason="wrote", **OLGA) == 1
        released.refresh_from_db()
        closed.refresh_from_db()
        assert (released.standing, released.next_call_at is not None) == ("waiting", True)
        assert (closed.standing, closed.standing_reason) == ("not_interested", "wrote (olga)")
        assert closed.history.get().history_user.username == "olga"
        assert closed.history.get().history_change_reason == "Closed: wrote"

    def test_and_whom_alex_owes_a_call_is_called_at_its_time(self) -> None:
        now = clock.now()
        campaign = a_campaign()
        held = {"standing": "held", "standing_reason": "x", "next_call_at": None}
        owed, human = a_person(campaign, **held), a_person(campaign, **held)
        at = now + timedelta(hours=3)
        for person, by in ((owed, "alex"), (human, "human")):
            Callback.objects.create(
                facilitator=person, promised_at=at, time_zone="", by=by, created_at=now
            )  # fmt: skip
        assert attending.release(facilitator_ids=ids_of(owed, human), **OLGA) == 2
        owed.refresh_from_db()
        human.refresh_from_db()
        assert (owed.standing, owed.next_call_at) == ("callback_due", at)
        assert human.standing == "waiting"
        assert Callback.objects.get(facilitator=human).state == "canceled"

    def test_and_of_whom_nothing_changes_it_is_said_why(self, desk: Client) -> None:
        campaign = a_campaign()
        waits, done = a_person(campaign), a_person(campaign, standing="interested", next_call_at=None)
        only = "only people who wait for a call, or are in one, can be held"
        assert act(desk, "hold_people", waits, done, reason="x") == [
            "1 person held.", f"1 person not held: {only}.",
        ]  # fmt: skip
        assert act(desk, "hold_people", done, reason="x") == [f"Nobody was held: {only}."]

    def test_and_gets_more_attempts(self) -> None:
        campaign = a_campaign(max_attempts=4)
        exhausted = a_person(campaign, standing="exhausted", attempts_made=4, next_call_at=None)
        no = a_person(campaign, standing="not_interested", attempts_made=1, next_call_at=None)
        given = attending.give_attempts(facilitator_ids=ids_of(exhausted, no), n_attempts=2, **OLGA)
        assert given == 1
        exhausted.refresh_from_db()
        assert (exhausted.standing, exhausted.attempts_made) == ("waiting", 4)
        assert exhausted.history.get().history_change_reason == "Given 2 more attempts (olga)"

    def test_and_what_was_tried_stays_counted(self, desk: Client) -> None:
        campaign = a_campaign(max_attempts=4)
        person = a_person(campaign, standing="exhausted", attempts_made=5, next_call_at=None)
        act(desk, "give_attempts", person, n_attempts=2)
        assert look_at_people(campaign, now=clock.now()).now == 1
        left = outlook(campaign)
        assert left is not None
        assert left.likely.calls == pytest.approx(1.7)  # once, and once more those who did not answer
        assert "5 of 7" in desk.get(reverse(LIST)).content.decode()
        provider_says(a_dialled_call(person), CallStatus.BUSY)
        person.refresh_from_db()
        assert (person.standing, person.attempts_made) == ("retry_due", 6)
        assert person.not_called_reason == "Busy (attempt 6 of 7)."
        page = reverse("admin:outreach_facilitator_change", args=[person.pk])
        assert "6 of 7" in desk.get(page).content.decode()
        Facilitator.objects.update(attempts_made=7)
        (never,) = look_at_people(campaign, now=clock.now() + timedelta(days=9)).never
        assert never.says == "All 7 attempts are made."

    def test_and_is_on_the_work_list_when_closed_as_interested(self) -> None:
        campaign = a_campaign()
        talked, never = a_person(campaign), a_person(campaign)
        an_earlier_call(talked, ago=timedelta(days=2))
        last = an_earlier_call(talked, ago=timedelta(days=1))
        in_call = a_person(campaign)
        a_live_call(in_call)
        people = ids_of(talked, never, in_call)
        assert attending.close(facilitator_ids=people, outcome=Outcome.INTERESTED, reason="", **OLGA) == 3
        rows = {row.facilitator: row.call for row in Interest.objects.select_related("call", "facilitator")}
        assert rows == {talked: last, never: None, in_call: in_call.calls.get()}
        in_call.refresh_from_db()
        assert (in_call.standing, in_call.wish) == ("in_call", "interested")

    def test_and_the_work_list_says_so_where_there_was_no_call(self, desk: Client) -> None:
        person = a_person(a_campaign(), name="Ann Example")
        act(desk, "close_people", person, outcome="interested", reason="wrote to us")
        row = Interest.objects.get(facilitator=person, call=None)
        for page in (
            reverse("admin:outreach_interest_changelist"),
            reverse("admin:outreach_interest_change", args=[row.pk]),
        ):
            assert "an operator's own word" in unescape(desk.get(page).content.decode())


class TestMoving:
    def test_respects_numbers_calls_and_promises(self) -> None:
        old, new = a_campaign(), a_campaign()
        goes, twin, talks, there = a_person(old), a_person(old), a_person(old), a_person(new)
        a_person(new, number=twin.number)
        a_live_call(talks)
        Callback.objects.create(
            facilitator=goes, promised_at=clock.now(), time_zone="", created_at=clock.now()
        )  # fmt: skip
        moved = move(facilitator_ids=ids_of(goes, twin, talks, there), campaign_id=new.pk, **OLGA)
        assert moved.n_people == 1
        assert moved.refused == {NUMBER_IS_THERE: 1, IN_A_CALL: 1, THERE_ALREADY: 1}
        goes.refresh_from_db()
        assert goes.campaign == new
        assert Callback.objects.get(facilitator=goes).state == "promised"

    def test_leads_to_no_finished_campaign(self) -> None:
        person, over = a_person(a_campaign()), a_campaign(state="finished")
        with pytest.raises(CannotMove, match="finished"):
            move(facilitator_ids=ids_of(person), campaign_id=over.pk, **OLGA)


class TestPromising:
    AT = datetime(2026, 3, 4, 11, 30)  # noqa: DTZ001  (on the clock that the test names)

    def test_is_on_their_clock_and_alex_waits_for_it(self, desk: Client) -> None:
        person = a_person(a_campaign(), time_zone="America/Los_Angeles")
        given = {"at": "2026-03-04T11:30", "clock": "theirs", "by": "alex", "reason": "asked by mail"}
        act(desk, "promise_people", person, **given)
        person.refresh_from_db()
        assert person.standing == "callback_due"
        assert person.next_call_at == self.AT.replace(tzinfo=ZoneInfo("America/Los_Angeles"))
        assert Callback.objects.get().reason == "asked by mail"

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [({"consent_basis": ""}, "consent"), ({"attempts_made": 4}, "attempts"), ({"standing": "suppressed",
          "next_call_at": None}, "never")],
    )  # fmt: skip
    def test_is_refused_where_the_gate_would_refuse(self, fields: dict[str, object], sentence: str) -> None:
        person = a_person(a_campaign(), **fields)
        with pytest.raises(CannotPromise, match=sentence):
            promise(
                facilitator_id=person.pk, local=self.AT, zone=None, by_alex=True, reason="", agreed_by="olga"
            )
        assert not Callback.objects.exists()

    @pytest.mark.parametrize(("hour", "sentence"), [(23, "next"), (1, "past")])
    def test_is_refused_outside_the_hours_and_for_the_past(self, hour: int, sentence: str) -> None:
        person = a_person(a_campaign())
        local = datetime(2026, 3, 3, hour)  # noqa: DTZ001  (on the person's clock)
        with pytest.raises(CannotPromise, match=sentence):
            promise(
                facilitator_id=person.pk, local=local, zone=None, by_alex=True, reason="", agreed_by="olga"
            )

    def test_by_a_person_is_never_dialled_by_alex(self) -> None:
        person = a_person(a_campaign(), consent_basis="")
        promise(
            facilitator_id=person.pk, local=self.AT, zone=None, by_alex=False, reason="", agreed_by="olga"
        )
        person.refresh_from_db()
        assert (person.standing, person.next_call_at) == (Standing.NEEDS_REVIEW.value, None)


class TestExporting:
    def test_gives_safe_cells_and_is_written_down_without_names(self, desk: Client) -> None:
        person = a_person(a_campaign(), name="=HYPERLINK(1)", organisation="@x", extra={"a": "b"})
        an_earlier_call(person, ago=timedelta(days=1), disposition="hung_up")
        url = reverse(LIST) + "?q=hyperlink&country=US"
        chosen = {"action": "export_csv", "_selected_action": [person.pk], "select_across": "1"}
        assert "written down" in desk.post(url, chosen).content.decode()
        assert not Access.objects.exists()
        answer = desk.post(url, {**chosen, "confirmed": "yes"})
        text = b"".join(answer).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["name"] for row in rows] == ["'=HYPERLINK(1)"]
        assert rows[0]["number"] == f"'{person.number}"
        assert rows[0]["last_outcome"] == "hung_up"
        assert not [cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "-", "@", "\t")]
        access = Access.objects.get()
        assert (access.kind, access.what, access.n_rows) == (
            "export", "people as csv: country=US searched", 1,
        )  # fmt: skip

    def test_writes_a_workbook(self, desk: Client) -> None:
        person = a_person(a_campaign(), name="=1+1")
        ids = [person.pk, 7_000_001, 7_000_002, 7_000_003]  # whoever is gone since the page was made
        chosen = {"action": "export_xlsx", "_selected_action": ids, "confirmed": "yes"}
        answer = desk.post(reverse(LIST), chosen)
        with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "&#39;=1+1" in sheet or "'=1+1" in sheet
        assert "<f>" not in sheet
        assert f">{person.number}<" in sheet
        assert Access.objects.get().what == f"people as xlsx: ids {person.pk} 7000001–7000003"

    def test_is_for_those_who_may(self, client: Client) -> None:
        client.force_login(an_operator("outreach.view_facilitator", "outreach.change_facilitator"))
        person = a_person(a_campaign())
        act(client, "export_csv", person)
        assert not Access.objects.exists()


class TestSuppressingMany:
    def test_takes_everybody_with_the_number(self, desk: Client) -> None:
        person = a_person(a_campaign())
        twin = a_person(a_campaign(), number=person.number)
        act(desk, "suppress_people", person, reason="wrote to us")
        twin.refresh_from_db()
        assert twin.standing == "suppressed"
        assert Suppression.objects.count() == 1
