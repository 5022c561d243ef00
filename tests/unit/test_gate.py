"""The gate: every reason not to call now, what it says, and when to ask again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain import defaults
from outreach.domain.call_window import CallWindow
from outreach.domain.gate import (
    Allow,
    Attempt,
    Candidate,
    GateRules,
    NumberHistory,
    RefusalCode,
    Refuse,
    caps_end_at,
    decide,
)
from outreach.domain.standing import CallKind, Standing

pytestmark = pytest.mark.unit

bounded = settings(derandomize=True, database=None, deadline=None, max_examples=200)

RULES = GateRules(
    window=CallWindow.parse(defaults.CALL_WINDOW, skip_public_holidays=True),
    callback_window=CallWindow.parse(defaults.CALLBACK_WINDOW, skip_public_holidays=False),
    max_attempts=defaults.MAX_ATTEMPTS,
    max_attempts_a_day=defaults.MAX_ATTEMPTS_A_DAY,
    max_attempts_a_day_after_busy=defaults.MAX_ATTEMPTS_A_DAY_AFTER_BUSY,
    min_gap=timedelta(hours=defaults.MIN_GAP_HOURS),
    max_attempts_in_30_days=defaults.MAX_ATTEMPTS_IN_30_DAYS,
    quiet_after_no=timedelta(days=defaults.QUIET_DAYS_AFTER_NO),
    margin=timedelta(seconds=defaults.RING_TIMEOUT + defaults.WINDOW_MARGIN),
)
ANA = Candidate(
    number="+34600000000",
    kind=CallKind.FIRST,
    country="ES",
    time_zone="Europe/Madrid",
    consent_basis="inquiry",
    attempts_made=0,
    allowed_numbers=None,
)
CLEAN = NumberHistory(suppressed=False, said_no_at=None, attempts=(), on_another_call=False)


def madrid(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Madrid")).astimezone(UTC)


TUESDAY = madrid("2026-03-03T15:00")


def tried(*moments: str, busy: bool = False, counted: bool = True) -> tuple[Attempt, ...]:
    """Return attempts at local times, newest first as the history gives them."""
    return tuple(Attempt(at=madrid(text), was_busy=busy, counted=counted) for text in moments)


def verdict(
    now: datetime | str = TUESDAY, *, rules: dict[str, Any] | None = None, **changed: Any
) -> Allow | Refuse:
    """Decide about Ana with some fields of hers, her number's history or the rules changed."""
    moment = madrid(now) if isinstance(now, str) else now
    history = {name: changed.pop(name) for name in CLEAN.__dataclass_fields__ if name in changed}
    return decide(
        candidate=replace(ANA, **changed),
        history=replace(CLEAN, **history),
        rules=replace(RULES, **(rules or {})),
        now=moment,
    )


def refused(*given: Any, **changed: Any) -> Refuse:
    found = verdict(*given, **changed)
    assert isinstance(found, Refuse), found
    return found


#: Code, what is changed, the local time, when to ask again, the standing then.
TABLE: list[tuple[str, dict[str, Any], str, str | None, Standing | None]] = [
    (
        "not_a_test_number",
        {"allowed_numbers": frozenset({"+34611111111"})},
        "2026-03-03T15:00",
        None,
        Standing.HELD,
    ),
    ("not_a_test_number", {"allowed_numbers": frozenset()}, "2026-03-03T15:00", None, Standing.HELD),
    ("suppressed", {"suppressed": True}, "2026-03-03T15:00", None, Standing.SUPPRESSED),
    (
        "said_no",
        {"said_no_at": madrid("2025-09-05T15:00")},
        "2026-03-03T15:00",
        None,
        Standing.NOT_INTERESTED,
    ),
    ("no_consent", {"consent_basis": " "}, "2026-03-03T15:00", None, Standing.HELD),
    ("unknown_country", {"country": ""}, "2026-03-03T15:00", None, Standing.HELD),
    ("unknown_country", {"country": "XX"}, "2026-03-03T15:00", None, Standing.HELD),
    ("unknown_zone", {"time_zone": "Europe/Atlantis"}, "2026-03-03T15:00", None, Standing.HELD),
    ("attempts_exhausted", {"attempts_made": 4}, "2026-03-03T15:00", None, Standing.EXHAUSTED),
    ("on_another_call", {"on_another_call": True}, "2026-03-03T15:00", "2026-03-03T15:05", None),
    ("on_another_call", {"on_another_call": True}, "2026-03-03T12:57", "2026-03-03T14:00", None),
    ("daily_cap", {"attempts": tried("2026-03-03T10:00")}, "2026-03-03T15:00", "2026-03-04T10:00", None),
    ("daily_cap", {"attempts": tried("2026-03-06T10:00")}, "2026-03-06T15:00", "2026-03-09T10:00", None),
    (
        "daily_cap",
        {"attempts": tried("2026-03-03T14:30", "2026-03-03T10:00", busy=True)},
        "2026-03-03T18:45",
        "2026-03-04T10:00",
        None,
    ),
    (
        "thirty_day_cap",
        {"attempts": tried("2026-03-01T11:00", "2026-02-20T11:00", "2026-02-16T11:00")},
        "2026-03-03T15:00",
        "2026-03-18T11:00",
        None,
    ),
    (
        "cooling_gap",
        {"attempts": tried("2026-03-03T11:30", busy=True)},
        "2026-03-03T15:00",
        "2026-03-03T15:30",
        None,
    ),
    ("outside_window", {}, "2026-03-03T13:30", "2026-03-03T14:00", None),
    ("outside_window", {}, "2026-03-03T12:59", "2026-03-03T14:00", None),
    ("outside_window", {}, "2026-03-06T19:00", "2026-03-09T10:00", None),
    ("outside_window", {}, "2026-03-08T12:00", "2026-03-09T10:00", None),
    ("outside_window", {}, "2026-01-06T12:00", "2026-01-07T10:00", None),
    ("never_open", {"time_zone": "", "country": "US"}, "2026-03-03T15:00", None, Standing.HELD),
]


class TestEveryRefusal:
    @pytest.mark.parametrize(("code", "changed", "now", "again", "standing"), TABLE)
    def test_says_when_to_ask_again_or_where_the_person_stands(
        self, code: str, changed: dict[str, Any], now: str, again: str | None, standing: Standing | None
    ) -> None:
        found = refused(now, **changed)
        assert (found.code, found.standing) == (code, standing)
        assert found.next_call_at == (madrid(again) if again else None)

    def test_is_in_the_table(self) -> None:
        assert {code for code, *_ in TABLE} == {code.value for code in RefusalCode}

    @pytest.mark.parametrize(("changed", "now"), [(row[1], row[2]) for row in TABLE])
    def test_fits_the_row_and_never_tells_the_number(self, changed: dict[str, Any], now: str) -> None:
        reason = refused(now, **changed).reason
        assert reason.endswith(".")
        assert len(reason) < 300
        assert ANA.number not in reason

    @pytest.mark.parametrize(("changed", "now"), [(row[1], row[2]) for row in TABLE])
    def test_either_moves_the_person_or_names_a_later_moment(self, changed: dict[str, Any], now: str) -> None:
        found = refused(now, **changed)
        assert (found.standing is None) == (found.next_call_at is not None)
        assert found.next_call_at is None or found.next_call_at > madrid(now)


class TestReasons:
    @pytest.mark.parametrize(
        ("now", "changed", "reason"),
        [
            ("2026-03-03T13:30", {}, "Outside 10:00–13:00, 14:00–19:00 Europe/Madrid, next 14:00."),
            (
                "2026-03-03T12:59",
                {},
                "Too close to the end of 10:00–13:00, 14:00–19:00 Europe/Madrid, next 14:00.",
            ),
            ("2026-03-08T12:00", {}, "No calls on Sundays in Europe/Madrid, next Mon 9 Mar 2026 10:00."),
            (
                "2026-01-06T12:00",
                {},
                "Public holiday in ES on Tue 6 Jan 2026, next Wed 7 Jan 2026 10:00 Europe/Madrid.",
            ),
            (
                "2026-03-03T15:00",
                {"attempts": tried("2026-03-03T10:00")},
                "Called today already (at most 1 a day), next Wed 4 Mar 2026 10:00 Europe/Madrid.",
            ),
            (
                "2026-03-03T15:00",
                {"attempts": tried("2026-03-03T11:30", busy=True)},
                "Called less than 4 h ago, next 15:30 Europe/Madrid.",
            ),
            (
                "2026-03-03T15:00",
                {"said_no_at": madrid("2026-03-01T10:00")},
                "They said no on Sun 1 Mar 2026; quiet until Fri 28 Aug 2026.",
            ),
            (
                "2026-03-03T15:00",
                {"on_another_call": True},
                "This number is on another call, next 15:05 Europe/Madrid.",
            ),
            (
                "2026-03-03T15:00",
                {"time_zone": "Europe/Atlantis"},
                "'Europe/Atlantis' is no time zone: give an IANA name such as America/New_York.",
            ),
        ],
    )
    def test_are_sentences_in_the_persons_time(self, now: str, changed: dict[str, Any], reason: str) -> None:
        assert refused(now, **changed).reason == reason

    def test_of_a_person_who_may_be_in_several_zones_say_so(self) -> None:
        found = refused("2026-03-03T10:30", time_zone="")
        assert found.reason.startswith("Outside the hours that the country's 3 zones share")
        assert found.next_call_at == madrid("2026-03-03T11:00")  # ten on the Canary Islands


class TestOrder:
    CHANGES = {
        "allowed_numbers": frozenset({"+1"}),
        "suppressed": True,
        "said_no_at": TUESDAY,
        "consent_basis": "",
        "country": "",
        "attempts_made": 9,
        "on_another_call": True,
        "attempts": tried("2026-03-03T14:00", "2026-03-02T14:00", "2026-03-01T14:00"),
    }
    LIFTED: dict[str, Any] = {
        "allowed_numbers": None,
        "suppressed": False,
        "said_no_at": None,
        "consent_basis": "inquiry",
        "country": "ES",
        "attempts_made": 0,
        "on_another_call": False,
        "attempts": (),
    }

    def test_the_gravest_reason_is_told_first(self) -> None:
        changed = dict(self.CHANGES)
        told = []
        for name in self.CHANGES:
            told.append(refused("2026-03-03T20:00", **changed).code.value)
            changed[name] = self.LIFTED[name]
        told.append(refused("2026-03-03T20:00", **changed).code.value)
        assert told == [
            "not_a_test_number", "suppressed", "said_no", "no_consent", "unknown_country",
            "attempts_exhausted", "on_another_call", "daily_cap", "outside_window",
        ]  # fmt: skip

    def test_a_cap_outside_the_hours_waits_for_both(self) -> None:
        found = refused("2026-03-06T20:00", attempts=tried("2026-03-06T18:00"))
        assert (found.code, found.next_call_at) == (RefusalCode.DAILY_CAP, madrid("2026-03-09T10:00"))

    def test_a_cap_where_nothing_ever_opens_holds_the_person(self) -> None:
        found = refused(time_zone="", country="US", on_another_call=True)
        assert (found.code, found.standing) == (RefusalCode.NEVER_OPEN, Standing.HELD)


class TestAllow:
    @pytest.mark.parametrize("kind", list(CallKind))
    def test_lets_everybody_through_whom_nothing_stands_against(self, kind: CallKind) -> None:
        assert verdict(kind=kind) == Allow()

    def test_lets_a_test_number_through(self) -> None:
        assert verdict(allowed_numbers=frozenset({ANA.number})) == Allow()

    def test_the_quiet_time_ends(self) -> None:
        said_no_at = TUESDAY - RULES.quiet_after_no
        assert verdict(said_no_at=said_no_at) == Allow()
        assert verdict(said_no_at=said_no_at + timedelta(seconds=1)) != Allow()

    def test_takes_a_country_in_lower_case(self) -> None:
        assert verdict(country="es") == Allow()


class TestCaps:
    def test_a_busy_first_attempt_allows_a_second_that_day(self) -> None:
        assert verdict(attempts=tried("2026-03-03T10:00", busy=True)) == Allow()

    def test_a_busy_second_attempt_allows_no_third(self) -> None:
        attempts = tried("2026-03-03T14:00", busy=True) + tried("2026-03-03T10:00")
        found = refused("2026-03-03T18:30", attempts=attempts, rules={"min_gap": timedelta(0)})
        assert found.code is RefusalCode.DAILY_CAP

    def test_the_order_in_which_attempts_are_given_does_not_matter(self) -> None:
        attempts = tried("2026-03-03T10:00", busy=True)
        later = tried("2026-03-02T10:00")
        assert verdict(attempts=attempts + later) == verdict(attempts=later + attempts) == Allow()

    def test_the_day_is_the_persons_day(self) -> None:
        evening = Attempt(
            at=datetime(2026, 3, 3, 2, tzinfo=UTC), was_busy=False, counted=True
        )  # still Monday in Los Angeles
        tuesday = datetime(2026, 3, 3, 18, tzinfo=UTC)
        assert verdict(tuesday, attempts=(evening,), time_zone="America/Los_Angeles", country="US") == Allow()
        found = refused(
            tuesday,
            attempts=(evening,),
            time_zone="Europe/London",
            country="GB",
            rules={"window": RULES.callback_window},
        )
        assert found.code is RefusalCode.DAILY_CAP

    def test_a_day_ends_when_it_has_ended_in_every_zone(self) -> None:
        around = {"time_zone": "", "country": "ES"}
        always = CallWindow.parse(
            {str(day): [["00:00", "24:00"]] for day in range(7)}, skip_public_holidays=False
        )
        found = refused(
            "2026-03-03T15:00", attempts=tried("2026-03-03T08:00"), rules={"window": always}, **around
        )
        assert found.next_call_at == madrid("2026-03-04T01:00")  # midnight on the Canary Islands

    @pytest.mark.parametrize("basis", ["express", "express_written"])
    def test_express_consent_lifts_the_30_day_cap(self, basis: str) -> None:
        attempts = tried("2026-03-02T11:00", "2026-02-20T11:00", "2026-02-16T11:00")
        assert verdict(attempts=attempts, consent_basis=basis) == Allow()

    def test_an_attempt_30_days_old_no_longer_counts(self) -> None:
        attempts = tried("2026-03-02T11:00", "2026-02-20T11:00", "2026-02-01T15:00")
        assert verdict(attempts=attempts) == Allow()

    def test_the_30_day_cap_ends_when_enough_attempts_are_old(self) -> None:
        days = ["2026-03-02T11:00", "2026-02-25T11:00", "2026-02-20T11:00", "2026-02-16T11:00"]
        found = refused(attempts=tried(*days))
        assert found.next_call_at == madrid("2026-03-23T10:00")  # Sunday the 22nd, moved into the hours

    def test_our_own_faults_count_for_nothing(self) -> None:
        attempts = tried("2026-03-03T14:55", "2026-03-03T14:50", "2026-03-03T14:45", counted=False)
        assert verdict(attempts=attempts) == Allow()


class TestCallbacksTheyAskedFor:
    CALLBACK: dict[str, Any] = {"kind": CallKind.CALLBACK}

    def test_override_the_gap(self) -> None:
        attempts = tried("2026-03-03T14:00", busy=True)
        assert verdict(attempts=attempts, **self.CALLBACK) == Allow()

    def test_have_hours_of_their_own(self) -> None:
        assert verdict("2026-03-08T09:30", **self.CALLBACK) == Allow()
        found = refused("2026-03-08T19:59", **self.CALLBACK)
        assert found.next_call_at == madrid("2026-03-09T09:00")

    def test_do_not_override_the_daily_cap(self) -> None:
        found = refused(attempts=tried("2026-03-03T10:00"), **self.CALLBACK)
        assert (found.code, found.next_call_at) == (RefusalCode.DAILY_CAP, madrid("2026-03-04T09:00"))

    def test_do_not_override_the_30_day_cap(self) -> None:
        attempts = tried("2026-03-01T11:00", "2026-02-20T11:00", "2026-02-16T11:00")
        assert refused(attempts=attempts, **self.CALLBACK).code is RefusalCode.THIRTY_DAY_CAP

    def test_do_not_override_an_opt_out(self) -> None:
        assert refused(suppressed=True, **self.CALLBACK).code is RefusalCode.SUPPRESSED

    @pytest.mark.parametrize("kind", [CallKind.FIRST, CallKind.RETRY, CallKind.MANUAL])
    def test_are_the_only_calls_that_may(self, kind: CallKind) -> None:
        assert (
            refused(attempts=tried("2026-03-03T14:00", busy=True), kind=kind).code is RefusalCode.COOLING_GAP
        )
        assert refused("2026-03-08T09:30", kind=kind).code is RefusalCode.OUTSIDE_WINDOW


class TestCapsEndAt:
    def test_is_now_where_no_cap_refuses(self) -> None:
        assert caps_end_at(candidate=ANA, history=CLEAN, rules=RULES, now=TUESDAY) == TUESDAY

    def test_is_the_last_cap_to_end_whatever_the_hours(self) -> None:
        history = replace(CLEAN, attempts=tried("2026-03-03T14:00"))
        ends = caps_end_at(candidate=ANA, history=history, rules=RULES, now=TUESDAY)
        assert ends == madrid("2026-03-04T00:00")


@st.composite
def cases(draw: st.DrawFn) -> tuple[Candidate, NumberHistory, GateRules, datetime]:
    now = draw(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
    ages = draw(st.lists(st.integers(1, 30 * 24 * 60), max_size=6))
    attempts = tuple(
        Attempt(at=now - timedelta(minutes=age), was_busy=draw(st.booleans()), counted=draw(st.booleans()))
        for age in sorted(ages)
    )
    place = draw(
        st.sampled_from(
            [
                ("ES", "Europe/Madrid"),
                ("ES", ""),
                ("US", "America/New_York"),
                ("AU", "Australia/Lord_Howe"),
                ("NZ", ""),
            ]
        )
    )
    candidate = replace(
        ANA,
        kind=draw(st.sampled_from(CallKind)),
        country=place[0],
        time_zone=place[1],
        consent_basis=draw(st.sampled_from(["inquiry", "express"])),
    )
    rules = replace(
        RULES,
        max_attempts_a_day=draw(st.integers(1, 3)),
        max_attempts_in_30_days=draw(st.integers(1, 5)),
        min_gap=timedelta(hours=draw(st.integers(0, 72))),
    )
    history = replace(CLEAN, attempts=attempts, on_another_call=draw(st.booleans()))
    return candidate, history, rules, now


class TestNextCallAt:
    @bounded
    @given(cases())
    def test_is_the_first_moment_at_which_nothing_refuses(
        self, case: tuple[Candidate, NumberHistory, GateRules, datetime]
    ) -> None:
        candidate, history, rules, now = case
        found = decide(candidate=candidate, history=history, rules=rules, now=now)
        if isinstance(found, Allow):
            return
        assert found.next_call_at is not None
        alone = replace(history, on_another_call=False)
        assert decide(candidate=candidate, history=alone, rules=rules, now=found.next_call_at) == Allow()
        earliest = now + (timedelta(minutes=5) if history.on_another_call else timedelta(0))
        for step in range(200):
            before = earliest + (found.next_call_at - earliest) * step / 200
            if before < found.next_call_at:
                assert decide(candidate=candidate, history=alone, rules=rules, now=before) != Allow()


class TestWhoRangAndAsked:
    """Their own request is the consent to one callback; it opens neither the night nor a suppression."""

    RANG: dict[str, Any] = {"kind": CallKind.CALLBACK, "asked_at": madrid("2026-03-03T14:00")}

    @pytest.mark.parametrize(
        "changed",
        [
            {"said_no_at": madrid("2026-02-20T11:00")},
            {"consent_basis": ""},
            {"attempts_made": 9},
            {"attempts": tried("2026-03-03T11:00")},
            {"attempts": tried("2026-03-02T11:00", "2026-02-20T11:00", "2026-02-10T11:00")},
        ],
        ids=[
            "an earlier no",
            "no consent on record",
            "all attempts made",
            "called today",
            "three in 30 days",
        ],
    )
    def test_may_be_called_where_nobody_else_may(self, changed: dict[str, Any]) -> None:
        assert isinstance(verdict(kind=CallKind.CALLBACK, **changed), Refuse)
        assert verdict(**self.RANG, **changed) == Allow()

    @pytest.mark.parametrize(
        ("code", "changed"),
        [
            ("suppressed", {"suppressed": True}),
            ("said_no", {"said_no_at": madrid("2026-03-03T14:30")}),
            ("not_a_test_number", {"allowed_numbers": frozenset()}),
            ("unknown_country", {"country": ""}),
            ("daily_cap", {"attempts": tried("2026-03-03T11:00", "2026-03-03T09:30")}),
            ("on_another_call", {"on_another_call": True}),
            ("outside_window", {"now": "2026-03-03T21:00"}),
        ],
    )
    def test_is_refused_all_the_same(self, code: str, changed: dict[str, Any]) -> None:
        assert refused(changed.pop("now", TUESDAY), **self.RANG, **changed).code == code
