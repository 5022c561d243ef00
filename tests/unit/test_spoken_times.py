"""Times as people say them, on a Tuesday morning at seven minutes past ten."""

from __future__ import annotations

from datetime import datetime

import pytest

from sandbox.spoken_times import named_time

pytestmark = pytest.mark.unit

NOW = datetime(2026, 3, 24, 10, 7)  # noqa: DTZ001 - local by meaning


class TestNamedTime:
    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            ("Could you call me back tomorrow at three pm?", "2026-03-25T15:00"),
            ("Please call me again in two hours.", "2026-03-24T12:07"),
            ("in half an hour", "2026-03-24T10:37"),
            ("at 15:30", "2026-03-24T15:30"),
            ("Friday at 9", "2026-03-27T09:00"),
            ("Tuesday at noon", "2026-03-31T12:00"),
            ("the day after tomorrow at half past two", "2026-03-26T14:30"),
            ("Tomorrow at eleven in the morning.", "2026-03-25T11:00"),
            ("tomorrow afternoon", "2026-03-25T15:00"),
            ("at nine", "2026-03-25T09:00"),
            ("at four o'clock", "2026-03-24T16:00"),
            ("Wednesday 25 March at 09:00 your time (CET)", "2026-03-25T09:00"),
            ("2 January at 10:00", "2027-01-02T10:00"),
            ("in a week", "2026-03-31T10:07"),
        ],
    )
    def test_is_resolved_from_the_local_time(self, said: str, expected: str) -> None:
        at = named_time(said, now=NOW)
        assert at is not None
        assert at.isoformat(timespec="minutes") == expected

    @pytest.mark.parametrize(
        "said", ["tomorrow", "I have done that for six years", "at the office", "one moment", "a minute"]
    )
    def test_is_none_when_no_hour_was_named(self, said: str) -> None:
        assert named_time(said, now=NOW) is None
