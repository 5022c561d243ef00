"""What one call adds to the statistics, and what is read off lengths that are counted in steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from outreach.domain.tally import CallOutcome, Entry, entries_of, median_of, step_of

pytestmark = pytest.mark.unit

UNANSWERED = CallOutcome(
    begun_at=datetime(2026, 3, 3, 15, 5, tzinfo=UTC), dialled=True, answered=False, by_person=False,
    status="no_answer", disposition="", stage="", time_zone="America/New_York", held_seconds=25.4,
    talk_seconds=None, our_fault=False, fault="", cost=None, currency="", attempt=1, first_reach=False,
    first_interest=False, ever_interested=False,
)  # fmt: skip
TALK = replace(
    UNANSWERED, answered=True, by_person=True, status="completed", disposition="interested", stage="close",
    talk_seconds=63, cost=Decimal("0.02"), currency="USD", attempt=2, first_reach=True, first_interest=True,
    ever_interested=True,
)  # fmt: skip


def added(call: CallOutcome) -> set[str]:
    """Return what a call adds as "thing key"."""
    return {f"{entry.thing} {entry.key}" for entry in entries_of(call)}


class TestACall:
    def test_counts_once_each_when_nobody_answers(self) -> None:
        assert added(UNANSWERED) == {
            "calls begun", "calls dialled", "status no_answer", "pace 15", "hour 1-10 dialled"
        }  # fmt: skip

    def test_counts_a_conversation_with_its_length_its_attempt_and_its_cost(self) -> None:
        assert added(TALK) >= {
            "calls human", "calls reached", "calls interested", "calls reached_interested",
            "outcome interested", "talk 60", "attempt 2", "cost USD", "hour 1-10 human",
        }  # fmt: skip
        assert Entry("talk", "60", Decimal(63)) in entries_of(TALK)
        assert Entry("calls", "dialled", Decimal(25)) in entries_of(TALK)

    def test_of_a_person_who_was_reached_before_reaches_nobody(self) -> None:
        again = replace(TALK, first_reach=False, first_interest=False)
        assert not added(again) & {
            "calls reached",
            "calls interested",
            "calls reached_interested",
            "attempt 2",
        }

    def test_tells_where_somebody_hung_up_and_whether_at_once(self) -> None:
        hung_up = replace(TALK, disposition="hung_up", stage="opening", talk_seconds=5)
        assert added(hung_up) >= {"stage opening", "calls hung_up_early"}
        assert "calls hung_up_early" not in added(replace(hung_up, talk_seconds=6))
        assert "calls hung_up_early" not in added(replace(hung_up, our_fault=True))

    def test_without_a_known_zone_has_no_hour(self) -> None:
        assert not [
            what for what in added(replace(TALK, time_zone="Nowhere/Else")) if what.startswith("hour")
        ]

    def test_fits_the_column_of_keys(self) -> None:
        fault = replace(UNANSWERED, our_fault=True, fault="the_longest_code_of_a_failure_there_ever_was")
        assert max(len(entry.key) for entry in entries_of(fault)) <= 24


class TestLengths:
    @pytest.mark.parametrize(
        ("seconds", "step"), [(0, 0), (4, 0), (5, 5), (299, 295), (300, 300), (329, 315)]
    )
    def test_fall_into_steps(self, seconds: int, step: int) -> None:
        assert step_of(seconds) == step

    def test_have_a_median_within_half_a_step(self) -> None:
        assert median_of({}) is None
        assert median_of({10: 1, 40: 1, 70: 1}) == 42
        assert median_of({10: 1, 40: 1, 70: 1, 100: 1}) == 57
