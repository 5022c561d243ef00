"""The rehearsal's time jumps over waiting, and over nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.clock_jumper import (
    LOOK_EVERY,
    PATIENCE_WITH_ALEX,
    PATIENCE_WITH_NEWS,
    PATIENCE_WITH_REST,
    PATIENCE_WITH_TALK,
    SHORT_WAIT,
    Sight,
    first_morning,
    next_moment,
)

pytestmark = pytest.mark.unit

NOW = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)
TOMORROW = NOW + timedelta(days=1)
DEADLINE = NOW + timedelta(minutes=10)
QUIET = Sight(
    now=NOW, stopped=False, in_flight=0, before_dial=0, waiting_for_end=0, deadline_at=None, due_at=TOMORROW,
    trace="",
)  # fmt: skip
TALKING = replace(QUIET, in_flight=1, deadline_at=DEADLINE)
PREPARING = replace(TALKING, before_dial=1)
UNSETTLED = replace(TALKING, waiting_for_end=1)
A_WHILE = 5.0


class TestNextMoment:
    def test_jumps_to_the_next_due_person_when_all_is_quiet(self) -> None:
        assert next_moment(QUIET, quiet_for=A_WHILE) == TOMORROW

    def test_waits_while_something_has_just_moved(self) -> None:
        assert next_moment(QUIET, quiet_for=LOOK_EVERY) is None

    def test_never_jumps_over_somebody_who_is_due_now(self) -> None:
        assert next_moment(replace(QUIET, due_at=NOW - timedelta(seconds=1)), quiet_for=A_WHILE) is None

    def test_lets_a_short_wait_pass(self) -> None:
        assert (
            next_moment(replace(QUIET, due_at=NOW + timedelta(seconds=SHORT_WAIT)), quiet_for=A_WHILE) is None
        )

    def test_stands_still_while_all_dialing_is_stopped(self) -> None:
        assert next_moment(replace(QUIET, stopped=True), quiet_for=A_WHILE) is None

    def test_has_nowhere_to_go_when_nobody_is_left(self) -> None:
        assert next_moment(replace(QUIET, due_at=None), quiet_for=A_WHILE) is None

    def test_never_cuts_a_conversation_short(self) -> None:
        assert next_moment(TALKING, quiet_for=PATIENCE_WITH_TALK - 1, carried=1) is None

    def test_takes_a_call_in_which_nothing_moves_any_more_to_its_deadline_only(self) -> None:
        assert next_moment(TALKING, quiet_for=PATIENCE_WITH_TALK, carried=1) == DEADLINE

    def test_gives_a_lost_webhook_a_moment_and_no_more_when_the_carrier_is_idle(self) -> None:
        assert next_moment(TALKING, quiet_for=PATIENCE_WITH_NEWS) == DEADLINE
        assert next_moment(TALKING, quiet_for=PATIENCE_WITH_NEWS - 1) is None

    def test_gives_alex_the_time_to_come(self) -> None:
        assert next_moment(PREPARING, quiet_for=PATIENCE_WITH_ALEX - 1) is None

    def test_takes_a_call_that_only_waits_to_be_settled_to_its_deadline_sooner(self) -> None:
        assert next_moment(UNSETTLED, quiet_for=PATIENCE_WITH_REST) == DEADLINE
        assert next_moment(UNSETTLED, quiet_for=PATIENCE_WITH_REST - 1) is None

    def test_lets_a_talk_in_the_browser_be_though_no_carrier_carries_it(self) -> None:
        in_browser = replace(TALKING, in_browser=1, due_at=NOW + timedelta(minutes=2))
        assert next_moment(in_browser, quiet_for=PATIENCE_WITH_TALK - 1) is None
        assert next_moment(in_browser, quiet_for=PATIENCE_WITH_TALK) == DEADLINE

    def test_stops_at_whoever_is_due_before_that_deadline(self) -> None:
        due_at = NOW + timedelta(minutes=2)
        assert next_moment(replace(UNSETTLED, due_at=due_at), quiet_for=PATIENCE_WITH_REST) == due_at


class TestFirstMorning:
    @pytest.mark.parametrize(
        ("today", "expected"),
        [
            pytest.param(
                datetime(2026, 11, 25, 9, 0, tzinfo=UTC),
                datetime(2026, 12, 1, 14, 59, tzinfo=UTC),
                id="next Tuesday, a minute before ten in New York",
            ),
            pytest.param(
                datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
                datetime(2026, 12, 1, 14, 59, tzinfo=UTC),
                id="on a Tuesday: the next one, it never lies in the past",
            ),
            pytest.param(
                datetime(2026, 12, 2, 9, 0, tzinfo=UTC),
                datetime(2026, 12, 15, 14, 59, tzinfo=UTC),
                id="not the eighth of December, a holiday in Spain",
            ),
            pytest.param(
                datetime(2029, 12, 20, 9, 0, tzinfo=UTC),
                datetime(2030, 1, 8, 14, 59, tzinfo=UTC),
                id="neither Christmas nor New Year",
            ),
            pytest.param(
                datetime(2026, 7, 1, 9, 0, tzinfo=UTC),
                datetime(2026, 7, 7, 13, 59, tzinfo=UTC),
                id="summer time",
            ),
        ],
    )
    def test_is_a_tuesday_that_is_a_holiday_for_nobody(self, today: datetime, expected: datetime) -> None:
        assert first_morning(today) == expected
