"""Lists of numbers that must not be called, as people bring them."""

from __future__ import annotations

import pytest

from outreach.domain.number_list import UnusableList, decode, read_numbers

pytestmark = pytest.mark.unit


def numbers_of(text: str, country: str = "US") -> list[str]:
    """Return the numbers that a list has."""
    return [listed.number for listed in read_numbers(text, default_country=country).numbers]


class TestAList:
    @pytest.mark.parametrize(
        "text",
        [
            "+12025550123\n(415) 555-0177\n",
            "number\n+1 202 555 0123\n\n4155550177",
            "Added;Phone;Reason\n2024-05-01;+12025550123;asked\n2024-06-01;415-555-0177;",
            "Ann\t202-555-0123\nBob\t415.555.0177",
        ],
    )
    def test_is_read_with_or_without_a_header_and_other_columns(self, text: str) -> None:
        assert numbers_of(text) == ["+12025550123", "+14155550177"]

    def test_keeps_the_reason_that_it_gives(self) -> None:
        (listed,) = read_numbers("phone,reason\n+12025550123,asked by mail", default_country="").numbers
        assert listed.reason == "asked by mail"

    def test_names_each_line_that_cannot_be_used_and_keeps_the_others(self) -> None:
        read = read_numbers("+12025550123\nnobody\n12\n\n+12025550123\n5550177", default_country="")
        assert [listed.number for listed in read.numbers] == ["+12025550123"]
        assert [(bad.line, bad.cell) for bad in read.bad] == [(2, "nobody"), (3, "12"), (6, "5550177")]
        assert all(bad.problem for bad in read.bad)
        assert read.n_twice == 1

    @pytest.mark.parametrize("text", ["", " \n ", "+12025550123\n" * 50_001])
    def test_is_refused_when_it_is_empty_or_too_long(self, text: str) -> None:
        with pytest.raises(UnusableList):
            read_numbers(text, default_country="")

    def test_may_be_a_file_in_any_encoding_but_no_spreadsheet(self) -> None:
        assert decode("Größe\n".encode("utf-16")) == "Größe\n"
        assert decode("Größe".encode("cp1252")) == "Größe"
        with pytest.raises(UnusableList, match="CSV"):
            decode(b"PK\x03\x04\x00\x00")
