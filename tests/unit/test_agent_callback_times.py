"""A promise is only made for a time that can be kept."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agentworker.callback_times import Agreed, Refused, check_time, next_times
from outreach.domain.contracts import Interval

pytestmark = pytest.mark.unit

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 24, 9, 0, tzinfo=UTC)
"""Tuesday, 10:00 in Paris."""
HOURS = [Interval(weekday=day, opens="09:00", closes="20:00") for day in range(6)]


def check(when: str, *, closed: tuple[str, ...] = (), now: datetime = NOW) -> Agreed | Refused:
    """Check a time of somebody in Paris."""
    return check_time(when, now=now, zone=PARIS, hours=HOURS, closed=closed)


class TestCheckTime:
    def test_takes_a_time_without_offset_as_the_persons_own(self) -> None:
        agreed = check("2026-03-25T15:00")
        assert isinstance(agreed, Agreed)
        assert agreed.at == datetime(2026, 3, 25, 14, 0, tzinfo=UTC)
        assert agreed.spoken == "Wednesday 25 March at 15:00 your time (CET)"

    def test_reads_a_time_with_an_offset_back_in_the_persons_zone(self) -> None:
        agreed = check("2026-03-25T14:00:00Z")
        assert isinstance(agreed, Agreed)
        assert agreed.spoken == "Wednesday 25 March at 15:00 your time (CET)"

    def test_knows_that_the_clocks_change_before_the_time(self) -> None:
        agreed = check("2026-03-30T15:00")
        assert isinstance(agreed, Agreed)
        assert agreed.at == datetime(2026, 3, 30, 13, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("when", "why"),
        [
            ("2026-03-24T09:30", "past"),
            ("2026-03-24T10:01", "past"),
            ("2020-01-01T12:00", "past"),
            ("2026-03-24T21:00", "may not call"),
            ("2026-03-24T20:00", "may not call"),
            ("2026-03-29T15:00", "may not call"),
            ("2026-03-29T02:30", "does not exist"),
            ("2027-03-24T15:00", "too far"),
            ("tomorrow at three", "not a date"),
            ("", "not a date"),
        ],
    )
    def test_refuses_what_cannot_be_kept_and_names_what_can(self, when: str, why: str) -> None:
        refused = check(when)
        assert isinstance(refused, Refused)
        assert why in refused.reason
        assert "Possible from Tuesday 24 March at 11:00" in refused.reason

    def test_refuses_a_day_that_is_closed(self) -> None:
        assert isinstance(check("2026-03-25T15:00", closed=("2026-03-25",)), Refused)

    def test_is_open_until_midnight_where_the_hours_say_24(self) -> None:
        late = [Interval(weekday=1, opens="09:00", closes="24:00")]
        assert isinstance(check_time("2026-03-24T23:59", now=NOW, zone=PARIS, hours=late, closed=[]), Agreed)


class TestNextTimes:
    def test_skips_the_night_and_the_closed_day(self) -> None:
        evening = datetime(2026, 3, 24, 18, 50, tzinfo=UTC)
        times = next_times(now=evening, zone=PARIS, hours=HOURS, closed=["2026-03-25"])
        assert [f"{time:%a %H:%M}" for time in times] == ["Thu 09:00", "Fri 09:00"]

    def test_is_empty_when_there_are_no_hours(self) -> None:
        assert next_times(now=NOW, zone=PARIS, hours=[], closed=[]) == []
