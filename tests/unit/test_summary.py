"""A model's summary is believed as far as the person's own words show it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.summary import (
    AskedField,
    ProposedField,
    ProposedSummary,
    ShownField,
    SpokenTurn,
    check_summary,
    is_shown,
)

pytestmark = pytest.mark.unit

TURNS = (
    SpokenTurn(seq=1, speaker="alex", text="How many sessions do you run in a usual month?"),
    SpokenTurn(
        seq=2, speaker="person", text="Oh, maybe twenty-five. I’d say it's mostly schools, and no parties."
    ),
)
ASKED = (
    AskedField(name="groups", question="What kind of groups?"),
    AskedField(name="sessions", question="How many sessions a month?"),
)


def proposed(
    name: str = "groups", value: str = "schools", turn: int = 2, quote: str = "mostly schools"
) -> ProposedField:
    return ProposedField(name=name, value=value, turn=turn, quote=quote)


class TestAValue:
    @pytest.mark.parametrize(
        "field",
        [
            proposed(),
            proposed(quote="“It’s MOSTLY schools,”"),
            proposed(value="25 a month", quote="maybe twenty-five"),
            proposed(value="twenty-five", quote="twenty five"),
            proposed(value="one kind: schools"),
        ],
    )  # fmt: skip
    def test_is_shown_by_words_that_the_person_spoke(self, field: ProposedField) -> None:
        assert is_shown(field, TURNS[1])

    @pytest.mark.parametrize(
        "field",
        [
            proposed(quote="mostly hospitals"),
            proposed(quote=""),
            proposed(quote="…!"),
            proposed(quote="school"),
            proposed(value="35 a month", quote="maybe twenty-five"),
            proposed(value="200", quote="maybe twenty-five"),
        ],
    )
    def test_is_not_shown_by_anything_else(self, field: ProposedField) -> None:
        assert not is_shown(field, TURNS[1])

    def test_is_not_shown_by_what_alex_said(self) -> None:
        assert not is_shown(proposed(turn=1, quote="a usual month"), TURNS[0])

    def test_is_not_shown_by_a_turn_that_does_not_exist(self) -> None:
        assert not is_shown(proposed(turn=9), None)

    @pytest.mark.parametrize(
        ("words", "value"),
        [("two hundred", "200"), ("a dozen", "12"), ("twice", "2"), ("3 or 4", "3"), ("ten", "10")],
    )
    def test_may_write_spoken_numbers_in_digits(self, words: str, value: str) -> None:
        turn = SpokenTurn(seq=1, speaker="person", text=f"I run {words} a month")
        assert is_shown(proposed(value=value, quote=f"run {words} a month"), turn)


class TestCheckSummary:
    def test_keeps_what_is_shown_in_the_order_it_was_asked_for(self) -> None:
        answer = ProposedSummary(
            summary="Runs sessions.",
            fields=[proposed("sessions", "25", 2, "twenty-five"), proposed()],
        )
        checked = check_summary(answer, turns=TURNS, asked=ASKED)
        assert checked.fields == (
            ShownField(name="groups", value="schools", turn_seq=2),
            ShownField(name="sessions", value="25", turn_seq=2),
        )
        assert checked.dropped == 0

    def test_drops_and_counts_what_is_not_shown_or_was_not_asked_for(self) -> None:
        answer = ProposedSummary(
            summary="",
            fields=[
                proposed(quote="mostly hospitals"),
                proposed("salary", "much"),
                proposed(turn=1),
                proposed(turn=7),
            ],
        )
        checked = check_summary(answer, turns=TURNS, asked=ASKED)
        assert (checked.fields, checked.dropped) == ((), 4)

    def test_takes_an_empty_value_as_no_answer(self) -> None:
        checked = check_summary(
            ProposedSummary(summary="", fields=[proposed(value=" ")]), turns=TURNS, asked=ASKED
        )
        assert (checked.fields, checked.dropped) == ((), 0)

    def test_writes_text_that_a_page_and_a_database_can_hold(self) -> None:
        checked = check_summary(ProposedSummary(summary="a\x00b\u202e\n c" + "x" * 5000), turns=(), asked=())
        assert checked.text.startswith("a b c")
        assert len(checked.text) == 1200

    @given(
        st.lists(
            st.builds(
                ProposedField,
                name=st.sampled_from(["groups", "sessions", "salary"]),
                value=st.text(max_size=8),
                turn=st.integers(0, 4),
                quote=st.sampled_from(["mostly schools", "twenty-five", "a usual month", "never said", ""]),
            ),
            max_size=8,
        )
    )
    def test_shows_only_the_persons_turns_and_each_name_once(self, fields: list[ProposedField]) -> None:
        checked = check_summary(ProposedSummary(summary="", fields=fields), turns=TURNS, asked=ASKED)
        assert {field.turn_seq for field in checked.fields} <= {2}
        assert len({field.name for field in checked.fields}) == len(checked.fields)
        assert len(checked.fields) + checked.dropped <= len(fields)
