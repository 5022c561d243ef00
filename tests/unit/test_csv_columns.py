"""Which column of a list holds what."""

from __future__ import annotations

import pytest

from outreach.domain.csv_columns import PROBLEM_COLUMN, UnusableHeader, field_of, match_columns
from outreach.domain.csv_headers import SYNONYMS, Field, header_key

pytestmark = pytest.mark.unit


class TestSynonyms:
    def test_name_no_header_for_two_fields(self) -> None:
        words = [header_key(word).replace("_", "") for known in SYNONYMS.values() for word in set(known)]
        fields = {word: field_of(word) for word in words}
        assert all(field_of(word) is field for field, known in SYNONYMS.items() for word in known)
        assert None not in fields.values()

    @pytest.mark.parametrize(
        ("header", "field"),
        [
            ("Phone (mobile) *", Field.PHONE),
            ("  TELEFONO ", Field.PHONE),
            ("Número de teléfono", Field.PHONE),
            ("Handy-Nr", None),
            ("E-Mail", Field.EMAIL),
            ("Time_Zone", Field.TIME_ZONE),
            ("Société", Field.ORGANISATION),
            ("имя", Field.NAME),
            ("手机号", Field.PHONE),
            ("전화번호", Field.PHONE),
            ("Shoe size", None),
            ("", None),
        ],
    )
    def test_do_not_mind_case_accents_and_punctuation(self, header: str, field: Field | None) -> None:
        assert field_of(header) is field


class TestHeaderKey:
    @pytest.mark.parametrize(
        ("header", "key"),
        [
            ("Years at work", "years_at_work"),
            ("  Größe (cm) ", "grosse_cm"),
            ("a" * 80, "a" * 60),
            ("회사명", "회사명"),
            ("***", ""),
        ],
    )
    def test_is_what_the_script_names(self, header: str, key: str) -> None:
        assert header_key(header) == key


class TestMatchColumns:
    def test_keeps_every_other_column_as_extra(self) -> None:
        columns = match_columns(["Name", "Phone", "Years at work", "", "Years at work", PROBLEM_COLUMN])
        assert columns.extra == ((2, "years_at_work"), (3, "column_4"), (4, "years_at_work_5"))

    def test_reads_a_second_phone_column_where_the_first_is_empty(self) -> None:
        columns = match_columns(["Name", "Phone", "Mobile"])
        assert columns.of[Field.PHONE] == (1, 2)
        assert columns.extra == ((2, "mobile"),)

    def test_remembers_the_original_order(self) -> None:
        mapping = match_columns(["Phone", "x", "First name", "Last name"]).mapping()
        assert mapping == {
            "phone": ["Phone"],
            "first_name": ["First name"],
            "last_name": ["Last name"],
            "columns": ["Phone", "x", "First name", "Last name"],
        }

    @pytest.mark.parametrize(
        ("headers", "said"),
        [
            (["Name", "Fon"], ["No column for phone", '"Name", "Fon"', "mobile"]),
            (["Phone"], ["No column for name", "full name"]),
            (["a,b"], ["No column for phone and name"]),
            (["Name", "Phone", "PHONE"], ['"Phone" appears twice', "columns 2 and 3"]),
            (["Name", "Phone", *"x" * 200], ["202 columns"]),
        ],
    )
    def test_says_what_is_wrong_with_the_header(self, headers: list[str], said: list[str]) -> None:
        with pytest.raises(UnusableHeader) as caught:
            match_columns(headers)
        assert all(part in str(caught.value) for part in said)

    def test_keeps_at_most_fifty_extra_columns_and_names_the_others(self) -> None:
        columns = match_columns(["Name", "Phone", *(f"q{n}" for n in range(52))])
        assert len(columns.extra) == 50
        assert columns.left_out == ("q50", "q51")
