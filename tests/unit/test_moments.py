"""What an operator may type for "when"."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from outreach.management.moments import UnclearMoment, parse_moment

pytestmark = pytest.mark.unit

#: A Tuesday, 10:05 in New York.
NOW = datetime(2026, 3, 3, 15, 5, tzinfo=UTC)


class TestParseMoment:
    @pytest.mark.parametrize(
        ("typed", "expected"),
        [
            ("30m", datetime(2026, 3, 3, 15, 35, tzinfo=UTC)),
            ("in 20 min", datetime(2026, 3, 3, 15, 25, tzinfo=UTC)),
            ("2h", datetime(2026, 3, 3, 17, 5, tzinfo=UTC)),
            ("2 hours", datetime(2026, 3, 3, 17, 5, tzinfo=UTC)),
            ("3d", datetime(2026, 3, 6, 15, 5, tzinfo=UTC)),
            ("15:00", datetime(2026, 3, 3, 20, 0, tzinfo=UTC)),
            ("9.30", datetime(2026, 3, 4, 14, 30, tzinfo=UTC)),
            ("tomorrow", datetime(2026, 3, 4, 15, 5, tzinfo=UTC)),
            ("Tomorrow  9:30", datetime(2026, 3, 4, 14, 30, tzinfo=UTC)),
            ("today 18:00", datetime(2026, 3, 3, 23, 0, tzinfo=UTC)),
            ("mon 10:00", datetime(2026, 3, 9, 14, 0, tzinfo=UTC)),
            ("tuesday 10:00", datetime(2026, 3, 10, 14, 0, tzinfo=UTC)),
            ("2026-03-04 15:00", datetime(2026, 3, 4, 20, 0, tzinfo=UTC)),
        ],
    )
    def test_reads_it_on_the_clock_of_the_person(self, typed: str, expected: datetime) -> None:
        assert parse_moment(typed, now=NOW, zone="America/New_York") == expected

    @pytest.mark.parametrize(
        "typed", ["", "soon", "25:00", "m", "2026-02-30", "2026-03-02", "today 8:00", "t 10:00", "0m"]
    )
    def test_says_what_can_be_typed_when_it_is_unclear_or_past(self, typed: str) -> None:
        with pytest.raises(UnclearMoment, match="for example"):
            parse_moment(typed, now=NOW, zone="America/New_York")
