"""One row of a list: a person, or the reasons against it."""

from __future__ import annotations

import pytest

from outreach.domain.csv_columns import match_columns
from outreach.domain.csv_person import RowReader
from outreach.domain.csv_rows import (
    CONSENT_WITHHELD,
    NO_CONSENT,
    NO_COUNTRY,
    Consent,
    Person,
    ReadRow,
    RowRules,
)

pytestmark = pytest.mark.unit

RULES = RowRules(default_country="US", consent_basis="express", consent_source="web form")


def read(rules: RowRules = RULES, /, **cells: str) -> ReadRow:
    """Read one row whose columns are named by the arguments."""
    cells = {"name": "Ana Ruiz", "phone": "+12125550100"} | cells
    reader = RowReader(columns=match_columns(list(cells)), rules=rules)
    return reader.read(line=7, cells=list(cells.values()))


def person(**cells: str) -> Person:
    row = read(**cells)
    assert row.person is not None, row.problems
    return row.person


def only_code(row: ReadRow) -> str:
    (problem,) = row.problems
    assert problem.line == 7
    assert problem.sentence.endswith((".", "?"))
    assert problem.rejected is (row.person is None)
    return problem.code


class TestNumbers:
    @pytest.mark.parametrize(
        ("phone", "code"),
        [
            ("", "number_missing"),
            ("   ", "number_missing"),
            ("1.4155E+10", "scientific"),
            ("=1+2", "formula"),
            ("2125550100 / 2125550101", "two_numbers"),
            ("2125550100 ext. 12", "extension"),
            ("12", "impossible"),
            ("+999 123 456 789", "invalid"),
            ("call me", "missing"),
            ("911", "short"),
        ],
    )
    def test_are_refused_with_the_reason(self, phone: str, code: str) -> None:
        row = read(phone=phone)
        assert row.person is None
        assert only_code(row) == code

    @pytest.mark.parametrize(
        "phone",
        [
            "(212) 555-0100",
            "+1 212 555 0100",
            "'+12125550100",
            '="2125550100"',
            "001 212 555 0100",
            "\u200e+12125550100",
        ],
    )
    def test_are_read_as_people_and_spreadsheets_write_them(self, phone: str) -> None:
        assert person(phone=phone).number == "+12125550100"

    def test_without_a_country_use_the_rows_country_before_the_campaigns(self) -> None:
        assert person(phone="030 23125000", country="Germany").number == "+493023125000"

    def test_are_not_guessed_when_the_rows_country_is_unreadable(self) -> None:
        assert only_code(read(phone="2125550100", country="Atlantis")) == "country_unknown"

    def test_with_a_country_code_do_not_need_the_rows_country(self) -> None:
        row = read(country="Atlantis")
        assert row.person is not None
        assert only_code(row) == "country_unknown"


class TestZones:
    @pytest.mark.parametrize(
        ("cells", "expected"),
        [
            ({"tz": "europe/madrid"}, ("US", "Europe/Madrid", "given", True)),
            ({"tz": "America/New York"}, ("US", "America/New_York", "given", True)),
            ({}, ("US", "America/New_York", "number", False)),
            ({"phone": "+18005550100"}, ("US", "", "country", False)),
            ({"country": "us"}, ("US", "America/New_York", "number", True)),
            ({"country": "ES"}, ("ES", "", "country", True)),
            ({"country": "ES", "tz": "Europe/Madrid"}, ("ES", "Europe/Madrid", "given", True)),
        ],
    )
    def test_prefer_what_is_said_to_what_the_number_suggests(
        self, cells: dict[str, str], expected: tuple[str, str, str, bool]
    ) -> None:
        found = person(**cells)
        assert (found.country, found.time_zone, found.zone_source, found.placed) == expected

    @pytest.mark.parametrize("zone", ["Moon/Base", "UTC", "Etc/GMT+5", "EST", "+01:00"])
    def test_that_name_no_place_are_a_warning_and_the_number_decides(self, zone: str) -> None:
        row = read(tz=zone)
        assert only_code(row) == "time_zone_unknown"
        assert row.person is not None
        assert row.person.zone_source == "number"

    def test_without_any_country_hold_the_person(self) -> None:
        assert person(phone="+80012345678").hold_reason == NO_COUNTRY


class TestConsent:
    def test_comes_from_the_operator_where_the_row_says_nothing(self) -> None:
        found = person(consent="")
        assert (found.consent, found.consent_basis, found.consent_source) == (
            Consent.DEFAULT,
            "express",
            "web form",
        )

    def test_of_the_row_goes_before_the_operators(self) -> None:
        found = person(consent="Express written consent", consent_source="fair, 3 May")
        assert (found.consent_basis, found.consent_source) == ("express_written", "fair, 3 May")

    def test_that_is_missing_holds_the_person(self) -> None:
        row = read(RowRules(default_country="US", consent_basis="", consent_source=""))
        assert row.person is not None
        assert row.person.hold_reason == NO_CONSENT
        assert row.problems == []

    def test_that_is_withheld_is_not_replaced_by_the_operators(self) -> None:
        found = person(consent="No")
        assert (found.consent, found.consent_basis) == (Consent.WITHHELD, "")
        assert found.consent_source == CONSENT_WITHHELD
        assert found.hold_reason == CONSENT_WITHHELD

    @pytest.mark.parametrize("word", ["yes", "1", "true", "maybe"])
    def test_that_does_not_say_which_is_a_warning_and_holds(self, word: str) -> None:
        row = read(consent=word)
        assert only_code(row) == "consent_basis_unknown"
        assert row.person is not None
        assert (row.person.consent, row.person.hold_reason) == (Consent.UNCLEAR, NO_CONSENT)


class TestNames:
    @pytest.mark.parametrize(
        ("cells", "name"),
        [
            ({"name": "  Ana \t Ruiz\u200b "}, "Ana Ruiz"),
            ({"name": "", "first name": "Ana", "last name": "Ruiz"}, "Ana Ruiz"),
            ({"name": "Dupont", "prénom": "Jean"}, "Jean Dupont"),
            ({"name": "Jean Dupont", "prénom": "Jean"}, "Jean Dupont"),
            ({"name": "Ana", "apellidos": "Ruiz Paz"}, "Ana Ruiz Paz"),
            ({"name": "علی\u200cرضا"}, "علی\u200cرضا"),
        ],
    )
    def test_are_joined_from_what_there_is(self, cells: dict[str, str], name: str) -> None:
        assert person(**cells).name == name

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("", "name_missing"),
            ("=HYPERLINK(1)", "formula"),
            ("+cmd|' /C calc'!A0", "formula"),
            ("@SUM(1+1)", "formula"),
            ("x" * 201, "name_too_long"),
        ],
    )
    def test_are_refused_with_the_reason(self, name: str, code: str) -> None:
        assert only_code(read(name=name)) == code

    def test_with_damaged_letters_are_kept_with_a_warning(self) -> None:
        assert only_code(read(name="Jos\ufffd")) == "damaged"


class TestOtherCells:
    @pytest.mark.parametrize(
        ("cells", "field", "value"),
        [
            ({"priority": "1"}, "priority", 1),
            ({"priority": "High"}, "priority", 2),
            ({"priority": "low"}, "priority", 8),
            ({"priority": ""}, "priority", None),
            ({"language": "Español"}, "language", "es"),
            ({"language": "pt_br"}, "language", "pt-BR"),
            ({"language": "EN"}, "language", "en"),
            ({"email": "ana@example.org"}, "email", "ana@example.org"),
            ({"company": "Acme  \r\n Ltd"}, "organisation", "Acme Ltd"),
            ({"Years at work": " 12 "}, "extra", {"years_at_work": "12"}),
        ],
    )
    def test_are_read(self, cells: dict[str, str], field: str, value: object) -> None:
        assert getattr(person(**cells), field) == value

    @pytest.mark.parametrize(
        ("cells", "code"),
        [
            ({"priority": "0"}, "priority_unknown"),
            ({"priority": "10"}, "priority_unknown"),
            ({"priority": "urgent"}, "priority_unknown"),
            ({"language": "klingon!"}, "language_unknown"),
            ({"email": "ana@"}, "email_unknown"),
            ({"email": "a@example.org, b@example.org"}, "email_unknown"),
            ({"email": "=A1"}, "formula"),
            ({"company": "x" * 201}, "cut"),
            ({"notes": "x" * 501}, "cut"),
        ],
    )
    def test_that_are_doubtful_do_not_cost_the_person(self, cells: dict[str, str], code: str) -> None:
        row = read(**cells)
        assert row.person is not None
        assert only_code(row) == code


class TestRows:
    def test_name_everything_that_is_wrong_at_once(self) -> None:
        row = read(name="", phone="")
        assert [problem.code for problem in row.problems] == ["name_missing", "number_missing"]

    def test_with_nul_bytes_are_refused(self) -> None:
        assert only_code(read(notes="a\0b")) == "nul"

    def test_may_be_shorter_or_have_empty_cells_at_the_end(self) -> None:
        reader = RowReader(columns=match_columns(["name", "phone", "email"]), rules=RULES)
        assert reader.read(line=2, cells=["Ana", "+12125550100"]).person is not None
        assert reader.read(line=2, cells=["Ana", "+12125550100", "", "", " "]).person is not None

    def test_with_more_cells_than_columns_are_refused(self) -> None:
        reader = RowReader(columns=match_columns(["name", "phone"]), rules=RULES)
        (problem,) = reader.read(line=2, cells=["Ruiz", "Ana", "+12125550100"]).problems
        assert problem.code == "too_many_cells"
