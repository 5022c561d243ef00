"""How many calls may start, and who gets the places."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.pacing import Allocation, allocate, capacity, refill
from outreach.domain.standing import CallKind

pytestmark = pytest.mark.unit

bounded = settings(derandomize=True, database=None, deadline=None, max_examples=400)

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


def tokens(held: float, *, after: float, rate: float = 1.0, burst: float = 1.0) -> float:
    then = NOW + timedelta(seconds=after)
    return refill(tokens=held, refilled_at=NOW, now=then, rate=rate, burst=burst)


class TestRefill:
    @pytest.mark.parametrize(
        ("held", "after", "rate", "burst", "found"),
        [
            (0.0, 0, 1.0, 1.0, 0.0),
            (0.0, 0.5, 1.0, 1.0, 0.5),
            (0.0, 60, 1.0, 1.0, 1.0),
            (0.5, 1, 0.25, 1.0, 0.75),
            (0.0, 3, 2.0, 5.0, 5.0),
            (1.0, -60, 1.0, 1.0, 1.0),
            (0.25, -60, 1.0, 1.0, 0.25),
        ],
    )
    def test_gains_by_the_second_up_to_the_burst(
        self, held: float, after: float, rate: float, burst: float, found: float
    ) -> None:
        assert tokens(held, after=after, rate=rate, burst=burst) == pytest.approx(found)

    @bounded
    @given(st.lists(st.floats(0, 5), max_size=50), st.floats(0.1, 10))
    def test_never_lets_more_through_than_the_rate(self, waits: list[float], rate: float) -> None:
        held, started = 1.0, 0
        for wait in waits:
            held = tokens(held, after=wait, rate=rate)
            if held >= 1:
                held, started = held - 1, started + 1
        assert started <= 1 + sum(waits) * rate + 1e-6


class TestCapacity:
    BASE = {
        "agent_places_free": 8,
        "calls_preparing": 0,
        "global_open": 0,
        "global_max": 20,
        "model_budget": None,
        "open_in_all": 0,
    }

    @pytest.mark.parametrize(
        ("changed", "room"),
        [
            ({}, 8),
            ({"calls_preparing": 3}, 5),
            ({"calls_preparing": 9}, 0),
            ({"agent_places_free": 0}, 0),
            ({"global_open": 18}, 2),
            ({"global_open": 25}, 0),
            ({"model_budget": 5, "open_in_all": 1}, 4),
            ({"model_budget": 5, "open_in_all": 6}, 0),
            ({"model_budget": None, "open_in_all": 6}, 8),
            ({"model_budget": 0}, 0),
        ],
    )
    def test_is_the_tightest_limit(self, changed: dict[str, Any], room: int) -> None:
        assert capacity(**{**self.BASE, **changed}) == room


FIRST, RETRY, CALLBACK = CallKind.FIRST, CallKind.RETRY, CallKind.CALLBACK


def share_out(
    free: int,
    *,
    of: int,
    callbacks: int = 0,
    retries: int = 0,
    new: int = 0,
    retries_open: int = 0,
    latest: Sequence[CallKind] = (),
) -> Allocation:
    return allocate(
        free=free,
        capacity=of,
        callbacks_due=callbacks,
        retries_due=retries,
        new_due=new,
        retries_open=retries_open,
        latest=latest,
    )


class TestAllocate:
    def test_callbacks_go_first(self) -> None:
        found = share_out(3, of=10, callbacks=5, retries=5, new=5)
        assert found == Allocation(callbacks=3, retries=0, new=0)

    def test_a_fifth_is_kept_for_retries(self) -> None:
        found = share_out(10, of=10, retries=50, new=50)
        assert found == Allocation(callbacks=0, retries=2, new=8)

    def test_retries_that_are_open_use_the_kept_share(self) -> None:
        found = share_out(4, of=10, retries=50, new=50, retries_open=2)
        assert found == Allocation(callbacks=0, retries=0, new=4)

    def test_at_least_one_place_is_kept_when_there_are_two(self) -> None:
        assert share_out(2, of=2, retries=9, new=9) == Allocation(callbacks=0, retries=1, new=1)
        assert share_out(1, of=1, retries=9, new=9) == Allocation(callbacks=0, retries=0, new=1)

    @pytest.mark.parametrize(
        ("latest", "gets_it"),
        [
            ([FIRST, FIRST, FIRST, FIRST], "retry"),
            ([CALLBACK, FIRST, CALLBACK, FIRST, RETRY], "retry"),
            ([FIRST, FIRST, FIRST, RETRY], "new"),
            ([RETRY, FIRST, FIRST, FIRST], "new"),
            ([FIRST, FIRST, FIRST], "new"),
        ],
    )
    def test_a_single_place_goes_to_a_retry_after_four_calls_without_one(
        self, latest: list[CallKind], gets_it: str
    ) -> None:
        found = share_out(1, of=1, retries=9, new=9, latest=latest)
        assert (found.retries, found.new) == ((1, 0) if gets_it == "retry" else (0, 1))

    def test_a_single_place_is_shared_one_to_four_in_the_long_run(self) -> None:
        latest: list[CallKind] = []
        for _ in range(100):
            found = share_out(1, of=1, retries=9, new=9, latest=latest)
            latest.insert(0, RETRY if found.retries else FIRST)
        assert latest.count(RETRY) == 20

    def test_a_single_place_goes_to_a_callback_however_long_no_retry_was_made(self) -> None:
        found = share_out(1, of=1, callbacks=1, retries=9, new=9, latest=[FIRST] * 4)
        assert found == Allocation(callbacks=1, retries=0, new=0)

    def test_nothing_is_kept_while_no_retry_is_due(self) -> None:
        assert share_out(5, of=5, new=9) == Allocation(callbacks=0, retries=0, new=5)
        assert share_out(1, of=1, new=9, latest=[FIRST] * 4) == Allocation(callbacks=0, retries=0, new=1)

    def test_no_more_is_kept_than_retries_are_due(self) -> None:
        assert share_out(10, of=10, retries=1, new=50) == Allocation(callbacks=0, retries=1, new=9)

    def test_retries_take_what_new_people_leave(self) -> None:
        assert share_out(10, of=10, retries=50, new=3) == Allocation(callbacks=0, retries=7, new=3)

    def test_nothing_is_given_where_nothing_is_free(self) -> None:
        assert share_out(0, of=5, callbacks=1, retries=1, new=1) == Allocation(callbacks=0, retries=0, new=0)
        assert share_out(-2, of=5, callbacks=1) == Allocation(callbacks=0, retries=0, new=0)

    def test_a_share_of_nothing_keeps_nothing(self) -> None:
        found = allocate(
            free=2, capacity=5, callbacks_due=0, retries_due=5, new_due=5, retries_open=0, share=0.0
        )
        assert found == Allocation(callbacks=0, retries=0, new=2)

    @bounded
    @given(
        st.integers(-1, 50),
        st.integers(0, 50),
        st.integers(0, 60),
        st.integers(0, 60),
        st.integers(0, 60),
        st.integers(0, 10),
        st.lists(st.sampled_from(CallKind), max_size=6),
    )
    def test_gives_every_free_place_to_somebody_who_is_due_and_no_more(
        self,
        free: int,
        of: int,
        callbacks: int,
        retries: int,
        new: int,
        retries_open: int,
        latest: list[CallKind],
    ) -> None:
        found = share_out(
            free,
            of=of,
            callbacks=callbacks,
            retries=retries,
            new=new,
            retries_open=retries_open,
            latest=latest,
        )
        assert 0 <= found.callbacks <= callbacks
        assert 0 <= found.retries <= retries
        assert 0 <= found.new <= new
        given_out = found.callbacks + found.retries + found.new
        assert given_out == min(max(0, free), callbacks + retries + new)
