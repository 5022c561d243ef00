"""When a person may be called: local hours in every zone in which they may be, through changes of clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain import defaults
from outreach.domain.call_window import (
    CallWindow,
    DayPart,
    InvalidCallWindow,
    UnknownZone,
    closed_dates,
    day_part,
    is_open,
    next_open,
    next_open_in_other_part,
    zones_of,
)
from outreach.domain.contracts import Interval

pytestmark = pytest.mark.unit

bounded = settings(derandomize=True, database=None, deadline=None, max_examples=150)

MADRID = ("Europe/Madrid",)
NEW_YORK = ("America/New_York",)
LORD_HOWE = ("Australia/Lord_Howe",)
MARGIN = timedelta(seconds=85)


def window(*spans: tuple[str, str], days: str = "0123456", holidays: bool = False) -> CallWindow:
    raw = {day: [list(span) for span in spans] for day in days}
    return CallWindow.parse(raw, skip_public_holidays=holidays)


OFFICE = CallWindow.parse(defaults.CALL_WINDOW, skip_public_holidays=True)


def at(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def opening(hours: CallWindow, zones: tuple[str, ...], after: datetime, **changed: object) -> datetime | None:
    arguments = {"country": "", "margin": timedelta(0)} | changed
    return next_open(window=hours, zones=zones, after=after, **arguments)  # type: ignore[arg-type]


class TestParse:
    def test_reads_the_default_hours(self) -> None:
        assert OFFICE.hours[0] == ((time(10), time(13)), (time(14), time(19)))
        assert set(OFFICE.hours) == {0, 1, 2, 3, 4}

    def test_gives_the_same_intervals_back_to_the_wire(self) -> None:
        hours = window(("09:30", "24:00"), days="6")
        assert hours.intervals() == [Interval(weekday=6, opens="09:30", closes="24:00")]

    def test_orders_intervals_by_time(self) -> None:
        hours = window(("14:00", "19:00"), ("10:00", "13:00"), days="2")
        assert hours.describe_day(2) == "10:00–13:00, 14:00–19:00"

    def test_equal_hours_are_equal_windows_and_one_cache_key(self) -> None:
        again = CallWindow.parse(defaults.CALL_WINDOW, skip_public_holidays=True)
        assert (again, hash(again)) == (OFFICE, hash(OFFICE))
        assert again != CallWindow.parse(defaults.CALL_WINDOW, skip_public_holidays=False)

    @pytest.mark.parametrize(
        ("raw", "named"),
        [
            ([], "table"),
            ({}, "at least one interval"),
            ({"0": []}, "at least one interval"),
            ({"7": [["10:00", "13:00"]]}, "'7' is no weekday"),
            ({"Mon": [["10:00", "13:00"]]}, "'Mon' is no weekday"),
            ({True: [["10:00", "13:00"]]}, "True is no weekday"),
            ({0: [["10:00", "13:00"]], "0": [["10:00", "13:00"]]}, "Monday is given twice"),
            ({"0": "10:00-13:00"}, "Monday: give a list"),
            ({"0": ["10:00"]}, "Monday: '10:00' is no interval"),
            ({"0": [["10:00"]]}, "Monday: ['10:00'] is no interval"),
            ({"1": [["10", "13:00"]]}, "Tuesday: '10' is no time"),
            ({"1": [["10:60", "13:00"]]}, "Tuesday: '10:60' is no time"),
            ({"1": [["10:00:30", "13:00"]]}, "Tuesday: '10:00:30' is no time"),
            ({"1": [[10, 13]]}, "Tuesday: 10 is no time"),
            ({"1": [["24:00", "24:00"]]}, "Tuesday: '24:00' is no time"),
            ({"1": [["20:00", "00:00"]]}, "Tuesday: an interval that closes at midnight closes at 24:00"),
            ({"4": [["13:00", "10:00"]]}, "Friday: 13:00–10:00 does not open before it closes"),
            ({"4": [["10:00", "10:00"]]}, "Friday: 10:00–10:00 does not open before it closes"),
            ({"4": [["10:00", "13:00"], ["12:59", "14:00"]]}, "Friday: 10:00–13:00 and 12:59–14:00 overlap"),
            ({"4": [["10:00", "24:00"], ["23:00", "24:00"]]}, "Friday: 10:00–24:00 and 23:00–24:00 overlap"),
        ],
    )
    def test_names_what_is_wrong(self, raw: object, named: str) -> None:
        with pytest.raises(InvalidCallWindow) as refused:
            CallWindow.parse(raw, skip_public_holidays=False)
        assert named in str(refused.value)


class TestZonesOf:
    def test_a_given_zone_stands_for_itself(self) -> None:
        assert zones_of(time_zone="Europe/Madrid", country="US") == MADRID

    def test_an_old_name_or_another_case_means_the_zone_in_use(self) -> None:
        assert zones_of(time_zone=" asia/calcutta ", country="") == ("Asia/Kolkata",)

    def test_without_a_zone_all_zones_of_the_country_count(self) -> None:
        zones = zones_of(time_zone="", country="es")
        assert set(zones) == {"Europe/Madrid", "Africa/Ceuta", "Atlantic/Canary"}

    def test_the_united_states_reach_from_new_york_to_hawaii(self) -> None:
        assert {"America/New_York", "Pacific/Honolulu"} <= set(zones_of(time_zone="", country="US"))

    @pytest.mark.parametrize(
        ("zone", "country"),
        [("", ""), ("", "XX"), ("Europe/Atlantis", "ES"), ("EST", "US"), ("../passwd", "ES"), (" ", "")],
    )
    def test_what_is_unknown_is_never_assumed(self, zone: str, country: str) -> None:
        with pytest.raises(UnknownZone):
            zones_of(time_zone=zone, country=country)


class TestIsOpen:
    @pytest.mark.parametrize(
        ("clock", "open_then"),
        [
            ("2026-03-02T09:59:59", False),
            ("2026-03-02T10:00:00", True),
            ("2026-03-02T12:59:59", True),
            ("2026-03-02T13:00:00", False),
            ("2026-03-02T18:59:59", True),
            ("2026-03-02T19:00:00", False),
            ("2026-03-01T12:00:00", False),  # a Sunday
            ("2026-01-06T12:00:00", False),  # Epiphany, a holiday in Spain
        ],
    )
    def test_opens_and_closes_by_the_persons_clock(self, clock: str, open_then: bool) -> None:
        moment = at(clock, "Europe/Madrid")
        assert is_open(window=OFFICE, zones=MADRID, country="ES", at=moment) is open_then

    def test_a_holiday_elsewhere_is_a_working_day_here(self) -> None:
        moment = at("2026-01-06T12:00", "Europe/London")
        assert is_open(window=OFFICE, zones=("Europe/London",), country="GB", at=moment)

    def test_a_country_without_a_calendar_has_no_holidays(self) -> None:
        moment = at("2026-01-01T12:00", "Europe/Madrid")
        assert is_open(window=OFFICE, zones=MADRID, country="XX", at=moment)

    @pytest.mark.parametrize(("clock", "open_then"), [("12:58:34", True), ("12:58:35", False)])
    def test_closes_the_margin_earlier(self, clock: str, open_then: bool) -> None:
        moment = at(f"2026-03-02T{clock}", "Europe/Madrid")
        assert is_open(window=OFFICE, zones=MADRID, country="ES", at=moment, margin=MARGIN) is open_then

    def test_the_margin_may_reach_over_midnight_where_the_next_day_is_open_too(self) -> None:
        moment = at("2026-03-02T23:59:30", "Europe/Madrid")
        always, once = window(("00:00", "24:00")), window(("00:00", "24:00"), days="0")
        assert is_open(window=always, zones=MADRID, country="", at=moment, margin=MARGIN)
        assert not is_open(window=once, zones=MADRID, country="", at=moment, margin=MARGIN)

    def test_the_end_of_the_utc_day_is_no_close(self) -> None:
        moment = at("2026-03-02T23:59:30")
        hours = window(("10:00", "20:00"))
        assert is_open(window=hours, zones=("America/Los_Angeles",), country="", at=moment, margin=MARGIN)

    def test_a_close_at_the_end_of_the_utc_day_is_one(self) -> None:
        moment = at("2026-03-02T23:59:30")
        once, later = window(("00:00", "24:00"), days="0"), window(("08:00", "24:00"))
        for hours in (once, later):
            assert is_open(window=hours, zones=("Atlantic/Reykjavik",), country="", at=moment)
            assert not is_open(
                window=hours, zones=("Atlantic/Reykjavik",), country="", at=moment, margin=MARGIN
            )

    def test_intervals_that_touch_are_one(self) -> None:
        hours = window(("10:00", "13:00"), ("13:00", "19:00"))
        moment = at("2026-03-02T12:59:30", "Europe/Madrid")
        assert is_open(window=hours, zones=MADRID, country="", at=moment, margin=MARGIN)

    def test_must_be_open_in_every_zone(self) -> None:
        coasts = ("America/New_York", "America/Los_Angeles")
        hours = window(("10:00", "19:00"))
        opens = {
            hour: is_open(window=hours, zones=coasts, country="", at=at(f"2026-03-02T{hour}:00", coasts[0]))
            for hour in (10, 12, 13, 18, 19)
        }
        assert opens == {10: False, 12: False, 13: True, 18: True, 19: False}

    def test_a_moment_without_a_zone_is_refused(self) -> None:
        with pytest.raises(ValueError, match="time zone"):
            is_open(window=OFFICE, zones=MADRID, country="ES", at=datetime(2026, 3, 2))  # noqa: DTZ001


class TestNextOpen:
    def test_an_open_moment_is_its_own_next(self) -> None:
        moment = at("2026-03-02T10:00:00.123456", "Europe/Madrid")
        assert opening(OFFICE, MADRID, moment) == moment

    @pytest.mark.parametrize(
        ("after", "opens"),
        [
            ("2026-03-02T09:00", "2026-03-02T10:00"),
            ("2026-03-02T13:00", "2026-03-02T14:00"),
            ("2026-03-02T12:59", "2026-03-02T14:00"),
            ("2026-03-06T19:00", "2026-03-09T10:00"),  # Friday evening
            ("2026-03-27T18:59", "2026-03-30T10:00"),  # over the change to summer time
            ("2026-04-02T20:00", "2026-04-06T10:00"),  # Good Friday
            ("2026-12-24T19:00", "2026-12-28T10:00"),
        ],
    )
    def test_finds_the_next_hours_in_madrid(self, after: str, opens: str) -> None:
        found = opening(OFFICE, MADRID, at(after, MADRID[0]), country="ES", margin=MARGIN)
        assert found == at(opens, MADRID[0])

    def test_is_in_utc(self) -> None:
        local = datetime(2026, 3, 2, 11, tzinfo=ZoneInfo("Europe/Madrid"))
        found = opening(OFFICE, MADRID, local)
        assert found is not None
        assert found.tzinfo is UTC

    def test_skips_an_interval_that_is_too_short_for_the_margin(self) -> None:
        hours = window(("10:00", "10:01"), ("14:00", "15:00"))
        found = opening(hours, MADRID, at("2026-03-02T09:00", MADRID[0]), margin=MARGIN)
        assert found == at("2026-03-02T14:00", MADRID[0])

    def test_zones_that_share_no_hour_never_open(self) -> None:
        everywhere = (*zones_of(time_zone="", country="US"), "Pacific/Guam")
        assert opening(OFFICE, everywhere, at("2026-03-02T00:00"), country="US") is None

    def test_with_the_default_hours_all_of_the_united_states_share_none(self) -> None:
        zones = zones_of(time_zone="", country="US")
        assert opening(OFFICE, zones, at("2026-03-02T00:00"), country="US") is None

    def test_hours_without_a_break_open_for_all_of_the_united_states(self) -> None:
        zones = zones_of(time_zone="", country="US")
        found = opening(window(("10:00", "19:00")), zones, at("2026-07-01T00:00"))
        assert found == at("2026-07-01T10:00", "Pacific/Honolulu")

    def test_a_monday_that_is_already_tuesday_elsewhere(self) -> None:
        zones = ("Pacific/Auckland", "Pacific/Honolulu")
        hours = window(("08:00", "22:00"), days="0")
        assert opening(hours, zones, at("2026-03-02T00:00")) is None


class TestNightsWithAClockChange:
    def test_an_opening_in_the_hour_that_is_skipped_opens_at_the_change(self) -> None:
        found = opening(window(("02:30", "04:00")), MADRID, at("2026-03-29T00:00"))
        assert found == at("2026-03-29T01:00")  # 02:00 became 03:00

    def test_an_interval_wholly_in_the_skipped_hour_does_not_open_that_night(self) -> None:
        found = opening(window(("02:10", "02:50")), MADRID, at("2026-03-29T00:00"))
        assert found == at("2026-03-30T02:10", MADRID[0])

    def test_a_repeated_interval_opens_twice(self) -> None:
        hours = window(("01:15", "01:45"))
        first = opening(hours, NEW_YORK, at("2026-11-01T04:00"))
        assert first == at("2026-11-01T01:15", NEW_YORK[0], fold=0)
        second = opening(hours, NEW_YORK, at("2026-11-01T01:45", NEW_YORK[0], fold=0))
        assert second == at("2026-11-01T01:15", NEW_YORK[0], fold=1)

    def test_a_repeated_hour_does_not_close_in_between(self) -> None:
        hours = window(("01:00", "02:00"))
        start = at("2026-11-01T01:00", NEW_YORK[0], fold=0)
        lasting = timedelta(minutes=119)
        assert is_open(window=hours, zones=NEW_YORK, country="", at=start, margin=lasting)
        assert not is_open(window=hours, zones=NEW_YORK, country="", at=start, margin=lasting * 2)

    def test_half_an_hour_is_skipped_on_lord_howe(self) -> None:
        found = opening(window(("02:15", "03:00")), LORD_HOWE, at("2026-10-03T15:00"))
        assert found == at("2026-10-03T15:30")  # 02:00 became 02:30

    def test_half_an_hour_is_repeated_on_lord_howe(self) -> None:
        hours = window(("01:40", "01:50"))
        second = opening(hours, LORD_HOWE, at("2026-04-04T14:50"))
        assert second == at("2026-04-04T15:10") == at("2026-04-05T01:40", LORD_HOWE[0], fold=1)

    def test_a_midnight_that_is_skipped_opens_at_the_change(self) -> None:
        found = opening(window(("00:00", "08:00")), ("Asia/Beirut",), at("2026-03-28T12:00"))
        assert found == at("2026-03-28T22:00")  # 00:00 became 01:00

    def test_a_date_that_never_was_is_not_open(self) -> None:
        hours = window(("10:00", "12:00"), days="4")
        found = opening(hours, ("Pacific/Apia",), at("2011-12-29T12:00"))  # Friday the 30th was left out
        assert found == at("2012-01-06T10:00", "Pacific/Apia")


class TestDayPart:
    @pytest.mark.parametrize(
        ("clock", "part"),
        [("09:00", "morning"), ("11:59", "morning"), ("12:00", "afternoon"), ("17:00", "evening")],
    )
    def test_is_read_off_the_local_clock(self, clock: str, part: str) -> None:
        assert day_part(at(f"2026-07-01T{clock}", "Asia/Tokyo"), "Asia/Tokyo") == part


class TestNextOpenInOtherPart:
    @pytest.mark.parametrize(
        ("tried", "opens"),
        [
            (set(), "2026-03-03T10:30"),
            ({DayPart.MORNING}, "2026-03-03T12:00"),
            ({DayPart.MORNING, DayPart.AFTERNOON}, "2026-03-03T17:00"),
            ({DayPart.AFTERNOON, DayPart.EVENING}, "2026-03-03T10:30"),
            (set(DayPart), "2026-03-03T10:30"),
        ],
    )
    def test_prefers_a_part_not_tried_yet(self, tried: set[DayPart], opens: str) -> None:
        assert self.other(OFFICE, "2026-03-03T10:30", tried) == at(opens, MADRID[0])

    def test_waits_for_the_next_day_rather_than_try_the_same_part(self) -> None:
        tried = {DayPart.AFTERNOON, DayPart.EVENING}
        assert self.other(OFFICE, "2026-03-03T14:30", tried) == at("2026-03-04T10:00", MADRID[0])

    def test_takes_the_same_part_when_the_hours_have_no_other(self) -> None:
        mornings = window(("09:00", "11:00"))
        found = self.other(mornings, "2026-03-03T12:00", {DayPart.MORNING})
        assert found == at("2026-03-04T09:00", MADRID[0])

    def test_does_not_wait_longer_than_a_week(self) -> None:
        hours = CallWindow.parse(
            {"0": [["09:00", "11:00"]], "1": [["14:00", "15:00"]]}, skip_public_holidays=False
        )
        monday_noon = "2026-03-02T12:00"
        assert self.other(hours, monday_noon, {DayPart.AFTERNOON}) == at("2026-03-09T09:00", MADRID[0])
        only_mornings = window(("09:00", "11:00"), days="0")
        assert self.other(only_mornings, "2026-03-02T08:00", {DayPart.MORNING}) == at(
            "2026-03-02T09:00", MADRID[0]
        )

    def test_is_none_where_nothing_ever_opens(self) -> None:
        hours = window(("10:00", "11:00"))
        zones = ("Asia/Tokyo", "America/New_York")
        found = next_open_in_other_part(
            window=hours, zones=zones, country="", after=at("2026-03-02T00:00"), tried=frozenset(DayPart)
        )
        assert found is None

    @staticmethod
    def other(hours: CallWindow, after: str, tried: set[DayPart]) -> datetime | None:
        return next_open_in_other_part(
            window=hours,
            zones=MADRID,
            country="ES",
            after=at(after, MADRID[0]),
            tried=frozenset(tried),
            margin=MARGIN,
        )


class TestClosedDates:
    def test_lists_the_holidays_ahead(self) -> None:
        found = closed_dates(country="ES", start=date(2025, 12, 20), days=20)
        assert found == ["2025-12-25", "2026-01-01", "2026-01-06"]

    @pytest.mark.parametrize("country", ["", "XX"])
    def test_knows_none_of_an_unknown_country(self, country: str) -> None:
        assert closed_dates(country=country, start=date(2026, 1, 1), days=366) == []


ZONES = st.sampled_from(
    [
        MADRID,
        NEW_YORK,
        LORD_HOWE,
        ("Asia/Beirut",),
        ("Asia/Kathmandu",),
        ("Africa/Casablanca",),
        ("America/St_Johns",),
        ("Pacific/Chatham",),
        ("Europe/Madrid", "Atlantic/Canary"),
        ("America/New_York", "America/Denver", "Pacific/Honolulu"),
    ]
)
#: Days around changes of clock somewhere, and ordinary ones.
MOMENTS = st.one_of(
    st.builds(
        lambda day, minutes: day + timedelta(minutes=minutes),
        st.sampled_from(
            [
                at(f"{day}T00:00")
                for day in ("2026-03-08", "2026-03-28", "2026-04-05", "2026-10-03", "2026-11-01")
            ]
        ),
        st.integers(-24 * 60, 48 * 60),
    ),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
CLOCKS = st.integers(0, 288).map(lambda step: f"{step // 12:02}:{step % 12 * 5:02}")


@st.composite
def windows(draw: st.DrawFn) -> CallWindow:
    raw: dict[str, list[list[str]]] = {}
    for weekday in draw(st.sets(st.integers(0, 6), min_size=1)):
        clocks = sorted(draw(st.lists(CLOCKS, min_size=2, max_size=6, unique=True)))
        raw[str(weekday)] = [list(pair) for pair in zip(clocks[::2], clocks[1::2], strict=False)]
    return CallWindow.parse(raw, skip_public_holidays=draw(st.booleans()))


def allowed(hours: CallWindow, zones: tuple[str, ...], country: str, moment: datetime) -> bool:
    """Say by the wall clock alone whether calling is allowed: the definition, without any arithmetic."""
    for zone in zones:
        local = moment.astimezone(ZoneInfo(zone))
        today = [(a, b) for a, b in hours.hours.get(local.weekday(), ())]
        if not any(a <= local.time() and (local.time() < b or b == time(0)) for a, b in today):
            return False
        if hours.skip_public_holidays and closed_dates(country=country, start=local.date(), days=1):
            return False
    return True


class TestAgainstTheWallClock:
    @bounded
    @given(hours=windows(), zones=ZONES, country=st.sampled_from(["ES", "US", ""]), moment=MOMENTS)
    def test_is_open_says_what_the_clocks_say(
        self, hours: CallWindow, zones: tuple[str, ...], country: str, moment: datetime
    ) -> None:
        for minutes in range(0, 24 * 60, 25):
            then = moment + timedelta(minutes=minutes)
            said = is_open(window=hours, zones=zones, country=country, at=then)
            assert said is allowed(hours, zones, country, then)

    @bounded
    @given(hours=windows(), zones=ZONES, moment=MOMENTS, margin=st.integers(0, 90))
    def test_next_open_is_open_and_nothing_before_it_is(
        self, hours: CallWindow, zones: tuple[str, ...], moment: datetime, margin: int
    ) -> None:
        wait = timedelta(minutes=margin)
        found = opening(hours, zones, moment, country="ES", margin=wait)
        until = min(found or moment + timedelta(days=2), moment + timedelta(days=2))
        steps = int((until - moment) / timedelta(minutes=20))
        assert not any(
            is_open(
                window=hours, zones=zones, country="ES", at=moment + timedelta(minutes=20 * n), margin=wait
            )
            for n in range(steps)
        )
        if found is not None:
            assert found >= moment
            assert is_open(window=hours, zones=zones, country="ES", at=found, margin=wait)
            assert all(allowed(hours, zones, "ES", found + timedelta(minutes=n)) for n in range(margin + 1))
