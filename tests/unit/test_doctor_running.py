"""Running checks: at the same time, in time, and whatever happens is a finding."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError

from outreach.doctor.finding import Check, Finding, Surroundings, fail, ok
from outreach.doctor.running import run

pytestmark = pytest.mark.unit

ABOUT = Surroundings()


def check(
    name: str, finds: Callable[[Surroundings], Finding] | None = None, *, after: str = "", seconds: float = 5
) -> Check:
    return Check(name=name, examine=finds or (lambda _: ok("It is.")), after=after, seconds=seconds)


def broken(_about: Surroundings) -> Finding:
    raise ZeroDivisionError("secret words")


class TestRun:
    def test_returns_results_in_the_order_given(self) -> None:
        second_first = [check("a.two", after="a.one"), check("a.one")]
        assert [result.check.name for result in run(second_first, ABOUT)] == ["a.two", "a.one"]

    def test_runs_checks_at_the_same_time(self) -> None:
        both_are_there = threading.Barrier(2, timeout=5)

        def meets(_about: Surroundings) -> Finding:
            both_are_there.wait()
            return ok("We met.")

        assert not any(result.failed for result in run([check("a.one", meets), check("a.two", meets)], ABOUT))

    def test_skips_what_makes_no_sense_after_a_failure(self) -> None:
        failing = check("a.one", lambda _: fail("No.", remedy="Do."))
        results = run([failing, check("a.two", after="a.one"), check("a.three", after="a.two")], ABOUT)
        assert [result.finding.status for result in results] == ["fail", "skipped", "skipped"]
        assert results[1].finding.says == "Not checked: first a.one must be in order."

    def test_runs_a_check_whose_forerunner_is_not_asked_for(self) -> None:
        (result,) = run([check("a.two", after="a.one")], ABOUT)
        assert result.finding.status == "ok"

    def test_says_where_a_check_broke_but_not_what_it_held(self) -> None:
        (result,) = run([check("a.one", broken)], ABOUT)
        assert result.failed
        assert "ZeroDivisionError in test_doctor_running.py, line" in result.finding.says
        assert "secret" not in result.finding.says

    def test_says_in_a_sentence_that_the_database_is_away(self) -> None:
        def asks(_about: Surroundings) -> Finding:
            raise OperationalError("connection refused\nmore lines")

        (result,) = run([check("a.one", asks)], ABOUT)
        assert result.finding.says == "The database could not be asked: connection refused"

    def test_waits_no_longer_than_a_check_may_take(self) -> None:
        released = threading.Event()

        def hangs(_about: Surroundings) -> Finding:
            released.wait(10)
            return ok("At last.")

        (result,) = run([check("a.one", hangs, seconds=0.05)], ABOUT)
        released.set()
        assert result.failed
        assert result.finding.says == "No answer within 0.05 s."

    def test_refuses_checks_that_wait_for_each_other(self) -> None:
        with pytest.raises(ValueError, match=r"a\.one, a\.two"):
            run([check("a.one", after="a.two"), check("a.two", after="a.one")], ABOUT)
