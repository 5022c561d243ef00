"""Other programs are told what happened: once per event, signed, repeated until taken, nowhere private."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import CallbackAgreed, OptOut, Outcome
from outreach.domain.disposition import Disposition
from outreach.integrations import hook_posts
from outreach.integrations.hook_posts import NotPosted
from outreach.models import Callback, HookDelivery, HookEndpoint, SuppressionSource
from outreach.services import attending, clock, hook_deliveries, hook_events, housekeeping
from outreach.services.suppressing import suppress
from tests.factories import (
    a_campaign,
    a_dialled_call,
    a_person,
    alex_says,
    pass_time,
    provider_says,
    talk_to_the_end,
)
from tests.integration.access_rows import an_endpoint
from tests.integration.desk_rows import an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.usefixtures("tuesday"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture(autouse=True)
def _nobody_listens_yet() -> Iterator[None]:
    hook_events.look_again()
    yield
    hook_events.look_again()


@dataclass
class Receiver:
    """Another program, which answers what it is told to and keeps what it took."""

    answers: list[int | NotPosted] = field(default_factory=list)
    taken: list[dict[str, str]] = field(default_factory=list)

    def __call__(
        self, url: str, *, secret: str, event: str, event_id: str, body: bytes, private: bool
    ) -> int:
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, NotPosted):
            raise answer
        self.taken.append({"url": url, "event": event, "id": event_id, "body": body.decode()})
        return answer


def deliver(receiver: Receiver) -> int:
    return hook_deliveries.deliver_due(deliver=receiver, private=False)


def events() -> list[str]:
    return list(HookDelivery.objects.order_by("pk").values_list("event", flat=True))


class TestWhatHappens:
    def test_is_noted_once_with_ids_and_outcomes(self) -> None:
        endpoint = an_endpoint(now=clock.now())
        person = a_person(a_campaign(), name="Ann Example")
        call = a_dialled_call(person)
        provider_says(call, CallStatus.IN_PROGRESS)
        for _ in range(2):
            alex_says(call, Outcome, disposition=Disposition.INTERESTED, evidence_seq=4)
        talk_to_the_end(call)
        rows = {row.event: row for row in HookDelivery.objects.all()}
        assert set(rows) == {"call.finished", "person.interested"}
        finished = rows["call.finished"].payload
        assert (finished["call"], finished["facilitator"]) == (str(call.pk), person.pk)
        assert (finished["disposition"], finished["standing"]) == ("interested", "interested")
        assert rows["person.interested"].payload["turn_seq"] == 4
        assert {row.endpoint_id for row in rows.values()} == {endpoint.pk}
        written = json.dumps([row.payload for row in rows.values()])
        assert person.number not in written
        assert "Ann" not in written

    def test_includes_who_is_closed_as_interested_by_hand(self) -> None:
        an_endpoint(now=clock.now())
        people = [a_person(a_campaign()).pk for _ in range(2)]
        attending.close(
            facilitator_ids=people, outcome=attending.Outcome.INTERESTED, by="olga", reason="wrote to us"
        )
        rows = HookDelivery.objects.order_by("pk").values_list(
            "event", "payload__facilitator", "payload__call"
        )
        assert list(rows) == [("person.interested", person, None) for person in people]

    def test_tells_once_of_who_is_closed_twice_in_one_call(self) -> None:
        an_endpoint(now=clock.now())
        person = a_person(a_campaign(), standing="in_call", next_call_at=None)
        closed = [
            attending.close(
                facilitator_ids=[person.pk], outcome=attending.Outcome.INTERESTED, by="olga", reason="wrote"
            )
            for _ in range(2)
        ]
        assert (closed, HookDelivery.objects.count()) == ([1, 0], 1)

    def test_includes_callbacks_and_opt_outs_but_no_imported_lists(self) -> None:
        an_endpoint(now=clock.now())
        person = a_person(a_campaign())
        call = a_dialled_call(person)
        provider_says(call, CallStatus.IN_PROGRESS)
        promised_at = clock.now() + timedelta(days=1)
        alex_says(
            call, CallbackAgreed, promised_at=promised_at, reason="in a meeting", by="alex", evidence_seq=2
        )
        alex_says(call, OptOut, how="phrase", evidence_seq=3)
        alex_says(call, OptOut, how="phrase", evidence_seq=3)
        suppress(number="+12125550177", source=SuppressionSource.IMPORT)
        assert events() == ["callback.agreed", "person.opt_out"]
        agreed, stopped = (row.payload for row in HookDelivery.objects.order_by("pk"))
        assert agreed["callback"] == Callback.objects.get().pk
        assert (stopped["call"], stopped["facilitators"]) == (str(call.pk), [person.pk])

    def test_goes_to_endpoints_that_asked_for_it_and_are_on(self) -> None:
        an_endpoint(now=clock.now(), events=["person.opt_out"], active=False)
        an_endpoint(now=clock.now(), events=["call.finished"])
        wanted = an_endpoint(now=clock.now(), events=["person.opt_out"])
        suppress(number="+12125550177", source=SuppressionSource.OPERATOR)
        assert HookDelivery.objects.get().endpoint == wanted

    def test_costs_no_statement_while_nobody_listens(self) -> None:
        suppress(number="+12125550176", source=SuppressionSource.OPERATOR)
        with CaptureQueriesContext(connection) as captured:
            suppress(number="+12125550177", source=SuppressionSource.OPERATOR)
        assert [query["sql"] for query in captured if "hook" in query["sql"]] == []


def a_due_delivery(endpoint: HookEndpoint | None = None) -> HookDelivery:
    now = clock.now()
    return HookDelivery.objects.create(
        endpoint=endpoint or an_endpoint(now=now),
        event_id=uuid.uuid4(),
        event="call.finished",
        payload={"call": "1"},
        due_at=now,
        created_at=now,
    )


class TestADelivery:
    def test_that_is_taken_is_not_repeated(self) -> None:
        delivery, receiver = a_due_delivery(), Receiver()
        assert (deliver(receiver), deliver(receiver)) == (1, 0)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.answer, delivery.due_at) == ("sent", "200", None)
        assert json.loads(receiver.taken[0]["body"]) == {
            "id": str(delivery.event_id),
            "event": "call.finished",
            "at": delivery.created_at.isoformat(),
            "data": {"call": "1"},
        }

    def test_that_is_not_taken_comes_again_later_each_time_and_is_given_up_at_last(self) -> None:
        delivery = a_due_delivery()
        waits = []
        for _ in hook_deliveries.TRIED_AGAIN_AFTER:
            assert deliver(Receiver([500])) == 0
            delivery.refresh_from_db()
            assert delivery.due_at is not None
            waits.append(round((delivery.due_at - clock.now()).total_seconds() / 60))
            pass_time(delivery.due_at - clock.now() + timedelta(seconds=1))
        assert waits == [1, 5, 15, 60, 180, 360, 720, 1440]
        deliver(Receiver([NotPosted("no answer in time")]))
        delivery.refresh_from_db()
        assert (delivery.state, delivery.answer) == ("given_up", "no answer in time")
        assert hook_deliveries.send_again(delivery_ids=[delivery.pk]) == 1
        receiver = Receiver()
        assert deliver(receiver) == 1
        assert receiver.taken[0]["id"] == str(delivery.event_id)

    def test_that_fails_holds_up_its_own_endpoint_only(self) -> None:
        broken = an_endpoint(now=clock.now(), url="https://broken.example.org/")
        for _ in range(hook_deliveries.PARALLEL + 4):
            a_due_delivery(broken)
        a_due_delivery()
        receiver = Receiver([NotPosted("no answer")] * hook_deliveries.PARALLEL)
        assert deliver(receiver) == 1
        assert receiver.taken[0]["url"] == "https://crm.example.org/hooks"

    def test_is_forgotten_after_a_month_unless_it_is_still_to_be_sent(self) -> None:
        endpoint = an_endpoint(now=clock.now())
        sent, due = a_due_delivery(endpoint), a_due_delivery(endpoint)
        HookDelivery.objects.filter(pk=sent.pk).update(state="sent", due_at=None)
        pass_time(timedelta(days=31))
        housekeeping.expire()
        assert HookDelivery.objects.get() == due

    def test_of_an_endpoint_that_was_switched_off_is_given_up(self) -> None:
        delivery = a_due_delivery()
        HookEndpoint.objects.update(active=False)
        assert deliver(Receiver()) == 0
        delivery.refresh_from_db()
        assert (delivery.state, delivery.answer) == ("given_up", "The endpoint was switched off.")


class TestAPost:
    def test_reaches_its_receiver_signed_and_follows_no_redirect(self) -> None:
        taken: list[tuple[str, dict[str, str], bytes]] = []

        class OtherProgram(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                taken.append((self.path, dict(self.headers), body))
                self.send_response(302)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = HTTPServer(("127.0.0.1", 0), OtherProgram)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/hooks?a=1"
            status = hook_posts.deliver(
                url, secret="s", event="call.finished", event_id="e1", body=b'{"a":1}', private=True
            )
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
        assert status == 302
        assert len(taken) == 1
        path, headers, body = taken[0]
        signed = headers["Outreach-Timestamp"].encode() + b"." + body
        assert path == "/hooks?a=1"
        assert headers["Outreach-Signature"] == f"sha256={hmac.new(b's', signed, hashlib.sha256).hexdigest()}"
        assert (headers["Outreach-Event"], headers["Outreach-Delivery"]) == ("call.finished", "e1")


class TestTheAdmin:
    def test_shows_an_endpoints_secret_once_and_sends_again(self, client: Client) -> None:
        rights = ("add_hookendpoint", "view_hookendpoint", "view_hookdelivery", "change_hookdelivery")
        client.force_login(an_operator(*(f"outreach.{right}" for right in rights)))
        form = {"url": "https://crm.example.org/h", "events": ["call.finished"], "active": "on"}
        add = reverse("admin:outreach_hookendpoint_add")
        refused = client.post(add, form | {"url": "http://crm.example.org/h"})
        assert "Only https keeps" in refused.content.decode()
        page = client.post(add, form)
        endpoint = HookEndpoint.objects.get()
        assert endpoint.secret in page.content.decode()
        changelist = reverse("admin:outreach_hookendpoint_changelist")
        assert endpoint.secret not in client.get(changelist).content.decode()
        delivery = a_due_delivery(endpoint)
        deliver(Receiver())
        log = reverse("admin:outreach_hookdelivery_changelist")
        client.post(log, {"action": "send_again", "_selected_action": [delivery.pk]})
        delivery.refresh_from_db()
        assert (delivery.state, delivery.tries) == ("due", 0)
