"""No cell that a spreadsheet would run."""

from __future__ import annotations

import pytest

from outreach.domain.phone_number import parse_number
from outreach.domain.spreadsheet_cells import safe_cell

pytestmark = pytest.mark.unit


class TestACell:
    @pytest.mark.parametrize(
        "written", ["=1+1", "+14155550100", "-2", "@SUM(A1)", "\t=1", "\r=1", "  =cmd|'/c calc'", "\uff1d1"]
    )
    def test_that_would_be_run_begins_with_an_apostrophe(self, written: str) -> None:
        assert safe_cell(written) == f"'{written}"

    @pytest.mark.parametrize("written", ["", "Ann", "a=b", "2026-03-03 15:05:00", "'quoted"])
    def test_that_would_not_stays_as_it_is(self, written: str) -> None:
        assert safe_cell(written) == written

    def test_with_a_number_is_read_back_by_the_import(self) -> None:
        assert parse_number(safe_cell("+14155550100"), default_country="").e164 == "+14155550100"
