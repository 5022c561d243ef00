"""When a campaign will be through: hours, pace, answers and waits decide, and few calls make a wide range."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from outreach.domain.call_window import CallWindow
from outreach.domain.forecast import Crowd, Finish, Forecaster, Pace, Share, share_of

pytestmark = pytest.mark.unit

#: A Tuesday, 10:00 in New York.
NOW = datetime(2026, 3, 3, 15, 0, tzinfo=UTC)
OFFICE_HOURS = CallWindow.parse(
    {str(day): [["10:00", "18:00"]] for day in range(5)}, skip_public_holidays=False
)
HUNDRED_AN_HOUR = Pace(open_calls=100, calls_per_second=100 / 3600, seconds_per_call=60)
GUESS = Share(low=0.1, likely=0.3, high=0.5)


def finish(n_people: int, *, answer_rate: float = 1.0, attempts_left: int = 1, due_in: int = 0) -> Finish:
    crowd = Crowd(
        n_people=n_people,
        due_at=NOW + timedelta(hours=due_in),
        attempts_left=attempts_left,
        zones=("America/New_York",),
        country="US",
    )
    forecaster = Forecaster(crowds=[crowd], window=OFFICE_HOURS, waits=[timedelta(hours=24)], now=NOW)
    return forecaster.finish(pace=HUNDRED_AN_HOUR, answer_rate=answer_rate)


class TestForecaster:
    def test_is_done_within_the_day_when_the_pace_allows(self) -> None:
        assert finish(250) == Finish(at=NOW + timedelta(hours=2.5), calls=250)

    def test_goes_on_the_next_day_inside_their_hours(self) -> None:
        done = finish(900).at
        assert done == NOW + timedelta(hours=25)

    def test_calls_those_who_did_not_answer_again_after_the_wait(self) -> None:
        done = finish(100, answer_rate=0.5, attempts_left=2)
        assert done.calls == pytest.approx(150)
        assert done.at == NOW + timedelta(hours=24.5)

    def test_waits_for_those_who_are_due_later(self) -> None:
        assert finish(10, due_in=5).at == NOW + timedelta(hours=5.1)

    def test_does_not_promise_what_takes_for_ever(self) -> None:
        assert finish(1_000_000).at is None

    def test_is_limited_by_calls_at_once_as_well(self) -> None:
        assert Pace(open_calls=2, calls_per_second=1, seconds_per_call=72).calls_per_hour == 100


class TestShareOf:
    def test_assumes_while_little_is_known(self) -> None:
        assert share_of(hits=19, tries=19, assumed=GUESS) is GUESS

    def test_narrows_with_the_number_of_calls(self) -> None:
        few, many = (share_of(hits=tries // 4, tries=tries, assumed=GUESS) for tries in (40, 4000))
        assert few.likely == many.likely == 0.25
        assert few.low < many.low < 0.25 < many.high < few.high
