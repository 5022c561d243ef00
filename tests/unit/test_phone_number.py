"""Numbers as people and spreadsheets write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.phone_number import (
    InvalidNumber,
    NumberFault,
    PhoneNumber,
    mask,
    normalise_for_search,
    parse_number,
)
from outreach.domain.written_number import WHAT_TO_DO

pytestmark = pytest.mark.unit

bounded = settings(derandomize=True, database=None, deadline=None, max_examples=300)

ALEX = PhoneNumber(e164="+14155550100", country="US", zones=("America/Los_Angeles",))


class TestNumbersThatAreRead:
    @pytest.mark.parametrize(
        "raw",
        [
            "+14155550100",
            "+1 (415) 555-0100",
            "4155550100",
            "415.555.0100",
            "1-415-555-0100",
            "(415) 555‑0100",
            "  415 555 0100\n",
            "tel:+1-415-555-0100",
            "TEL: 4155550100",
            "'+14155550100",
            "’4155550100",
            '="+14155550100"',
            '"4155550100"',
            "14155550100.0",
            "＋１４１５５５５０１００",
            "٤١٥٥٥٥٠١٠٠",
            "\u202a+14155550100\u202c",
            "\ufeff4155550100",
            "415\u00a0555\u00a00100",
            "0014155550100",
            "011 1 415 555 0100",
        ],
    )
    def test_mean_the_same_number_in_the_united_states(self, raw: str) -> None:
        assert parse_number(raw, default_country="US") == ALEX

    @pytest.mark.parametrize(
        ("raw", "default", "e164", "country"),
        [
            ("0044 20 7946 0123", "US", "+442079460123", "GB"),
            ("0044 20 7946 0123", "", "+442079460123", "GB"),
            ("0011 44 20 7946 0123", "AU", "+442079460123", "GB"),
            ("+44 (0)20 7946 0123", "", "+442079460123", "GB"),
            ("020 7946 0123", "gb", "+442079460123", "GB"),
            ("030/23125 000", "DE", "+493023125000", "DE"),
            ("06 1234 5678", "IT", "+390612345678", "IT"),
            ("34600000000", "ES", "+34600000000", "ES"),
            ("+44 1481 960194", "US", "+441481960194", "GG"),
            ("011 15 5555 0100", "AR", "+5491155550100", "AR"),
            ("+683 4002", "", "+6834002", "NU"),
        ],
    )
    def test_of_other_countries(self, raw: str, default: str, e164: str, country: str) -> None:
        number = parse_number(raw, default_country=default)
        assert (number.e164, number.country) == (e164, country)

    @pytest.mark.parametrize(
        ("raw", "country"),
        [
            ("+12125550199", "US"),
            ("+18085550123", "US"),
            ("+14165550150", "CA"),
            ("+442079460999", "GB"),
            ("+441154960123", "GB"),
            ("+441632960123", "GB"),
            ("07700 900123", "GB"),
            ("+33199001234", "FR"),
            ("+33639981234", "FR"),
            ("+353209101234", "IE"),
            ("+61491570156", "AU"),
        ],
    )
    def test_of_ranges_kept_for_fiction(self, raw: str, country: str) -> None:
        assert parse_number(raw, default_country="GB").country == country


class TestZones:
    @pytest.mark.parametrize(
        ("raw", "zones"),
        [
            ("+12125550199", ("America/New_York",)),
            ("+18085550123", ("Pacific/Honolulu",)),
            ("+12085550100", ("America/Boise", "America/Los_Angeles")),  # an area in two zones
            ("+912226543210", ("Asia/Kolkata",)),  # not Asia/Calcutta
            ("+5491155550100", ("America/Argentina/Buenos_Aires",)),  # Argentine mobiles have an area
        ],
    )
    def test_are_those_of_the_area(self, raw: str, zones: tuple[str, ...]) -> None:
        assert parse_number(raw, default_country="").zones == zones

    @pytest.mark.parametrize(
        "raw",
        ["+18005550123", "+61491570156", "+34600000000", "+447700900123", "+88216123456"],
    )
    def test_are_none_where_a_number_tells_no_place(self, raw: str) -> None:
        assert parse_number(raw, default_country="").zones == ()

    def test_a_satellite_phone_has_no_country_either(self) -> None:
        assert parse_number("+88216123456", default_country="").country == ""


class TestNumbersThatAreRefused:
    @pytest.mark.parametrize(
        ("raw", "default", "code"),
        [
            ("", "US", "missing"),
            (" \t", "US", "missing"),
            ("n/a", "US", "missing"),
            ("-", "US", "missing"),
            ("+", "US", "missing"),
            ("1.6502E+10", "US", "scientific"),
            ("1,6502e10", "DE", "scientific"),
            ("'1.6502E+10", "US", "scientific"),
            ("4155550100 / 4155550101", "US", "two_numbers"),
            ("4155550100/01", "US", "two_numbers"),
            ("4155550100 or 4155550101", "US", "two_numbers"),
            ("4155550100, 4155550101", "US", "two_numbers"),
            ("4155550100;4155550101", "US", "two_numbers"),
            ("4155550100\n4155550101", "US", "two_numbers"),
            ("4155550100 4155550101", "US", "two_numbers"),
            ("+14155550100 +14155550101", "US", "two_numbers"),
            ("+14155550100+14155550101", "US", "two_numbers"),
            ("4155550100 x12", "US", "extension"),
            ("4155550100x12", "US", "extension"),
            ("4155550100 ext. 5", "US", "extension"),
            ("4155550100ext5", "US", "extension"),
            ("4155550100 #5", "US", "extension"),
            ("4155550100,,12", "US", "extension"),
            ("tel:+14155550100;ext=5", "US", "extension"),
            ("01 99 00 12 34 poste 12", "FR", "extension"),
            ("1-800-FLOWERS", "US", "letters"),
            ("415-555-0100 (home)", "US", "letters"),
            ("call 4155550100", "US", "letters"),
            ("4155550100", "", "no_country"),
            ("4155550100", "XX", "no_country"),
            ("911", "US", "short"),
            ("112", "GB", "short"),
            ("999", "GB", "short"),
            ("000", "AU", "short"),
            ("116000", "DE", "short"),
            ("+44999", "", "impossible"),
            ("+1911", "", "impossible"),
            ("41555501001", "US", "impossible"),
            ("+141555501", "", "impossible"),
            ("+1234567890123456789", "", "impossible"),
            ("044 55 1234 5678", "MX", "impossible"),  # a prefix that Mexico gave up
            ("+15555555555", "", "invalid"),
            ("+999123456789", "", "invalid"),
            ("+19005550123", "", "premium"),
            ("+449098790123", "", "premium"),
        ],
    )
    def test_say_why_by_a_code_of_their_own(self, raw: str, default: str, code: str) -> None:
        with pytest.raises(InvalidNumber) as refused:
            parse_number(raw, default_country=default)
        assert refused.value.code == code
        assert str(refused.value) == WHAT_TO_DO[NumberFault(code)]

    def test_every_code_says_what_to_do(self) -> None:
        assert set(WHAT_TO_DO) == set(NumberFault)
        assert all(": " in sentence and sentence.endswith(".") for sentence in WHAT_TO_DO.values())

    def test_the_sentence_never_repeats_the_number(self) -> None:
        with pytest.raises(InvalidNumber) as refused:
            parse_number("+15555555555", default_country="US")
        assert "5555" not in str(refused.value)

    @bounded
    @given(st.text(max_size=30), st.sampled_from(["US", "GB", "DE", "", "XX"]))
    def test_any_text_is_read_or_refused(self, raw: str, default: str) -> None:
        try:
            number = parse_number(raw, default_country=default)
        except InvalidNumber:
            return
        assert re.fullmatch(r"\+[1-9][0-9]{5,14}", number.e164)

    @bounded
    @given(st.text(alphabet="0123456789+ -()/.x;,E", max_size=24), st.sampled_from(["US", "GB", "DE", ""]))
    def test_what_is_read_is_read_again_as_itself(self, raw: str, default: str) -> None:
        try:
            number = parse_number(raw, default_country=default)
        except InvalidNumber:
            return
        assert parse_number(number.e164, default_country="FR") == number

    @bounded
    @given(st.integers(0, 99), st.sampled_from(["{}", "{} ", "({}", "tel:{}", "'{}", "\u200e{}"]))
    def test_every_number_kept_for_fiction_in_san_francisco_is_read(self, line: int, form: str) -> None:
        number = parse_number(form.format(f"+1 415 555 01{line:02}"), default_country="")
        assert number.e164 == f"+141555501{line:02}"


class TestMask:
    @pytest.mark.parametrize(
        ("e164", "shown"),
        [
            ("+14155550100", "+1415***0100"),
            ("+442079460123", "+4420***0123"),
            ("+6834002", "+68***02"),
            ("+123456", "***"),
            ("", "***"),
        ],
    )
    def test_hides_the_middle(self, e164: str, shown: str) -> None:
        assert mask(e164) == shown


class TestNormaliseForSearch:
    @pytest.mark.parametrize(
        ("raw", "sought"),
        [
            ("+1 (415) 555", "+1415555"),
            ("0044 20 7946", "+44207946"),
            ("415-555", "415555"),
            ("+", ""),
            ("", ""),
            ("Ana María", ""),
            ("Route 66", ""),
        ],
    )
    def test_keeps_what_may_begin_a_number(self, raw: str, sought: str) -> None:
        assert normalise_for_search(raw) == sought
