"""Whose number is visible, and whose is not."""

from __future__ import annotations

import pytest

from outreach.domain.caller_id import visible_number

pytestmark = pytest.mark.unit


class TestVisibleNumber:
    @pytest.mark.parametrize("given", ["+12125550142", " +33199001230 "])
    def test_is_a_telephone_number(self, given: str) -> None:
        assert visible_number(given) == given.strip()

    @pytest.mark.parametrize(
        "given",
        [
            *("", "anonymous", "Restricted", "unknown", "client:anna", "sip:anna@example.com", "2125550142"),
            *("+266696687", "+86282452253", "+8656696", "+2562533", "+7378742833"),
        ],
    )
    def test_is_none_where_the_network_hides_it(self, given: str) -> None:
        assert visible_number(given) == ""
