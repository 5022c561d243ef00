"""What follows a call: another attempt, later each time, or an end."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain import defaults
from outreach.domain.backoff import RETRIED
from outreach.domain.call_status import OPEN, CallStatus
from outreach.domain.call_window import CallWindow, DayPart, day_part, is_open
from outreach.domain.disposition import AnsweredBy, Disposition
from outreach.domain.retry_policy import (
    Backoff,
    Close,
    Ending,
    InvalidRetryPolicy,
    RetryAt,
    RetryPolicy,
    counts_as_attempt,
    decide_next,
    ending_of,
)
from outreach.domain.standing import CLOSED, Standing

pytestmark = pytest.mark.unit

bounded = settings(derandomize=True, database=None, deadline=None, max_examples=200)

MADRID = ("Europe/Madrid",)
POLICY = RetryPolicy.parse(defaults.RETRY_POLICY)
OFFICE = CallWindow.parse(defaults.CALL_WINDOW, skip_public_holidays=True)
ALWAYS = CallWindow.parse({str(day): [["00:00", "24:00"]] for day in range(7)}, skip_public_holidays=False)
HOUR = timedelta(hours=1)
MARGIN = timedelta(seconds=85)


def madrid(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Madrid")).astimezone(UTC)


TUESDAY = madrid("2026-03-03T10:30")


def end(status: str, disposition: str | None = None, answered_by: str | None = None, **given: bool) -> Ending:
    return ending_of(
        status=CallStatus(status),
        disposition=Disposition(disposition) if disposition else None,
        answered_by=AnsweredBy(answered_by) if answered_by else None,
        our_fault=given.get("our_fault", False),
        number_dead=given.get("number_dead", False),
    )


def following(ending: Ending, **changed: Any) -> RetryAt | Close:
    """Decide after the first attempt, around the clock and without dice, but for what is changed."""
    given: dict[str, Any] = {
        "policy": POLICY,
        "attempts_made": 1,
        "max_attempts": 4,
        "our_faults": 1,
        "now": TUESDAY,
        "window": ALWAYS,
        "zones": MADRID,
        "country": "ES",
        "tried_parts": frozenset(),
        "min_gap": 4 * HOUR,
        "margin": MARGIN,
        "jitter": 0.5,
    }
    return decide_next(ending=ending, **(given | changed))


def moment(ending: Ending, **changed: Any) -> datetime:
    found = following(ending, **changed)
    assert isinstance(found, RetryAt), found
    return found.at


class TestEndingOf:
    @pytest.mark.parametrize(
        ("status", "disposition", "answered_by", "ending"),
        [
            ("busy", None, None, "busy"),
            ("no_answer", None, None, "no_answer"),
            ("failed", None, None, "failed"),
            ("canceled", None, None, "not_attempted"),
            ("not_placed", None, None, "not_attempted"),
            ("completed", None, None, "no_outcome"),
            ("completed", "no_outcome", "human", "no_outcome"),
            ("completed", "no_outcome", "uncertain", "no_outcome"),
            ("completed", "hung_up", "human", "hung_up"),
            ("completed", "hung_up", "voicemail", "voicemail"),
            ("completed", None, "voicemail", "voicemail"),
            ("completed", None, "ivr", "voicemail"),
            ("completed", None, "screening", "voicemail"),
            ("completed", "no_outcome", "unavailable", "voicemail"),
            ("completed", "left_voicemail", "voicemail", "voicemail"),
            ("completed", "interested", "human", "interested"),
            ("completed", "callback_requested", "human", "callback"),
            ("completed", "not_interested", "human", "not_interested"),
            ("completed", "do_not_call", "human", "do_not_call"),
            ("completed", "wrong_person", "human", "wrong_person"),
            ("completed", "do_not_call", "voicemail", "do_not_call"),
            ("in_progress", "hung_up", None, "hung_up"),
        ],
    )
    def test_joins_network_and_conversation(
        self, status: str, disposition: str | None, answered_by: str | None, ending: str
    ) -> None:
        assert end(status, disposition, answered_by) == ending

    @pytest.mark.parametrize(
        "said", ["interested", "callback_requested", "not_interested", "do_not_call", "wrong_person"]
    )
    def test_what_they_said_stands_although_we_failed_then(self, said: str) -> None:
        assert end("completed", said, our_fault=True) == end("completed", said)

    @pytest.mark.parametrize("silence", [None, "hung_up", "no_outcome"])
    def test_a_call_that_we_broke_is_our_fault(self, silence: str | None) -> None:
        assert end("completed", silence, "human", our_fault=True) is Ending.OUR_FAULT

    def test_a_call_that_we_canceled_while_it_rang_is_our_fault(self) -> None:
        assert end("canceled", our_fault=True) is Ending.OUR_FAULT

    def test_a_dead_number_is_dead_whosever_fault(self) -> None:
        assert end("failed", number_dead=True, our_fault=True) is Ending.NUMBER_DEAD

    @pytest.mark.parametrize("status", sorted(OPEN - {CallStatus.IN_PROGRESS}))
    def test_a_call_that_goes_on_has_no_ending(self, status: str) -> None:
        with pytest.raises(ValueError, match="has not ended"):
            end(status)

    def test_is_total_over_everything_that_can_be_reported(self) -> None:
        dispositions, answers = [None, *Disposition], [None, *AnsweredBy]
        statuses = [s for s in CallStatus if s not in OPEN]
        endings = {
            ending_of(status=status, disposition=said, answered_by=who, our_fault=fault, number_dead=dead)
            for status, said, who, fault, dead in product(
                statuses, dispositions, answers, [False, True], [False, True]
            )
        }
        assert endings == set(Ending)


class TestCountsAsAttempt:
    def test_our_faults_and_agreed_callbacks_do_not(self) -> None:
        free = {ending.value for ending in Ending if not counts_as_attempt(ending)}
        assert free == {"our_fault", "not_attempted", "callback"}


class TestParse:
    def test_reads_the_defaults(self) -> None:
        assert POLICY.backoffs[Ending.BUSY] == Backoff(base=4 * HOUR, factor=2, cap=24 * HOUR)

    def test_takes_the_largest_values(self) -> None:
        fields = {"base_hours": 720, "factor": 10, "cap_hours": 2160}
        policy = RetryPolicy.parse(defaults.RETRY_POLICY | {"busy": fields})
        assert policy.delay(ending=Ending.BUSY, nth=2, jitter=0.5) == 2160 * HOUR

    @pytest.mark.parametrize(
        ("path", "value", "named"),
        [
            (("busy",), None, "busy: give base_hours"),
            (("busy",), 4, "busy: give base_hours"),
            (("busy", "base_hours"), None, "busy: base_hours must be a number, not None"),
            (("busy", "base_hours"), "4", "busy: base_hours must be a number, not '4'"),
            (("busy", "base_hours"), True, "busy: base_hours must be a number, not True"),
            (("busy", "base_hours"), float("nan"), "busy: base_hours must be a number"),
            (("busy", "base_hours"), float("inf"), "busy: base_hours must be a number"),
            (("busy", "base_hours"), 0, "busy: base_hours must be more than 0"),
            (("busy", "base_hours"), -1, "busy: base_hours must be more than 0"),
            (("voicemail", "factor"), 0.5, "voicemail: factor must be at least 1"),
            (("voicemail", "factor"), 11, "voicemail: factor must be at most 10"),
            (("failed", "cap_hours"), 1, "failed: cap_hours must be at least base_hours"),
            (("failed", "cap_hours"), 10_000, "failed: cap_hours must be at most 2160"),
            (("failed", "caps_hours"), 3, "failed: 'caps_hours' is not a field"),
            (("interested",), {}, "'interested' is no ending that is retried"),
            (("not_attempted",), {}, "'not_attempted' is no ending that is retried"),
        ],
    )
    def test_names_the_ending_and_the_field(self, path: tuple[str, ...], value: object, named: str) -> None:
        raw: dict[str, Any] = copy.deepcopy(defaults.RETRY_POLICY)
        if len(path) == 1:
            raw[path[0]] = value
        else:
            raw[path[0]][path[1]] = value
        with pytest.raises(InvalidRetryPolicy) as refused:
            RetryPolicy.parse(raw)
        assert named in str(refused.value)

    @pytest.mark.parametrize("ending", RETRIED)
    def test_misses_no_ending(self, ending: Ending) -> None:
        raw = {name: fields for name, fields in defaults.RETRY_POLICY.items() if name != ending}
        with pytest.raises(InvalidRetryPolicy, match=f"{ending}: give base_hours"):
            RetryPolicy.parse(raw)

    def test_refuses_what_is_no_table(self) -> None:
        with pytest.raises(InvalidRetryPolicy, match="table"):
            RetryPolicy.parse([4, 8])


class TestDelays:
    def test_grow_from_attempt_to_attempt_up_to_the_cap(self) -> None:
        waits = [moment(Ending.NO_ANSWER, attempts_made=n, max_attempts=9) - TUESDAY for n in range(1, 8)]
        assert [wait / HOUR for wait in waits] == [4, 8, 16, 32, 64, 72, 72]

    def test_move_with_the_die_by_a_fifth(self) -> None:
        waits = [moment(Ending.VOICEMAIL, jitter=die) - TUESDAY for die in (0.0, 0.5, 0.75)]
        assert [wait / HOUR for wait in waits] == pytest.approx([19.2, 24, 26.4])

    def test_are_never_shorter_than_the_gap(self) -> None:
        assert moment(Ending.BUSY, min_gap=30 * HOUR) == TUESDAY + 30 * HOUR
        assert moment(Ending.BUSY, jitter=0.0) == TUESDAY + 4 * HOUR

    def test_after_our_own_fault_count_our_faults_and_need_no_gap(self) -> None:
        waits = [
            moment(Ending.OUR_FAULT, our_faults=n, attempts_made=3) - TUESDAY
            for n in range(1, defaults.OUR_FAULTS_BOUND)
        ]
        assert [wait / HOUR for wait in waits] == [0.25, 0.5, 1, 2, 4]

    def test_after_a_call_that_was_never_placed_are_those_of_our_faults(self) -> None:
        assert moment(Ending.NOT_ATTEMPTED) == moment(Ending.OUR_FAULT)

    def test_wait_until_the_caps_end(self) -> None:
        ends = madrid("2026-03-05T00:00")
        assert moment(Ending.BUSY, not_before=ends) == ends
        assert moment(Ending.BUSY, not_before=TUESDAY) == TUESDAY + 4 * HOUR

    def test_never_overflow(self) -> None:
        backoff = Backoff(base=HOUR, factor=10, cap=24 * HOUR)
        assert backoff.delay(nth=30_000, jitter=0.5) == 24 * HOUR


class TestRetryAt:
    def test_lands_in_the_hours(self) -> None:
        found = moment(Ending.BUSY, window=OFFICE, now=madrid("2026-03-06T16:00"))
        assert found == madrid("2026-03-09T10:00")

    @pytest.mark.parametrize("ending", [Ending.NO_ANSWER, Ending.VOICEMAIL])
    def test_tries_another_part_of_the_day(self, ending: Ending) -> None:
        tried = frozenset({DayPart.MORNING, DayPart.AFTERNOON})
        found = moment(ending, window=OFFICE, tried_parts=tried)
        assert day_part(found, MADRID[0]) is DayPart.EVENING

    def test_a_busy_line_is_tried_again_in_the_same_part(self) -> None:
        tried = frozenset({DayPart.AFTERNOON})
        assert moment(Ending.BUSY, window=OFFICE, tried_parts=tried) == madrid("2026-03-03T14:30")

    def test_chooses_the_part_after_the_caps_have_ended(self) -> None:
        found = moment(
            Ending.NO_ANSWER,
            window=OFFICE,
            tried_parts=frozenset({DayPart.MORNING}),
            not_before=madrid("2026-03-04T00:00"),
        )
        assert found == madrid("2026-03-04T12:00")

    @pytest.mark.parametrize(
        ("ending", "reason"),
        [
            (Ending.NO_ANSWER, "No answer (attempt 1 of 4)."),
            (Ending.OUR_FAULT, "The call failed by our own fault (1 in a row, not counted)."),
        ],
    )
    def test_says_why(self, ending: Ending, reason: str) -> None:
        found = following(ending)
        assert found.reason == reason

    @bounded
    @given(
        st.sampled_from([e for e in RETRIED if counts_as_attempt(e)]),
        st.integers(1, 8),
        st.floats(0, 1, exclude_max=True),
        st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
        st.sampled_from([MADRID, ("America/New_York",), ("Australia/Lord_Howe",)]),
        st.frozensets(st.sampled_from(DayPart)),
    )
    def test_is_never_early_and_always_in_the_hours(
        self,
        ending: Ending,
        attempts: int,
        die: float,
        now: datetime,
        zones: tuple[str, ...],
        tried: frozenset[DayPart],
    ) -> None:
        found = moment(
            ending,
            attempts_made=attempts,
            max_attempts=9,
            jitter=die,
            now=now,
            zones=zones,
            window=OFFICE,
            tried_parts=tried,
        )
        least = POLICY.delay(ending=ending, nth=attempts, jitter=0.0)
        assert found - now >= max(least, 4 * HOUR)
        assert is_open(window=OFFICE, zones=zones, country="ES", at=found, margin=MARGIN)


class TestClose:
    @pytest.mark.parametrize(
        ("ending", "standing"),
        [
            (Ending.INTERESTED, Standing.INTERESTED),
            (Ending.NOT_INTERESTED, Standing.NOT_INTERESTED),
            (Ending.DO_NOT_CALL, Standing.SUPPRESSED),
            (Ending.WRONG_PERSON, Standing.NEEDS_REVIEW),
            (Ending.NUMBER_DEAD, Standing.NEEDS_REVIEW),
        ],
    )
    def test_what_they_said_ends_it(self, ending: Ending, standing: Standing) -> None:
        found = following(ending)
        assert isinstance(found, Close)
        assert found.standing is standing
        assert standing in CLOSED
        assert found.reason.endswith(".")

    @pytest.mark.parametrize("ending", [e for e in RETRIED if counts_as_attempt(e)])
    def test_the_last_attempt_exhausts(self, ending: Ending) -> None:
        assert isinstance(following(ending, attempts_made=3), RetryAt)
        found = following(ending, attempts_made=4)
        assert isinstance(found, Close)
        assert found.standing is Standing.EXHAUSTED
        assert "all 4 attempts are made" in found.reason

    @pytest.mark.parametrize("ending", [Ending.OUR_FAULT, Ending.NOT_ATTEMPTED])
    def test_our_faults_never_exhaust_but_are_bounded(self, ending: Ending) -> None:
        assert isinstance(following(ending, attempts_made=4), RetryAt)
        found = following(ending, our_faults=defaults.OUR_FAULTS_BOUND)
        assert isinstance(found, Close)
        assert found.standing is Standing.HELD
        assert "6 times in a row" in found.reason

    def test_a_person_who_can_never_be_called_is_held(self) -> None:
        found = following(Ending.BUSY, zones=("Asia/Tokyo", "America/New_York"), window=OFFICE)
        assert isinstance(found, Close)
        assert found.standing is Standing.HELD

    def test_a_callback_is_not_ours_to_decide(self) -> None:
        with pytest.raises(ValueError, match="callback"):
            following(Ending.CALLBACK)

    @pytest.mark.parametrize("ending", [e for e in Ending if e is not Ending.CALLBACK])
    def test_every_other_ending_is_decided(self, ending: Ending) -> None:
        assert isinstance(following(ending), RetryAt | Close)
