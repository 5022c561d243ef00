"""What our agents report: nothing forged leaves a trace, no fact is lost for a stray character."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
import redis
from django.test import Client
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from outreach.domain.call_status import CallStatus
from outreach.models import AgentWorker, Call, CallEvent, Note, Suppression, Turn
from outreach.tasks import dial_call
from tests.integration.calls import make_call
from tests.integration.hooks import FORM, Agent, be_the_hooks_process, hinted, traces

pytestmark = [pytest.mark.integration, pytest.mark.django_db, pytest.mark.urls("config.hooks_urls")]


@pytest.fixture(autouse=True)
def _hooks_process(settings: Settings) -> None:
    be_the_hooks_process(settings)


@pytest.fixture
def agent(client: Client) -> Agent:
    return Agent(client)


def fact(kind: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "fact_id": str(uuid.uuid4()), "at": "2026-11-24T10:00:00Z"} | fields


READY = {"worker_id": "w1", "job_id": "AJ_1"}


class TestFacts:
    def test_lets_alex_stay_and_hints_at_the_dial(
        self,
        agent: Agent,
        valkey: redis.Redis,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        call = make_call(CallStatus.PREPARING, agent_job="", agent_worker="")
        with django_capture_on_commit_callbacks(execute=True):
            response = agent.send(f"/hooks/agent/{call.pk}/fact", fact("ready", **READY))
        assert (response.status_code, json.loads(response.content)) == (200, {"stay": True})
        assert hinted(valkey, "dial") == [("outreach.dial_call", {"call_id": str(call.pk)})]

    def test_lets_alex_stay_when_the_broker_is_away(
        self,
        agent: Agent,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        def away(**_: object) -> None:
            raise OperationalError("no broker")

        monkeypatch.setattr(dial_call, "apply_async", away)
        call = make_call(CallStatus.PREPARING, agent_job="", agent_worker="")
        with django_capture_on_commit_callbacks(execute=True):
            assert agent.send(f"/hooks/agent/{call.pk}/fact", fact("ready", **READY)).status_code == 200

    @pytest.mark.parametrize(
        ("ended_by", "hints"), [("tts_failure", ["outreach.judge_model_failure"]), ("callee", [])]
    )
    def test_has_a_failing_model_looked_at(
        self,
        agent: Agent,
        valkey: redis.Redis,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
        ended_by: str,
        hints: list[str],
    ) -> None:
        call = make_call(CallStatus.IN_PROGRESS)
        with django_capture_on_commit_callbacks(execute=True):
            agent.send(f"/hooks/agent/{call.pk}/fact", fact("end", n_turns=0, ended_by=ended_by))
        assert [name for name, _ in hinted(valkey, "ops")] == hints

    def test_sends_a_second_alex_away(self, agent: Agent, valkey: redis.Redis) -> None:
        call = make_call(CallStatus.PREPARING)
        response = agent.send(f"/hooks/agent/{call.pk}/fact", fact("ready", worker_id="w2", job_id="AJ_2"))
        assert (response.status_code, hinted(valkey, "dial")) == (410, [])

    def test_stores_an_opt_out_once_whatever_its_words_are(self, agent: Agent) -> None:
        call = make_call(CallStatus.IN_PROGRESS)
        report = fact("opt_out", evidence_seq=2, reason="stop \x00 \ud800 now")
        answers = [agent.send(f"/hooks/agent/{call.pk}/fact", report) for _ in range(2)]
        assert [json.loads(answer.content) for answer in answers] == [{"stored": True}] * 2
        assert Suppression.objects.count() == 1
        assert CallEvent.objects.filter(kind="opt_out").count() == 1

    def test_knows_no_call_of_that_id(self, agent: Agent) -> None:
        assert agent.send(f"/hooks/agent/{uuid.uuid4()}/fact", fact("ready", **READY)).status_code == 404

    @pytest.mark.parametrize(
        "report",
        [
            b"{",
            b"[]",
            b"null",
            b"[" * 60_000,
            {"kind": "ready"},
            {"kind": "unheard of"},
            fact("end", n_turns=-1),
        ],
    )
    def test_refuses_what_is_no_fact_for_good(self, agent: Agent, report: Any) -> None:
        call = make_call()
        response = agent.send(f"/hooks/agent/{call.pk}/fact", report)
        assert (response.status_code, traces()) == (400, 0)

    def test_does_not_repeat_what_a_malformed_report_says(self, agent: Agent) -> None:
        response = agent.send(
            f"/hooks/agent/{make_call().pk}/fact",
            fact("outcome", disposition="my secret words", reason="private"),
        )
        assert b"secret" not in response.content
        assert b"private" not in response.content


class TestWhoMaySpeakForAlex:
    @pytest.mark.parametrize(
        "forged",
        [{"age": 301}, {"age": -302}, {"secret": "another"}, {"signed_path": "/hooks/agent/worker"}],
        ids=["too-old", "from-the-future", "another-secret", "another-path"],
    )
    def test_refuses_a_forger_without_a_trace(self, agent: Agent, forged: dict[str, Any]) -> None:
        call = make_call(CallStatus.IN_PROGRESS)
        response = agent.send(f"/hooks/agent/{call.pk}/fact", fact("opt_out"), **forged)
        assert (response.status_code, traces(), Suppression.objects.count()) == (403, 0, 0)

    def test_refuses_what_is_not_signed(self, client: Client) -> None:
        response = client.post("/hooks/agent/worker", b"{}", content_type="application/json")
        assert response.status_code == 403

    def test_refuses_other_content_and_megabytes(self, agent: Agent) -> None:
        assert agent.send("/hooks/agent/worker", {}, content_type=FORM).status_code == 415
        assert agent.send("/hooks/agent/worker", b"x" * 1_000_000).status_code == 413


class TestWords:
    def turn(self, call: Call, seq: int, **changed: Any) -> dict[str, Any]:
        word = {"kind": "turn", "call_id": str(call.pk), "at": "2026-11-24T10:00:00Z", "seq": seq}
        return word | {"speaker": "alex", "text": "Hello.\x00"} | changed

    def test_stores_left_over_words_once_and_says_what_is_missing(self, agent: Agent) -> None:
        call = make_call(CallStatus.IN_PROGRESS, n_turns=3, n_notes=0)
        words = {"words": [self.turn(call, 1), self.turn(call, 3)]}
        answers = [agent.send(f"/hooks/agent/{call.pk}/words", words).content for _ in range(2)]
        assert json.loads(answers[1]) == {"complete": False, "missing_turns": [2], "missing_notes": []}
        assert list(Turn.objects.order_by("seq").values_list("seq", "text")) == [(1, "Hello."), (3, "Hello.")]

    def test_takes_a_hundred_long_turns_at_once(self, agent: Agent) -> None:
        call = make_call(CallStatus.IN_PROGRESS, n_turns=100, n_notes=0)
        words = {"words": [self.turn(call, seq, text="x" * 4_000) for seq in range(1, 101)]}
        response = agent.send(f"/hooks/agent/{call.pk}/words", words)
        assert json.loads(response.content)["complete"] is True

    def test_only_asks_with_an_empty_batch(self, agent: Agent) -> None:
        call = make_call(CallStatus.IN_PROGRESS, n_turns=0, n_notes=0)
        response = agent.send(f"/hooks/agent/{call.pk}/words", {"words": []})
        assert json.loads(response.content)["complete"] is True

    def test_refuses_words_of_another_call(self, agent: Agent) -> None:
        call = make_call(CallStatus.IN_PROGRESS)
        words = {"words": [self.turn(call, 1, call_id=str(uuid.uuid4()))]}
        assert agent.send(f"/hooks/agent/{call.pk}/words", words).status_code == 400
        assert not Turn.objects.exists()
        assert not Note.objects.exists()

    def test_knows_no_call_of_that_id(self, agent: Agent) -> None:
        assert agent.send(f"/hooks/agent/{uuid.uuid4()}/words", {"words": []}).status_code == 404

    def test_refuses_what_are_no_words(self, agent: Agent) -> None:
        assert agent.send(f"/hooks/agent/{make_call().pk}/words", {"words": [{"seq": 0}]}).status_code == 400


class TestWorker:
    def test_takes_note_of_places_and_of_calls_that_are_alive(self, agent: Agent) -> None:
        call = make_call(CallStatus.IN_PROGRESS, agent_seen_at=None)
        report = {"worker_id": "w1", "places": 8, "free": 7, "calls": [str(call.pk)]}
        assert agent.send("/hooks/agent/worker", report).status_code == 204
        call.refresh_from_db()
        assert AgentWorker.objects.get().free == 7
        assert call.agent_seen_at is not None

    def test_refuses_what_is_no_report(self, agent: Agent) -> None:
        assert agent.send("/hooks/agent/worker", {"worker_id": "w1"}).status_code == 400
