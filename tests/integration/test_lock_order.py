"""Transactions that want the same rows: none may wait for another in a circle."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import StageWord, WorkerReport
from outreach.models import Call, Campaign, Facilitator, Interest, Suppression, SuppressionSource
from outreach.services import attending, clock, dialing, facts, progress, recording
from outreach.services.redialing import redial
from outreach.services.suppressing import suppress
from tests.factories import (
    a_campaign,
    a_dialled_call,
    a_person,
    an_earlier_call,
    claim,
    prepare,
    provider_says,
    ready_fact,
)
from tests.fakes import FakeRooms

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("real_commits")]


class AnIntentElsewhere:
    """Another connection in the first half of a dial intent: campaign shared, the call's row wanted next."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._shares, self._go_on = threading.Event(), threading.Event()
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> AnIntentElsewhere:
        self._thread.start()
        assert self._shares.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._go_on.set()
        self._thread.join(10)

    def want_the_call(self) -> None:
        """Let it wait for the call's row, which the test holds."""
        self._go_on.set()
        threading.Event().wait(0.1)

    def _run(self) -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                campaign_id = self._call.campaign_id
                cursor.execute("SELECT 1 FROM outreach_campaign WHERE id = %s FOR SHARE", [campaign_id])
                self._shares.set()
                self._go_on.wait(5)
                Call.objects.select_for_update().get(pk=self._call.pk)
        except OperationalError as exc:
            self.error = exc
        finally:
            connections.close_all()


def wants_the_call_when(
    elsewhere: AnIntentElsewhere, monkeypatch: pytest.MonkeyPatch, module: object, name: str
) -> None:
    """Let the other intent want the call's row as soon as ours is about to call `name`."""
    real: Callable[..., Any] = getattr(module, name)

    def meanwhile(*args: Any, **given: Any) -> Any:
        elsewhere.want_the_call()
        return real(*args, **given)

    monkeypatch.setattr(module, name, meanwhile)


class TestACallAndItsCampaign:
    def test_a_cancel_never_waits_for_the_campaign_with_the_call_in_hand(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call = prepare(claim(a_person(a_campaign())))
        with AnIntentElsewhere(call) as elsewhere:
            wants_the_call_when(elsewhere, monkeypatch, dialing, "settle")
            assert dialing.cancel_before_dial(call_id=call.pk, code="agent_lost", reason="test")
        assert elsewhere.error is None
        assert Campaign.objects.get().unready_streak == 1

    def test_the_end_of_a_streak_of_refusals_does_not_either(self, monkeypatch: pytest.MonkeyPatch) -> None:
        call = a_dialled_call(a_person(a_campaign()))
        Call.objects.update(twilio_sid=None)
        Campaign.objects.update(refused_streak=3)
        with AnIntentElsewhere(call) as elsewhere:
            wants_the_call_when(elsewhere, monkeypatch, progress, "store_event")
            provider_says(call, CallStatus.RINGING, sid="CA-1")
        assert (elsewhere.error, call.status) == (None, CallStatus.RINGING)
        provider_says(a_dialled_call(a_person(call.campaign)), CallStatus.RINGING)
        assert Campaign.objects.get().refused_streak == 0

    def test_the_end_of_a_streak_without_agents_does_not_either(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call = claim(a_person(a_campaign()))
        dialing.prepare_call(call_id=call.pk, rooms=FakeRooms())
        Campaign.objects.update(unready_streak=3)
        with AnIntentElsewhere(call) as elsewhere:
            wants_the_call_when(elsewhere, monkeypatch, facts, "store_event")
            assert facts.apply_fact(call_id=call.pk, fact=ready_fact()) is facts.FactResult.DIAL
        assert elsewhere.error is None


class TestAPersonAndTheirCall:
    def _close(self, person_id: int) -> None:
        interested = attending.Outcome.INTERESTED
        attending.close(facilitator_ids=[person_id], outcome=interested, by="olga", reason="wrote to us")
        connections.close_all()

    def test_who_closes_somebody_in_a_call_never_waits_for_the_call(self) -> None:
        """Whoever settles it has it, and waits for the person."""
        call = a_dialled_call(a_person(a_campaign()))
        with transaction.atomic():
            Call.objects.select_for_update().get(pk=call.pk)
            closing = threading.Thread(target=self._close, args=[call.person_id])
            closing.start()
            closing.join(3)
            assert not closing.is_alive()
        assert Interest.objects.get(facilitator=call.person_id).call is None

    def _suppress(self, call: Call) -> None:
        suppress(number=call.number, source=SuppressionSource.OPERATOR, call=call, by="olga")
        connections.close_all()

    def test_who_suppresses_the_number_of_a_call_takes_the_call_before_the_person(self) -> None:
        call = a_dialled_call(a_person(a_campaign()))
        with transaction.atomic():
            Call.objects.select_for_update().get(pk=call.pk)
            suppressing = threading.Thread(target=self._suppress, args=[call])
            suppressing.start()
            suppressing.join(0.2)
            Facilitator.objects.select_for_update(nowait=True).get(pk=call.person_id)
        suppressing.join(10)
        assert Suppression.objects.get().call == call
        assert Facilitator.objects.get().wish == "suppressed"


class TestSeveralPeopleAtOnce:
    def _try_again(self, campaign_id: int) -> None:
        redial(campaign_id=campaign_id, outcomes=["no_answer"], n_attempts=1, by="olga")
        connections.close_all()

    def test_are_tried_again_in_the_order_in_which_operators_take_them(self) -> None:
        campaign, done = a_campaign(), {"standing": "exhausted", "next_call_at": None}
        first, last = sorted(a_person(campaign, **done).pk for _ in range(2))
        for person in Facilitator.objects.all():
            an_earlier_call(person, ago=timedelta(days=1))
        Facilitator.objects.filter(pk=first).update(name="Stored anew, and so behind the others")
        with transaction.atomic():
            Facilitator.objects.select_for_update().get(pk=first)
            redialing = threading.Thread(target=self._try_again, args=[campaign.pk])
            redialing.start()
            redialing.join(0.2)
            Facilitator.objects.select_for_update(nowait=True).get(pk=last)
        redialing.join(10)
        assert set(Facilitator.objects.values_list("standing", flat=True)) == {"retry_due"}


class TestSeveralCallsAtOnce:
    def _send(self, report: WorkerReport) -> None:
        progress.worker_reported(report=report)
        connections.close_all()

    def two_calls(self) -> list[Call]:
        campaign = a_campaign()
        calls = [a_dialled_call(a_person(campaign)) for _ in range(2)]
        return sorted(calls, key=lambda call: call.pk)

    def test_a_workers_report_waits_for_no_call(self) -> None:
        first, second = self.two_calls()
        Call.objects.update(agent_seen_at=None)
        report = WorkerReport(worker_id="worker-1", places=5, free=3, calls=[first.pk, second.pk])
        with transaction.atomic():
            Call.objects.select_for_update().get(pk=first.pk)
            reporting = threading.Thread(target=self._send, args=[report])
            reporting.start()
            reporting.join(3)
            assert not reporting.is_alive()
        assert Call.objects.get(pk=second.pk).agent_seen_at is not None

    def test_two_recorders_take_calls_in_one_order(self) -> None:
        calls = self.two_calls()
        now = clock.now()
        seen: list[uuid.UUID] = []

        def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if sql.startswith('UPDATE "outreach_call"'):
                seen.append(params[-1])
            return execute(sql, params, many, context)

        with connection.execute_wrapper(watch):
            for order in (calls, calls[::-1]):
                recording.record_words([StageWord(call_id=call.pk, at=now, stage="pitch") for call in order])
        assert [uuid.UUID(str(one)) for one in seen] == [call.pk for call in calls] * 2
