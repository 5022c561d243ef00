"""A disposition only ever moves towards "stop calling"."""

from __future__ import annotations

from itertools import permutations, product

import pytest

from outreach.domain.disposition import (
    OUR_FAULTS,
    PRECEDENCE,
    Disposition,
    EndedBy,
    stronger,
    weaker_than,
)

pytestmark = pytest.mark.unit


class TestStronger:
    def test_the_first_claim_stands(self) -> None:
        assert stronger(None, Disposition.NO_OUTCOME) is Disposition.NO_OUTCOME

    @pytest.mark.parametrize("other", list(Disposition))
    def test_a_stop_outweighs_everything_in_either_order(self, other: Disposition) -> None:
        assert stronger(other, Disposition.DO_NOT_CALL) is Disposition.DO_NOT_CALL
        assert stronger(Disposition.DO_NOT_CALL, other) is Disposition.DO_NOT_CALL

    def test_a_no_outweighs_an_earlier_yes(self) -> None:
        assert stronger(Disposition.INTERESTED, Disposition.NOT_INTERESTED) is Disposition.NOT_INTERESTED

    @pytest.mark.parametrize(("one", "two"), list(product(Disposition, Disposition)))
    def test_order_of_arrival_does_not_matter(self, one: Disposition, two: Disposition) -> None:
        assert stronger(one, two) is stronger(two, one)

    def test_three_claims_settle_alike_in_every_order(self) -> None:
        claims = (Disposition.INTERESTED, Disposition.CALLBACK_REQUESTED, Disposition.WRONG_PERSON)
        settled = {stronger(stronger(a, b), c) for a, b, c in permutations(claims)}
        assert settled == {Disposition.WRONG_PERSON}

    def test_every_disposition_has_a_place_of_its_own(self) -> None:
        assert set(PRECEDENCE) == set(Disposition)
        assert len(set(PRECEDENCE.values())) == len(Disposition)


class TestWeakerThan:
    @pytest.mark.parametrize("new", list(Disposition))
    def test_lists_exactly_what_the_new_one_replaces(self, new: Disposition) -> None:
        replaced = [old for old in Disposition if old is not new and stronger(old, new) is new]
        assert weaker_than(new) == sorted(old.value for old in replaced)

    def test_nothing_is_replaced_by_no_outcome(self) -> None:
        assert weaker_than(Disposition.NO_OUTCOME) == []


class TestOurFaults:
    def test_what_the_person_did_is_never_our_fault(self) -> None:
        assert not OUR_FAULTS & {EndedBy.CALLEE, EndedBy.SILENCE, EndedBy.OPT_OUT, EndedBy.MACHINE}

    def test_every_failure_of_a_model_is(self) -> None:
        assert {e for e in EndedBy if e.value.endswith("_failure")} <= OUR_FAULTS
