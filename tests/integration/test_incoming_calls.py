"""People ring our number: what they ask for is done at once, once, and confirmed only then."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
import redis
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import CallbackAgreed, End, Outcome
from outreach.domain.disposition import Disposition, EndedBy
from outreach.domain.standing import CallKind, Standing
from outreach.models import (
    Call,
    Callback,
    CallEvent,
    Facilitator,
    IncomingCall,
    Suppression,
    SuppressionSource,
)
from outreach.services import attending, clock, incoming
from outreach.services.suppressing import suppress
from tests.factories import (
    TUESDAY_MORNING,
    a_campaign,
    a_dialled_call,
    a_person,
    alex_says,
    an_earlier_call,
    claim,
    dial,
    pass_time,
    prepare,
    provider_says,
    set_clock,
    talk_to_the_end,
)
from tests.fakes import FakeTelephony
from tests.integration.hooks import Twilio, be_the_hooks_process, hinted

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.urls("config.hooks_urls"),
    pytest.mark.usefixtures("tuesday"),
]

OURS = "+12025550199"
STRANGER = "+13125550171"


@pytest.fixture(autouse=True)
def _hooks_process(settings: Settings) -> None:
    be_the_hooks_process(settings)


@pytest.fixture
def twilio(client: Client) -> Twilio:
    return Twilio(client)


class Ringing:
    """One call to our number, as Twilio tells it."""

    def __init__(self, twilio: Twilio, number: str, *, called: str = OURS) -> None:
        self._twilio = twilio
        self._params = {
            "CallSid": f"CA{uuid.uuid4().hex}", "AccountSid": "AC" + "0" * 32, "ApiVersion": "2010-04-01",
            "Direction": "inbound", "From": number, "Caller": number, "To": called, "Called": called,
        }  # fmt: skip
        self.hears = ""

    def rings(self) -> Ringing:
        """Ring, and hear what is said."""
        self._post("/hooks/twilio/incoming", {"CallStatus": "ringing"})
        return self

    def chooses(self, key: str = "", *, says: str = "", prompt: int = 1) -> Ringing:
        """Press a key or say something, and hear what is said."""
        chosen = {"Digits": key} if key else {"SpeechResult": says, "Confidence": "0.9"} if says else {}
        self._post(f"/hooks/twilio/incoming/choice/{prompt}", {"CallStatus": "in-progress"} | chosen)
        return self

    @property
    def row(self) -> IncomingCall:
        """Return what is stored of this call."""
        return IncomingCall.objects.get(twilio_sid=self._params["CallSid"])

    def _post(self, path: str, more: dict[str, str]) -> None:
        response: HttpResponse = self._twilio.send(path, self._params | more)
        assert (response.status_code, response["Content-Type"]) == (200, "text/xml")
        self._document = ElementTree.fromstring(response.content)  # noqa: S314  (our own answer)
        self.hears = " ".join(say.text or "" for say in self._document.iter("Say"))

    @property
    def goes_on(self) -> str:
        """Return where the next choice goes, or "" when the call is over."""
        gather = self._document.find("Gather")
        return "" if gather is None else gather.attrib["action"]


def missed(person: Facilitator, telephony: FakeTelephony | None = None) -> Call:
    """Return a call of ours that they have just missed."""
    call = a_dialled_call(person, telephony)
    provider_says(call, CallStatus.NO_ANSWER)
    person.refresh_from_db()
    return call


def wants_a_call(twilio: Twilio, person: Facilitator) -> Ringing:
    """Let them ring and press 1."""
    caller = Ringing(twilio, person.number).rings().chooses("1")
    person.refresh_from_db()
    return caller


class TestTheGreeting:
    def test_names_the_campaign_that_called_them_last_from_that_number(self, twilio: Twilio) -> None:
        person = a_person(a_campaign(company="Lumen", platform="Lumen Circle"))
        a_campaign(company="Other", name="newer")
        an_earlier_call(person, ago=timedelta(hours=2))
        caller = Ringing(twilio, person.number).rings()
        assert "automated line of Lumen." in caller.hears
        assert "Lumen Circle" in caller.hears
        assert caller.goes_on.endswith("/hooks/twilio/incoming/choice/1")
        assert (caller.row.facilitator, caller.row.campaign) == (person, person.campaign)
        assert (caller.row.number, caller.row.called, caller.row.choice) == (person.number, OURS, "")

    def test_names_to_a_stranger_the_company_that_has_the_number(self, twilio: Twilio) -> None:
        a_campaign(company="Lumen")
        a_campaign(company="Paused", state="paused")
        caller = Ringing(twilio, STRANGER).rings()
        assert "automated line of Lumen." in caller.hears
        assert caller.row.facilitator is None

    def test_is_that_of_a_number_left_in_a_voicemail_too(self, twilio: Twilio) -> None:
        a_campaign(company="Lumen", callback_number="+13035550100")
        assert "Lumen" in Ringing(twilio, STRANGER, called="+13035550100").rings().hears

    def test_takes_a_stop_on_a_number_that_no_campaign_has_any_more(self, twilio: Twilio) -> None:
        caller = Ringing(twilio, STRANGER, called="+19995550100").rings()
        assert "automated line" in caller.hears
        caller.chooses("9")
        assert Suppression.objects.filter(number=STRANGER).exists()

    def test_is_the_same_when_twilio_asks_again_and_stored_once(self, twilio: Twilio) -> None:
        a_campaign()
        caller = Ringing(twilio, STRANGER).rings()
        first = caller.hears
        assert caller.rings().hears == first
        assert (IncomingCall.objects.count(), CallEvent.objects.count()) == (1, 1)

    @pytest.mark.parametrize("shown", ["anonymous", "+266696687", ""])
    def test_tells_a_hidden_caller_that_they_are_and_does_nothing(self, twilio: Twilio, shown: str) -> None:
        a_campaign()
        caller = Ringing(twilio, shown).rings()
        assert "withheld" in caller.hears
        assert caller.goes_on == ""
        caller.chooses("9")
        assert "Nothing was changed" in caller.hears
        assert (caller.row.number, Suppression.objects.count()) == ("", 0)

    @pytest.mark.parametrize("path", ["", "/choice/1", "/status"])
    def test_is_for_twilio_only(self, twilio: Twilio, path: str) -> None:
        params = {"From": STRANGER, "To": OURS, "Digits": "9"}
        forged = twilio.send(f"/hooks/twilio/incoming{path}", params, signature="bm90IGEgc2lnbmF0dXJl")
        assert (forged.status_code, IncomingCall.objects.count(), Suppression.objects.count()) == (403, 0, 0)

    def test_believes_no_signature_while_there_is_no_auth_token(
        self, twilio: Twilio, settings: Settings
    ) -> None:
        settings.TWILIO_AUTH_TOKEN = ""
        assert twilio.send("/hooks/twilio/incoming", {"From": STRANGER, "To": OURS}).status_code == 403


class TestNineOrStop:
    @pytest.mark.parametrize(("key", "says"), [("9", ""), ("", "Stop."), ("", "Never call me again!")])
    def test_suppresses_the_number_everywhere(self, twilio: Twilio, key: str, says: str) -> None:
        person = a_person(a_campaign())
        elsewhere = a_person(a_campaign(), number=person.number)
        missed(person)
        caller = Ringing(twilio, person.number).rings().chooses(key, says=says)
        assert "You will not be called again." in caller.hears
        assert caller.goes_on == ""
        assert caller.row.choice == "stop"
        assert Suppression.objects.get().source == "called_back"
        for one in (person, elsewhere):
            one.refresh_from_db()
            assert (one.standing, one.next_call_at) == ("suppressed", None)

    def test_suppresses_a_number_that_we_do_not_know(self, twilio: Twilio) -> None:
        a_campaign()
        caller = Ringing(twilio, STRANGER).rings().chooses("9")
        assert "You will not be called again." in caller.hears
        assert Suppression.objects.get().number == STRANGER

    def test_is_said_again_when_twilio_asks_again(self, twilio: Twilio) -> None:
        a_campaign()
        caller = Ringing(twilio, STRANGER).rings().chooses("9")
        assert "You will not be called again." in caller.chooses("9").hears
        assert (Suppression.objects.count(), CallEvent.objects.count()) == (1, 2)

    def test_is_taken_although_the_ring_itself_was_never_heard_of(self, twilio: Twilio) -> None:
        caller = Ringing(twilio, STRANGER).chooses("9")
        assert (caller.row.choice, Suppression.objects.count()) == ("stop", 1)

    def test_takes_back_a_callback_but_no_callback_takes_back_a_stop(self, twilio: Twilio) -> None:
        person = a_person(a_campaign())
        missed(person)
        caller = wants_a_call(twilio, person).chooses("9", prompt=2).chooses("1", prompt=2)
        person.refresh_from_db()
        assert "You will not be called again." in caller.hears
        assert (person.standing, Callback.objects.get().state) == ("suppressed", "canceled")

    def test_reaches_somebody_whom_we_are_about_to_dial(self, twilio: Twilio) -> None:
        person = a_person(a_campaign())
        call = prepare(claim(person))
        Ringing(twilio, person.number).rings().chooses("9")
        telephony = FakeTelephony()
        dial(call, telephony)
        person.refresh_from_db()
        assert (telephony.orders, person.standing) == ([], "suppressed")

    def test_lets_a_phone_that_rings_already_be_hung_up(
        self,
        twilio: Twilio,
        valkey: redis.Redis,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        person = a_person(a_campaign())
        call = a_dialled_call(person)
        with django_capture_on_commit_callbacks(execute=True):
            Ringing(twilio, person.number).rings().chooses("9")
        assert ("outreach.hang_up", {"call_id": str(call.pk)}) in hinted(valkey, "ops")
        provider_says(call, CallStatus.CANCELED)
        person.refresh_from_db()
        assert (person.standing, person.wish) == ("suppressed", "")


class TestOne:
    def test_promises_a_call_as_soon_as_they_have_put_the_phone_down(self, twilio: Twilio) -> None:
        person = a_person(a_campaign())
        missed(person)
        caller = wants_a_call(twilio, person)
        promise = Callback.objects.get()
        assert "Alex will call you back in a few minutes." in caller.hears
        assert timedelta(minutes=1) < promise.promised_at - clock.now() <= timedelta(minutes=2)
        assert (promise.by, promise.caller_id, promise.agreed_in) == ("alex", OURS, None)
        assert (person.standing, person.next_call_at) == ("callback_due", promise.promised_at)
        assert (caller.row.choice, caller.row.callback, caller.row.facilitator) == (
            "callback",
            promise,
            person,
        )

    def test_is_kept_on_the_same_day_though_they_were_called_today(self, twilio: Twilio) -> None:
        person = a_person(a_campaign())
        missed(person)
        wants_a_call(twilio, person)
        pass_time(timedelta(minutes=2))
        call = a_dialled_call(person)
        assert (call.kind, call.caller_id) == (CallKind.CALLBACK.value, OURS)
        assert Callback.objects.get().state == "kept"

    def test_waits_for_the_hours_of_callbacks_in_their_zone(self, twilio: Twilio) -> None:
        person = a_person(a_campaign())
        missed(person)
        set_clock(TUESDAY_MORNING + timedelta(hours=10))  # 20:05 in New York
        caller = wants_a_call(twilio, person)
        assert "on Wednesday, March 4, at 9:00 AM your time" in caller.hears
        assert person.next_call_at == TUESDAY_MORNING + timedelta(hours=22, minutes=55)

    def test_is_promised_once_when_twilio_asks_again(self, twilio: Twilio) -> None:
        person = a_person(a_campaign())
        missed(person)
        caller = wants_a_call(twilio, person)
        first = caller.hears
        assert caller.chooses("1").hears == first
        assert Callback.objects.count() == 1

    def test_is_promised_once_when_they_ring_twice(self, twilio: Twilio) -> None:
        person = a_person(a_campaign())
        missed(person)
        first, second = (wants_a_call(twilio, person) for _ in range(2))
        assert first.row.callback == second.row.callback == Callback.objects.get()

    def test_does_not_make_them_called_more_than_twice_a_day(self, twilio: Twilio) -> None:
        person = a_person(a_campaign())
        missed(person)
        wants_a_call(twilio, person)
        pass_time(timedelta(minutes=2))
        missed(person)
        caller = wants_a_call(twilio, person)
        assert "on Wednesday, March 4, at 9:00 AM" in caller.hears

    def test_keeps_an_earlier_time_that_they_had_agreed_and_replaces_a_later_one(
        self, twilio: Twilio
    ) -> None:
        person = a_person(a_campaign())
        call = a_dialled_call(person)
        agreed_at = clock.now() + timedelta(hours=3)
        alex_says(call, CallbackAgreed, promised_at=agreed_at, by="alex", reason="busy", evidence_seq=1)
        talk_to_the_end(call)
        wants_a_call(twilio, person)
        assert list(Callback.objects.order_by("pk").values_list("state", flat=True)) == [
            "canceled",
            "promised",
        ]
        soon = Callback.objects.get(state="promised")
        wants_a_call(twilio, person)
        assert Callback.objects.get(state="promised") == soon
        assert person.next_call_at == soon.promised_at < agreed_at

    @pytest.mark.parametrize("standing", ["exhausted", "not_interested", "waiting", "retry_due"])
    def test_opens_again_what_only_their_own_word_may_open(self, twilio: Twilio, standing: str) -> None:
        person = a_person(
            a_campaign(), standing=standing, attempts_made=4,
            next_call_at=clock.now() + timedelta(days=3) if standing in ("waiting", "retry_due") else None,
        )  # fmt: skip
        no = "not_interested" if standing == "not_interested" else ""
        an_earlier_call(person, ago=timedelta(days=5), disposition=no)
        wants_a_call(twilio, person)
        assert person.standing == Standing.CALLBACK_DUE.value
        pass_time(timedelta(minutes=2))
        assert a_dialled_call(person).status == CallStatus.DIALING.value

    def test_is_the_consent_to_that_one_call(self, twilio: Twilio) -> None:
        campaign = a_campaign()
        person = a_person(
            campaign,
            consent_basis="",
            standing="held",
            standing_reason="No consent basis.",
            next_call_at=None,
        )
        for days in (3, 6, 9):
            an_earlier_call(person, ago=timedelta(days=days))
        wants_a_call(twilio, person)
        pass_time(timedelta(minutes=2))
        call = a_dialled_call(person)
        assert call.kind == CallKind.CALLBACK.value
        provider_says(call, CallStatus.NO_ANSWER)
        person.refresh_from_db()
        assert (person.standing, person.consent_basis) == ("callback_due", "")

    def test_does_not_undo_a_no_that_was_said_after_it(self, twilio: Twilio) -> None:
        person = a_person(a_campaign())
        missed(person)
        wants_a_call(twilio, person)
        pass_time(timedelta(minutes=2))
        call = a_dialled_call(person)
        provider_says(call, CallStatus.IN_PROGRESS)
        alex_says(call, Outcome, disposition=Disposition.NOT_INTERESTED, evidence_seq=1)
        alex_says(call, End, n_turns=2, ended_by=EndedBy.ALEX)
        provider_says(call, CallStatus.COMPLETED)
        person.refresh_from_db()
        assert person.standing == Standing.NOT_INTERESTED.value
        assert not Callback.objects.filter(state="promised").exists()

    def test_leaves_who_is_interested_so_and_puts_a_person_to_it(self, twilio: Twilio) -> None:
        person = a_person(a_campaign(), standing="interested", next_call_at=None)
        caller = wants_a_call(twilio, person)
        promise = Callback.objects.get()
        assert "a person will look at it" in caller.hears
        assert (person.standing, person.next_call_at) == ("interested", None)
        assert (promise.by, caller.row.callback) == ("human", promise)

    @pytest.mark.parametrize("state", ["paused", "finished"])
    def test_is_for_a_person_where_the_campaign_calls_nobody(self, twilio: Twilio, state: str) -> None:
        person = a_person(a_campaign(state=state))
        caller = wants_a_call(twilio, person)
        assert "a person will look at it" in caller.hears
        assert (person.standing, Callback.objects.get().by) == ("needs_review", "human")

    @pytest.mark.parametrize(
        "fields",
        [
            {"standing": "needs_review", "standing_reason": "Somebody else answered."},
            {"standing": "held", "standing_reason": "The agent never said how this call ended."},
            {
                "standing": "held",
                "standing_reason": "The country is unknown.",
                "country": "",
                "time_zone": "",
            },
        ],
    )
    def test_is_for_a_person_who_must_decide_anyway(self, twilio: Twilio, fields: dict[str, Any]) -> None:
        person = a_person(a_campaign(), next_call_at=None, **fields)
        wants_a_call(twilio, person)
        assert (person.standing, person.standing_reason) == (fields["standing"], fields["standing_reason"])
        assert Callback.objects.get().by == "human"

    def test_lifts_no_suppression(self, twilio: Twilio) -> None:
        person = a_person(a_campaign())
        suppress(number=person.number, source=SuppressionSource.OPERATOR, by="olga")
        caller = wants_a_call(twilio, person)
        assert "our assistant will not call it" in caller.hears
        assert (person.standing, Callback.objects.count(), caller.row.choice) == ("suppressed", 0, "callback")

    def test_of_a_stranger_is_stored_for_a_person(self, twilio: Twilio) -> None:
        a_campaign()
        caller = Ringing(twilio, STRANGER).rings().chooses(says="Please call me back")
        assert "a person will look at it" in caller.hears
        assert (caller.row.choice, caller.row.callback) == ("callback", None)

    def test_goes_to_the_campaign_that_called_last_and_may_call(self, twilio: Twilio) -> None:
        first, latest = a_campaign(), a_campaign()
        person = a_person(first)
        later = a_person(latest, number=person.number, standing="waiting")
        an_earlier_call(person, ago=timedelta(days=2))
        an_earlier_call(later, ago=timedelta(days=1))
        wants_a_call(twilio, later)
        assert (later.standing, Callback.objects.get().facilitator) == ("callback_due", later)
        person.refresh_from_db()
        assert person.standing == "new"

    def test_settles_when_the_call_that_is_still_open_does(self, twilio: Twilio) -> None:
        person = a_person(a_campaign(max_attempts=1))
        call = a_dialled_call(person)
        caller = wants_a_call(twilio, person)
        promise = Callback.objects.get()
        assert "in a few minutes" in caller.hears
        assert person.standing == "in_call"
        provider_says(call, CallStatus.NO_ANSWER)
        person.refresh_from_db()
        assert (person.standing, person.next_call_at) == ("callback_due", promise.promised_at)

    def test_is_overtaken_by_what_they_say_in_that_call(self, twilio: Twilio) -> None:
        person = a_person(a_campaign())
        call = a_dialled_call(person)
        wants_a_call(twilio, person)
        provider_says(call, CallStatus.IN_PROGRESS)
        alex_says(call, Outcome, disposition=Disposition.INTERESTED, evidence_seq=1)
        alex_says(call, End, n_turns=2, ended_by=EndedBy.ALEX)
        provider_says(call, CallStatus.COMPLETED)
        person.refresh_from_db()
        assert (person.standing, Callback.objects.get().state) == ("interested", "canceled")

    def test_waits_while_an_operator_holds_them(self, twilio: Twilio) -> None:
        person = a_person(a_campaign())
        missed(person)
        wants_a_call(twilio, person)
        attending.hold(facilitator_ids=[person.pk], by="olga", reason="Wait")
        person.refresh_from_db()
        assert (person.standing, person.next_call_at) == ("held", None)


class TestNoChoice:
    def test_is_offered_once_more_and_then_goodbye(self, twilio: Twilio) -> None:
        a_campaign()
        caller = Ringing(twilio, STRANGER).rings().chooses(says="Who is this?")
        assert "Press 9 never to be called again" in caller.hears
        assert caller.goes_on.endswith("/choice/2")
        caller.chooses(prompt=2)
        assert "Nothing was changed" in caller.hears
        assert (caller.goes_on, caller.row.choice, Suppression.objects.count()) == ("", "", 0)


class TestWithoutDatabase:
    def test_says_so_and_confirms_nothing(self, twilio: Twilio, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(**_: Any) -> None:
            raise OperationalError("the server is away")

        for name in ("receive", "choose"):
            monkeypatch.setattr(incoming, name, fail)
        caller = Ringing(twilio, STRANGER).rings()
        assert "call again in a few minutes" in caller.hears
        assert "call again in a few minutes" in caller.chooses("9").hears


def test_notes_how_a_callers_call_ended(twilio: Twilio) -> None:
    ended = {"CallStatus": "completed", "CallDuration": "12"}
    assert twilio.send("/hooks/twilio/incoming/status", ended).status_code == 204
    assert CallEvent.objects.get().kind == "incoming completed"
