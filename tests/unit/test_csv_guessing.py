"""Columns whose headers say nothing, told by their cells."""

from __future__ import annotations

import pytest

from outreach.domain.csv_columns import UnusableHeader, choose_columns, match_columns, suggest_fields
from outreach.domain.csv_guessing import is_person
from outreach.domain.csv_headers import Field

pytestmark = pytest.mark.unit

ROWS = [
    ["a1", "Ana Ruiz", "212 555 0100", "ana@example.org", "gold", "America/New_York"],
    ["a2", "Bo Li 2", "+44 20 7946 0123", "", "gold", "Europe/London"],
    ["a3", "Cy van Dam", "12", "cy@example.org", "silver", ""],
    ["a4", "Dörte Müßig", "(212) 555-0104", "d@example.org", "gold", "Europe/Berlin"],
]
HEADERS = ["ref", "kto", "zvonit", "adresse élec", "tier", "wo"]


class TestSuggestFields:
    def test_finds_by_content_what_no_header_names(self) -> None:
        assert suggest_fields(HEADERS, sample=ROWS, default_country="US") == [
            None, Field.NAME, Field.PHONE, Field.EMAIL, None, Field.TIME_ZONE,
        ]  # fmt: skip

    def test_believes_a_header_before_the_cells(self) -> None:
        headers = ["ref", "kto", "x", "mail", "name", "y"]
        fields = suggest_fields(headers, sample=ROWS, default_country="US")
        assert fields == [None, None, Field.PHONE, Field.EMAIL, Field.NAME, Field.TIME_ZONE]

    def test_takes_no_column_of_groups_for_names(self) -> None:
        rows = [["gold", "2125550100"], ["gold", "2125550101"], ["silver", "2125550102"]] * 3
        assert suggest_fields(["x", "y"], sample=rows, default_country="US")[0] is None

    def test_never_guesses_consent(self) -> None:
        rows = [[name, number, "express"] for _, name, number, *_ in ROWS]
        assert suggest_fields(["x", "y", "z"], sample=rows, default_country="US")[2] is None


class TestMatchColumns:
    def test_reads_a_list_without_known_headers(self) -> None:
        columns = match_columns(HEADERS, sample=ROWS, default_country="US")
        assert columns.of[Field.PHONE] == (2,)
        assert columns.extra == ((0, "ref"), (4, "tier"))


class TestChooseColumns:
    def test_keeps_what_is_no_field_and_leaves_out_what_is_ignored(self) -> None:
        fields = [None, Field.NAME, Field.PHONE, Field.PHONE, None]
        columns = choose_columns(["a", "b", "c", "d", "e"], fields, ignored=[4])
        assert columns.of == {Field.NAME: (1,), Field.PHONE: (2, 3)}
        assert columns.extra == ((0, "a"), (3, "d"))

    def test_wants_a_phone(self) -> None:
        with pytest.raises(UnusableHeader, match="No column for phone"):
            choose_columns(["a"], [Field.NAME])


class TestIsPerson:
    @pytest.mark.parametrize(
        ("cells", "is_one"),
        [
            (["Ana", "212 555 0100"], True),
            (["Ana", "ana@example.org"], True),
            (["Name", "Phone 1"], False),
            (["Name", "Sent at 2026-03-03 10:00:00 to the office"], False),
            (["Q1 2025", "e-mail@"], False),
        ],
    )
    def test_tells_a_first_row_from_a_header(self, cells: list[str], is_one: bool) -> None:
        assert is_person(cells) is is_one
