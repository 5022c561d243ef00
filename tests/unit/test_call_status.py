"""A call's status only ever moves further."""

from __future__ import annotations

from itertools import product

import pytest

from outreach.domain.call_status import (
    OPEN,
    PROVIDER_STATUSES,
    RANK,
    TERMINAL,
    CallStatus,
    may_move,
    sources_of,
)

pytestmark = pytest.mark.unit

PAIRS = list(product(CallStatus, CallStatus))


class TestStatuses:
    def test_every_status_has_a_rank(self) -> None:
        assert set(RANK) == set(CallStatus)

    def test_a_status_is_either_open_or_terminal(self) -> None:
        assert set(CallStatus) == OPEN | TERMINAL
        assert not OPEN & TERMINAL

    def test_an_unknown_call_is_open_so_it_blocks_a_redial(self) -> None:
        assert CallStatus.UNKNOWN in OPEN

    def test_terminal_statuses_rank_above_all_open_ones(self) -> None:
        assert min(RANK[s] for s in TERMINAL) > max(RANK[s] for s in OPEN)

    def test_the_provider_never_says_what_only_we_conclude(self) -> None:
        ours = {"queued", "preparing", "dialing", "unknown", "not_placed"}
        assert {s.value for s in set(CallStatus) - PROVIDER_STATUSES} == ours


class TestMayMove:
    @pytest.mark.parametrize("status", list(CallStatus))
    def test_a_repeated_event_moves_nothing(self, status: CallStatus) -> None:
        assert not may_move(status, status)

    @pytest.mark.parametrize(
        ("stored", "new"), list(product(sorted(TERMINAL - {CallStatus.NOT_PLACED}), CallStatus))
    )
    def test_a_terminal_status_absorbs(self, stored: CallStatus, new: CallStatus) -> None:
        assert not may_move(stored, new)

    @pytest.mark.parametrize("new", list(CallStatus))
    def test_only_the_provider_proves_not_placed_wrong(self, new: CallStatus) -> None:
        assert may_move(CallStatus.NOT_PLACED, new) == (new in PROVIDER_STATUSES)

    @pytest.mark.parametrize(("stored", "new"), list(product(sorted(OPEN), sorted(TERMINAL))))
    def test_every_open_call_can_end_in_every_way(self, stored: CallStatus, new: CallStatus) -> None:
        assert may_move(stored, new)

    def test_a_late_ringing_does_not_undo_an_answer(self) -> None:
        assert not may_move(CallStatus.IN_PROGRESS, CallStatus.RINGING)

    def test_an_answer_may_come_before_the_ringing(self) -> None:
        assert may_move(CallStatus.DIALING, CallStatus.IN_PROGRESS)

    def test_two_statuses_never_lead_to_each_other(self) -> None:
        circles = [
            (a, b)
            for a, b in PAIRS
            if may_move(a, b) and may_move(b, a) and CallStatus.NOT_PLACED not in (a, b)
        ]
        assert circles == []

    def test_not_placed_is_left_at_most_once(self) -> None:
        after = [s for s in CallStatus if may_move(CallStatus.NOT_PLACED, s) and s in TERMINAL]
        assert not any(may_move(s, CallStatus.NOT_PLACED) for s in after)


class TestSourcesOf:
    @pytest.mark.parametrize("new", list(CallStatus))
    def test_lists_exactly_the_statuses_from_which_a_call_may_move(self, new: CallStatus) -> None:
        assert sources_of(new) == sorted(s.value for s in CallStatus if may_move(s, new))

    def test_holds_plain_strings_for_the_database(self) -> None:
        assert all(type(value) is str for value in sources_of(CallStatus.COMPLETED))

    def test_nothing_becomes_queued_again(self) -> None:
        assert sources_of(CallStatus.QUEUED) == []
