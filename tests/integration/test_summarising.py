"""Conversations are summed up once, later when it does not work, and never at anybody's expense."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from outreach import tasks
from outreach.domain.call_status import CallStatus
from outreach.domain.defaults import SUMMARY_TRIED_AGAIN_AFTER, TRANSCRIPT_DAYS
from outreach.domain.summary import ProposedField, ProposedSummary
from outreach.integrations.groq import ModelProblem, ModelRefused, ModelsUnavailable
from outreach.integrations.summaries import SummaryAnswer, SummaryRequest
from outreach.models import Call, Campaign, Summary, SummaryState, Turn
from outreach.services import after_call, clock, housekeeping, summarising
from tests.factories import pass_time
from tests.integration.calls import make_call

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]

ASKS_FOR = [
    {"name": "groups", "question": "What groups?"},
    {"name": "fee", "question": "What do they charge?"},
]


class FakeSummariser:
    """Answers every conversation with one value that it shows and one that it does not."""

    def __init__(self, problem: ModelProblem | None = None) -> None:
        self.requests: list[SummaryRequest] = []
        self.problem = problem

    def summarise(self, request: SummaryRequest) -> SummaryAnswer:
        """Answer, or fail as told."""
        self.requests.append(request)
        if self.problem is not None:
            raise self.problem
        fields = [
            ProposedField(name="groups", value="Schools", turn=2, quote="mostly schools"),
            ProposedField(name="fee", value="500 euros", turn=2, quote="five hundred euros"),
        ]
        return SummaryAnswer(
            proposed=ProposedSummary(summary="Works with schools.", fields=fields),
            model="m",
            input_tokens=200,
            output_tokens=50,
        )


def a_conversation(**fields: Any) -> Call:
    """Return a settled call in which a person said something."""
    now = clock.now()
    times = {"answered_at": now, "ended_at": now, "settled_at": now, "duration_seconds": 61}
    call = make_call(
        CallStatus.COMPLETED, **(times | {"answered_by": "human", "transcript": "complete"} | fields)
    )
    for seq, (speaker, text) in enumerate((("alex", "Whom?"), ("person", "Oh, mostly schools.")), start=1):
        Turn.objects.create(call=call, seq=seq, speaker=speaker, text=text, said_at=now)
    Campaign.objects.filter(pk=call.campaign_id).update(asks_for=ASKS_FOR)
    return call


def run(problem: ModelProblem | None = None) -> FakeSummariser:
    """Let one tick come."""
    after_call.take_up()
    summariser = FakeSummariser(problem)
    summarising.summarise_due(summariser=summariser)
    return summariser


class TestAConversation:
    def test_is_summed_up_with_the_turn_that_shows_each_field(self) -> None:
        call = a_conversation(disposition="interested")
        summariser = run()
        summary = Summary.objects.get(call=call)
        assert (summary.state, summary.text, summary.tries) == ("made", "Works with schools.", 1)
        assert summary.fields == [{"name": "groups", "value": "Schools", "turn_seq": 2}]
        assert summary.dropped == 1
        assert [turn.text for turn in summariser.requests[0].turns] == ["Whom?", "Oh, mostly schools."]
        assert [field.name for field in summariser.requests[0].asked] == ["groups", "fee"]
        call.refresh_from_db()
        assert call.disposition == "interested"

    def test_is_summed_up_once_however_often_the_tick_comes(self) -> None:
        a_conversation()
        assert [len(run().requests) for _ in range(3)] == [1, 0, 0]

    def test_adds_what_its_summary_took_to_its_cost(self) -> None:
        call = a_conversation(usage={"llm_input_tokens": 5})
        run()
        after_call.take_up()
        call.refresh_from_db()
        assert call.usage == {
            "llm_input_tokens": 5,
            "summary": {"model": "m", "input_tokens": 200, "output_tokens": 50},
        }
        assert [line["model"] for line in call.cost_items if line["item"] == "llm_input"] == [
            "openai/gpt-oss-120b",
            "m",
        ]

    @pytest.mark.parametrize(
        "fields",
        [
            {"transcript": "open"},
            {"settled_at": None},
            {"answered_by": "voicemail"},
            {"answered_at": None},
        ],
    )
    def test_is_none_before_its_last_word_nor_with_a_machine(self, fields: dict[str, Any]) -> None:
        a_conversation(**fields)
        run()
        assert not Summary.objects.exists()

    def test_is_none_where_nobody_said_a_word(self) -> None:
        call = a_conversation()
        Turn.objects.filter(call=call, speaker="person").delete()
        run()
        assert not Summary.objects.exists()


class TestAFailedTry:
    def test_is_repeated_later_each_time_and_given_up_at_last(self) -> None:
        a_conversation()
        waits = []
        for _ in range(len(SUMMARY_TRIED_AGAIN_AFTER) + 1):
            before = clock.now()
            run(ModelsUnavailable("Groq answered 503"))
            summary = Summary.objects.get()
            if summary.due_at is not None:
                waits.append(round((summary.due_at - before).total_seconds()))
                pass_time(summary.due_at - before + timedelta(seconds=1))
        assert waits == SUMMARY_TRIED_AGAIN_AFTER
        assert (summary.state, summary.problem) == ("given_up", "Groq answered 503")
        assert run().requests == []

    def test_of_a_worker_that_died_is_repeated_when_its_claim_has_run_out(self) -> None:
        a_conversation()
        after_call.take_up()
        assert len(summarising._claim()) == 1
        assert run().requests == []
        pass_time(timedelta(seconds=summarising.LEASE + 1))
        assert len(run().requests) == 1
        assert Summary.objects.get().tries == 2

    def test_is_a_refusal_of_this_one_question(self) -> None:
        a_conversation()
        run(ModelRefused("too long", code="context_length_exceeded", http_status=400, model="m"))
        summary = Summary.objects.get()
        assert (summary.tries, summary.problem) == (1, "Groq refused the question (context_length_exceeded).")


class TestARefusalThatOnlyAPersonCanLift:
    @pytest.mark.parametrize(
        ("code", "status", "told"),
        [
            ("invalid_api_key", 401, "GROQ_API_KEY"),
            ("model_terms_required", 400, "https://console.groq.com/playground?model=m"),
            ("", 403, "console.groq.com/settings"),
        ],
    )
    def test_lets_all_wait_and_says_what_to_do(self, code: str, status: int, told: str) -> None:
        for _ in range(6):
            a_conversation()
        summariser = run(ModelRefused("no", code=code, http_status=status, model="m"))
        assert len(summariser.requests) == summarising.PARALLEL
        assert run().requests == []
        for summary in Summary.objects.all():
            assert told in summary.problem
            assert (summary.state, summary.tries) == (SummaryState.DUE, 0)
        pass_time(timedelta(minutes=16))
        run()
        assert set(Summary.objects.values_list("state", "problem")) == {("made", "")}

    def test_waits_as_long_as_a_rate_limit_asks_for(self) -> None:
        a_conversation()
        before = clock.now()
        run(ModelRefused("slow down", code="rate_limit_exceeded", http_status=429, model="m", retry_after=90))
        summary = Summary.objects.get()
        assert summary.due_at is not None
        assert round((summary.due_at - before).total_seconds()) == 90
        assert summary.tries == 0


class TestKeeping:
    def test_forgets_a_summary_with_its_transcript(self) -> None:
        a_conversation()
        run()
        pass_time(timedelta(days=TRANSCRIPT_DAYS + 1))
        housekeeping.expire()
        assert not Summary.objects.exists()
        run()
        assert not Summary.objects.exists()

    def test_gives_up_what_is_due_once_the_words_are_gone(self) -> None:
        a_conversation()
        after_call.take_up()
        Turn.objects.all().delete()
        assert run().requests == []
        summary = Summary.objects.get()
        assert (summary.state, summary.problem) == ("given_up", summarising.NOT_SAID)


def test_no_log_line_holds_a_word_of_the_conversation(capture: Callable[[], str]) -> None:
    a_conversation()
    run()
    assert "summed up" in capture()
    assert "schools" not in capture().lower()


@pytest.fixture
def capture(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Return what was logged so far, with every field."""
    caplog.set_level("INFO")
    return lambda: "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)


def test_without_a_key_nobody_is_asked_and_the_page_says_why(settings: Any) -> None:
    settings.GROQ_API_KEY = ""
    a_conversation()
    tasks.summarise_calls()
    summary = Summary.objects.get()
    assert (summary.state, summary.tries, summary.problem) == ("due", 0, summarising.NO_KEY)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("real_commits")
def test_two_workers_at_the_same_moment_take_each_call_and_each_summary_once() -> None:
    for _ in range(6):
        a_conversation()
    with ThreadPoolExecutor(max_workers=2) as pool:
        taken = list(pool.map(on_a_connection_of_its_own(after_call.take_up), range(2)))
        claims = list(pool.map(on_a_connection_of_its_own(summarising._claim), range(2)))
    assert sum(taken) == 6
    assert Summary.objects.count() == 6
    claimed = [work.summary_id for claim in claims for work in claim]
    assert len(claimed) == len(set(claimed)) == 2 * summarising.PARALLEL - 2


def on_a_connection_of_its_own(work: Callable[[], Any]) -> Callable[[int], Any]:
    """Return `work` for a thread that leaves no connection behind."""

    def run_it(_: int) -> Any:
        try:
            return work()
        finally:
            connection.close()

    return run_it
